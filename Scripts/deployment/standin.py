"""Stand-ins for the gateway that answer what the check asks, each with a fault, and the case that must find it."""

import encodings.idna  # sockets load it when it is needed, and then it may be out of reach
import http.server
import json
import os
import pathlib
import re
import signal
import socket
import struct
import threading

from . import cases, root

FAULTS = {
    "resets connections": cases.AsStarted,
    "asks for SO_DEBUG": cases.WithoutCapabilities,
    "does not cache": cases.AsStarted,
    "does not count": cases.AsStarted,
    "ends with 1": cases.AsStarted,
    "ignores SIGTERM": cases.AsStarted,
    "needs HOME": cases.ReadOnlyRoot,
    "writes a file": cases.ReadOnlyRoot,
    "waits for its log": cases.UnreadError,
    "uses closed descriptors": cases.ClosedOutput,
    "opens 100 files": cases.FewestFiles,
    "reads /proc": cases.NoProcesses,
}
# A stand-in without a fault must pass these. It cannot pass those with a snapshot, a root of its own or a service.
CASES = [each for each in cases.ALL if each not in (cases.MinimalRoot, cases.ServiceUnit, cases.PrivateFiles)]
JOBS = "ListFraudsterRegistrationJobs"


class StandIn(root.Program):
    """Runs in the process that was made for the gateway, because other users cannot reach every Python."""

    def __init__(self, fault):
        super().__init__("stand-in")
        self.fault = fault

    def execute(self, command, environment, started):
        os.environ.clear()
        os.environ.update(environment)
        configuration = pathlib.Path(command[-1]).read_text()
        self.start_badly()
        status = 1 if self.fault == "ends with 1" else 0
        is_deaf = self.fault == "ignores SIGTERM"
        signal.signal(signal.SIGTERM, signal.SIG_IGN if is_deaf else lambda *_: os._exit(status))
        handler = type("Handler", (Handler,), {"fault": self.fault})
        for host, port in re.findall(r'address: "(\S+):(\d+)"', configuration):
            threading.Thread(target=Server((host, int(port)), handler).serve_forever).start()
        started()
        signal.pause()
        os._exit(2)

    def start_badly(self):
        if self.fault == "reads /proc":
            pathlib.Path("/proc/self/cmdline").read_bytes()
        if self.fault == "needs HOME":
            os.environ["HOME"]
        if self.fault == "writes a file":
            path = pathlib.Path("/tmp/jobs-proxy-stand-in")
            path.touch()
            path.unlink()
        if self.fault != "uses closed descriptors":
            while os.open("/dev/null", os.O_RDWR) < 3:
                pass
        if self.fault == "opens 100 files":
            [os.open("/", os.O_RDONLY) for _ in range(100)]


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1000

    def handle_error(self, *_):
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    has_page, hits = False, 0

    def setup(self):
        super().setup()
        if self.fault == "resets connections":
            self.reset()
        if self.fault == "asks for SO_DEBUG":
            try:
                self.request.setsockopt(socket.SOL_SOCKET, socket.SO_DEBUG, 1)
            except PermissionError:
                self.reset()

    def reset(self):
        """Closes the connection as with a reset."""
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.request.detach()
        raise ConnectionResetError

    def do_GET(self):
        if self.fault == "waits for its log":
            os.write(2, b"a line\n")
        samples = f'jobsproxy_requests_total{{operation="{JOBS}",outcome="hit"}} {Handler.hits}\n'
        self.answer(samples if self.path == "/metrics" else "ready\n", "text/plain")

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        if not self.headers["X-Amz-Target"].endswith(JOBS):
            return self.answer(json.dumps({"DomainSummaries": [{"DomainId": "one"}]}))
        state = "hit; ttl=1" if Handler.has_page else "fwd=miss"
        Handler.hits += Handler.has_page and self.fault != "does not count"
        Handler.has_page = self.fault != "does not cache"
        self.answer(json.dumps({"JobSummaries": [{"DomainId": "one"}]}), state=state)

    def answer(self, text, kind="application/x-amz-json-1.0", state="fwd=bypass"):
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Status", f"jobs-proxy; {state}")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def trials():
    """Each: the fault, or None, the stand-in that has it, and a case."""
    yield from ((None, StandIn(None), kind) for kind in CASES)
    yield from ((fault, StandIn(fault), kind) for fault, kind in FAULTS.items())
