"""Redis servers: started, hurt and started again, and the few words of their protocol that orders need."""

import signal
import socket
import time

from .processes import Failed, Server, quiet_ports


class Redis:
    """A server on a port and in a directory of its own, which it keeps when it is started again. It writes a file only when asked to."""

    def __init__(self, servers, name="redis"):
        self.name = name
        self.servers = servers
        (self.port,) = quiet_ports(1)
        self.directory = servers.directory / f"{name}-data"
        self.directory.mkdir()
        self.log = servers.enter_context(open(servers.directory / f"{name}.log", "w+"))
        self.server = None
        servers.callback(self.kill)

    def start(self):
        self.server = Server(
            self.name, [
                "redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                "--dir", str(self.directory), "--loglevel", "warning", "--repl-diskless-sync-delay", "0"],
            self.port, log=self.log)
        self.server.wait_until_open()
        return self

    def kill(self):
        if self.server is not None and self.server.process.poll() is None:
            self.server.process.kill()
            self.server.process.wait()

    def pause(self):
        self.server.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.server.process.send_signal(signal.SIGCONT)

    def ask(self, *words):
        """The reply to one command, over a connection of its own."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=3) as connection, connection.makefile("rb") as reader:
            return order(connection, reader, *words)

    def find(self, pattern):
        """The keys that match."""
        found, place = [], "0"
        while True:
            place, keys = self.ask("SCAN", place, "MATCH", pattern, "COUNT", "1000")
            found += keys
            if place == "0":
                return found

    def calls(self):
        """How often each command has run, by scripts or by clients."""
        lines = self.ask("INFO", "commandstats").splitlines()
        pairs = (line.removeprefix("cmdstat_").split(":calls=") for line in lines if ":calls=" in line)
        return {name: int(rest.split(",")[0]) for name, rest in pairs}

    def follow(self, primary, seconds=15):
        """Makes it a replica, and waits until it has all that the primary has."""
        self.ask("REPLICAOF", "127.0.0.1", str(primary.port))
        end = time.monotonic() + seconds
        while "master_link_status:up" not in self.ask("INFO", "replication"):
            if time.monotonic() > end:
                raise Failed(f"{self.name} does not follow {primary.name}")
            time.sleep(0.05)


class Sentinels:
    """Three that watch a primary, and make its replica the primary a second after it has died."""

    def __init__(self, servers, primary):
        self.ports = quiet_ports(3)
        for port in self.ports:
            settings = servers.directory / f"{primary.name}-sentinel-{port}.conf"
            settings.write_text(
                f"port {port}\nbind 127.0.0.1\nsentinel monitor bench 127.0.0.1 {primary.port} 2\n"
                "sentinel down-after-milliseconds bench 1000\nsentinel failover-timeout bench 5000\n")
            servers.start(settings.stem, ["redis-server", str(settings), "--sentinel"], port)

    def place(self):
        """How the configuration names them."""
        urls = ", ".join(f'"redis://127.0.0.1:{port}"' for port in self.ports)
        return f"[{urls}]\n  master: bench"


def order(connection, reader, *words):
    parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    connection.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
    return read(reader)


def read(reader):
    """A value of RESP2; an error is a text that begins with "-"."""
    line = reader.readline().rstrip(b"\r\n")
    kind, rest = line[:1], line[1:]
    if kind == b"+":
        return rest.decode()
    if kind == b"-":
        return line.decode()
    if kind == b":":
        return int(rest)
    if kind == b"$":
        return None if rest == b"-1" else reader.read(int(rest) + 2)[:-2].decode(errors="replace")
    if kind == b"*":
        return None if rest == b"-1" else [read(reader) for _ in range(int(rest))]
    raise Failed(f"Redis says {line!r}")
