"""Load from wrk on a core of its own, and what it costs the server on the other."""

import dataclasses
import re
import subprocess

from . import requests
from .processes import Failed

SERVER_CORE, CLIENT_CORE = 0, 1
CONNECTIONS = 64


@dataclasses.dataclass
class Run:
    """One run of wrk. Times are seconds."""

    rate: float
    p50: float
    p99: float
    # Processor time of the server for each request.
    cpu: float
    count: int
    bad: int


def run(server, port, call, signed, seconds, directory):
    """Sends one request over and over for so long, over 64 connections."""
    server.pin(SERVER_CORE)
    script = directory / "request.lua"
    script.write_text(requests.script(port, call, signed))
    command = [
        "taskset", "-c", str(CLIENT_CORE), "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(script),
        f"http://127.0.0.1:{port}/"]
    before = server.cpu()
    done = subprocess.run(command, capture_output=True, text=True)
    after = server.cpu()
    if done.returncode != 0:
        raise Failed(f"wrk against {server.name}: {done.stdout}{done.stderr}")
    return read(done.stdout, after - before)


def read(text, cpu):
    """What wrk says of a run."""
    count = int(first(r"(\d+) requests in", text))
    errors = [int(number) for number in re.findall(r"(?:connect|read|write|timeout) (\d+)", text)]
    if count == 0 or sum(errors) > 0:
        raise Failed(f"wrk: {text}")
    return Run(
        rate=float(first(r"Requests/sec:\s+([\d.]+)", text)), p50=seconds(first(r"^ +50% +(\S+)", text)),
        p99=seconds(first(r"^ +99% +(\S+)", text)), cpu=cpu / count, count=count,
        bad=int(first(r"Non-2xx or 3xx responses: (\d+)", text, "0")))


def first(pattern, text, default=None):
    match = re.search(pattern, text, re.MULTILINE)
    if match is None and default is None:
        raise Failed(f"wrk says nothing of '{pattern}': {text}")
    return match.group(1) if match else default


def seconds(text):
    for unit, size in (("us", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0)):
        if text.endswith(unit):
            return float(text[: -len(unit)]) * size
    raise Failed(f"'{text}' is no time")
