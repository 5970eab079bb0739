"""What sharing costs, and what becomes of connections to Redis that are lost again and again."""

import asyncio
import contextlib
import itertools
import json
import random
import shutil
import statistics
import time

from . import callers, gateways, load
from .cluster_writes import DOMAINS, LIST, Origin, Teller, asked, settings
from .processes import Failed
from .redis import Redis

HITS, MISSES = 10_000, 500
# Rounds in which the processor time of a hit is compared, and the seconds of each run.
ROUNDS, ROUND = 9, 3
# The deadline of a call, and what its answer may take beyond it.
CALL, SLACK = 15.0, 1.0


def new_page(number):
    return callers.Asked(LIST, {"DomainId": DOMAINS[number % len(DOMAINS)], "NextToken": f"token{number}"})


async def cost(servers, program, options):
    origin = await Origin(delay=0).start()
    redis = Redis(servers, "cost-redis").start()
    (alone,) = await gateways.start(servers, "cost-alone", program, 1, [], **settings(origin))
    (shared,) = await gateways.start(servers, "cost-shared", program, 1, [redis.port], **settings(origin))
    tellers = [Teller(each.port, []) for each in (alone, shared)]
    times = [[], []]
    # The first ones find nothing warm.
    for number in range(MISSES + 50):
        for place in random.sample((0, 1), 2):
            one = await tellers[place].call(new_page(number))
            if one.status != 200:
                raise Failed(f"a page cannot be had: {one.status}")
            if number >= 50:
                times[place].append(one.took)
    middles = [sorted(each)[MISSES // 2] * 1e3 for each in times]
    yield "a miss with sharing, p50", f"≤ {middles[0] + 1:.2f} ms", f"{middles[1]:.2f} ms", middles[1] <= middles[0] + 1

    teller = tellers[1]
    page = asked(LIST, DOMAINS[0])
    await teller.call(page)
    rest = await calls_of(redis, asyncio.sleep(5))
    lists = origin.lists
    begun = time.monotonic()
    busy = await calls_of(redis, repeat(teller, page, HITS))
    took = time.monotonic() - begun
    # Signs of life, reads of the log and looks at the members go on; each may come once more in a shorter time.
    allowed = {name: count * took / 5 + 4 * max(1, count / 5) for name, count in rest.items()}
    more = {name: count for name, count in busy.items() if count > allowed.get(name, 0)}
    yield f"commands to Redis because of {HITS:,} hits in {took:.1f} s", "0", str(more or 0), not more and origin.lists == lists
    for each in tellers:
        await each.close()
    if shutil.which("wrk") is None:
        raise Failed("there is no wrk: Scripts/setup --bench installs it")
    call = (f"VoiceID.{LIST}", json.dumps({"DomainId": DOMAINS[0]}))
    ratios = []
    for _ in range(ROUNDS):
        cpu = {}
        for each in random.sample((alone, shared), 2):
            run = await asyncio.to_thread(load.run, each.server, each.port, call, False, ROUND, servers.directory)
            if run.bad:
                raise Failed(f"{run.bad} hits of {run.count} could not be had")
            cpu[each.name] = run.cpu
        ratios.append(cpu[shared.name] / cpu[alone.name])
    ratio = statistics.median(ratios)
    yield "processor time of a hit with sharing ÷ without", "≤ 1.02", f"{ratio:.3f}", ratio <= 1.02


async def repeat(teller, page, count):
    for _ in range(count):
        if (await teller.call(page)).status != 200:
            raise Failed("a hit cannot be had")


async def calls_of(redis, work):
    """Which commands Redis runs meanwhile, and how often; those that ask for this apart."""
    before = redis.calls()
    await work
    after = redis.calls()
    more = {name: count - before.get(name, 0) for name, count in after.items()}
    return {name: count for name, count in more.items() if count > 0 and name != "info"}


# MARK: Redis comes and goes


class Callers:
    """Calls that go on whatever happens, half of them for new pages."""

    def __init__(self, members, numbers):
        self.members = members
        self.numbers = numbers
        self.ended = []
        self.is_over = False

    async def call(self, member):
        caller = Teller(member.port, self.ended)
        while not self.is_over:
            await caller.call(random.choice([new_page(next(self.numbers)), asked(LIST, random.choice(DOMAINS))]))
            await asyncio.sleep(random.random() * 0.1)
        await caller.close()

    async def run(self, work):
        tasks = [asyncio.create_task(self.call(member)) for member in self.members for _ in range(2)]
        try:
            await work
        finally:
            self.is_over = True
            await asyncio.gather(*tasks)
        return self.ended


def late(ended):
    return sum(one.status == 0 or one.took > CALL + SLACK for one in ended)


async def outages(servers, program, options):
    """Redis is not there at the start, comes, goes for a while, and comes back."""
    origin = await Origin().start()
    redis = Redis(servers, "outage-redis")
    numbers = itertools.count()
    members = await gateways.start(
        servers, "outage", program, 3, [], **settings(origin, timeouts="", redis=gateways.place(redis.port), instances=3))
    ready = [(await each.get("/readyz")).startswith("HTTP/1.1 200") for each in members]
    yield "gateways ready while Redis was never there", "3", str(sum(ready)), all(ready)
    ended = await Callers(members, numbers).run(asyncio.sleep(4))
    yield f"calls lost before Redis was there, of {len(ended)}", "0", str(late(ended)), late(ended) == 0 and bool(ended)
    good = sum(one.status == 200 for one in ended)
    yield "calls that reached the service before Redis was there", "0", str(good), good == 0

    redis.start()
    begun = time.monotonic()
    await gateways.members(members)
    took = time.monotonic() - begun
    yield "all share after Redis has come", "≤ 5 s", f"{took:.1f} s", took <= 5
    ended = await Callers(members, numbers).run(asyncio.sleep(3))
    bad = sum(one.status != 200 for one in ended)
    yield f"calls not answered well after that, of {len(ended)}", "0", str(bad), bad == 0 and bool(ended)

    async def outage():
        redis.kill()
        await asyncio.sleep(options.outage)
        redis.start()
        await gateways.members(members)
    ended = await Callers(members, numbers).run(outage())
    lost = late(ended)
    yield f"calls lost while Redis was away for {options.outage:.0f} s, of {len(ended)}", "0", str(lost), lost == 0
    ended = await Callers(members, numbers).run(asyncio.sleep(3))
    bad = sum(one.status != 200 for one in ended)
    yield f"calls not answered well after that, of {len(ended)}", "0", str(bad), bad == 0 and bool(ended)


async def reconnects(servers, program, options):
    origin = await Origin().start()
    redis = Redis(servers, "reconnect-redis").start()
    members = await gateways.start(servers, "reconnect", program, 10, [redis.port], **settings(origin, timeouts=""))
    killed = 0

    async def kill(count):
        """Cuts all connections as often as it takes, each time when all are there."""
        nonlocal killed
        end = killed + count
        while killed < end:
            deadline = time.monotonic() + 30
            while connected(redis) < 2 * len(members):
                if time.monotonic() > deadline:
                    raise Failed(f"{2 * len(members) - connected(redis)} connections are not made again")
                await asyncio.sleep(0.005)
            killed += redis.ask("CLIENT", "KILL", "TYPE", "normal")

    calling = Callers(members, itertools.count())
    # What is kept for later is there after the first ones.
    ended = list(await calling.run(kill(min(300, options.reconnects // 10 + 1))))
    await gateways.members(members)
    before = [each.burden() for each in members]
    begun = time.monotonic()
    ended += await Callers(members, itertools.count(1_000_000)).run(kill(options.reconnects))
    took = time.monotonic() - begun
    await gateways.members(members)
    await asyncio.sleep(1)
    after = [each.burden() for each in members]
    lost = late(ended)
    yield f"calls lost in {killed:,} reconnects in {took:.0f} s, of {len(ended):,}", "0", str(lost), lost == 0 and bool(ended)
    files, threads = (max(now[place] - then[place] for now, then in zip(after, before)) for place in (0, 1))
    # Connections to the service may come and go.
    yield "open files more than before", "≤ 4", str(files), files <= 4
    yield "threads more than before", "0", str(threads), threads <= 0
    grown = max(now[2] - then[2] for now, then in zip(after, before)) / 2**20
    yield "memory more than before", "≤ 24 MiB", f"{grown:.1f} MiB", grown <= 24


def connected(redis):
    """How many connections there are beside the one that asks."""
    return len(redis.ask("CLIENT", "LIST", "TYPE", "normal").splitlines()) - 1


async def reconnect(servers, program, options):
    async for row in outages(servers, program, options):
        yield row
    async for row in reconnects(servers, program, options):
        yield row
