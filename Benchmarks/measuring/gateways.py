"""Gateways that share quotas and pages through one Redis."""

import asyncio
import contextlib
import os
import pathlib
import re
import signal
import time

from .processes import Failed, Server, quiet_ports

SETTINGS = """\
listen: {{ address: "127.0.0.1:{port}" }}
admin: {{ address: "127.0.0.1:{admin}" }}
http: {{ maxConnections: {connections} }}
services:
  - catalog: voice-id
    endpoint: http://127.0.0.1:{origin}
    credentials: {{ accessKeyId: UPSTREAM, secretAccessKey: {{ env: BENCH_SECRET }} }}
    http2: "off"
    maxConnections: {pool}
    quotas: {{ {quotas} }}
    timeouts: {{ {timeouts} }}
cache: {{ maxBytes: 16MiB, ttl: {{ {ttl} }} }}
limits: {{ caller: {{ rate: 1000000, burst: 1000000 }} }}
log: {{ level: notice, access: "off" }}
"""
SHARED = """\
shared:
  redis: {redis}
  name: {deployment}
  instances: {instances}
  key: {{ env: BENCH_KEY }}
  strict: {strict}
  forget: {forget}
"""
DEFAULTS = {
    "connections": 256, "pool": 4, "quotas": "", "timeouts": "", "ttl": "", "deployment": "bench", "strict": "false",
    "forget": "10m"}
# One event loop each, because fifty of them share a machine.
ENVIRONMENT = {
    "BENCH_SECRET": "secret", "BENCH_KEY": "0123456789abcdef0123456789abcdef", "NIO_SINGLETON_GROUP_LOOP_COUNT": "1",
    "SWIFT_BACKTRACE": "enable=no"}


class Gateway:
    """One of them, which can be killed and started again on the same port."""

    def __init__(self, servers, name, program, values):
        self.name = name
        self.program = program
        self.port, self.admin = quiet_ports(2)
        text = SETTINGS + (SHARED if values.get("redis") else "")
        self.settings = servers.directory / f"{name}.yaml"
        self.settings.write_text(text.format(**{**DEFAULTS, **values, "port": self.port, "admin": self.admin}))
        self.log = servers.enter_context(open(servers.directory / f"{name}.log", "w+"))
        self.server = None
        servers.callback(self.stop)

    def launch(self):
        """Starts it; it may not listen yet."""
        command = [self.program, "serve", "--config", str(self.settings)]
        self.server = Server(self.name, command, self.port, ENVIRONMENT, self.log)
        return self

    async def wait_until_open(self):
        await asyncio.to_thread(self.server.wait_until_open, 60)

    async def get(self, path):
        """What the admin listener answers."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.admin)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        with contextlib.closing(writer):
            return (await asyncio.wait_for(reader.read(), 10)).decode()

    async def metric(self, name):
        """The sum of a metric's values; a part of its labels may belong to the name."""
        text = await self.get("/metrics")
        stem, _, labels = name.partition("{")
        return sum(
            float(value) for found, value in re.findall(rf"^{stem}(\S*) (\S+)$", text, re.MULTILINE)
            if labels.rstrip("}") in found and (not found or found[0] == "{"))

    async def is_up(self):
        with contextlib.suppress(OSError, asyncio.TimeoutError):
            return await self.metric("jobsproxy_shared_up") == 1
        return False

    def kill(self):
        self.server.process.send_signal(signal.SIGKILL)
        self.server.process.wait()

    def end(self):
        if self.server.process.poll() is None:
            self.server.process.terminate()

    def stop(self):
        if self.server is not None:
            self.server.stop()

    def burden(self):
        """Open files, threads, and bytes of memory."""
        process = pathlib.Path(f"/proc/{self.server.process.pid}")
        threads = len(list((process / "task").iterdir()))
        return len(os.listdir(process / "fd")), threads, self.server.memory()


async def sandbox(servers, name, program, rate, burst):
    """A stand-in for the service: its port, and the ids of its domains."""
    (port,) = quiet_ports(1)
    command = [program, "sandbox", "--listen", f"127.0.0.1:{port}", "--quota", str(rate), "--burst", str(burst)]
    server = servers.start(name, command, port, ENVIRONMENT)

    async def found():
        return re.search(r"Domains: (.*)\n", server.last_words())
    await wait_until(found, 10, f"{name} does not tell its domains")
    return port, (await found())[1].split()


async def wait_until(what, seconds, description):
    """Waits until the awaited answer is true; returns how long that took."""
    begun = time.monotonic()
    while not await what():
        if time.monotonic() > begun + seconds:
            raise Failed(f"{description} after {seconds} s")
        await asyncio.sleep(0.05)
    return time.monotonic() - begun


async def start(servers, name, program, count, ports, origins=None, **values):
    """So many gateways, when all are members. Each has one of the ports of Redis by turns, or a text of sentinels (none: they
    share nothing), and one of the origins."""
    gateways = []
    for number in range(count):
        each = {"instances": count}
        if origins:
            each["origin"] = origins[number]
        if ports:
            each["redis"] = place(ports[number % len(ports)])
        gateways.append(Gateway(servers, f"{name}-{number}", program, {**each, **values}).launch())
    # All are told to end before the first one's end is waited for.
    servers.callback(lambda: [each.end() for each in gateways])
    for each in gateways:
        await each.wait_until_open()
    if ports:
        await members(gateways)
    return gateways


def place(port):
    """How the configuration names a Redis."""
    return f'"redis://127.0.0.1:{port}"' if isinstance(port, int) else port


async def members(gateways, seconds=30):
    """Waits until all of them share."""
    for each in gateways:
        await wait_until(each.is_up, seconds, f"{each.name} is no member")
