"""How often the gateway asks for memory while it answers, counted in the whole process."""

import pathlib
import socket
import struct
import subprocess

from . import contenders, processes, requests
from .idle import drain
from .processes import Failed

# What is measured: the words in `allocations.json`.
KINDS = ("hit", "hit, signature verified", "local throttle", "miss")
COUNT = 2_000


def measure(gateway, servers):
    """Allocations for each request of each kind, over one connection; a ticker's few are in it."""
    library = servers.directory / "allocations.so"
    compiler = contenders.find("cc") or contenders.find("clang")
    source = contenders.BENCHMARKS / "allocations.c"
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", library, source], check=True)
    floor = servers.directory / "floor"
    if not floor.exists():
        subprocess.run([compiler, "-O2", "-o", floor, contenders.PEERS / "floor.c"], check=True)
    page = servers.directory / "page.json"
    page.write_text(requests.page())
    (origin,) = processes.free_ports(1)
    servers.start("origin-of-counted", [floor, str(origin), page], origin)

    open_ = Counted(servers, gateway, library, origin, "counted", {})
    verifying = Counted(servers, gateway, library, origin, "counted-verifying", contenders.SIGNING)
    strict = Counted(servers, gateway, library, origin, "counted-strict", contenders.SPENT)
    return {
        "hit": open_.each(requests.HIT), "hit, signature verified": verifying.each(requests.HIT, signed=True),
        "local throttle": strict.each(requests.HIT), "miss": open_.each(requests.LIVE)}


class Counted:
    """A gateway whose allocations are counted."""

    def __init__(self, servers, gateway, library, origin, name, values):
        self.port, admin = processes.free_ports(2)
        self.file = servers.directory / f"{name}.count"
        settings = contenders.gateway_settings(servers, name, self.port, admin, origin, values)
        environment = {"BENCH_SECRET": requests.SECRET, "LD_PRELOAD": library, "ALLOCATIONS": self.file}
        servers.start(name, [gateway, "serve", "--config", settings], self.port, environment)
        if self.count() < 1_000:
            raise Failed("the gateway's allocations are not counted: it cannot have started with so few")

    def count(self):
        return struct.unpack("=Q", pathlib.Path(self.file).read_bytes())[0]

    def each(self, call, signed=False):
        message = requests.raw(self.port, call, signed)
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            # The first ones fill the cache, and memory that is kept from then on.
            for _ in range(COUNT // 4):
                exchange(connection, message)
            before = self.count()
            for _ in range(COUNT):
                exchange(connection, message)
            return (self.count() - before) / COUNT


def exchange(connection, message):
    connection.sendall(message)
    drain(connection)
