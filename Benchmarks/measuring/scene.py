"""A gateway, an origin that can be told to stumble, and callers."""

import asyncio
import collections
import pathlib
import re
import sys
import time

from . import callers
from .processes import Failed, free_ports

BENCHMARKS = pathlib.Path(__file__).resolve().parent.parent
SETTINGS = """\
listen: { address: "127.0.0.1:@port@" }
admin: { address: "127.0.0.1:@admin@" }
services:
  - catalog: voice-id
    endpoint: http://127.0.0.1:@origin@
    credentials: { accessKeyId: UPSTREAM, secretAccessKey: { env: BENCH_SECRET } }
    http2: "off"
    quotas: { @quotas@ }
cache: { ttl: { status: { COMPLETED: 10s, COMPLETED_WITH_ERRORS: 10s, FAILED: 10s } } }
limits: { caller: { rate: 100000, burst: 100000 } }
log: { level: notice, access: "off" }
"""


class Scene:
    """A gateway, its origin, and what they tell."""

    def __init__(self, name, servers, gateway, quotas):
        self.name = name
        self.port, self.admin, self.origin, self.control = free_ports(4)
        servers.start(
            f"{name}-origin", [sys.executable, "-m", "measuring.origin", str(self.origin), str(self.control)],
            self.control, {"PYTHONPATH": str(BENCHMARKS)})
        settings = servers.directory / f"{name}.yaml"
        text = SETTINGS.replace("@quotas@", quotas)
        for key, value in (("port", self.port), ("admin", self.admin), ("origin", self.origin)):
            text = text.replace(f"@{key}@", str(value))
        settings.write_text(text)
        self.server = servers.start(
            f"{name}-jobs-proxy", [gateway, "serve", "--config", settings], self.port, {"BENCH_SECRET": "secret"})
        self.ended = []
        self.ends = asyncio.Event()
        self.tasks = []
        self.warm = callers.warm_pages()

    async def tell(self, order):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.control)
        writer.write(f"{order}\n".encode())
        await reader.readline()
        writer.close()

    async def figures(self):
        """Attempts, retries, and the breaker's state, so far."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.admin)
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        text = (await reader.read()).decode()
        writer.close()
        sums = collections.Counter()
        for name, value in re.findall(r"^(jobsproxy_\w+)\{[^}]*\} (\d+)", text, re.MULTILINE):
            sums[name] += int(value)
        return (
            sums["jobsproxy_upstream_attempts_total"], sums["jobsproxy_retries_total"], sums["jobsproxy_breaker_state"])

    async def warm_up(self):
        caller = callers.Caller(self.port, [])
        for page in self.warm:
            end = time.monotonic() + 30
            while not (await caller.call(page)).is_good:
                if time.monotonic() > end:
                    raise Failed(f"{self.name}: a page cannot be had")
        await caller.close()

    def call(self, choose, count, interval, ends=None):
        for _ in range(count):
            caller = callers.Caller(self.port, self.ended)
            self.tasks.append(asyncio.create_task(caller.poll(choose, interval, ends or self.ends)))

    async def stop(self):
        self.ends.set()
        await asyncio.gather(*self.tasks)

    def files(self):
        """How many files the gateway has open beside its connections to the origin, and how many of those there are."""
        remote = f":{self.origin:04X}"
        rows = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
        pool = sum(row[2].endswith(remote) and row[3] == "01" for row in rows)
        return len(list(pathlib.Path(f"/proc/{self.server.process.pid}/fd").iterdir())) - pool, pool

    def is_warm(self, one):
        return one.asked in self.warm
