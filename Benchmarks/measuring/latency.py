"""What the way through a server adds to the time of a call, one call after the other."""

import contextlib
import os
import socket
import statistics
import time

from . import requests
from .idle import drain
from .load import CLIENT_CORE, SERVER_CORE


def measure(contender, origin, count, rounds):
    """Seconds that a call takes longer than one to the origin itself, p50 and p99: the medians of several rounds. First where all
    threads run wherever the system puts them, then with the server's on a core of their own, so that each step wakes a core."""
    every = os.sched_getaffinity(0)
    figures = []
    for server, client in ((every, every), ({SERVER_CORE}, {CLIENT_CORE})):
        contender.server.pin(*server)
        os.sched_setaffinity(0, client)
        try:
            added = [round_(contender, origin, count) for _ in range(rounds)]
        finally:
            os.sched_setaffinity(0, every)
        figures += [statistics.median(column) for column in zip(*added)]
    return figures


def round_(contender, origin, count):
    """The two take turns, so that noise hits both alike."""
    with contextlib.ExitStack() as stack:
        ends = [
            (stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10)), requests.raw(port, contender.call))
            for port in (origin, contender.port)]
        times = [[], []]
        for end, _ in ends:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in range(count + count // 10):
            for (end, message), taken in zip(ends, times):
                begun = time.perf_counter()
                end.sendall(message)
                drain(end)
                # The first ones find nothing warm.
                if number >= count // 10:
                    taken.append(time.perf_counter() - begun)
    direct, through = (sorted(taken) for taken in times)
    return tuple(through[int(part * count)] - direct[int(part * count)] for part in (0.5, 0.99))
