"""A trial of the Debian package in a new system that a systemd of its own runs, in namespaces."""

import os
import pathlib
import re
import shutil
import subprocess

from deployment import launch
from deployment.probe import Failed

from .trial import need, run
from .trial_of_debian import new_system

SCRIPT = pathlib.Path(__file__).with_name("systemd-trial.sh")
UNIT = "[Unit]\nAfter=multi-user.target\n\n[Service]\nExecStart=/trial\n"
# Seconds from its start to its end; a slow machine takes most of them for dpkg.
LIMIT = 300
# A system with the control groups of version 2 has them at the first path; one with both has a hierarchy of systemd's own.
CGROUPS = pathlib.Path("/sys/fs/cgroup")
START = """
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
mount -t sysfs -o ro sysfs "$1/sys"
mount -t tmpfs tmpfs "$1/run"
if [ "$2" = hybrid ]; then
    mount -t tmpfs tmpfs "$1/sys/fs/cgroup"
    mkdir "$1/sys/fs/cgroup/systemd"
    mount -t cgroup -o none,name=systemd cgroup "$1/sys/fs/cgroup/systemd"
else
    mount -t cgroup2 cgroup2 "$1/sys/fs/cgroup"
fi
mount --rbind /dev "$1/dev"
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$1" /lib/systemd/systemd --system --log-target=console
"""


def under_systemd(package, directory, _host):
    """Installed, upgraded under load, crashed, moved to another address and purged, as Scripts/packages/systemd-trial.sh says."""
    need("unshare")
    parent, form = control_group()
    at = pathlib.Path(directory, "system")
    new_system(at)
    shutil.copy(package, at / "tmp/jobs-proxy.deb")
    newer(package, directory, at / "jobs-proxy-newer.deb")
    run("apt-get", "update", "-q", within=at)
    run("apt-get", "install", "-qy", "--no-install-recommends", "systemd-sysv", "curl", "procps", "/tmp/jobs-proxy.deb", within=at)
    os.remove(at / "tmp/jobs-proxy.deb")
    shutil.copy(SCRIPT, at / "trial")
    (at / "trial").chmod(0o755)
    (at / "etc/systemd/system/trial.service").write_text(UNIT)
    wanted = at / "etc/systemd/system/graphical.target.wants"
    wanted.mkdir(exist_ok=True)
    (wanted / "trial.service").symlink_to("../trial.service")

    group = parent / f"jobs-proxy-trial-{os.getpid()}"
    group.mkdir()
    try:
        said = boot(at, group, form)
    finally:
        remove(group)
    result = at / "result"
    if not result.exists():
        raise launch.LeftOut(f"systemd does not start here: {(said.strip().splitlines() or ['it says nothing'])[-1]}")
    lines = result.read_text(errors="replace").splitlines()
    if not lines or lines[-1] != "done":
        raise Failed("\n          | ".join(lines[-12:] or ["it has not come to its end"]))
    return "; ".join(lines[:-1])


def control_group():
    if (CGROUPS / "cgroup.controllers").exists():
        return CGROUPS, "unified"
    if (CGROUPS / "systemd/cgroup.procs").exists():
        return CGROUPS / "systemd", "hybrid"
    raise launch.LeftOut("there are no control groups for a systemd")


def boot(at, group, form):
    """What a systemd says from its start to its end, in namespaces and a control group of its own."""
    def enter():
        (group / "cgroup.procs").write_text(str(os.getpid()))

    namespaces = ["--mount", "--pid", "--fork", "--uts", "--ipc", "--net", "--cgroup", "--kill-child"]
    with subprocess.Popen(
            ["unshare", *namespaces, "sh", "-c", START, "sh", str(at), form], preexec_fn=enter, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace") as process:
        try:
            return process.communicate(timeout=LIMIT)[0]
        except subprocess.TimeoutExpired:
            # With it ends its child, process 1 of a namespace, and with that the whole namespace.
            process.kill()
            return process.communicate()[0]


def remove(group):
    for path, _, _ in os.walk(group, topdown=False):
        os.rmdir(path)


def newer(package, directory, target):
    """The same package as the next revision, quickly packed."""
    tree = pathlib.Path(directory, "newer")
    run("dpkg-deb", "--raw-extract", package, tree)
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"(?m)^(Version: .*)$", r"\1+newer", control.read_text()))
    run("dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", tree, target)
    shutil.rmtree(tree)
