"""An origin that does as it is told: answers lists and evaluations, fails a part of them, is dead, comes back.

    python3 -m measuring.origin PORT CONTROL-PORT

On the control port each line is an order, answered by a line of JSON with what it counted so far: `fail SHARE`, `die`,
`live`, `count`. Dead means that its listening socket and all of its connections are closed; the port stays its own.
"""

import asyncio
import collections
import contextlib
import json
import random
import re
import socket
import sys

FAILURE = b'{"__type":"InternalServerException","Message":"told to fail"}'
FILLING = "x" * 2_000


def bound(port):
    """A socket that keeps the port, and refuses connections until it listens."""
    place = socket.socket()
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    place.bind(("127.0.0.1", port))
    return place


class Origin:
    def __init__(self, port):
        self.port = port
        self.share = 0.0
        # How often it has come to life: answers tell it, so that an old page can be told from a new one.
        self.life = 0
        self.random = random.Random(1)
        self.counts = collections.Counter()
        self.writers = set()
        self.server = None
        self.place = bound(port)

    async def live(self):
        self.life += 1
        self.server = await asyncio.start_server(self.serve, sock=self.place)

    async def die(self):
        self.server.close()
        for writer in self.writers:
            writer.transport.abort()
        self.place = bound(self.port)

    async def serve(self, reader, writer):
        self.counts["connections"] += 1
        self.writers.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while await self.exchange(reader, writer):
                await writer.drain()
        self.writers.discard(writer)
        writer.close()

    async def exchange(self, reader, writer):
        """One request and its answer; false if there is none."""
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        body = await reader.readexactly(int(length[1]) if length else 0)
        self.counts["requests"] += 1
        if self.random.random() >= self.share:
            writer.write(answer(200, self.page(body)))
            return True
        self.counts["failures"] += 1
        way = self.random.randrange(3)
        if way == 0:
            writer.transport.abort()
            return False
        writer.write(answer(500, FAILURE) if way == 1 else answer(503, b"<html>try later</html>", "text/html"))
        return True

    def page(self, body):
        return json.dumps({"JobSummaries": [{"JobName": FILLING}], "Life": self.life, "Asked": json.loads(body)}).encode()

    async def obey(self, reader, writer):
        while line := await reader.readline():
            order, *arguments = line.decode().split()
            if order == "fail":
                self.share = float(arguments[0])
            elif order == "die":
                await self.die()
            elif order == "live":
                await self.live()
            writer.write(json.dumps(self.counts).encode() + b"\n")
        writer.close()


def answer(status, body, kind="application/x-amz-json-1.0"):
    return f"HTTP/1.1 {status} -\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def main():
    port, control = map(int, sys.argv[1:])
    origin = Origin(port)
    await origin.live()
    async with await asyncio.start_server(origin.obey, "127.0.0.1", control) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
