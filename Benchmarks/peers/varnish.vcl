# Three peers in one Varnish: a cache of pages by the request's body, a throttle, and a proxy without a cache.
vcl 4.1;
import bodyaccess;
import std;
import vsthrottle;

backend origin { .host = "127.0.0.1"; .port = "@origin@"; }

sub vcl_recv {
    if (std.port(local.ip) == @varnish_pass@) { return (pass); }
    if (std.port(local.ip) == @varnish_limit@ && vsthrottle.is_denied(req.http.X-Amz-Target, 1, 60s)) {
        return (synth(400, "Bad Request"));
    }
    if (!std.cache_req_body(64KB)) { return (fail); }
    return (hash);
}

sub vcl_hash {
    hash_data(req.http.X-Amz-Target);
    bodyaccess.hash_req_body();
    return (lookup);
}

sub vcl_backend_fetch { set bereq.method = "POST"; }

sub vcl_backend_response { set beresp.ttl = 10m; }

sub vcl_synth {
    set resp.http.Content-Type = "application/x-amz-json-1.0";
    synthetic("""{"__type":"ThrottlingException","Message":"Rate exceeded"}""");
    return (deliver);
}
