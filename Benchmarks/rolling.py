#!/usr/bin/env python3
"""Restarts two gateways behind HAProxy in turn while clients keep them busy, and counts what they lose: nothing may be.

    Benchmarks/rolling.py --gateway PATH [--rounds 5] [--clients 64]

HAProxy asks each gateway every 200 ms whether it is ready, takes it out after two answers that it is not, and tries nothing twice. Each gateway is told
to end (SIGTERM), goes on for `drain.lameDuck`, ends and is started again; the other follows when HAProxy has taken the first back. Exits 1 if a request
failed, if a gateway did not end with 0, or if either had nothing to do. Needs haproxy; all of it on 127.0.0.1.
"""

import argparse
import asyncio
import contextlib
import pathlib
import shutil
import socket
import sys
import tempfile
import time

from measuring import contenders, requests
from measuring.processes import Failed, Servers, free_ports
from measuring.report import time as spelled
from restart import Clients

# Seconds for which a gateway goes on after SIGTERM: HAProxy needs two checks, 0.4 s.
LAME_DUCK = 2
# The longest wait for a change that HAProxy is to see.
PATIENCE = 20


class Front:
    """HAProxy, and what it says of the gateways."""

    def __init__(self, servers, gateways):
        program = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin")
        if program is None:
            raise Failed("no haproxy; `Scripts/setup --bench` installs it")
        (self.port,) = free_ports(1)
        self.socket = str(servers.directory / "haproxy")
        settings = servers.fill(
            contenders.PEERS / "haproxy-front.cfg",
            {"socket": self.socket, "port": self.port, "one": gateways[0].port, "two": gateways[1].port})
        servers.start("haproxy", [program, "-f", settings, "-db"], self.port)

    def states(self):
        """By name, whether each gateway is used, and how many requests it has got."""
        with socket.socket(socket.AF_UNIX) as stream:
            stream.connect(self.socket)
            stream.sendall(b"show stat\n")
            text = b"".join(iter(lambda: stream.recv(65536), b"")).decode()
        names, *rows = (line.split(",") for line in text.lstrip("# ").splitlines() if line)
        found = [dict(zip(names, row)) for row in rows]
        return {row["svname"]: (row["status"].startswith("UP"), int(row["stot"])) for row in found if row["svname"] in ("one", "two")}

    async def wait(self, name, is_up):
        end = time.monotonic() + PATIENCE
        while self.states()[name][0] != is_up:
            if time.monotonic() > end:
                raise Failed(f"HAProxy does not take {name} {'in' if is_up else 'out'}")
            await asyncio.sleep(0.02)


class Gateway:
    """One of the two, again and again at the same port."""

    def __init__(self, servers, name, program, origin):
        self.name = name
        self.port, admin = free_ports(2)
        settings = contenders.gateway_settings(servers, name, self.port, admin, origin, {})
        with open(settings, "a") as file:
            file.write(f"drain: {{ lameDuck: {LAME_DUCK}s }}\n")
        self.servers, self.command = servers, [program, "serve", "--config", settings]
        self.start()

    def start(self):
        self.server = self.servers.start(self.name, self.command, self.port, {"BENCH_SECRET": requests.SECRET})

    async def end(self):
        """Tells it to end and waits until it has; the seconds that it took."""
        begun = time.monotonic()
        self.server.process.terminate()
        while self.server.process.poll() is None:
            if time.monotonic() - begun > PATIENCE:
                raise Failed(f"{self.name} does not end")
            await asyncio.sleep(0.02)
        if self.server.process.returncode:
            raise Failed(f"{self.name} ended with {self.server.process.returncode}")
        return time.monotonic() - begun


async def run(options, front, gateways):
    clients = Clients(front.port, requests.raw(front.port, requests.HIT), requests.page().encode())
    for gateway in gateways:
        await front.wait(gateway.name, True)
    load = asyncio.create_task(clients.run(options.clients))
    ends = []
    try:
        for _ in range(options.rounds):
            for gateway in gateways:
                end = asyncio.create_task(gateway.end())
                await front.wait(gateway.name, False)
                ends.append(await end)
                await asyncio.get_running_loop().run_in_executor(None, gateway.start)
                await front.wait(gateway.name, True)
        clients.is_over = True
        await load
    finally:
        load.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await load
    return clients, ends


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].strip())
    parser.add_argument("--gateway", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clients", type=int, default=64)
    options = parser.parse_args()
    program = pathlib.Path(shutil.which(options.gateway) or parser.error(f"no program '{options.gateway}'")).resolve()
    with tempfile.TemporaryDirectory(prefix="jobs-proxy-rolling-") as directory, Servers(directory) as servers:
        try:
            origin = contenders.start_floor(servers, "origin").port
            gateways = [Gateway(servers, name, program, origin) for name in ("one", "two")]
            front = Front(servers, gateways)
            clients, ends = asyncio.run(run(options, front, gateways))
            counts = {name: count for name, (_, count) in front.states().items()}
        except Failed as failure:
            sys.exit(f"rolling: {failure}")
    waits = sorted(clients.waits)
    print(f"requests: {len(waits)} over {clients.connections} connections; failed: {len(clients.failures)}")
    print(f"waits: p50 {spelled(waits[len(waits) // 2])}, p99 {spelled(waits[int(len(waits) * 0.99)])}, longest {spelled(waits[-1])}")
    print(f"restarts: {len(ends)}; an end took at most {spelled(max(ends))}; requests by gateway: {counts}")
    for text in clients.failures[:10]:
        print(f"rolling: {text}", file=sys.stderr)
    sys.exit(0 if not clients.failures and all(counts.values()) else 1)


if __name__ == "__main__":
    main()
