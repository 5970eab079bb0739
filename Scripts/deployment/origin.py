"""A service on loopback that speaks https, with an authority of its own."""

import http.server
import json
import ssl
import subprocess
import threading

DOMAIN = "AbCdEfGhIjKlMnOpQrStUv"
ANSWERS = {
    "VoiceID.ListDomains": {"DomainSummaries": [{"DomainId": DOMAIN, "Name": "one"}]},
    "VoiceID.ListFraudsterRegistrationJobs": {
        "JobSummaries": [{"DomainId": DOMAIN, "JobId": "1234567890123456789012", "JobStatus": "COMPLETED"}]},
}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        is_signed = self.headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256 ")
        answer = ANSWERS.get(self.headers["X-Amz-Target"]) if is_signed else None
        body = json.dumps(answer or {"__type": "AccessDeniedException"}).encode()
        self.send_response(200 if answer else 400)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def make_certificate(directory):
    """The path of a certificate for `localhost` that signs for itself; its key is beside it."""
    certificate = f"{directory}/origin.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", f"{directory}/origin.key", "-out",
         certificate], check=True, capture_output=True)
    return certificate


class Origin:
    """Listens from the start; answers after `serve`, until this process ends."""

    def __init__(self, certificate):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, certificate.replace(".pem", ".key"))
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)

    @property
    def port(self):
        return self.server.server_address[1]

    def serve(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
