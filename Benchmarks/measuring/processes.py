"""Servers under measurement: started, watched, and stopped again whatever happens."""

import contextlib
import itertools
import os
import pathlib
import socket
import subprocess
import time

TICK = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """Something that is measured does not do what it should."""


def free_ports(count):
    """Ports of 127.0.0.1 that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


# Where processes that measure at the same time begin to look for ports: far from each other.
PLACES = itertools.count(os.getpid() * 211)


def quiet_ports(count):
    """Ports that nobody listens on and that the system gives to no connection meanwhile; none is given twice."""
    first = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    if first < 20_000:
        return free_ports(count)
    found = []
    while len(found) < count:
        port = 10_000 + next(PLACES) % (first - 10_000)
        with contextlib.suppress(OSError), socket.socket() as place:
            place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            place.bind(("127.0.0.1", port))
            found.append(port)
    return found


class Server:
    """A process with its children."""

    def __init__(self, name, command, port, environment=None, log=None):
        self.name = name
        self.port = port
        self.log = log
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log or subprocess.DEVNULL, stderr=log or subprocess.DEVNULL,
            env={**os.environ, **(environment or {})})

    def wait_until_open(self, seconds=15):
        """Waits until its port accepts a connection."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise Failed(f"{self.name} ended with {self.process.returncode}{self.last_words()}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return self
            time.sleep(0.005)
        raise Failed(f"{self.name} does not listen on {self.port}{self.last_words()}")

    def last_words(self):
        if self.log is None:
            return ""
        self.log.flush()
        return ":\n" + pathlib.Path(self.log.name).read_text(errors="replace")[-2000:]

    def pids(self):
        """Its own and its children's."""
        parents = {}
        for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                parents[int(path.parent.name)] = int(path.read_text().rsplit(")", 1)[1].split()[1])
        family = {self.process.pid}
        while more := {pid for pid, parent in parents.items() if parent in family} - family:
            family |= more
        return family

    def pin(self, *cores):
        """Keeps all of its threads on these cores."""
        for pid in self.pids():
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                with contextlib.suppress(ProcessLookupError):
                    os.sched_setaffinity(int(task.name), set(cores))

    def cpu(self):
        """Seconds of processor time so far, in user and kernel mode."""
        ticks = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
                ticks += int(fields[11]) + int(fields[12])
        return ticks / TICK

    def memory(self):
        """Bytes of memory that it has for itself, and its part of what it shares."""
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                    if line.startswith("Pss:"):
                        total += int(line.split()[1]) * 1024
        return total

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Servers(contextlib.ExitStack):
    """All that was started, in a directory of its own."""

    def __init__(self, directory):
        super().__init__()
        self.directory = pathlib.Path(directory)

    def start(self, name, command, port, environment=None, seconds=15):
        log = self.enter_context(open(self.directory / f"{name.replace('/', '-')}.log", "w+"))
        server = Server(name, command, port, environment, log)
        self.callback(server.stop)
        return server.wait_until_open(seconds)

    def fill(self, template, values, name=None):
        """The path of a file made from a template, `@NAME@` replaced by values."""
        text = template.read_text()
        for key, value in values.items():
            text = text.replace(f"@{key}@", str(value))
        path = self.directory / (name or template.name)
        path.write_text(text)
        return path
