"""Runs a case: starts a gateway in its surroundings, asks it, and ends it."""

import contextlib
import fcntl
import os
import pathlib
import resource
import signal
import time

from . import kernel
from .probe import END, Failed, Gateway, wait_until


class LeftOut(Exception):
    """This system does not let a case have its surroundings."""


class Host:
    """The privileges that this script has."""

    def __init__(self):
        self.is_root = os.getuid() == 0
        # The reason why there are no namespaces, or None; and true if a user namespace must come before the others.
        self.no_namespaces, self.needs_own_users = self.namespaces()

    def namespaces(self):
        reasons = []
        for own_users in (False, True) if self.is_root else (True,):
            try:
                in_a_process(lambda: enter_namespaces(own_users), kernel.own_mounts, lambda: kernel.mount("tmpfs", "/mnt", "tmpfs"))
                # A user namespace made without privileges has one user, who cannot become another.
                self.is_root = self.is_root and not own_users
                return None, own_users
            except Failed as error:
                reasons.append(str(error))
        return "; ".join(reasons), False


def enter_namespaces(own_users):
    """Enters a network namespace that has loopback alone, with every port free."""
    if own_users:
        kernel.own_users()
    kernel.unshare(kernel.NEW_NETWORK)
    kernel.loopback_up()


def in_a_process(*steps):
    """Takes the steps in a process of their own; raises `Failed` with the error of the first that fails."""
    pid, error = fork_reporting(lambda _: [step() for step in steps])
    os.waitpid(pid, 0)
    if error:
        raise Failed(error)


def fork_reporting(work):
    """Calls `work` in a new process and waits until it fails, returns, becomes another program or calls its argument.

    Returns the process id, and the error as text, empty if there is none.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            # The lowest numbers belong to descriptors that are handed over.
            low, writer = writer, fcntl.fcntl(writer, fcntl.F_DUPFD_CLOEXEC, 100)
            os.close(low)
            work(lambda: os.close(writer))
        except BaseException as error:
            os.write(writer, f"{type(error).__name__}: {error}".encode())
            os._exit(127)
        os._exit(0)
    os.close(writer)
    with open(reader, "rb") as report:
        return pid, report.read().decode()


# MARK: The gateway's process


def full_pipe():
    """Both ends of a pipe that takes no byte more."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    for size in (4096, 1):
        with contextlib.suppress(BlockingIOError):
            while os.write(writer, bytes(size)):
                pass
    os.set_blocking(writer, True)
    return reader, writer


def start(case, command, arguments):
    """Starts a command in the case's surroundings; returns its process id."""
    standard = {0: os.open("/dev/null", os.O_RDONLY)}
    for number, name, kind in ((1, "output", case.output), (2, "log", case.error)):
        if kind == "file":
            standard[number] = os.open(case.directory / name, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
        elif kind == "full":
            # The reading end stays open in this process, unread.
            standard[number] = full_pipe()[1]
        elif kind == "broken":
            reader, standard[number] = os.pipe()
            os.close(reader)
    if case.error == "closed":
        standard = {}

    def become_gateway(started):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        if case.is_isolated:
            kernel.own_mounts()
        case.change()
        for place, each in enumerate(case.sockets, 3):
            os.dup2(each.fileno(), place, inheritable=True)
        if case.sockets:
            case.environment.update(LISTEN_FDS=str(len(case.sockets)), LISTEN_PID=str(os.getpid()))
        if case.umask is not None:
            os.umask(case.umask)
        for kind, limit in case.limits.items():
            resource.setrlimit(kind, (limit, limit))
        if not case.is_privileged:
            kernel.drop_privileges(case.user, case.group)
        kernel.end_with_parent()
        for number in range(3):
            if number in standard:
                os.dup2(standard[number], number, inheritable=True)
            else:
                os.close(number)
        case.filter_calls()
        case.program.execute([command, *arguments], case.environment, started)

    if case.is_first_process:
        kernel.unshare(kernel.NEW_PROCESSES)
    pid, error = fork_reporting(become_gateway)
    if error:
        os.waitpid(pid, 0)
        raise (LeftOut if error.startswith("Refused: ") else Failed)(f"it cannot be started so: {error}")
    return pid


# MARK: A case


def run(case, host):
    """Runs a case in this process, which then belongs to its namespaces; returns a sentence on what was seen.

    Raises `LeftOut`, `Failed`, or the error of a connection.
    """
    os.umask(0o022)
    if not host.no_namespaces:
        enter_namespaces(host.needs_own_users)
    case.before()
    client_port, admin_port = case.ports()
    case.write_configuration(client_port, admin_port)
    for command, arguments in case.before_start:
        run_to_end(case, command, arguments)
    gateway = Gateway(start(case, case.command, case.arguments), client_port, admin_port)
    try:
        begun = time.monotonic()
        gateway.wait_until_ready()
        ready = time.monotonic() - begun
        seen = look(case, gateway)
        jobs = gateway.serve_a_page()
        samples = gateway.be_scraped()
        case.look(gateway)
        ended = gateway.end_in_order()
        case.look_after()
    except (Failed, OSError):
        if case.trap and gateway.has_ended() and os.waitstatus_to_exitcode(gateway.status) == -signal.SIGILL:
            raise LeftOut(case.trap) from None
        raise
    finally:
        gateway.kill()
    return f"{seen}; ready in {ready:.2f} s, a page of {jobs} jobs, {samples} samples, exit 0 in {ended:.2f} s"


def run_to_end(case, command, arguments):
    gateway = Gateway(start(case, command, arguments), 0, 0)
    try:
        if not wait_until(gateway.has_ended, END):
            raise Failed(f"'{arguments[0]}' has not ended after {END} s")
        if gateway.status != 0:
            raise Failed(f"'{arguments[0]}': {gateway.end_spelled()}")
    finally:
        gateway.kill()


def look(case, gateway):
    """A sentence on the process, from /proc; raises `Failed` if the case promises something else."""
    directory = pathlib.Path(f"/proc/{gateway.pid}")
    status = dict(line.split(":\t", 1) for line in (directory / "status").read_text().splitlines() if ":\t" in line)
    expected = dict(case.status)
    if not case.is_privileged:
        expected |= {"CapEff": "0" * 16, "NoNewPrivs": "1"}
        if case.user is not None:
            expected["Uid"] = "\t".join([str(case.user)] * 4)
    for field, value in expected.items():
        if status[field].strip() != value:
            raise Failed(f"the process has {field} {status[field].strip()}, not {value}")
    limit = next(line.split()[3] for line in (directory / "limits").read_text().splitlines() if line.startswith("Max open"))
    if case.limits.get(resource.RLIMIT_NOFILE, int(limit)) != int(limit):
        raise Failed(f"the process may have {limit} files open, not {case.limits[resource.RLIMIT_NOFILE]}")
    return (
        f"uid {status['Uid'].split()[0]}, CapEff {status['CapEff'].lstrip('0') or '0'}, "
        f"no_new_privs {status['NoNewPrivs']}, {limit} files")
