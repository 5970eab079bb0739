"""Writes through one gateway and lists through the others, looked through for pages older than a write that was answered."""

import asyncio
import collections
import contextlib
import dataclasses
import json
import math
import random
import re
import signal
import sys
import time

from . import callers, gateways, linearizability
from .processes import Failed, Servers
from .redis import Redis
from .relay import message

DOMAINS = [f"{number:022d}" for number in range(12)]
LIST, WRITE = "ListFraudsterRegistrationJobs", "StartFraudsterRegistrationJob"
# The longest time of a call, and what the others grant a write beyond it before they make its pages void themselves.
CALL, GRACE = 5.0, 1.0
# More entries, as the gateways add them.
FILL = "for i = 1, 1000 do redis.call('XADD', KEYS[1], 'MAXLEN', '~', '10000', '*', 't', '-') end"


class Origin:
    """A service whose lists tell how many jobs were started: the version of the domain."""

    def __init__(self, delay=0.004):
        # Seconds, the most that an answer takes before the service acts, and again after it.
        self.delay = delay
        self.versions = dict.fromkeys(DOMAINS, 0)
        self.slow = {}
        self.server = None
        self.port = 0
        self.lists = 0

    async def start(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def serve(self, reader, writer):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                head, body = await message(reader)
                answer = json.dumps(await self.answer(WRITE.encode() in head, json.loads(body)["DomainId"])).encode()
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\n\r\n%s" % (
                        len(answer), answer))
                await writer.drain()
        writer.close()

    async def answer(self, is_write, domain):
        await asyncio.sleep(random.random() * self.delay)
        if is_write:
            self.versions[domain] += 1
        version = self.versions[domain]
        self.lists += not is_write
        await asyncio.sleep(self.slow.get(domain, 0) if is_write else random.random() * self.delay)
        return {"Job": {"Version": version}} if is_write else {"JobSummaries": [], "Version": version}


def asked(operation, domain):
    role = "arn:aws:iam::123456789012:role/bench"
    place = {"S3Uri": "s3://bench/"}
    more = {"DataAccessRoleArn": role, "InputDataConfig": place, "OutputDataConfig": place} if operation == WRITE else {}
    return callers.Asked(operation, {"DomainId": domain, **more})


class Teller(callers.Caller):
    """A caller who reads the version in an answer."""

    version = None
    said = b""

    async def exchange(self, asked, one):
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writer.write(asked.message("127.0.0.1"))
        head, body = await message(self.reader)
        one.status, self.said = int(head[9:12]), body
        found = re.search(rb'"Version": (\d+)', body)
        self.version = int(found[1]) if found and one.status == 200 else None


@dataclasses.dataclass
class Tries:
    """Calls of some workers, each with a domain of its own, and of listeners beside them."""

    members: list
    calls: dict = dataclasses.field(default_factory=lambda: {domain: [] for domain in DOMAINS})
    tellers: dict = dataclasses.field(default_factory=dict)
    done: int = 0
    refused: int = 0
    refusals: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    is_over: bool = False

    async def call(self, worker, member, operation, domain):
        """Makes a call and keeps it; the version, or None."""
        teller = self.tellers.setdefault((worker, member.name), Teller(member.port, []))
        teller.version = None
        begun = time.monotonic()
        one = await teller.call(asked(operation, domain))
        ended, version = time.monotonic(), teller.version
        if version is None:
            self.refused += 1
            if one.status:
                self.refusals[(operation, one.status, teller.said[:160])] += 1
        else:
            self.calls[domain].append(linearizability.Call(operation == WRITE, begun, ended, version, member.name))
        return version if one.status else None

    async def work(self, domain, count):
        """Write-then-list, so often; half of the pages are in the lister's memory before the write."""
        while self.done < count and not self.is_over:
            writer, lister = random.choice(self.members), random.choice(self.members)
            if random.random() < 0.7:
                await self.call(domain, lister, LIST, domain)
            await asyncio.sleep(random.random() * random.choice([0, 0.002, 0.02]))
            if await self.call(domain, writer, WRITE, domain) is None:
                await asyncio.sleep(0.05)
                continue
            await asyncio.sleep(random.random() * random.choice([0, 0, 0.002, 0.02]))
            await self.call(domain, lister, LIST, domain)
            self.done += 1

    async def listen(self, number):
        """Lists beside the writes, so that flights are under way when they begin."""
        while not self.is_over:
            await self.call(f"listener{number}", random.choice(self.members), LIST, random.choice(DOMAINS))
            await asyncio.sleep(random.random() * 0.02)

    async def run(self, count, listeners=4, beside=None):
        """Until so many tries are done, and what happens beside them is over."""
        listening = [asyncio.create_task(self.listen(number)) for number in range(listeners)]
        happening = asyncio.create_task(beside) if beside else None
        workers = [asyncio.create_task(self.work(domain, count if happening is None else math.inf)) for domain in DOMAINS]
        if happening:
            await happening
            self.is_over = True
        await asyncio.gather(*workers)
        self.is_over = True
        await asyncio.gather(*listening)
        for teller in self.tellers.values():
            await teller.close()

    def verdict(self, lost=(), shown=5):
        """(old lists, lists that went backwards beside a write); lists that overlap with a time of `lost` do not count."""
        old, backwards, examples = 0, 0, []
        for calls in self.calls.values():
            kept = [
                call for call in calls
                if call.is_write or not any(call.begun < end and call.ended > begin for begin, end in lost)]
            found = linearizability.old_lists(kept)
            old += len(found)
            backwards += len(linearizability.faults(kept)) - len(found)
            examples += found
        for refusal, count in self.refusals.most_common(3):
            print(f"{count} × {refusal}", file=sys.stderr, flush=True)
        for earlier, later in examples[:shown]:
            print(
                f"old page: version {later.version} through {later.through}, {later.begun - earlier.ended:.4f} s after version "
                f"{earlier.version} was answered through {earlier.through}", file=sys.stderr, flush=True)
        return old, backwards


def settings(origin, **more):
    return {
        "origin": origin.port, "quotas": "batch: { rate: 1000000, burst: 1000000 }", "ttl": "default: 10m", "pool": 32,
        "timeouts": f"connect: 500ms, attempt: 1s, call: {CALL:.0f}s", **more}


async def planted(servers, program, options):
    """One of three gateways shares with none: its old pages must be found."""
    origin = await Origin().start()
    redis = Redis(servers, "planted-redis").start()
    members = await gateways.start(servers, "planted", program, 2, [redis.port], **settings(origin))
    members += await gateways.start(servers, "planted-other", program, 1, [redis.port], **settings(origin, deployment="other"))
    tries = Tries(members)
    await tries.run(min(options.tries, 300))
    old, _ = tries.verdict(shown=0)
    yield "old pages with a gateway that shares with none", "> 0", str(old), old > 0


async def plain(servers, program, options):
    origin = await Origin().start()
    redis = Redis(servers, "plain-redis").start()
    members = await gateways.start(servers, "plain", program, 3, [redis.port], **settings(origin))
    tries = Tries(members)
    begun = time.monotonic()
    await tries.run(options.tries)
    took = time.monotonic() - begun
    old, backwards = tries.verdict()
    total = sum(map(len, tries.calls.values()))
    is_done = tries.done >= options.tries
    yield f"old pages, {tries.done:,} tries, {total:,} calls in {took:.0f} s", "0", str(old), old == 0 and is_done
    yield "lists that went backwards beside a write", "–", str(backwards), True
    yield "calls refused or lost", "0", str(tries.refused), tries.refused == 0
    times = sorted(call.ended - call.begun for calls in tries.calls.values() for call in calls if call.is_write)
    middle, high = times[len(times) // 2], times[int(len(times) * 0.99)]
    yield "time of a write, p50 and p99", "≤ 100 ms at p50", f"{middle * 1e3:.1f}, {high * 1e3:.1f} ms", middle <= 0.1


async def killed(servers, program, options):
    """Gateways die in the midst of a write; the others make its pages void when its time is over."""
    origin = await Origin().start()
    redis = Redis(servers, "killed-redis").start()
    rounds = options.kills
    members = await gateways.start(
        servers, "killed", program, 3, [redis.port], **settings(origin, instances=3 + rounds, forget="10s"))
    tries = Tries(members)
    late = []

    async def kill():
        """By turns. The write has reached the service, and its answer has not come back."""
        for number in range(rounds):
            member = members[number % 3]
            others = [each for each in members if each is not member]
            domain = f"{number:05d}killed{'k' * 11}"
            origin.versions[domain], origin.slow[domain] = 0, 0.3
            tries.calls[domain] = []
            for each in others:
                await tries.call("killer", each, LIST, domain)
            writing = asyncio.create_task(tries.call(f"killer{number}", member, WRITE, domain))
            while origin.versions[domain] == 0:
                await asyncio.sleep(0.002)
            await asyncio.sleep(random.random() * 0.25)
            died = time.monotonic()
            member.kill()
            await writing
            member.launch()
            await member.wait_until_open()
            await gateways.members([member])
            # Its connections are gone.
            for (worker, name), teller in list(tries.tellers.items()):
                if worker == "killer" and name == member.name:
                    await teller.close()
            # Until its end is overdue; nobody was told that it has happened.
            await asyncio.sleep(max(0, died + CALL + GRACE + 1 - time.monotonic()))
            for each in members:
                version = await tries.call("killer", each, LIST, domain)
                if version != 1:
                    late.append((each.name, version))
                    after = time.monotonic() - died
                    print(
                        f"version {version} through {each.name}, {after:.1f} s after {member.name} was killed", file=sys.stderr,
                        flush=True)

    await tries.run(options.tries, beside=kill())
    old, _ = tries.verdict()
    yield f"old pages, {rounds} gateways killed in a write, {tries.done:,} tries", "0", str(old), old == 0 and tries.done > 0
    yield "old pages after the deadline of a write whose gateway died", "0", str(len(late)), not late


async def restarted(servers, program, options, strict="false"):
    """Redis dies and comes back empty, under tries."""
    origin = await Origin().start()
    redis = Redis(servers, f"restarted-{strict}-redis").start()
    members = await gateways.start(
        servers, f"restarted-{strict}", program, 3, [redis.port], **settings(origin, strict=strict, forget="10s"))
    tries, lost = Tries(members), []

    async def restart():
        for pause in (0.2, 6.0, 1.0):
            await asyncio.sleep(3)
            begun = time.monotonic()
            redis.kill()
            await asyncio.sleep(pause)
            redis.start()
            await gateways.members(members)
            lost.append((begun, time.monotonic()))
        await asyncio.sleep(3)

    await tries.run(options.tries, beside=restart())
    old, _ = tries.verdict(() if strict == "true" else lost)
    what = "at any time, strict" if strict == "true" else "while connected"
    yield f"old pages {what}, Redis killed {len(lost)} times, {tries.done:,} tries", "0", str(old), old == 0 and tries.done > 0


async def strictly(servers, program, options):
    async for row in restarted(servers, program, options, "true"):
        yield row


async def paused(servers, program, options):
    """A gateway stands still while a write goes through another, and comes back to a log that was trimmed behind its place."""
    origin = await Origin().start()
    redis = Redis(servers, "paused-redis").start()
    members = await gateways.start(servers, "paused", program, 3, [redis.port], **settings(origin, strict="true"))
    tries, waits = Tries(members), []
    for number, trims in enumerate([False, True] * 3):
        member, other = members[number % 3], members[(number + 1) % 3]
        # One is asked for at once afterwards, the other one when the gateway has a lease again.
        domains = DOMAINS[2 * number:2 * number + 2]
        for domain in domains:
            await tries.call("pauser", member, LIST, domain)
        member.server.process.send_signal(signal.SIGSTOP)
        try:
            begun = time.monotonic()
            await asyncio.gather(*(tries.call(domain, other, WRITE, domain) for domain in domains))
            waits.append(time.monotonic() - begun)
            if trims:
                (log,) = redis.find("jp1:{*}:log")
                for _ in range(25):
                    redis.ask("EVAL", FILL, "1", log)
        finally:
            member.server.process.send_signal(signal.SIGCONT)
        for _ in range(50):
            await tries.call("pauser", member, LIST, domains[0])
            await asyncio.sleep(0.03)
        await gateways.members([member])
        for _ in range(20):
            await tries.call("pauser", member, LIST, domains[1])
            await asyncio.sleep(0.03)
    old, _ = tries.verdict()
    is_whole = tries.refused == 0 and len(waits) == 6
    yield "old pages, a gateway stands still, strict", "0", str(old), old == 0 and is_whole
    yield "a write waits for one that stands still", "≤ 4 s", f"{max(waits):.1f} s", max(waits) <= 4
    for teller in tries.tellers.values():
        await teller.close()


WAYS = {"planted": planted, "plain": plain, "killed": killed, "restarted": restarted, "strict": strictly,
    "paused": paused}


async def run(servers, program, options):
    """Rows of what must hold, the limit, what was measured, and whether it does."""
    if problem := linearizability.check_itself():
        raise Failed(f"the checker {problem}")
    for name, way in WAYS.items():
        if options.ways and name not in options.ways:
            continue
        with Servers(servers.directory) as inner:
            async for row in way(inner, program, options):
                yield row
