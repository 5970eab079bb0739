#!/usr/bin/env python3
"""Measures the gateway beside its peers: a page from the cache, a local throttle, a call that is passed on and what that adds to
its time, idle connections, start-up, allocations.

    Benchmarks/gateway.py --gateway PATH [--quick] [--write]
                         [--only hit,throttle,pass,latency,idle,start,allocations]

Prints one table of medians. With --write it also goes into docs/benchmarks.md, with a picture. Everything runs on 127.0.0.1,
on two cores, for some minutes (--quick: for one), and is stopped at the end.
"""

import argparse
import contextlib
import datetime
import http.client
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

from measuring import allocations, idle, latency, load, report, requests
from measuring.contenders import FLOOR, GATEWAY, Field, find, gateway_settings
from measuring.processes import Failed, Server, Servers, free_ports

ROOT = pathlib.Path(__file__).resolve().parent.parent
LATENCY_ROUNDS = 5
PARTS = ("hit", "throttle", "pass", "latency", "idle", "start", "allocations")
IDLE_CONNECTIONS = 9_000


class Benchmark:
    def __init__(self, options, servers):
        self.options = options
        self.servers = servers
        self.rounds, self.seconds = (3, 1) if options.quick else (5, 4)

    def run(self):
        if not find("wrk"):
            raise Failed("there is no wrk: Scripts/setup --bench installs it")
        parts = self.options.parts
        field = Field(self.servers, self.options.gateway)
        idle_rows, latencies, starts, counts = [], [], [], {}
        rows = self.measure_load(field)
        if "latency" in parts:
            latencies = self.measure_latency(field)
        if "idle" in parts:
            idle_rows = self.measure_idle(field)
        if "start" in parts:
            starts = self.measure_starts()
        if "allocations" in parts:
            say("allocations")
            counts = allocations.measure(self.options.gateway, self.servers)
        return report.Figures(
            rows, [missing for missing in field.missing if missing[0] in parts], idle_rows, IDLE_CONNECTIONS, latencies, starts,
            counts, field.versions, datetime.date.today().isoformat(), f"{self.rounds} rounds of {self.seconds} s for each.")

    def measure_load(self, field):
        """Everybody in turn, round after round; the floor in each of them."""
        contenders = [each for each in field.contenders if each.case in self.options.parts or each.name == FLOOR]
        for contender in contenders:
            if contender.name != FLOOR:
                contender.check()
        runs = {id(contender): [] for contender in contenders}
        for number in range(self.rounds):
            for contender in contenders:
                say(f"round {number + 1} of {self.rounds}: {contender.case}, {contender.name}")
                result = load.run(
                    contender.server, contender.port, contender.call, contender.signed, self.seconds, self.servers.directory)
                self.judge(contender, result)
                runs[id(contender)].append(result)
        floors = runs[id(field.named("hit", FLOOR))]
        return [
            report.median_row(contender, runs[id(contender)], floors) for contender in contenders
            if contender.case in self.options.parts]

    @staticmethod
    def judge(contender, result):
        """A figure counts only if every request was answered as it should."""
        expected = result.count if contender.case == "throttle" else 0
        # One or two may come just when a bucket has something again.
        if abs(result.bad - expected) > max(2, 0.0001 * result.count):
            raise Failed(f"{contender.name}: {result.bad} of {result.count} answers were errors, not {expected}")

    def measure_idle(self, field):
        most = idle.raise_file_limit()
        if most < IDLE_CONNECTIONS + 200:
            raise Failed(f"{IDLE_CONNECTIONS} connections need as many open files, and {most} are allowed")
        chosen = [
            ("hit", f"{GATEWAY}, anonymous", GATEWAY), ("hit", "nginx proxy_cache", "nginx"), ("pass", "HAProxy", "HAProxy"),
            ("pass", "Envoy", "Envoy")]
        rows = []
        for case, name, short in chosen:
            contender = field.named(case, name)
            if contender is None:
                continue
            results = []
            for number in range(1 if self.options.quick else 3):
                say(f"idle connections, round {number + 1}: {short}")
                results.append(idle.measure(contender, IDLE_CONNECTIONS, self.seconds, self.servers.directory))
            # Memory grows at the first time alone; later ones find it there.
            memory = results[0][0]
            rows.append(report.IdleRow(short, memory, *(statistics.median(column) for column in list(zip(*results))[1:])))
        return rows

    def measure_latency(self, field):
        rows = []
        for name in (f"{GATEWAY}, signed anew", "nginx proxy_pass"):
            if contender := field.named("pass", name):
                say(f"latency: {name}")
                contender.check()
                rows.append((name, *latency.measure(contender, field.origin, 500 if self.options.quick else 2_000, LATENCY_ROUNDS)))
        return rows

    def measure_starts(self):
        """Seconds from the start of a process to its first good answer, the median of several starts."""
        port, admin, origin = free_ports(3)
        settings = gateway_settings(self.servers, "start", port, admin, origin, {})
        say("start")
        times = []
        for _ in range(5 if self.options.quick else 15):
            begun = time.monotonic()
            server = Server(
                GATEWAY, [self.options.gateway, "serve", "--config", settings], port, {"BENCH_SECRET": requests.SECRET})
            try:
                times.append(until_ready(admin, begun))
            finally:
                server.stop()
        return [(GATEWAY, statistics.median(times))]


def until_ready(port, begun):
    while time.monotonic() < begun + 10:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        with contextlib.suppress(OSError), contextlib.closing(connection):
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return time.monotonic() - begun
        time.sleep(0.001)
    raise Failed("the gateway does not become ready")


def say(what):
    print(what, file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].strip())
    parser.add_argument("--gateway", required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    options.parts = options.only.split(",")
    if unknown := [part for part in options.parts if part not in PARTS]:
        parser.error(f"there is no part '{unknown[0]}': {', '.join(PARTS)}")
    options.gateway = shutil.which(options.gateway) or parser.error(f"no program '{options.gateway}'")

    with tempfile.TemporaryDirectory(prefix="jobs-proxy-bench-") as directory, Servers(directory) as servers:
        try:
            figures = Benchmark(options, servers).run()
        except Failed as failure:
            sys.exit(f"bench: {failure}")
    print(report.text(figures))
    if options.write:
        (ROOT / "docs/benchmarks.md").write_text(report.page(figures))
        (ROOT / "docs/benchmarks.svg").write_text(report.picture(figures))


if __name__ == "__main__":
    main()
