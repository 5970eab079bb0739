"""Between two ends: a relay of connections that can be cut or led elsewhere, and one of calls that notes when they arrive."""

import asyncio
import contextlib
import dataclasses
import re
import time


class Relay:
    """Passes bytes on to a port of this machine. While it is cut, what is open hangs and what is new gets no answer, as if
    packets were lost: no connection is reset."""

    def __init__(self, target):
        self.target = target
        self.server = None
        self.port = 0
        self.writers = set()
        self.passes = asyncio.Event()
        self.passes.set()

    async def start(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def serve(self, reader, writer):
        await self.passes.wait()
        try:
            other_reader, other_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        self.writers |= {writer, other_writer}
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(self.carry(reader, other_writer), self.carry(other_reader, writer))
        self.writers -= {writer, other_writer}

    async def carry(self, reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self.passes.wait()
                writer.write(data)
                await writer.drain()
        writer.close()

    def cut(self):
        self.passes.clear()

    def heal(self):
        """Passes bytes on again; what was open meanwhile is gone."""
        self.abort()
        self.passes.set()

    def lead(self, target):
        """Leads to another port; what is open is gone."""
        self.target = target
        self.abort()

    def abort(self):
        for writer in list(self.writers):
            writer.transport.abort()

    async def stop(self):
        self.passes.set()
        self.server.close()
        self.abort()


@dataclasses.dataclass
class Arrival:
    """A call that has come to the service, by the monotonic clock."""

    time: float
    operation: str
    # Through which of the relay's doors.
    door: int
    is_throttled: bool = False


class CountingRelay:
    """Passes calls on to the service, one after the other on each connection, and notes when they came and which it throttled.
    Each gateway may have a door of its own, by which its calls are known."""

    def __init__(self, target):
        self.target = target
        self.arrivals = []
        self.doors = []

    async def open(self):
        """Opens a door; its port."""
        number = len(self.doors)
        self.doors.append(await asyncio.start_server(
            lambda reader, writer: self.serve(number, reader, writer), "127.0.0.1", 0))
        return self.doors[-1].sockets[0].getsockname()[1]

    async def serve(self, door, reader, writer):
        other = None
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            other_reader, other = await asyncio.open_connection("127.0.0.1", self.target)
            while True:
                head, body = await message(reader)
                operation = re.search(rb"(?i)\r\nx-amz-target: *\w+\.(\w+)", head)[1].decode()
                arrival = Arrival(time.monotonic(), operation, door)
                self.arrivals.append(arrival)
                other.write(head + body)
                head, body = await message(other_reader)
                arrival.is_throttled = b"ThrottlingException" in body
                writer.write(head + body)
                await writer.drain()
        for each in (writer, other):
            if each is not None:
                each.close()

    def stop(self):
        for door in self.doors:
            door.close()


async def message(reader):
    """The head and the content of a request or of an answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return head, await reader.readexactly(int(length[1]) if length else 0)
