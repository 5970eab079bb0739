#!/usr/bin/env python3
"""Lets the origin of 200 callers stumble, and looks how much of it they notice, and what it costs the origin.

    Benchmarks/faults.py --gateway PATH [--only brownout,outage] [--seconds 60]

Brownout: the origin fails 30 % of its requests, by a status or by closing the connection; the callers ask for 18 warm pages,
and once a second for one that nobody has asked for. Outage: it is dead; ten of the callers ask for cold pages, ten for what is
never cached. Prints what must hold and what was measured; exits 1 if something does not. All of it on 127.0.0.1.
"""

import argparse
import asyncio
import itertools
import random
import shutil
import sys
import tempfile
import time

from measuring import callers
from measuring.processes import Failed, Servers
from measuring.report import time as spelled
from measuring.scene import Scene

CALLERS, INTERVAL = 200, 0.2
# The budget of retries has so many in reserve, and gets one back each second, see `retry.budget.reserve`.
RESERVE = 10
# How long cold callers say that they will wait.
PATIENCE = 5
# The quota of the pages' group without its head-room, and the longest pause of the breaker, by default.
RATE, PAUSE = 1.96, 1.25


async def brownout(servers, gateway, seconds):
    """Rows of what must hold, the limit, what was measured, and whether it does."""
    scene = Scene("brownout", servers, gateway, "batch: { rate: 1000, burst: 1000 }")
    await scene.warm_up()
    numbers = itertools.count()
    before = await scene.figures()
    await scene.tell("fail 0.3")
    begun = time.monotonic()
    scene.call(lambda: random.choice(scene.warm), CALLERS, INTERVAL)
    scene.call(lambda: callers.new_page(next(numbers)), 1, 1)
    await asyncio.sleep(seconds)
    await scene.stop()
    elapsed = time.monotonic() - begun
    attempts, retries, _ = (now - then for now, then in zip(await scene.figures(), before))
    flights = attempts - retries
    good = sum(one.is_good for one in scene.ended)
    new = [one for one in scene.ended if not scene.is_warm(one)]
    share = good / len(scene.ended)
    most = 1.15 * flights + RESERVE + elapsed
    say(f"brownout: {sum(one.is_good for one in new)} of {len(new)} new pages, {retries} retries of {flights} flights")
    yield "calls answered well, of " + f"{len(scene.ended):,}", "≥ 99 %", f"{100 * share:.2f} %", share >= 0.99
    yield (
        f"attempts for {flights} flights, the reserve apart", f"≤ 1.15 × = {most - RESERVE - elapsed:.0f}, + "
        f"{RESERVE + elapsed:.0f}", str(attempts), attempts <= most and retries > 0)


async def outage(servers, gateway, seconds):
    scene = Scene("outage", servers, gateway, "")
    await scene.warm_up()
    numbers, cold_ends = itertools.count(), asyncio.Event()
    scene.call(lambda: random.choice(scene.warm), CALLERS - 20, INTERVAL)
    scene.call(lambda: callers.evaluation(PATIENCE), 10, 1)
    await asyncio.sleep(5)
    (files, _), memory = scene.files(), scene.server.memory()

    died = time.monotonic()
    await scene.tell("die")
    # As long as nothing was refused, nothing of them is cold.
    scene.call(lambda: callers.new_page(next(numbers), PATIENCE), 10, 1, cold_ends)
    opened = None
    while time.monotonic() < died + seconds:
        attempts, _, state = await scene.figures()
        if opened is None and state == 2:
            opened = (time.monotonic(), attempts)
        await asyncio.sleep(0.1)
    if opened is None:
        raise Failed("outage: the breaker has not opened")
    attempts, _, _ = await scene.figures()
    rate = (attempts - opened[1]) / (time.monotonic() - opened[0])

    cold_ends.set()
    await scene.tell("live")
    returned = time.monotonic()
    fresh = {}
    allowed = PAUSE + len(scene.warm) / RATE + 2
    seen = len(scene.ended)
    while len(fresh) < len(scene.warm) and time.monotonic() < returned + 3 * allowed:
        await asyncio.sleep(0.05)
        for one in scene.ended[seen:]:
            if scene.is_warm(one) and one.life == 2:
                fresh.setdefault(str(one.asked.body), one.sent + one.took - returned)
        seen = len(scene.ended)
    await asyncio.sleep(2)
    (now_files, pool), now_memory = scene.files(), scene.server.memory()
    await scene.stop()

    meanwhile = [one for one in scene.ended if died <= one.sent < returned]
    after = [one for one in scene.ended if one.sent >= returned]
    warm = [one for one in meanwhile if scene.is_warm(one)]
    others = [one for one in meanwhile if not scene.is_warm(one) and one.status != 200]
    bad = sum(not one.is_good for one in warm)
    slowest = max((one.took for one in others), default=0.0)
    say(f"outage: slowest warm page {spelled(max(one.took for one in warm))}, open {opened[0] - died:.2f} s after the end")
    yield f"warm pages not answered, of {len(warm):,}", "0", str(bad), bad == 0 and len(warm) > 0
    odd = sum(not one.is_error for one in others)
    yield f"other calls that got no awsJson error, of {len(others)}", "0", str(odd), odd == 0 and len(others) > 0
    yield "slowest of these", f"≤ {PATIENCE} s", spelled(slowest), slowest <= PATIENCE
    yield "attempts a second once the breaker is open", "≤ 1, > 0", f"{rate:.2f}", 0 < rate <= 1
    bad = sum(not one.is_good for one in after if scene.is_warm(one))
    yield "errors for warm pages after its return", "0", str(bad), bad == 0
    late = [one.sent + one.took - returned for one in after if one.status != 200]
    yield "last error for a call that is never cached, after its return", f"≤ {PAUSE} s", spelled(max(late, default=0.0)), (
        max(late, default=0.0) <= PAUSE)
    last = max(fresh.values(), default=0.0)
    yield (
        f"all {len(scene.warm)} pages fresh after its return, {len(fresh)} seen", f"≤ {allowed:.1f} s", f"{last:.1f} s",
        len(fresh) == len(scene.warm) and last <= allowed)
    yield "connections to the origin at the end", "≤ 32", str(pool), 0 < pool <= 32
    yield "other open files, before and after", "+ 2", f"{files}, {now_files}", now_files <= files + 2
    grown = (now_memory - memory) / 2**20
    yield "memory, before and after", "+ 4 MiB", f"{memory / 2**20:.1f}, {now_memory / 2**20:.1f} MiB", grown <= 4


PARTS = {"brownout": brownout, "outage": outage}


def say(what):
    print(what, file=sys.stderr, flush=True)


async def run(parts, gateway, seconds, servers):
    holds = True
    print("| | what must hold | limit | measured | |\n|---|---|--:|--:|---|", flush=True)
    for part in parts:
        async for what, limit, figure, is_so in PARTS[part](servers, gateway, seconds):
            print(f"| {part} | {what} | {limit} | {figure} | {'yes' if is_so else '**no**'} |", flush=True)
            holds = holds and is_so
    return holds


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].strip())
    parser.add_argument("--gateway", required=True)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    parts = options.only.split(",")
    if unknown := [part for part in parts if part not in PARTS]:
        parser.error(f"there is no part '{unknown[0]}': {', '.join(PARTS)}")
    if options.seconds < 12:
        parser.error("12 seconds are the least: before, no page is old")
    gateway = shutil.which(options.gateway) or parser.error(f"no program '{options.gateway}'")
    with tempfile.TemporaryDirectory(prefix="jobs-proxy-faults-") as directory, Servers(directory) as servers:
        try:
            holds = asyncio.run(run(parts, gateway, options.seconds, servers))
        except Failed as failure:
            sys.exit(f"faults: {failure}")
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()
