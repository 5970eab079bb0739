#!/usr/bin/env python3
"""A proxy that sends awsJson requests to the gateway, and everything else straight to moto.

    python -m services.router PORT GATEWAY_PORT ADMIN_PORT MOTO_PORT PREFIX,…

A request is awsJson if its X-Amz-Target begins with one of the prefixes. Every answer ends its connection. When moto is reset,
which happens between tests, the gateway's pages are purged: no AWS service forgets everything at once.
"""

import asyncio
import re
import sys

LIMIT = 64 << 20
RESET = b"/moto-api/reset"


async def content(reader, head):
    """The rest of a request as it came, after its head."""
    if re.search(rb"\r\ntransfer-encoding:[^\r]*chunked", head, re.I):
        parts = []
        while True:
            line = await reader.readuntil(b"\r\n")
            size = int(line.split(b";")[0], 16)
            # The last chunk ends with the (empty) trailer section.
            parts += [line, await reader.readexactly(size + 2)]
            if size == 0:
                return b"".join(parts)
    length = re.search(rb"\r\ncontent-length:\s*(\d+)", head, re.I)
    return await reader.readexactly(int(length[1])) if length else b""


async def ask(port, request):
    """Sends a request and returns the stream of its answer, which ends with the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=LIMIT)
    writer.write(request)
    await writer.drain()
    return reader, writer


class Router:
    def __init__(self, gateway, admin, moto, prefixes):
        self.gateway, self.admin, self.moto = gateway, admin, moto
        self.target = re.compile(rb"\r\nx-amz-target:\s*(?:" + b"|".join(map(re.escape, prefixes)) + rb")\.", re.I)

    async def serve(self, reader, writer):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if re.search(rb"\r\nexpect:\s*100-continue", head, re.I):
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = await content(reader, head)
            # The signing Region of some global services is no Region, and no signature is verified here.
            head = re.sub(rb"(Credential=[^/\r]+/\d+/)global/", rb"\1us-east-1/", head)
            head = re.sub(rb"\r\n(connection|expect):[^\r]*", b"", head, flags=re.I)
            request = head[:-2] + b"Connection: close\r\n\r\n" + body
            target = self.gateway if self.target.search(head) else self.moto
            source, sink = await ask(target, request)
            if head.split(b" ", 2)[1].endswith(RESET):
                answer = await source.read()
                await self.purge()
                writer.write(answer)
            else:
                while part := await source.read(1 << 16):
                    writer.write(part)
                    await writer.drain()
            await writer.drain()
            sink.close()
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            if not isinstance(error, asyncio.IncompleteReadError) or error.partial:
                print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        finally:
            writer.close()

    async def purge(self):
        request = f"POST /purge HTTP/1.1\r\nHost: 127.0.0.1:{self.admin}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        source, sink = await ask(self.admin, request.encode())
        answer = await source.read()
        if b" 200 " not in answer[:15]:
            print(f"purge: {answer[:200]}", file=sys.stderr, flush=True)
        sink.close()


async def main():
    port, gateway, admin, moto = map(int, sys.argv[1:5])
    router = Router(gateway, admin, moto, sys.argv[5].encode().split(b","))
    server = await asyncio.start_server(router.serve, "127.0.0.1", port, limit=LIMIT, backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
