#!/usr/bin/env python3
"""How old the pages are that callers get while jobs move, with pages refreshed ahead and without.

    Benchmarks/freshness.py [--gateway .build/release/jobs-proxy] [--seconds 60] [--warm-up 15] [--callers 200]
                            [--case hot] [--case eighteen] [--walk 10000]

Each case runs twice, with `cache.refreshAhead.share` at 0 and at its default, against a sandbox of its own with 2 requests a second:

  hot        the callers poll three pages a second each, the first of three domains in which jobs are started one after the other, past the
             gateway; a stranger asks for a page that nobody has asked for, every 3 to 7 s
  eighteen   the callers poll eighteen pages, the first of each domain and status
  walk       as eighteen, and one more caller walks through --walk other pages, each once, one after the other

Prints the percentiles of the ages of pages (whole seconds, as callers see them), what the sandbox throttled, the stranger's waits, how
many pages the walker got, and what is refreshed after the callers of the first case have gone; and at the end a table of what must hold.

The sandbox counts a call when it comes to it. One that the machine does not let run for half a second has two calls at once and throttles the
second, whatever the share is; the gateway slows down then, and ages are no longer those of the quota. A table after which the runs with
share 0 were throttled too says nothing (exit status 2): measure on an idle machine.
"""

import argparse
import asyncio
import collections
import contextlib
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from measuring.processes import Failed, Servers, free_ports

STATUSES = [None, "SUBMITTED", "IN_PROGRESS", "COMPLETED", "COMPLETED_WITH_ERRORS", "FAILED"]
LIST = "ListFraudsterRegistrationJobs"
CONFIGURATION = """\
listen: {{ address: "127.0.0.1:{port}" }}
admin: {{ address: "127.0.0.1:{admin}" }}
services:
  - catalog: voice-id
    endpoint: http://127.0.0.1:{sandbox}
    credentials: {{ accessKeyId: BENCH, secretAccessKey: {{ env: BENCH_SECRET }} }}
cache: {{ refreshAhead: {{ share: {share} }} }}
limits: {{ caller: {{ rate: 100000, burst: 100000 }} }}
"""


class Connection:
    def __init__(self, port):
        self.port = port
        self.streams = None

    async def call(self, operation, body):
        """The status, the age in seconds if the answer has one, and the body."""
        if self.streams is None:
            self.streams = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self.streams
        text = json.dumps(body)
        writer.write((
            "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-amz-json-1.0\r\n"
            f"X-Amz-Target: VoiceID.{operation}\r\nContent-Length: {len(text)}\r\n\r\n{text}").encode())
        head = await reader.readuntil(b"\r\n\r\n")
        content = await reader.readexactly(int(re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)[1]))
        age = re.search(rb"(?i)\r\nage: *(\d+)", head)
        return int(head[9:12]), int(age[1]) if age else None, content


class Run:
    def __init__(self, options, port, sandbox, domains):
        self.options, self.port, self.sandbox, self.domains = options, port, sandbox, domains
        self.begin = time.monotonic() + options.warm_up
        self.end = self.begin + options.seconds
        self.ages, self.waits, self.walked, self.strangers = [], [], 0, 0
        self.outcomes = collections.Counter()

    async def poll(self, bodies):
        connection = Connection(self.port)
        due = time.monotonic() + random.random()
        while due < self.end:
            for place, body in enumerate(bodies):
                await asyncio.sleep(max(0, due + place / len(bodies) - time.monotonic()))
                status, age, _ = await connection.call(LIST, body)
                if time.monotonic() >= self.begin:
                    self.outcomes[status] += 1
                    if age is not None:
                        self.ages.append(age)
            due = max(due + 1, time.monotonic() - 1)

    async def move_jobs(self):
        """Starts a job in each domain as soon as the one before has ended, at the sandbox itself."""
        async def move(domain):
            connection = Connection(self.sandbox)
            await asyncio.sleep(8 * random.random())
            while time.monotonic() < self.end:
                status, _, content = await connection.call("StartFraudsterRegistrationJob", {
                    "DomainId": domain, "DataAccessRoleArn": "arn:aws:iam::123456789012:role/r",
                    "InputDataConfig": {"S3Uri": "s3://input/x"}, "OutputDataConfig": {"S3Uri": "s3://output/"}})
                if status != 200:
                    self.outcomes[f"job not started: {content[:80]}"] += 1
                await asyncio.sleep(7 + 2 * random.random())
        await asyncio.gather(*(move(domain) for domain in self.domains))

    async def stranger(self):
        connection = Connection(self.port)
        number = 0
        while time.monotonic() < self.end:
            await asyncio.sleep(3 + 4 * random.random())
            number += 1
            self.strangers += 1
            sent = time.monotonic()
            status, _, _ = await connection.call(LIST, {"DomainId": random.choice(self.domains), "MaxResults": number})
            if sent >= self.begin:
                self.waits.append(time.monotonic() - sent)
                self.outcomes[f"stranger {status}"] += 1

    async def walk(self):
        connection = Connection(self.port)
        pages = [(domain, size) for size in range(99, 0, -1) for domain in self.domains]
        pages = [(domain, status, size) for status in STATUSES for domain, size in pages][: self.options.walk]
        for domain, status, size in pages:
            body = {"DomainId": domain, "MaxResults": size} | ({"JobStatus": status} if status else {})
            while time.monotonic() < self.end:
                status_code, _, _ = await connection.call(LIST, body)
                if status_code == 200:
                    self.walked += time.monotonic() >= self.begin
                    break
                await asyncio.sleep(0.5)

    async def go(self, case):
        if case == "hot":
            bodies = [{"DomainId": domain} for domain in self.domains]
        else:
            bodies = [
                {"DomainId": domain} | ({"JobStatus": status} if status else {})
                for domain in self.domains for status in STATUSES]
        tasks = [self.poll(random.sample(bodies, len(bodies))) for _ in range(self.options.callers)]
        tasks.append(self.stranger() if case == "hot" else self.walk() if case == "walk" else asyncio.sleep(0))
        if case == "hot":
            tasks.append(self.move_jobs())
        await asyncio.gather(*tasks)


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else float("nan")


def samples(port, name):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name)}


def measure(options, case, share):
    with tempfile.TemporaryDirectory() as directory, Servers(directory) as servers:
        port, admin, sandbox = free_ports(3)
        command = [options.gateway, "sandbox", "--listen", f"127.0.0.1:{sandbox}", "--latency", "50ms"]
        # Starting a job in each domain every eight seconds takes 0.4 a second of the sandbox's quota, up to three at once.
        if case == "hot":
            command += ["--job-duration", "6s", "--quota", "2.4", "--burst", "5"]
        server = servers.start("sandbox", command, sandbox)
        # It listens a moment before it says what it has.
        end = time.monotonic() + 10
        while (found := re.search(r"Domains: (.*)\n", pathlib.Path(server.log.name).read_text())) is None:
            if time.monotonic() > end:
                raise Failed("the sandbox does not say its domains")
            time.sleep(0.02)
        domains = found[1].split()[:3]
        path = pathlib.Path(directory) / "gateway.yaml"
        path.write_text(CONFIGURATION.format(port=port, admin=admin, sandbox=sandbox, share=share))
        servers.start("gateway", [options.gateway, "serve", "--config", str(path)], port, {"BENCH_SECRET": "bench"})
        run = Run(options, port, sandbox, domains)
        asyncio.run(run.go(case))
        throttled = sum(
            value for name, value in samples(port, "jobsproxy_upstream_attempts_total").items() if 'result="throttled"' in name)
        spent = {
            re.search(r'for="(\w+)"', name)[1]: int(value)
            for name, value in samples(port, "jobsproxy_quota_spent_total").items() if 'group="batch"' in name}
        staleness = samples(port, "jobsproxy_page_staleness_ratio")["jobsproxy_page_staleness_ratio"]
        print(
            f"{case:9} share {share:<4} age p50 {percentile(run.ages, 0.5)} p99 {percentile(run.ages, 0.99)} s  "
            f"throttled by the sandbox {throttled:.0f}  out of date {staleness:.3f}  spent {spent}  {dict(run.outcomes)}")
        if run.waits:
            print(
                f"{'':9} a stranger's wait p50 {1000 * percentile(run.waits, 0.5):.0f} p99 "
                f"{1000 * percentile(run.waits, 0.99):.0f} ms ({len(run.waits)} calls)")
        if case == "walk":
            print(f"{'':9} the walker got {run.walked} pages", flush=True)
        result = {
            "age": percentile(run.ages, 0.99), "throttled": throttled, "wait": percentile(run.waits, 0.99), "walked": run.walked,
            "refused": run.outcomes[400]}
        if case == "hot" and share > 0:
            # Each page that was asked for once more since its last refresh may have one.
            time.sleep(options.afterwards)
            result["unasked"] = ahead(port) - spent["ahead"]
            result["pages"] = len(run.domains) + run.strangers
            print(f"{'':9} refreshed after all had gone: {result['unasked']} of {result['pages']} pages", flush=True)
        return result


def ahead(port):
    return sum(
        int(value) for name, value in samples(port, "jobsproxy_quota_spent_total").items()
        if 'group="batch"' in name and 'for="ahead"' in name)


def limits(before, after):
    """What must hold, by case: the name, the value, the limit, and whether it does."""
    rows = []
    for case, result in after.items():
        old = before[case]
        if case == "hot":
            rows.append(("hot: p99 age, s", result["age"], 2.5))
            rows.append(("hot: throttled by the sandbox", result["throttled"], 0))
            rows.append(("hot: p99 wait of a stranger, s", result["wait"], old["wait"] + 0.05))
            rows.append(("hot: refreshes after all have gone", result["unasked"], result["pages"]))
        elif case == "eighteen":
            rows.append(("eighteen: p99 age, s", result["age"], 10))
            rows.append(("eighteen: throttled by the sandbox", result["throttled"], 0))
            rows.append(("eighteen: refused after the warm-up", result["refused"], 0))
        else:
            rows.append(("walk: pages of the walker missing, of those without", old["walked"] - result["walked"], 0.05 * old["walked"]))
    return [(name, value, limit, value <= limit) for name, value, limit in rows]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--gateway", default=".build/release/jobs-proxy")
    parser.add_argument("--callers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--warm-up", type=float, default=15)
    parser.add_argument("--walk", type=int, default=10_000)
    parser.add_argument("--afterwards", type=float, default=20, help="seconds to wait when the callers of `hot` have gone")
    parser.add_argument("--case", action="append", choices=["hot", "eighteen", "walk"])
    options = parser.parse_args()
    try:
        results = {
            share: {case: measure(options, case, share) for case in options.case or ["hot", "eighteen", "walk"]}
            for share in (0, 0.8)}
    except Failed as failure:
        sys.exit(f"freshness: {failure}")
    rows = limits(results[0], results[0.8])
    print(f"\n{'':52}{'is':>9}{'limit':>9}")
    for name, value, limit, holds in rows:
        print(f"{name:52}{value:>9.3g}{limit:>9.3g}  {'holds' if holds else 'DOES NOT HOLD'}")
    if any(result["throttled"] for result in results[0].values()):
        sys.exit(2)
    if not all(row[3] for row in rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
