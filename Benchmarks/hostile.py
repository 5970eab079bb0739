#!/usr/bin/env python3
"""Attacks the gateway as hostile clients do, and looks what is left of it.

    Benchmarks/hostile.py --gateway PATH [--resets 20000] [--only NAME]

`resets` ends connections with RST at random points of their lives, 64 at a time: within a preface of HTTP/2, a head, a content, a
TLS handshake, while answers are written. `turns` sends thousands of requests at once over two connections. `readers` and
`streams` ask for a page of 8 MB and read nothing, over 150 connections and over 100 streams of one. `waiters` has ten thousand clients
that wait for one page leave, beside ten thousand that wait for nothing. Prints a row for each and exits 1 if one does not
hold: the process lives, nothing is left behind, an honest client's 99th percentile stays below 50 ms (turns: 20 ms), memory
grows by 64 MiB at most, and those who wait leave in 50 ms of processor time more than others. Takes a minute; all of it on 127.0.0.1.
"""

import argparse
import contextlib
import http.server
import multiprocessing
import random
import resource
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from measuring.processes import Failed, Servers, free_ports

SETTINGS = """\
listen: { address: "127.0.0.1:@port@"@tls@ }
admin: { address: "127.0.0.1:@admin@" }
http: { maxConnections: 15000 }
services: [{ catalog: voice-id, @endpoint@, quotas: { batch: { rate: 1000, burst: 1000 } } }]
limits: { caller: { rate: 1000000, burst: 1000000 } }
log: { level: warning, access: "off" }
"""
ORIGIN = 'endpoint: "http://127.0.0.1:@origin@", credentials: { accessKeyId: A, secretAccessKey: { env: SECRET } }'
MIB = 2**20
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0"


# MARK: Requests


def call(number=0, operation="ListFraudsterRegistrationJobs"):
    content = b'{"DomainId":"abcdefghijABCDEFGHIJ%02d"}' % number
    return (
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Amz-Target: VoiceID.%s\r\nContent-Length: %d\r\n\r\n"
        % (operation.encode(), len(content)) + content)


def get(path):
    return b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % path


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def literal(name, value):
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def stream_call(stream):
    content = b'{"DomainId":"abcdefghijABCDEFGHIJ00"}'
    fields = b"\x83\x86\x84\x01\x09127.0.0.1" + literal(b"x-amz-target", b"VoiceID.ListFraudsterRegistrationJobs")
    return frame(1, 4, stream, fields) + frame(0, 1, stream, content)


def stream_get(stream, path):
    return frame(1, 5, stream, b"\x82\x86\x04" + bytes([len(path)]) + path + b"\x01\x09127.0.0.1")


# MARK: Peers


class Pages(http.server.BaseHTTPRequestHandler):
    """An origin whose pages are all alike."""

    protocol_version = "HTTP/1.1"
    page = b""
    delay = 0.0

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        time.sleep(self.delay)
        with contextlib.suppress(OSError):
            self.send_response(200)
            self.send_header("Content-Length", str(len(self.page)))
            self.end_headers()
            self.wfile.write(self.page)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def origin(size, delay=0.0):
    handler = type("Handler", (Pages,), {"page": b'{"Pad":"' + b"x" * size + b'"}', "delay": delay})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()


class Probe:
    """An honest client, in a process of its own: the attackers' threads must not hold it up."""

    def __init__(self, port):
        self.ends, self.results = multiprocessing.Event(), multiprocessing.Queue()
        self.process = multiprocessing.Process(target=self.run, args=(port,), daemon=True)
        self.failures = 0

    def run(self, port):
        waits, failures = [], 0
        while not self.ends.wait(0.005):
            begun = time.monotonic()
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
                    client.sendall(get(b"/healthz"))
                    if not client.recv(4096).startswith(b"HTTP/1.1 200"):
                        failures += 1
            except OSError:
                failures += 1
            waits.append(time.monotonic() - begun)
        self.results.put((sorted(waits), failures))

    def start(self):
        self.process.start()

    def finish(self):
        """The 99th percentile, in milliseconds."""
        self.ends.set()
        waits, self.failures = self.results.get(timeout=30)
        self.process.join()
        return waits[int(0.99 * len(waits))] * 1000 if waits else float("inf")


def reset(client):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


class Gateway:
    """A gateway that an attack has for itself."""

    def __init__(self, servers, program, origin_port=None, tls=""):
        self.port, self.admin = free_ports(2)
        endpoint = "endpoint: sandbox" if origin_port is None else ORIGIN.replace("@origin@", str(origin_port))
        values = {"port": self.port, "admin": self.admin, "tls": tls, "endpoint": endpoint}
        template = servers.directory / "template.yaml"
        template.write_text(SETTINGS)
        path = servers.fill(template, values, f"{self.port}.yaml")
        self.server = servers.start(f"gateway-{self.port}", [program, "serve", "--config", path], self.port, {"SECRET": "s"})

    def metric(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/metrics", timeout=10) as reply:
            for line in reply.read().decode().splitlines():
                if line.startswith(name + " "):
                    return float(line.split()[1])
        raise Failed(f"no {name} at /metrics")

    def wait_until_empty(self):
        """Waits until nothing of an attack is left."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if self.server.process.poll() is not None:
                raise Failed(f"the process ended with {self.server.process.returncode}{self.server.last_words()}")
            if self.metric("jobsproxy_connections") == 0 and self.metric("jobsproxy_unsent_bytes") == 0:
                return
            time.sleep(0.1)
        raise Failed("connections or bytes are left")


# MARK: Attacks


def life(generator, secured):
    """What one connection sends before its reset."""
    path = generator.choice([b"/healthz", b"/metrics", b"/x"])
    pieces = [
        lambda: PREFACE[: generator.randrange(34)],
        lambda: PREFACE[:24] + bytes(generator.randrange(4200)),
        lambda: call()[: generator.randrange(170)],
        lambda: call() * generator.randrange(1, 200),
        lambda: call(generator.randrange(99), "DescribeDomain") * generator.randrange(1, 30),
        lambda: PREFACE + b"".join(stream_get(1 + 2 * n, path) for n in range(generator.randrange(100))),
        lambda: PREFACE + b"".join(stream_call(1 + 2 * n) for n in range(generator.randrange(100))),
        lambda: get(b"/metrics") * generator.randrange(1, 40),
        lambda: b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + b"5\r\nabcde\r\n" * generator.randrange(99),
        lambda: b"A" * generator.randrange(1, 40_000),
    ]
    if secured:
        pieces.append(lambda: b"\x16\x03\x01" + bytes(generator.randrange(600)))
    return generator.choice(pieces)()


def resets(servers, program, options):
    """(row, whether it holds)."""
    certificate, key = servers.directory / "certificate.pem", servers.directory / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
         "-subj", "/CN=localhost"], check=True, capture_output=True)
    plain = Gateway(servers, program)
    secured = Gateway(servers, program, tls=f", tls: {{certificate: {certificate}, key: {key}}}")
    contexts = []
    for names in (["http/1.1"], ["h2"]):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(names)
        contexts.append(context)
    left, lock = [0], threading.Lock()

    def attacker(seed):
        generator = random.Random(seed)
        while True:
            with lock:
                if left[0] == 0:
                    return
                left[0] -= 1
            with contextlib.suppress(OSError):
                by_tls = generator.random() < 0.25
                client = socket.create_connection(("127.0.0.1", secured.port if by_tls else plain.port), timeout=10)
                with contextlib.suppress(OSError):
                    if by_tls and generator.random() < 0.7:
                        client = generator.choice(contexts).wrap_socket(client, do_handshake_on_connect=False)
                        if generator.random() < 0.3:
                            client.setblocking(False)
                        client.do_handshake()
                    client.sendall(life(generator, by_tls))
                    if generator.random() < 0.3:
                        time.sleep(generator.random() * 0.01)
                    if generator.random() < 0.2:
                        client.settimeout(0.02)
                        client.recv(generator.randrange(1, 65_536))
                reset(client)

    def attack(count):
        left[0] = count
        attackers = [threading.Thread(target=attacker, args=(seed + count,)) for seed in range(64)]
        for each in attackers:
            each.start()
        for each in attackers:
            each.join()

    # What is opened once and kept, such as connections to the service, is there before it is counted.
    attack(options.resets // 20)
    for gateway in (plain, secured):
        gateway.wait_until_empty()
    descriptors = plain.metric("process_open_fds"), secured.metric("process_open_fds")
    probe = Probe(plain.port)
    probe.start()
    attack(options.resets)
    p99 = probe.finish()
    for gateway in (plain, secured):
        gateway.wait_until_empty()
    grown = plain.metric("process_open_fds") - descriptors[0] + secured.metric("process_open_fds") - descriptors[1]
    row = f"{options.resets} resets: alive, {grown:+.0f} descriptors, client's p99 {p99:.1f} ms, {probe.failures} failed"
    return row, grown <= 4 and p99 < 50 and probe.failures == 0


def turns(servers, program, options):
    gateway = Gateway(servers, program)
    rows, holds = [], True
    for name, request, count in [
        ("/metrics", get(b"/metrics"), 1500), ("/healthz", get(b"/healthz"), 1500), ("calls", call(), 1500),
        ("large contents", call()[:-1].replace(b"37", b"60000") + b" " * (60_000 - 37) + b"}", 60),
    ]:
        ends = threading.Event()

        def flood():
            while not ends.is_set():
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", gateway.port)) as client:
                    client.settimeout(0.5)

                    def send():
                        with contextlib.suppress(OSError):
                            client.sendall(request * count)
                    sender = threading.Thread(target=send)
                    sender.start()
                    quiet = 0
                    while not ends.is_set() and quiet < 2:
                        try:
                            if not client.recv(MIB):
                                break
                            quiet = 0
                        except socket.timeout:
                            quiet += 1
                    client.shutdown(socket.SHUT_RDWR)
                    sender.join()

        floods = [threading.Thread(target=flood) for _ in range(2)]
        probe = Probe(gateway.port)
        for each in [*floods, probe]:
            each.start()
        time.sleep(5)
        p99 = probe.finish()
        ends.set()
        for each in floods:
            each.join()
        rows.append(f"{name} {p99:.1f} ms")
        holds = holds and p99 <= 20 and probe.failures == 0
    return "thousands of requests at once, client's p99: " + ", ".join(rows), holds


def unread(servers, program, connect):
    """How much memory grows by clients that read nothing of a large page."""
    with origin(8_000_000) as port:
        gateway = Gateway(servers, program, port)
        with socket.create_connection(("127.0.0.1", gateway.port)) as client:
            client.sendall(call())
            got = 0
            while got < 8_000_000:
                got += len(client.recv(MIB))
        before = gateway.server.memory()
        clients = connect(gateway.port)
        end, most = time.monotonic() + 4, 0
        while time.monotonic() < end:
            most = max(most, gateway.server.memory())
            time.sleep(0.1)
        for each in clients:
            reset(each)
        gateway.wait_until_empty()
        return (most - before) / MIB


def silent(port, request, count):
    clients = []
    for _ in range(count):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", port))
        client.sendall(request)
        clients.append(client)
    return clients


def readers(servers, program, options):
    growth = unread(servers, program, lambda port: silent(port, call(), 150))
    return f"150 silent readers of 8 MB: memory grew by {growth:.1f} MiB", growth <= 64


def streams(servers, program, options):
    request = PREFACE + b"".join(stream_call(1 + 2 * number) for number in range(100))
    growth = unread(servers, program, lambda port: silent(port, request, 1))
    return f"100 silent streams of 8 MB: memory grew by {growth:.1f} MiB", growth <= 64


def waiters(servers, program, options):
    spent = {}
    with origin(100, delay=20) as port:
        for name, request in (("none", b""), ("one page", call())):
            gateway = Gateway(servers, program, port)
            clients = silent(gateway.port, request, 10_000)
            end = time.monotonic() + 10
            while gateway.metric("jobsproxy_connections") < 10_000 and time.monotonic() < end:
                time.sleep(0.1)
            time.sleep(0.5)
            before = gateway.server.cpu()
            for each in clients:
                reset(each)
            while gateway.metric("jobsproxy_connections") > 0 and time.monotonic() < end + 10:
                time.sleep(0.1)
            spent[name] = gateway.server.cpu() - before
            gateway.server.stop()
    more = (spent["one page"] - spent["none"]) * 1000
    row = f"10,000 leave: {spent['none'] * 1000:.0f} ms waiting for nothing, {more:+.0f} ms waiting for a page"
    return row, more <= 50


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].strip())
    parser.add_argument("--gateway", required=True)
    parser.add_argument("--resets", type=int, default=20_000)
    parser.add_argument("--only")
    options = parser.parse_args()
    gateway = shutil.which(options.gateway) or parser.error(f"no program '{options.gateway}'")
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    holds = True
    for attack in (resets, turns, readers, streams, waiters):
        if options.only and attack.__name__ != options.only:
            continue
        with tempfile.TemporaryDirectory(prefix="jobs-proxy-hostile-") as directory, Servers(directory) as servers:
            try:
                row, as_it_must = attack(servers, gateway, options)
            except (Failed, OSError) as failure:
                row, as_it_must = f"{attack.__name__}: {failure}", False
            print(f"{'holds ' if as_it_must else 'FAILED'} {row}", flush=True)
            holds = holds and as_it_must
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()
