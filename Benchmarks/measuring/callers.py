"""Callers, each with a connection of its own, and what became of their calls."""

import asyncio
import contextlib
import dataclasses
import datetime
import json
import random
import re
import time

DOMAINS = ["AAAAAAAAAAAAAAAAAAAAAA", "BBBBBBBBBBBBBBBBBBBBBB", "CCCCCCCCCCCCCCCCCCCCCC"]
STATUSES = [None, "SUBMITTED", "IN_PROGRESS", "COMPLETED", "COMPLETED_WITH_ERRORS", "FAILED"]
LIST, LIVE = "ListFraudsterRegistrationJobs", "EvaluateSession"


@dataclasses.dataclass
class Asked:
    """What is asked for."""

    operation: str
    body: dict
    # For how many seconds the caller says that it will wait, if it does.
    patience: float = 0

    def message(self, host):
        content = json.dumps(self.body)
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.patience)
        wait = f"amz-sdk-request: attempt=1; ttl={end:%Y%m%dT%H%M%SZ}\r\n" if self.patience else ""
        return (
            f"POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-amz-json-1.0\r\n"
            f"X-Amz-Target: VoiceID.{self.operation}\r\n{wait}Content-Length: {len(content)}\r\n\r\n{content}").encode()


def warm_pages():
    """The eighteen first pages of three domains."""
    return [
        Asked(LIST, {"DomainId": domain} | ({"JobStatus": status} if status else {}))
        for domain in DOMAINS for status in STATUSES]


def new_page(number, patience=0):
    """A page that nobody has asked for."""
    return Asked(LIST, {"DomainId": random.choice(DOMAINS), "NextToken": f"token{number}"}, patience)


def evaluation(patience=0):
    return Asked(LIVE, {"DomainId": DOMAINS[0], "SessionNameOrId": "session"}, patience)


@dataclasses.dataclass
class Ended:
    """A call that has ended. Times are seconds on the monotonic clock."""

    asked: Asked
    sent: float
    took: float
    # 0 if there was no answer.
    status: int = 0
    # In which of its lives the origin has made the answer; 0 if it is not the answer to what was asked.
    life: int = 0
    # Whether it is an error such as an AWS SDK understands.
    is_error: bool = False

    @property
    def is_good(self):
        return self.status == 200 and self.life > 0


class Caller:
    """One connection, opened again if it is closed."""

    def __init__(self, port, ended):
        self.port = port
        self.ended = ended
        self.reader = self.writer = None

    async def call(self, asked):
        sent = time.monotonic()
        one = Ended(asked, sent, 0)
        with contextlib.suppress(OSError, EOFError, TimeoutError):
            async with asyncio.timeout(30):
                await self.exchange(asked, one)
        if one.status == 0:
            await self.close()
        one.took = time.monotonic() - sent
        self.ended.append(one)
        return one

    async def exchange(self, asked, one):
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writer.write(asked.message("127.0.0.1"))
        head = await self.reader.readuntil(b"\r\n\r\n")
        body = await self.reader.readexactly(int(re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)[1]))
        one.status = int(head[9:12])
        with contextlib.suppress(ValueError, TypeError, KeyError):
            said = json.loads(body)
            if one.status == 200:
                one.life = said["Life"] if said["Asked"] == asked.body else 0
            else:
                kind = re.search(rb"(?i)\r\nx-amzn-errortype: *([^\r]+)", head)[1].decode()
                one.is_error = said["__type"].rsplit("#")[-1] == kind and b"\r\nContent-Type: application/x-amz-json" in head

    async def poll(self, choose, interval, ends):
        """Calls once an interval until the event is set."""
        due = time.monotonic() + random.random() * interval
        while not ends.is_set():
            await asyncio.sleep(max(0, due - time.monotonic()))
            await self.call(choose())
            due = max(due + interval, time.monotonic())

    async def close(self):
        if self.writer is not None:
            self.writer.close()
            self.reader = self.writer = None
