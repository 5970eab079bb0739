"""same_answers.py PORT DIRECTORY: sends the same requests over HTTP/1.1 and over HTTP/2, and compares status, fields and content.
DIRECTORY holds the certificates of a TLS listener ('-' for a listener in the clear). Prints how many were the same, and what was
not.
"""

import http.client
import re
import socket
import ssl
import subprocess
import sys

import h2.config
import h2.connection
import h2.events

port, directory = int(sys.argv[1]), sys.argv[2]
JOBS = "VoiceID.ListFraudsterRegistrationJobs"
DOMAIN = '{"DomainId":"AAAAAAAAAAAAAAAAAAAAAA"}'
REQUESTS = [
    ("POST", "/", JOBS, DOMAIN),
    ("POST", "/", JOBS, DOMAIN.replace("}", ',"JobStatus":"FAILED"}')),
    ("POST", "/", JOBS, DOMAIN.replace("}", " " * 50_000 + "}")),
    ("POST", "/", JOBS, '{"DomainId":"x","MaxResults":0}'),
    ("POST", "/", JOBS, '{"DomainId":'),
    ("POST", "/", JOBS, ""),
    ("POST", "/", JOBS, "x" * 70_000),
    ("POST", "/", "VoiceID.EvaluateSession", DOMAIN.replace("}", ',"SessionNameOrId":"s"}')),
    ("POST", "/", "VoiceID.DescribeDomain", DOMAIN),
    ("POST", "/", "Nonsense", "{}"),
    ("POST", "/", "", "{}"),
    ("GET", "/healthz", "", ""),
    ("HEAD", "/healthz", "", ""),
    ("GET", "/nothing", "", ""),
    ("GET", "/", "", ""),
]
# These are new with each answer, or the connection's.
CHANGING = {"date", "x-amzn-requestid", "x-jobsproxy-upstream-request-id", "connection", "keep-alive"}


def context(protocol):
    made = ssl.create_default_context(cafile=f"{directory}/authority.pem")
    made.set_alpn_protocols([protocol])
    return made


def answer(status, fields, content):
    """What must be the same; ages and times to live count seconds."""
    kept = sorted((name.lower(), re.sub(r"\d+", "#", value) if name.lower() in ("age", "cache-status") else value)
                  for name, value in fields if name.lower() not in CHANGING)
    return int(status), kept, content


def over_http1(method, path, target, body):
    if directory == "-":
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    else:
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context("http/1.1"))
    connection.request(method, path, body.encode() if method == "POST" else None, {"X-Amz-Target": target} if target else {})
    got = connection.getresponse()
    result = answer(got.status, got.getheaders(), got.read())
    connection.close()
    return result


class HTTP2:
    """One connection, whose streams follow each other."""

    def __init__(self):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        if directory != "-":
            self.socket = context("h2").wrap_socket(self.socket, server_hostname="localhost")
            assert self.socket.selected_alpn_protocol() == "h2"
        self.machine = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.machine.initiate_connection()

    def request(self, method, path, target, body):
        scheme = "http" if directory == "-" else "https"
        fields = [(":method", method), (":scheme", scheme), (":path", path), (":authority", f"127.0.0.1:{port}")]
        fields += [("x-amz-target", target)] if target else []
        stream, left, self.content = self.machine.get_next_available_stream_id(), body.encode(), b""
        self.status, self.fields, self.ended = 0, [], False
        self.machine.send_headers(stream, fields, end_stream=method != "POST")
        while method == "POST" and left is not None and not self.ended:
            size = min(len(left), self.machine.local_flow_control_window(stream), self.machine.max_outbound_frame_size)
            if size > 0 or not left:
                part, left = left[:size], left[size:]
                self.machine.send_data(stream, part, end_stream=not left)
                left = left or None
            else:
                self.receive()
        while not self.ended:
            self.receive()
        return answer(self.status, self.fields, self.content)

    def receive(self):
        self.socket.sendall(self.machine.data_to_send())
        data = self.socket.recv(65536)
        assert data, "the connection ended"
        for event in self.machine.receive_data(data):
            if isinstance(event, h2.events.ResponseReceived):
                self.status = dict(event.headers)[":status"]
                self.fields = [field for field in event.headers if field[0] != ":status"]
            elif isinstance(event, h2.events.DataReceived):
                self.content += event.data
                self.machine.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset)):
                self.ended = True
        self.socket.sendall(self.machine.data_to_send())


def over_openssl(body):
    """The content of an answer that a client without any knowledge of HTTP gets."""
    request = f"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: {JOBS}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    command = ["openssl", "s_client", "-quiet", "-verify_quiet", "-verify_return_error", "-CAfile", f"{directory}/authority.pem"]
    done = subprocess.run([*command, "-connect", f"127.0.0.1:{port}"], input=request.encode(), capture_output=True, timeout=20)
    return done.stdout.partition(b"\r\n\r\n")[2]


# The first ones come from the origin, those after them from the cache.
for request in REQUESTS:
    over_http1(*request)
connection, same = HTTP2(), 0
for request in REQUESTS:
    one, two = over_http1(*request), connection.request(*request)
    if one == two:
        same += 1
    else:
        print(f"{request[:3]}, {len(request[3])} bytes: {one} and {two}")
print(f"{same} of {len(REQUESTS)} the same")
if directory != "-":
    print("openssl too" if over_openssl(DOMAIN) == over_http1(*REQUESTS[0])[2] else f"openssl: {over_openssl(DOMAIN)}")
