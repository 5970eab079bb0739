#!/usr/bin/env python3
"""Replaces the gateway again and again while clients keep it busy, and counts what they lose: nothing may be.

    Benchmarks/restart.py --gateway PATH [--seconds 30] [--clients 64]

This process holds the listening sockets and hands them to each gateway (LISTEN_FDS, from descriptor 3 on), as systemd does.
By turns the next gateway starts before the old one is told to end (SIGTERM), and after the old one has ended. The clients keep
their connections until an answer says `Connection: close`, one in four for a single request, and try nothing twice. Exits 1
if a request failed, or a gateway did not end with 0 within its drain time. All of it on 127.0.0.1.
"""

import argparse
import asyncio
import contextlib
import dataclasses
import itertools
import os
import pathlib
import shutil
import signal
import socket
import sys
import tempfile
import time

from measuring import contenders, handover, requests
from measuring.processes import Failed, Servers
from measuring.report import time as spelled

# How long each gateway serves alone, and the configuration's default for `drain`.
LIFE, DRAIN = 2.5, 25.0


class Gateway:
    """One of the processes, one after the other."""

    @classmethod
    async def start(cls, number, command, sockets, log):
        self = cls()
        self.number = number
        arguments, handles = handover.arguments(sockets, command)
        self.process = await asyncio.create_subprocess_exec(
            *arguments, pass_fds=handles, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=log,
            env={**os.environ, "BENCH_SECRET": requests.SECRET})
        begun = time.monotonic()
        line = await asyncio.wait_for(self.process.stdout.readline(), 15)
        if not line.startswith(b"Callers:"):
            raise Failed(f"gateway {number} does not start")
        self.start_time = time.monotonic() - begun
        return self

    async def end(self):
        """Tells it to end; what was wrong with its end, or nothing."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.process.wait(), DRAIN + 5)
        except asyncio.TimeoutError:
            await self.kill()
            return f"gateway {self.number} does not end"
        self.end_time = time.monotonic() - begun
        if self.end_time > DRAIN:
            return f"gateway {self.number} took {spelled(self.end_time)} to end"
        return f"gateway {self.number} ended with {self.process.returncode}" if self.process.returncode else None

    async def kill(self):
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


@dataclasses.dataclass
class Clients:
    """Busy ones, each with one connection at a time."""

    port: int
    message: bytes
    expected: bytes
    is_over: bool = False
    waits: list = dataclasses.field(default_factory=list)
    connections: int = 0
    failures: list = dataclasses.field(default_factory=list)

    async def run(self, count):
        await asyncio.gather(*(self.client(keeps=number % 4 > 0) for number in range(count)))

    async def client(self, keeps):
        streams = None
        while not self.is_over:
            begun = time.monotonic()
            try:
                if streams is None:
                    streams = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", self.port), DRAIN)
                    self.connections += 1
                closes = await asyncio.wait_for(self.request(*streams), DRAIN)
            except (OSError, EOFError, asyncio.TimeoutError, Failed) as failure:
                self.failures.append(f"after {spelled(time.monotonic() - begun)}: {failure!r}")
                closes = True
            self.waits.append(time.monotonic() - begun)
            if (closes or not keeps) and streams is not None:
                streams[1].close()
                streams = None

    async def request(self, reader, writer):
        """Sends a request and reads its answer; whether that was the connection's last."""
        writer.write(self.message)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"\r\ncontent-length:")[1].split(b"\r\n")[0])
        body = await reader.readexactly(length)
        if not head.startswith(b"http/1.1 200 ") or body != self.expected:
            raise Failed(f"{head.splitlines()[0].decode()}: {body[:200]!r}")
        return b"\r\nconnection: close\r\n" in head


async def run(options, servers, origin):
    sockets = [listening_socket(servers) for _ in range(2)]
    port, admin = (each.getsockname()[1] for each in sockets)
    settings = contenders.gateway_settings(servers, "restart", port, admin, origin, {})
    command = [options.gateway, "serve", "--config", settings]
    log = servers.enter_context(open(servers.directory / "gateways.log", "w"))
    clients = Clients(port, requests.raw(port, requests.HIT), requests.page().encode())
    numbers, faults, starts, ends, overlaps = itertools.count(1), [], [], [], itertools.cycle([True, False])
    current = await Gateway.start(next(numbers), command, sockets, log)
    load = asyncio.create_task(clients.run(options.clients))
    finish = time.monotonic() + options.seconds
    try:
        while time.monotonic() + LIFE < finish:
            await asyncio.sleep(LIFE)
            old = current
            if next(overlaps):
                current = await Gateway.start(next(numbers), command, sockets, log)
                fault = await old.end()
            else:
                fault = await old.end()
                current = await Gateway.start(next(numbers), command, sockets, log)
            starts.append(current.start_time)
            ends.append(old.end_time)
            faults += [fault] if fault else []
        await asyncio.sleep(max(0, finish - time.monotonic()))
        clients.is_over = True
        await load
    finally:
        load.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await load
        await current.kill()
    return clients, starts, ends, faults


def listening_socket(servers):
    handle = servers.enter_context(socket.socket())
    handle.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    handle.bind(("127.0.0.1", 0))
    handle.listen(1024)
    return handle


def tell(clients, starts, ends, faults):
    """Prints what was seen; whether it is as it must be."""
    waits = sorted(clients.waits)
    print(f"requests: {len(waits)} over {clients.connections} connections; failed: {len(clients.failures)}")
    print(f"waits: p50 {spelled(waits[len(waits) // 2])}, p99 {spelled(waits[int(len(waits) * 0.99)])}, longest {spelled(waits[-1])}")
    print(f"replacements: {len(ends)}; a start took at most {spelled(max(starts))}, an end at most {spelled(max(ends))}")
    for text in (clients.failures + faults)[:10]:
        print(f"restart: {text}", file=sys.stderr)
    return not clients.failures and not faults


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].strip())
    parser.add_argument("--gateway", required=True)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--clients", type=int, default=64)
    options = parser.parse_args()
    options.gateway = pathlib.Path(shutil.which(options.gateway) or parser.error(f"no program '{options.gateway}'")).resolve()
    if options.seconds < 2 * LIFE:
        parser.error(f"{2 * LIFE} seconds at least")
    with tempfile.TemporaryDirectory(prefix="jobs-proxy-restart-") as directory, Servers(directory) as servers:
        try:
            origin = contenders.start_floor(servers, "origin").port
            holds = tell(*asyncio.run(run(options, servers, origin)))
        except Failed as failure:
            sys.exit(f"restart: {failure}")
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()
