#!/usr/bin/env python3
"""Callers that poll: each asks for every page once an interval, over a connection of its own, and does not retry.

    Benchmarks/poll.py http://127.0.0.1:8080 --domains ID,ID,ID [--callers 200] [--interval 1] [--warm-up 15] [--seconds 60]

A page is the first of a domain and a status, or of no status: three domains make eighteen. Prints how the calls after the
warm-up ended, and the percentiles of the ages of the pages that were served.
"""

import argparse
import asyncio
import collections
import json
import random
import re
import time

STATUSES = [None, "SUBMITTED", "IN_PROGRESS", "COMPLETED", "COMPLETED_WITH_ERRORS", "FAILED"]


def request(domain, status, name):
    body = {"DomainId": domain}
    if status:
        body["JobStatus"] = status
    text = json.dumps(body)
    return (
        f"POST / HTTP/1.1\r\nHost: {name}\r\nContent-Type: application/x-amz-json-1.0\r\n"
        "X-Amz-Target: VoiceID.ListFraudsterRegistrationJobs\r\n"
        f"Content-Length: {len(text)}\r\n\r\n{text}").encode()


async def answer(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)[1])
    body = await reader.readexactly(length)
    age = re.search(rb"(?i)\r\nage: *(\d+)", head)
    return int(head[9:12]), int(age[1]) if age else None, body


class Tally:
    def __init__(self):
        self.outcomes = collections.Counter()
        self.ages = collections.defaultdict(list)
        self.times = []


async def poll(host, port, requests, interval, start, until, tally):
    reader, writer = await asyncio.open_connection(host, port)
    due = time.monotonic() + random.random() * interval
    while due < until:
        for index, (filter, one) in enumerate(requests):
            pause = due + index * interval / len(requests) - time.monotonic()
            if pause > 0:
                await asyncio.sleep(pause)
            sent = time.monotonic()
            writer.write(one)
            status, age, body = await answer(reader)
            if sent < start:
                continue
            kind = "answered" if status == 200 else "throttled" if b"ThrottlingException" in body else f"status {status}"
            tally.outcomes[kind] += 1
            tally.times.append(time.monotonic() - sent)
            if age is not None:
                tally.ages[filter].append(age)
        due += interval
    writer.close()


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else None


async def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("url")
    parser.add_argument("--domains", required=True)
    parser.add_argument("--callers", type=int, default=200)
    parser.add_argument("--interval", type=float, default=1)
    parser.add_argument("--warm-up", type=float, default=15)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    host, port = re.match(r"http://([^:/]+):(\d+)", options.url).groups()
    requests = [(status, request(domain, status, host)) for domain in options.domains.split(",") for status in STATUSES]
    start = time.monotonic() + options.warm_up
    tally = Tally()
    await asyncio.gather(*(
        poll(host, int(port), random.sample(requests, len(requests)), options.interval, start, start + options.seconds, tally)
        for _ in range(options.callers)))
    calls = sum(tally.outcomes.values())
    print(f"{calls} calls:", ", ".join(f"{count} {kind}" for kind, count in tally.outcomes.most_common()))
    for status, ages in tally.ages.items():
        print(f"age of pages, seconds, {status or 'no status'}: p50 {percentile(ages, 0.5)}  p99 {percentile(ages, 0.99)}  "
              f"most {max(ages)}")
    print(f"time of a call, ms: p50 {1000 * percentile(tally.times, 0.5):.1f}  p99 {1000 * percentile(tally.times, 0.99):.1f}")


asyncio.run(main())
