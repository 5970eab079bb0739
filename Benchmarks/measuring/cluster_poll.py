"""Callers who poll the same pages through several gateways, beside the same callers at one."""

import asyncio
import collections
import random
import re
import time

from . import callers, gateways
from .processes import Servers
from .redis import Redis
from .relay import CountingRelay, message

CALLERS, RATE = 300, 2
# Seconds between two calls of a caller for the same page, and until all pages are warm.
INTERVAL, WARM_UP = 10, 20


class Poller:
    """A caller who asks for all pages by turns."""

    def __init__(self, port, pages, tally):
        self.port = port
        self.pages = random.sample(pages, len(pages))
        self.tally = tally

    async def run(self, begin, end):
        pause = INTERVAL / len(self.pages)
        due = time.monotonic() + random.random() * INTERVAL
        # A connection without a request would be closed.
        await asyncio.sleep(due - time.monotonic())
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        while due < end:
            for page in self.pages:
                await asyncio.sleep(max(0, due - time.monotonic()))
                due += pause
                sent = time.monotonic()
                writer.write(page.message("127.0.0.1"))
                head, _ = await message(reader)
                if sent >= begin:
                    self.tally.answers[int(head[9:12])] += 1
                    age = re.search(rb"(?i)\r\nage: *(\d+)", head)
                    self.tally.ages.append(int(age[1]) if age else 0)
        writer.close()


class Tally:
    def __init__(self):
        self.answers = collections.Counter()
        self.ages = []
        self.arrivals = []

    @property
    def throttled(self):
        return sum(one.is_throttled for one in self.arrivals)

    @property
    def late_age(self):
        return sorted(self.ages)[int(len(self.ages) * 0.99)]


async def measure(servers, program, count, seconds):
    tally = Tally()
    with Servers(servers.directory) as inner:
        redis = Redis(inner, f"poll-{count}-redis").start()
        port, domains = await gateways.sandbox(inner, f"poll-{count}-sandbox", program, RATE, RATE)
        service = CountingRelay(port)
        members = await gateways.start(
            inner, f"poll-{count}", program, count, [redis.port] if count > 1 else [], origin=await service.open(),
            connections=2 * CALLERS)
        pages = [
            callers.Asked(callers.LIST, {"DomainId": domain} | ({"JobStatus": status} if status else {}))
            for domain in domains for status in callers.STATUSES]
        begin = time.monotonic() + WARM_UP
        end = begin + seconds
        await asyncio.gather(*(
            Poller(members[number % count].port, pages, tally).run(begin, end) for number in range(CALLERS)))
        tally.arrivals = [one for one in service.arrivals if begin <= one.time < end]
        service.stop()
    return tally


async def run(servers, program, options):
    """Rows of what must hold, the limit, what was measured, and whether it does."""
    one = await measure(servers, program, 1, options.seconds)
    three = await measure(servers, program, 3, options.seconds)
    bad = sum(three.answers.values()) - three.answers[200]
    total = len(three.ages)
    yield f"calls of {CALLERS} callers not answered, of {total:,}", "0", str(bad), bad == 0 and total > 0
    yield "calls throttled by the service", "0", str(three.throttled), three.throttled == 0
    yield "age of pages, p99, one gateway and three", f"≤ {one.late_age + 1} s", f"{one.late_age}, {three.late_age} s", (
        three.late_age <= one.late_age + 1)
    limit = 1.05 * len(one.arrivals)
    yield "calls to the service, one gateway and three", f"≤ {limit:.0f}", f"{len(one.arrivals)}, {len(three.arrivals)}", (
        len(three.arrivals) <= limit)
