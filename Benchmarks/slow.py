#!/usr/bin/env python3
"""Attacks the gateway with a thousand slow connections, and looks how an honest client fares meanwhile.

    Benchmarks/slow.py --gateway PATH [--connections 1000]

slowhttptest sends heads that never end (-H), contents that never end (-B), and asks for answers that it hardly reads (-X).
Prints, of each attack, how long the longest-lived of its connections lasted, how long a client waited that opens a connection
for each of its requests, fifty a second, and what memory the gateway took. Exits 1 if a connection outlived its deadline, a
request of the client failed, its 99th percentile reached 250 ms, or memory grew by more than 64 MiB. Takes two minutes; all
of it on 127.0.0.1.
"""

import argparse
import dataclasses
import http.client
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from measuring.contenders import find
from measuring.processes import Failed, Servers, free_ports
from measuring.report import time as spelled

SETTINGS = """\
listen: { address: "127.0.0.1:@port@" }
admin: { address: "127.0.0.1:@admin@" }
log: { level: warning, access: "off" }
"""
# Deadlines are looked for four times a second, and begin when a request is read or answered, not when it is connected.
SLACK = 2.0
MOST_WAIT, MOST_MEMORY = 0.250, 64 * 2**20


@dataclasses.dataclass
class Attack:
    name: str
    # What it runs into, in seconds: the configuration's default, or what is shorter.
    deadline: float
    seconds: int
    arguments: list


ATTACKS = [
    Attack("-H: heads that do not end", 5, 20, ["-H", "-i", "2", "-t", "POST", "-x", "24"]),
    Attack("-B: contents that do not end", 10, 25, ["-B", "-i", "2", "-t", "POST", "-s", "8192", "-x", "10"]),
    Attack(
        "-X: answers that are hardly read", 75, 90, ["-X", "-w", "512", "-y", "1024", "-n", "5", "-z", "32", "-k", "1"]),
]


class Probe(threading.Thread):
    """An honest client."""

    def __init__(self, port):
        super().__init__()
        self.port = port
        self.ends = threading.Event()
        self.waits = []
        self.failures = 0

    def run(self):
        while not self.ends.wait(0.02):
            begun = time.monotonic()
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            try:
                connection.request("GET", "/healthz")
                connection.getresponse().read()
            except (OSError, http.client.HTTPException) as failure:
                self.failures += 1
                print(f"slow: the client, after {spelled(time.monotonic() - begun)}: {failure!r}", file=sys.stderr)
            finally:
                connection.close()
            self.waits.append(time.monotonic() - begun)

    def percentile(self, part):
        waits = sorted(self.waits)
        return waits[min(len(waits) - 1, int(part * len(waits)))]


class Lives(threading.Thread):
    """How long the server keeps each connection, by looking at the system's table ten times a second."""

    def __init__(self, port):
        super().__init__()
        self.local = f":{port:04X}"
        self.ends = threading.Event()
        self.first = {}
        self.longest = 0.0
        self.most = 0

    def run(self):
        while not self.ends.wait(0.1):
            now = time.monotonic()
            present = self.present()
            self.most = max(self.most, len(present))
            self.first = {peer: self.first.get(peer, now) for peer in present}
            self.longest = max([self.longest, *(now - since for since in self.first.values())])

    def present(self):
        """The other ends of connections that are established at the server's."""
        peers = []
        for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[1].endswith(self.local) and fields[3] == "01":
                peers.append(fields[2])
        return peers


def attack(server, attack, connections, directory):
    """(what was found as a row, whether it is as it must be)."""
    target = f"http://127.0.0.1:{server.port}/" + ("metrics" if "-X" in attack.arguments else "")
    command = [
        find("slowhttptest"), *attack.arguments, "-c", str(connections), "-r", "500", "-l", str(attack.seconds), "-p", "5",
        "-u", target]
    probe, lives = Probe(server.port), Lives(server.port)
    memory = most = server.memory()
    probe.start()
    lives.start()
    nowhere = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=directory, **nowhere)
    try:
        end = time.monotonic() + attack.seconds + 30
        while process.poll() is None:
            if time.monotonic() > end:
                raise Failed("slowhttptest does not end")
            most = max(most, server.memory())
            time.sleep(0.25)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        for thread in (probe, lives):
            thread.ends.set()
            thread.join()
    if lives.most < connections / 2:
        raise Failed(f"of {connections} slow connections only {lives.most} were open at once: that is no attack")
    p99, growth = probe.percentile(0.99), most - memory
    row = (
        f"| {attack.name} | {lives.most} | {attack.deadline:.0f} s | {lives.longest:.1f} s | {spelled(probe.percentile(0.5))} "
        f"| {spelled(p99)} | {probe.failures} of {len(probe.waits)} | {growth / 2**20:.1f} MiB |")
    holds = (
        lives.longest <= attack.deadline + SLACK and p99 < MOST_WAIT and growth <= MOST_MEMORY and probe.failures == 0)
    return row, holds


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].strip())
    parser.add_argument("--gateway", required=True)
    parser.add_argument("--connections", type=int, default=1_000)
    options = parser.parse_args()
    gateway = shutil.which(options.gateway) or parser.error(f"no program '{options.gateway}'")
    if not find("slowhttptest"):
        sys.exit("slow: there is no slowhttptest: Scripts/setup --bench installs it")
    with tempfile.TemporaryDirectory(prefix="jobs-proxy-slow-") as directory, Servers(directory) as servers:
        port, admin = free_ports(2)
        settings = servers.directory / "jobs-proxy.yaml"
        settings.write_text(SETTINGS.replace("@port@", str(port)).replace("@admin@", str(admin)))
        server = servers.start("jobs-proxy", [gateway, "serve", "--config", settings], port)
        print("| attack | connections at once | deadline | the longest life | client's p50 | p99 | failed | memory grew by |")
        print("|---|--:|--:|--:|--:|--:|--:|--:|", flush=True)
        holds = True
        for each in ATTACKS:
            try:
                row, as_it_must = attack(server, each, options.connections, servers.directory)
            except Failed as failure:
                sys.exit(f"slow: {failure}")
            print(row, flush=True)
            holds = holds and as_it_must
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()
