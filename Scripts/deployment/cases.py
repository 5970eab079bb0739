"""The surroundings in which a gateway must serve, each a case with what makes it so."""

import contextlib
import errno
import mmap
import os
import pathlib
import resource
import socket
import subprocess

from . import kernel, origin, root, unit
from .probe import ANSWER, Failed, wait_until

# Has no entry in /etc/passwd; one of those that systemd gives to `DynamicUser`.
USER = 61234
UNITS = pathlib.Path(__file__).resolve().parents[2] / "Config/systemd"
CONFIGURATION = "/etc/jobs-proxy.yaml"


class Surroundings:
    """The surroundings of a gateway that a user without capabilities starts. A case overrides what is different in it.

    `before` runs in the process that starts the gateway and asks it; `change` runs in the process that is to become the
    gateway, before it gives up its privileges. Both are in a network namespace of their own where there are any.
    """

    listen = "127.0.0.1"
    # True if `change` needs a mount namespace.
    is_isolated = False
    # True if only root can have these surroundings.
    needs_root = False
    # True if the gateway is to be process 1 of a namespace.
    is_first_process = False
    # True if the gateway keeps the user and the capabilities of this process.
    is_privileged = False
    # By RLIMIT_… constant.
    limits = {}
    umask = None
    # Fields of /proc/PID/status that must have these values.
    status = {}
    # "file", "full" (a pipe that takes no byte more), "broken" (a pipe without a reader) or "closed" (standard input too).
    output = error = "file"
    # The reason why SIGILL leaves the case out, or None.
    trap = None
    # Commands that must end with 0 in the same surroundings before the gateway starts, each with its arguments.
    before_start = ()

    def __init__(self, program, directory, host):
        self.program, self.directory = program, pathlib.Path(directory)
        self.user, self.group = USER if host.is_root else None, None
        self.environment = {**os.environ, **program.environment}
        self.arguments = ["serve", "--config", str(self.directory / "jobs-proxy.yaml")]
        self.command = program.path
        self.sockets = []

    # MARK: In the process that starts the gateway

    def before(self):
        pass

    def ports(self):
        with contextlib.ExitStack() as stack:
            sockets = [stack.enter_context(socket.socket()) for _ in range(2)]
            for each in sockets:
                each.bind(("127.0.0.1", 0))
            return [each.getsockname()[1] for each in sockets]

    def services(self):
        """The embedded sandbox, with a quota that no case waits for."""
        return "  - { catalog: voice-id, quotas: { batch: { rate: 100, burst: 100 } } }"

    def snapshot(self):
        return "null"

    def write_configuration(self, client_port, admin_port):
        # Everything is logged, so that a log that holds up a call or the end is noticed.
        (self.directory / "jobs-proxy.yaml").write_text(f"""\
listen: {{ address: "{self.listen}:{client_port}" }}
admin: {{ address: "127.0.0.1:{admin_port}" }}
services:
{self.services()}
cache: {{ snapshot: {self.snapshot()} }}
drain: 2s
log: {{ level: trace, access: all }}
""")

    def look(self, gateway):
        """Checks what else the case promises, while the gateway serves; raises `Failed`."""

    def look_after(self):
        """Checks what the case promises after the gateway's end; raises `Failed`."""

    # MARK: In the gateway's process

    def change(self):
        pass

    def filter_calls(self):
        """Restricts system calls; the last step."""


class AsStarted(Surroundings):
    name = "as this user"
    is_privileged = True


class WithoutCapabilities(Surroundings):
    name = "no capability, no_new_privs"


class ReadOnlyRoot(Surroundings):
    name = "read-only root, no HOME, empty environment"
    is_isolated = True

    def change(self):
        self.environment = dict(self.program.environment)
        kernel.make_read_only("/")
        for place in ("/", "/tmp", "/var/tmp", "/dev/shm", "/run", self.directory):
            try:
                os.close(os.open(f"{place}/written", os.O_CREAT | os.O_WRONLY))
            except OSError as error:
                if error.errno in (errno.EROFS, errno.ENOENT):
                    continue
            raise Failed(f"{place} is writable")


class UnreadError(Surroundings):
    name = "standard error a full pipe that is not read"
    error = "full"


class UnreadOutput(Surroundings):
    name = "standard output and error full pipes that are not read"
    output = error = "full"


class BrokenOutput(Surroundings):
    name = "standard output and error pipes without a reader"
    output = error = "broken"


class ClosedOutput(Surroundings):
    name = "standard input, output and error closed"
    output = error = "closed"

    def look(self, gateway):
        """None of these numbers may be a socket or another descriptor of the gateway's, to which lines would be written."""
        for number in range(3):
            with contextlib.suppress(FileNotFoundError):
                target = os.readlink(f"/proc/{gateway.pid}/fd/{number}")
                if not target.startswith("/"):
                    raise Failed(f"descriptor {number} is {target}, and what is printed goes there")


class FewFiles(Surroundings):
    name = "256 open files, and more connections than that"
    limits = {resource.RLIMIT_NOFILE: 256}

    def look(self, gateway):
        """Connections beyond the limit may wait or be closed. The gateway must serve again when they are gone."""
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for _ in range(self.limits[resource.RLIMIT_NOFILE] + 50):
                stack.enter_context(socket.create_connection(("127.0.0.1", gateway.client_port), timeout=1))
        if not wait_until(gateway.answers, ANSWER):
            raise Failed("it serves no more after there were more connections than files")


class FewestFiles(FewFiles):
    name = "64 open files, and more connections than that"
    limits = {resource.RLIMIT_NOFILE: 64}


class PrivateFiles(Surroundings):
    name = "umask 077, with a snapshot"
    umask = 0o077
    status = {"Umask": "0077"}

    def before(self):
        self.state = self.directory / "state"
        self.state.mkdir(mode=0o700)
        if self.user is not None:
            os.chown(self.state, self.user, self.user)

    def snapshot(self):
        return self.state / "pages"

    def look_after(self):
        mode = (self.state / "pages").stat().st_mode & 0o777
        if mode != 0o600:
            raise Failed(f"the snapshot's mode is {mode:o}")


class OneProcessor(Surroundings):
    name = "one processor"

    def change(self):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


class FirstProcess(Surroundings):
    name = "process 1 of a container"
    is_isolated = is_first_process = True

    def change(self):
        kernel.mount("proc", "/proc", "proc", kernel.NO_SUID | kernel.NO_DEVICES | kernel.NO_EXEC)
        if os.getpid() != 1:
            raise Failed(f"its process id is {os.getpid()}")


class IPv6SwitchedOff(Surroundings):
    """A container without IPv6, whose /etc/hosts still has ::1 for `localhost`."""

    name = "IPv6 switched off, listening on localhost"
    listen = "localhost"
    is_isolated = True

    def before(self):
        # A kernel without IPv6 has no such files.
        for switch in pathlib.Path("/proc/sys/net/ipv6/conf").glob("*/disable_ipv6"):
            switch.write_text("1")
        (self.directory / "hosts").write_text("::1 localhost\n127.0.0.1 localhost\n")

    def change(self):
        kernel.bind(self.directory / "hosts", "/etc/hosts")


class NoIPv6(Surroundings):
    name = "a kernel without IPv6"

    def filter_calls(self):
        ipv6 = unit.FAMILIES["AF_INET6"]
        refused = kernel.FAIL_WITH | errno.EAFNOSUPPORT
        kernel.install_filter(
            [kernel.rule(refused, kernel.call_numbers()["socket"], (0, kernel.ALL_BITS, ipv6))])


class NoProcesses(Surroundings):
    """A gateway may serve without /proc, but need not; it must never take its command line for an empty one."""

    name = "no /proc"
    is_isolated = True
    trap = "libdispatch traps without /proc if one of its threads is at work when it counts them"

    def change(self):
        kernel.mount("tmpfs", "/proc", "tmpfs", 0, "mode=555")


class MinimalRoot(Surroundings):
    """Nothing but what docs/deployment.md lists: neither /dev, /tmp nor time zones."""

    name = "minimal root, the service by name over https"
    is_isolated = True
    secret = "/run/credentials/jobs-proxy.service/secret"

    def before(self):
        self.certificate = origin.make_certificate(self.directory)
        self.origin = origin.Origin(self.certificate)
        self.command, self.arguments = root.PLACE, ["serve", "--config", CONFIGURATION]
        for name, text in (("hosts", "127.0.0.1 localhost\n"), ("resolv.conf", "nameserver 127.0.0.1\n"), ("secret", "made up")):
            (self.directory / name).write_text(text)

    def services(self):
        self.origin.serve()
        return f"""\
  - catalog: voice-id
    endpoint: https://localhost:{self.origin.port}
    credentials: {{ accessKeyId: AKIAIOSFODNN7EXAMPLE, secretAccessKey: {{ file: {self.secret} }} }}
    quotas: {{ batch: {{ rate: 100, burst: 100 }} }}"""

    def files(self):
        """By path in the root, the file or directory that is bound there."""
        return {
            "/etc/hosts": self.directory / "hosts",
            "/etc/resolv.conf": self.directory / "resolv.conf",
            certificate_bundle(): self.certificate,
            CONFIGURATION: self.directory / "jobs-proxy.yaml",
            self.secret: self.directory / "secret",
        }

    def change(self):
        at = self.directory / "root"
        at.mkdir(exist_ok=True)
        self.environment = root.build(at, self.program, self.files())
        self.complete(at)
        root.enter(at)

    def complete(self, at):
        os.mkdir(f"{at}/proc")
        kernel.bind("/proc", f"{at}/proc")
        kernel.make_read_only(at)


def certificate_bundle():
    """The path at which libcurl looks for the authorities to trust."""
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        listed = subprocess.run(["curl-config", "--ca"], capture_output=True, text=True, check=True).stdout.strip()
        if listed:
            return listed
    return "/etc/ssl/certs/ca-certificates.crt"


class ServiceUnit(MinimalRoot):
    """The units' own command lines, paths and addresses, with their sockets handed over."""

    name = "the restrictions of Config/systemd"
    needs_root = True

    def before(self):
        super().before()
        self.unit = unit.Unit(UNITS / "jobs-proxy.service")
        if not self.unit.numbers:
            raise Failed("the headers of the kernel, with the numbers of its system calls, are not there")
        *checks, serve = self.unit.commands
        self.before_start = [(each[0], each[1:]) for each in checks]
        self.command, self.arguments = serve[0], serve[1:]
        self.umask, self.limits = self.unit.umask, self.unit.limits
        self.status = {"Umask": f"{self.unit.umask:04o}", "Seccomp": "2"}
        for name, value in unit.directives(UNITS / "jobs-proxy.socket"):
            if name == "ListenStream":
                host, port = value.rsplit(":", 1)
                self.sockets.append(socket.create_server((host, int(port)), backlog=1024))

    def ports(self):
        return [each.getsockname()[1] for each in self.sockets]

    def snapshot(self):
        return f"{self.unit.state_directory}/pages"

    def files(self):
        devices = [f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty")]
        return super().files() | {each: each for each in ["/sys", *devices] if os.path.exists(each)}

    def complete(self, at):
        kernel.unshare(kernel.NEW_HOST_NAME | kernel.NEW_IPC)
        self.unit.complete(at, self.user)
        self.environment |= {"HOME": "/", **self.unit.environment}

    def filter_calls(self):
        self.unit.filter_calls()
        write_and_execute = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
        for what, step in (
                ("AF_NETLINK", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)),
                ("memory to write and execute", lambda: mmap.mmap(-1, mmap.PAGESIZE, prot=write_and_execute))):
            with contextlib.suppress(OSError):
                step()
                raise Failed(f"{what} is not refused")


ALL = [
    AsStarted, WithoutCapabilities, ReadOnlyRoot, UnreadError, UnreadOutput, BrokenOutput, ClosedOutput, FewFiles, FewestFiles,
    PrivateFiles, OneProcessor, FirstProcess, IPv6SwitchedOff, NoIPv6, NoProcesses, MinimalRoot, ServiceUnit,
]
