"""What connections cost that do nothing, and what they cost those that do."""

import contextlib
import resource
import socket

from . import load, requests
from .processes import Failed


def raise_file_limit():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


class Idle(contextlib.ExitStack):
    """Connections that made one request each and then keep quiet."""

    def __init__(self, port, call, count):
        super().__init__()
        message = requests.raw(port, call)
        for _ in range(count):
            connection = self.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            connection.sendall(message)
            drain(connection)


def drain(connection):
    """Reads one answer."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += receive(connection)
    head, body = data.split(b"\r\n\r\n", 1)
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    while len(body) < length:
        body += receive(connection)


def receive(connection):
    data = connection.recv(65536)
    if not data:
        raise Failed("a connection was closed in the middle of an answer")
    return data


def measure(contender, count, seconds, directory):
    """(bytes for each idle connection, p99 without them, p99 with them)."""
    server, port, call = contender.server, contender.port, contender.call
    without = load.run(server, port, call, False, seconds, directory)
    before = server.memory()
    with Idle(port, call, count):
        memory = (server.memory() - before) / count
        beside = load.run(server, port, call, False, seconds, directory)
    return memory, without.p99, beside.p99
