"""What trials of packages share: commands within a root directory, and gateways that are started in one."""

import multiprocessing
import os
import pathlib
import shutil
import subprocess

from deployment import cases, kernel, launch, root
from deployment.probe import Failed

# Seconds that a gateway may take from its start to its end.
LIMIT = 60


def need(program):
    """Raises `LeftOut` if a program is not there."""
    if not shutil.which(program):
        raise launch.LeftOut(f"there is no {program}: 'Scripts/setup --package' installs it")


def run(*command, within=None, **options):
    """What a command prints; raises `Failed` if its exit status is not 0. With `within`, that is its root directory."""
    if within:
        # Programs need /proc there, as in any system.
        mounted = 'mount -t proc proc "$1/proc" && exec chroot "$@"'
        command = ("unshare", "--mount", "sh", "-c", mounted, "sh", within, *command)
        options["env"] = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run([str(each) for each in command], capture_output=True, text=True, stdin=subprocess.DEVNULL, **options)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip().splitlines()[-6:]
        raise Failed("\n          | ".join([f"{' '.join(map(str, command))}: exit {done.returncode}", *said]))
    return done.stdout


def serve(kind, directory, host):
    """Runs a case of Scripts/deployment in a process whose namespaces are then the case's; returns what was seen."""
    receiver, sender = multiprocessing.Pipe(duplex=False)

    def report():
        try:
            sender.send((None, launch.run(kind(root.Program("/usr/bin/jobs-proxy"), directory, host), host)))
        except Exception as error:
            sender.send((error if isinstance(error, (Failed, launch.LeftOut)) else Failed(f"{type(error).__name__}: {error}"), None))

    process = multiprocessing.get_context("fork").Process(target=report)
    process.start()
    sender.close()
    try:
        error, seen = receiver.recv() if receiver.poll(LIMIT) else (Failed(f"no result in {LIMIT} s"), None)
    except EOFError:
        error, seen = Failed("its process ended without a result"), None
    finally:
        process.kill()
        process.join()
    if error:
        log = pathlib.Path(directory, "log")
        last = log.read_text(errors="replace").splitlines()[-3:] if log.exists() else []
        raise type(error)("\n          | ".join([str(error), *last]))
    return seen


class InRoot(cases.Surroundings):
    """A gateway in the root directory `at`, read-only, with the configuration that is there, without capabilities."""

    is_isolated = needs_root = True
    at = None
    variables = {}

    def __init__(self, program, directory, host):
        super().__init__(program, directory, host)
        self.arguments = ["serve", "--config", "/etc/jobs-proxy/jobs-proxy.yaml"]
        self.environment = dict(self.variables)

    def ports(self):
        """Of a network namespace in which every port is free."""
        return 8080, 9090

    def write_configuration(self, client_port, admin_port):
        pass

    def change(self):
        # A mount of its own, so that it alone is made read-only.
        mounted = self.directory / "mounted"
        mounted.mkdir(exist_ok=True)
        kernel.bind(self.at, mounted)
        self.complete(mounted)
        root.enter(mounted)

    def complete(self, mounted):
        kernel.mount("proc", f"{mounted}/proc", "proc", kernel.NO_SUID | kernel.NO_DEVICES | kernel.NO_EXEC)
        kernel.make_read_only(mounted)
        for place in ("", "/tmp", "/etc/jobs-proxy", "/var/lib"):
            try:
                os.close(os.open(f"{mounted}{place}/written", os.O_CREAT | os.O_WRONLY))
            except OSError:
                continue
            raise Failed(f"{place or '/'} is writable")


def listing(directory):
    """By path below a directory: mode, owner, group, and a file's size or a link's target."""
    found = {}
    for path, directories, files in os.walk(directory):
        for name in [*directories, *files]:
            place = pathlib.Path(path, name)
            status = place.lstat()
            content = os.readlink(place) if place.is_symlink() else status.st_size if place.is_file() else None
            found[f"/{place.relative_to(directory)}"] = (oct(status.st_mode), status.st_uid, status.st_gid, content)
    return found
