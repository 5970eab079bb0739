"""The joint rate of gateways that share a quota, while their Redis is in trouble."""

import asyncio
import collections
import contextlib
import itertools
import random
import sys
import time

from . import callers, gateways
from .processes import Servers
from .redis import Redis, Sentinels
from .relay import CountingRelay, Relay

# The quota that is configured, and the service's own; the gateways leave 2 % of it unused.
RATE, BURST = 2, 2
# At most this share of the quota, at least that; the least while Redis hangs is another one.
MOST, LEAST, LEAST_IN_HANG = 1.05, 0.8, 0.75
# Seconds of load before a fault's time begins.
WARM_UP = 6


class Scene:
    """So many gateways, their Redis, the sandbox, and callers who always ask for more than the quota gives."""

    def __init__(self, servers, name, program, count, seconds):
        self.servers = servers
        self.name = name
        self.program = program
        self.count = count
        self.seconds = seconds
        self.redis = Redis(servers, f"{name}-redis").start()
        self.replica = None
        self.relays = []
        self.marks = []
        self.begun = 0.0

    async def start(self, ways):
        """`ways` relays lead to Redis, which gateways use by turns; with 0 they use it itself, with None they ask sentinels."""
        port, domains = await gateways.sandbox(self.servers, f"{self.name}-sandbox", self.program, RATE, BURST)
        self.service = CountingRelay(port)
        doors = [await self.service.open() for _ in range(self.count)]
        self.relays = [await Relay(self.redis.port).start() for _ in range(ways or 0)]
        ports = [relay.port for relay in self.relays] or [self.redis.port]
        if ways is None:
            self.replica = Redis(self.servers, f"{self.name}-replica").start()
            await asyncio.to_thread(self.replica.follow, self.redis)
            ports = [Sentinels(self.servers, self.redis).place()]
            # Until they know each other and the replica.
            await asyncio.sleep(4)
        self.members = await gateways.start(
            self.servers, self.name, self.program, self.count, ports, origins=doors,
            quotas=f"batch: {{ rate: {RATE}, burst: {BURST} }}", ttl="default: 1s")
        pages = [
            callers.Asked(operation, {"DomainId": domain, "MaxResults": size} | ({"JobStatus": status} if status else {}))
            for operation in ("ListFraudsterRegistrationJobs", "ListSpeakerEnrollmentJobs") for domain in domains
            for status in callers.STATUSES for size in range(1, 101)]
        # No page comes twice before all have come.
        random.Random(self.count).shuffle(pages)
        self.pages = itertools.cycle(pages)
        self.outcomes = []
        each = max(2, 24 // self.count)
        self.tasks = [
            asyncio.create_task(self.ask(callers.Caller(member.port, self.outcomes)))
            for member in self.members for _ in range(each)]

    async def ask(self, caller):
        while True:
            one = await caller.call(next(self.pages))
            if one.status != 200:
                await asyncio.sleep(0.2 + 0.3 * random.random())

    async def at(self, second, what):
        """Waits until a second of a run of sixty, or the same part of a shorter one."""
        await asyncio.sleep(max(0, self.begun + second * self.seconds / 60 - time.monotonic()))
        self.marks.append((time.monotonic() - self.begun, what))

    async def stop(self):
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for relay in self.relays:
            await relay.stop()
        self.service.stop()


# MARK: Faults


async def healthy(scene):
    pass


async def crash(scene):
    await scene.at(8, "killed")
    scene.redis.kill()
    await scene.at(24, "started empty")
    scene.redis.start()


async def hang(scene):
    await scene.at(10, "stopped")
    scene.redis.pause()
    await asyncio.sleep(9)
    scene.redis.resume()


async def cut(scene):
    await scene.at(8, "a third cut off")
    scene.relays[0].cut()
    await scene.at(32, "healed")
    scene.relays[0].heal()


async def split(scene):
    scene.replica = Redis(scene.servers, f"{scene.name}-replica").start()
    await asyncio.to_thread(scene.replica.follow, scene.redis)
    await scene.at(10, "two primaries")
    scene.replica.ask("REPLICAOF", "NO", "ONE")
    scene.relays[0].lead(scene.replica.port)
    await scene.at(30, "one again")
    scene.relays[1].lead(scene.replica.port)


async def failover(scene):
    await scene.at(10, "primary killed, sentinels promote its replica")
    scene.redis.kill()


async def read_only(scene):
    await scene.at(8, "READONLY")
    scene.redis.ask("REPLICAOF", "127.0.0.1", "1")
    await scene.at(22, "primary again")
    scene.redis.ask("REPLICAOF", "NO", "ONE")


async def flush(scene):
    for second in range(5, 60, 10):
        await scene.at(second, "scripts flushed")
        scene.redis.ask("SCRIPT", "FLUSH")


async def memory(scene):
    await scene.at(8, "no memory")
    scene.redis.ask("CONFIG", "SET", "maxmemory", "1")
    await scene.at(22, "memory")
    scene.redis.ask("CONFIG", "SET", "maxmemory", "0")


async def clock(scene):
    """What the bucket looks like after a clock was set back or ahead, and after it was lost."""
    (bucket,) = scene.redis.find("jp1:{*}:q:*/batch")
    _, *rest = scene.redis.ask("GET", bucket).split()
    await scene.at(6, "set back by an hour")
    scene.redis.ask("SET", bucket, " ".join([str(int((time.time() + 3600) * 1e6)), *rest]))
    await scene.at(22, "bucket lost")
    scene.redis.ask("DEL", bucket)
    await scene.at(38, "set ahead")
    scene.redis.ask("SET", bucket, " ".join(["1", *rest]))


async def restore(scene):
    await scene.at(8, "saved")
    scene.redis.ask("SAVE")
    await scene.at(20, "killed, and started with what was saved")
    scene.redis.kill()
    scene.redis.start()


async def rebirth(scene):
    await scene.at(10, "all gateways killed, and started again")
    for member in scene.members:
        member.kill()
    for member in scene.members:
        member.launch()


# Each with the number of relays before Redis; None: sentinels.
FAULTS = {
    "healthy": (healthy, 0), "crash": (crash, 0), "hang": (hang, 0), "cut": (cut, 3), "split": (split, 2),
    "failover": (failover, None),
    "readonly": (read_only, 0), "flush": (flush, 0), "memory": (memory, 0), "clock": (clock, 0),
    "restore": (restore, 0), "rebirth": (rebirth, 0)}


# MARK: The judge


async def judge(servers, program, fault, count, seconds):
    """(what was seen, whether it is within the limits)"""
    act, ways = FAULTS[fault]
    with contextlib.ExitStack() as stack:
        scene = Scene(stack.enter_context(Servers(servers.directory)), f"{fault}-{count}", program, count, seconds)
        await scene.start(ways)
        try:
            await asyncio.sleep(WARM_UP)
            scene.begun = time.monotonic()
            await act(scene)
            await asyncio.sleep(max(0, scene.begun + seconds - time.monotonic()))
            end = scene.begun + seconds
        finally:
            await scene.stop()
    arrivals = [one for one in scene.service.arrivals if scene.begun <= one.time < end]
    times = [one.time for one in arrivals]
    rate = len(times) / seconds / RATE
    window = min(30, seconds)
    most = most_within(times, window) / (RATE * window + BURST)
    gap = max((later - earlier for earlier, later in zip([scene.begun, *times], [*times, end])))
    for place, one in enumerate(arrivals):
        if one.is_throttled:
            before = [f"gateway {each.door} {each.time - one.time:.3f} s" for each in arrivals[max(0, place - 5):place]]
            when = f"{fault}, {one.time - scene.begun:.1f} s"
            print(f"{when}: throttled from gateway {one.door}; before: {', '.join(before)}", file=sys.stderr, flush=True)
    outcomes = collections.Counter(one.status for one in scene.outcomes)
    print(f"{fault}, {count} gateways: answers to callers, by status: {dict(outcomes)}", file=sys.stderr, flush=True)
    throttled = sum(one.is_throttled for one in arrivals) / max(1, len(arrivals))
    least = LEAST_IN_HANG if fault == "hang" else LEAST
    holds = least <= rate <= MOST and most <= MOST and throttled <= 0.01
    row = [
        f"{fault}, {count} gateways", f"{rate:.3f}", f"{most:.3f}", f"{gap:.1f} s",
        f"{sum(one.is_throttled for one in arrivals)} of {len(arrivals)}"]
    return row, holds, scene


def most_within(times, window):
    """The most calls in any such span."""
    best, first = 0, 0
    for last, instant in enumerate(times):
        while instant - times[first] >= window:
            first += 1
        best = max(best, last - first + 1)
    return best

