#!/usr/bin/env python3
"""Has the gateway read its configuration anew again and again while its callers keep it busy, and counts what they lose: nothing may be.

    Benchmarks/reload.py --gateway PATH [--reloads 50] [--callers 200]

The gateway stands in front of the sandbox, whose quota is the service's. Before each reload the file is written anew: every caller's key is replaced
by the next one (both are good for one reload), some callers come and go, rates, times and limits change, and one file in ten has a fault. Exits 1 if a
call failed, if a page that was there was fetched as if it had not been, if the sandbox had to throttle, or if a faulty file changed anything. All of it
on 127.0.0.1.
"""

import argparse
import asyncio
import dataclasses
import itertools
import json
import pathlib
import shutil
import sys
import tempfile
import time
import urllib.error
import urllib.request

from measuring import requests
from measuring.processes import Failed, Servers, free_ports

# Seconds between two reloads, and requests a second that the service allows.
PAUSE, QUOTA = 0.3, 2
STATUSES = ["COMPLETED", "FAILED", "IN_PROGRESS", "SUBMITTED", None]


def key(caller, generation):
    """The id and the secret of a caller's key."""
    return f"GW{caller:04d}G{generation}", f"secret-{caller:04d}-{generation}-0123456789"


def fields(port, target, body, caller, generation):
    """The header fields of a request that a caller signs, with the later one of its keys: that one outlives the next reload."""
    requests.KEY, requests.SECRET = key(caller, generation)
    return requests.headers(port, target, body, True)


@dataclasses.dataclass
class Setting:
    """What the gateway is told, one generation after the other."""

    directory: pathlib.Path
    ports: tuple
    sandbox: int
    callers: int
    guests: range

    def write(self, generation, fault=False):
        (self.directory / "secrets").mkdir(exist_ok=True)
        callers = []
        present = [*range(self.callers), *(guest for guest in self.guests if (guest + generation) % 2)]
        for caller in present:
            keys = []
            for each in (generation, generation + 1):
                name, secret = key(caller, each)
                place = self.directory / "secrets" / name
                if not place.exists():
                    place.write_text(secret)
                keys.append({"accessKeyId": name, "secretAccessKey": {"file": str(place)}})
            callers.append({"name": f"caller-{caller}", "keys": keys, "limit": {"rate": 10_000 + generation, "burst": 10_000}})
        rate = [2, 1, 1.5, 0.5][generation % 4]
        configuration = {
            "listen": {"address": f"127.0.0.1:{self.ports[0]}"}, "admin": {"address": f"127.0.0.1:{self.ports[1]}"},
            "services": [{
                "catalog": "voice-id", "endpoint": f"http://127.0.0.1:{self.sandbox}",
                "credentials": {"accessKeyId": "SANDBOX", "secretAccessKey": {"file": str(self.directory / "sandbox")}},
                "quotas": {"batch": {"rate": rate, "burst": 1 + generation % 2}},
                "timeouts": {"call": f"{15 + generation % 3}s"}}],
            "cache": {"ttl": {"default": f"{2 + generation % 3}s", "final": "5s"}, "staleWhileRevalidate": "10m"},
            "limits": {"queue": {"maxDepth": 200 + generation}}, "breaker": {"failures": 5 + generation % 3},
            "retry": {"maxAttempts": 2 + generation % 2}, "callers": callers, "log": {"access": "errors"}}
        if fault:
            configuration["cache"]["ttl"]["default"] = "soon"
            configuration["callers"] = callers[:1]
        # JSON is YAML.
        (self.directory / "jobs-proxy.yaml").write_text(json.dumps(configuration))


@dataclasses.dataclass
class Callers:
    """Busy ones, each with a connection that it keeps."""

    port: int
    domain: str
    generation: int = 0
    is_over: bool = False
    calls: int = 0
    fetched: int = 0
    failures: list = dataclasses.field(default_factory=list)

    def body(self, number):
        status = STATUSES[number % len(STATUSES)]
        return json.dumps({"DomainId": self.domain, **({"JobStatus": status} if status else {}), "MaxResults": 10 + number % 2})

    async def call(self, streams, caller, body):
        """The status and the Cache-Status of an answer."""
        reader, writer = streams
        target = "VoiceID.ListFraudsterRegistrationJobs"
        head = {**fields(self.port, target, body, caller, self.generation + 1), "Content-Length": len(body)}
        writer.write(("POST / HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in head.items()) + "\r\n" + body).encode())
        answer = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)).decode().lower()
        await reader.readexactly(int(answer.split("\r\ncontent-length:")[1].split("\r\n")[0]))
        status = [line for line in answer.split("\r\n") if line.startswith("cache-status:")]
        return int(answer.split()[1]), status[0] if status else answer

    async def run(self, caller):
        streams = await asyncio.open_connection("127.0.0.1", self.port)
        for number in itertools.count(caller):
            if self.is_over:
                break
            try:
                code, cache = await self.call(streams, caller, self.body(number))
            except (OSError, EOFError, asyncio.TimeoutError) as failure:
                code, cache = 0, repr(failure)
                streams = await asyncio.open_connection("127.0.0.1", self.port)
            self.calls += 1
            self.fetched += "fwd=miss" in cache
            if code != 200:
                self.failures.append(f"caller {caller}: {code} {cache[:300]}")
            await asyncio.sleep(0.02)
        streams[1].close()


def order(port):
    """What an order to reload comes to."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/reload", method="POST", data=b"")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def sample(port, name, label=""):
    """The sum of a metric's samples, of those with a label."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.split("{")[0].split(" ")[0] == name and label in line)


async def warm(callers):
    """Asks for every page until it is there; the quota lets two a second through."""
    streams = await asyncio.open_connection("127.0.0.1", callers.port)
    for number in range(2 * len(STATUSES)):
        for _ in range(60):
            code, _cache = await callers.call(streams, 0, callers.body(number))
            if code == 200:
                break
            await asyncio.sleep(0.25)
        else:
            raise Failed("the pages cannot be fetched")
    streams[1].close()


async def run(options, setting, domain):
    callers = Callers(setting.ports[0], domain)
    await warm(callers)
    load = [asyncio.create_task(callers.run(number)) for number in range(options.callers)]
    loop, faults, slowest = asyncio.get_running_loop(), [], 0.0
    for number in range(options.reloads):
        await asyncio.sleep(PAUSE)
        is_faulty = number % 10 == 5
        setting.write(callers.generation + 1, fault=is_faulty)
        begun = time.monotonic()
        status, text = await loop.run_in_executor(None, order, setting.ports[1])
        slowest = max(slowest, time.monotonic() - begun)
        if status != (400 if is_faulty else 200):
            faults.append(f"reload {number}: {status} {text[:300]}")
        if status == 200:
            callers.generation += 1
    await asyncio.sleep(PAUSE)
    callers.is_over = True
    await asyncio.gather(*load)
    return callers, faults, slowest


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].strip())
    parser.add_argument("--gateway", required=True)
    parser.add_argument("--reloads", type=int, default=50)
    parser.add_argument("--callers", type=int, default=200)
    options = parser.parse_args()
    gateway = pathlib.Path(shutil.which(options.gateway) or parser.error(f"no program '{options.gateway}'")).resolve()
    with tempfile.TemporaryDirectory(prefix="jobs-proxy-reload-") as place, Servers(place) as servers:
        directory = pathlib.Path(place)
        sandbox, *ports = free_ports(3)
        (directory / "sandbox").write_text("sandbox")
        try:
            servers.start("sandbox", [
                gateway, "sandbox", "--listen", f"127.0.0.1:{sandbox}", "--quota", str(QUOTA), "--burst", "2"], sandbox)
            setting = Setting(directory, tuple(ports), sandbox, options.callers, range(options.callers, options.callers + 20))
            setting.write(0)
            servers.start("gateway", [gateway, "serve", "--config", directory / "jobs-proxy.yaml"], ports[0])
            callers, faults, slowest = asyncio.run(run(options, setting, domain_of(sandbox)))
            throttled = sample(sandbox, "sandbox_requests_total", 'result="throttled"')
            reloads = sample(ports[1], "jobsproxy_config_reloads_total")
        except Failed as failure:
            sys.exit(f"reload: {failure}")
    print(f"calls: {callers.calls} of {options.callers} callers; failed: {len(callers.failures)}; pages lost: {callers.fetched}")
    print(f"reloads: {reloads:.0f}, the slowest {slowest * 1000:.0f} ms; the service throttled {throttled:.0f}")
    for text in (callers.failures + faults)[:10]:
        print(f"reload: {text}", file=sys.stderr)
    good = not callers.failures and not faults and not callers.fetched and not throttled and reloads == options.reloads
    sys.exit(0 if good else 1)


def domain_of(port):
    """A domain of the sandbox."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/", data=b'{"MaxResults":10}',
        headers={"X-Amz-Target": "VoiceID.ListDomains", "Content-Type": "application/x-amz-json-1.0", "Authorization": "x"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["DomainSummaries"][0]["DomainId"]


if __name__ == "__main__":
    main()
