"""Trials of the Debian package: its form, and its life in a new system from installation to purge."""

import os
import pathlib
import re
import shutil
import socket

from deployment import kernel, unit
from deployment.probe import Failed

from .debian import COMPLETIONS
from .trial import InRoot, listing, need, run, serve

CONFIGURATION = "etc/jobs-proxy/jobs-proxy.yaml"
UNITS = "lib/systemd/system"
# What a purge may leave different: what dpkg and login programs keep for themselves, the account, and what the kernel shows.
KEPT = re.compile(r"/(etc/(passwd|group|shadow|gshadow|subuid|subgid)-?$|etc/\.pwd\.lock$|var/(log|cache|lib/dpkg|lib/apt)/|(proc|sys|dev|run)/)")


def form(package, directory, _host):
    """lintian finds no error and no warning; overrides have their reasons in Config/debian/lintian-overrides."""
    need("lintian")
    run("lintian", "--allow-root", "--fail-on", "error,warning", package)
    return "no error and no warning of lintian's"


def texts(package, directory, _host):
    """The manual page is without a warning, and the completions complete."""
    tree = pathlib.Path(directory, "tree")
    run("dpkg-deb", "--extract", package, tree)
    seen = []
    if shutil.which("man"):
        if said := run("sh", "-c", f"MANROFFSEQ= man --warnings -l -Tutf8 {tree}/usr/share/man/man1/jobs-proxy.1.gz 2>&1 >/dev/null"):
            raise Failed(f"the manual page: {said.strip()}")
        seen.append("manual page")
    for shell, script in (("bash", BASH), ("zsh", ZSH), ("fish", FISH)):
        if shutil.which(shell):
            printed = run(shell, "-c", script, shell, tree / COMPLETIONS[shell])
            offered = set(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", printed).split())
            if not {"serve", "sandbox", "simulate"} <= offered or "check" in offered:
                raise Failed(f"{shell} completes 'jobs-proxy s' with {sorted(offered)}")
            seen.append(shell)
    return ", ".join(seen)


BASH = """
set -eu
source "$1"
COMP_WORDS=(jobs-proxy s) COMP_CWORD=1 COMP_LINE="jobs-proxy s" COMP_POINT=12
"$(complete -p jobs-proxy | sed 's/.*-F \\([^ ]*\\).*/\\1/')" jobs-proxy s jobs-proxy
printf '%s\\n' "${COMPREPLY[@]}"
"""
FISH = "source $argv[-1]; complete --do-complete 'jobs-proxy s' | string replace -r '\\t.*' ''"
# zsh completes only in its line editor, so it has a terminal here.
ZSH = """
zmodload zsh/zpty
zpty shell zsh -f
zpty -w shell "PS1= ; fpath=(${1:h} \\$fpath); autoload -Uz compinit; compinit -u -D; zstyle ':completion:*' list-colors ''"
zpty -w shell "zstyle ':completion:*' verbose false; setopt no_always_last_prompt; LISTMAX=1000; bindkey '^I' list-choices; echo be''gins"
zpty -r shell seen '*begins*'
zpty -w -n shell $'jobs-proxy s\\t'
zpty -r shell seen '*simulate*'
print -r -- ${seen##*begins} | tr -d '\\r'
zpty -d shell
"""


# MARK: In a new system


class Serves(InRoot):
    """As the package's user."""

    def before(self):
        entry = account(self.at)
        self.user, self.group = int(entry[2]), int(entry[3])


class ServesAsUnit(Serves):
    """With the restrictions, paths and addresses of the units that are installed, and their sockets handed over."""

    def before(self):
        super().before()
        self.unit = unit.Unit(self.at / UNITS / "jobs-proxy.service")
        *checks, start = self.unit.commands
        self.before_start = [(each[0], each[1:]) for each in checks]
        self.command, self.arguments = start[0], start[1:]
        self.umask, self.limits = self.unit.umask, self.unit.limits
        self.status = {"Umask": f"{self.unit.umask:04o}", "Seccomp": "2"}
        for name, value in unit.directives(self.at / UNITS / "jobs-proxy.socket"):
            if name == "ListenStream":
                host, port = value.rsplit(":", 1)
                self.sockets.append(socket.create_server((host, int(port)), backlog=1024))

    def complete(self, mounted):
        kernel.unshare(kernel.NEW_HOST_NAME | kernel.NEW_IPC)
        self.unit.complete(mounted, self.user)
        self.environment |= {"HOME": "/", **self.unit.environment}

    def filter_calls(self):
        self.unit.filter_calls()


def account(at):
    """The fields of the package's user in /etc/passwd."""
    lines = [line for line in (at / "etc/passwd").read_text().splitlines() if line.startswith("jobs-proxy:")]
    if len(lines) != 1:
        raise Failed(f"there are {len(lines)} users jobs-proxy")
    return lines[0].split(":")


def life(package, directory, host):
    """Installs the package in a new system, serves in it, installs it again, removes and purges it."""
    at = pathlib.Path(directory, "system")
    new_system(at)
    shutil.copy(package, at / "tmp/jobs-proxy.deb")
    needed = [re.split(r"[ :(|]", each.strip())[0] for each in run("dpkg-deb", "--field", package, "Depends").split(",")]
    run("apt-get", "update", "-q", within=at)
    run("apt-get", "install", "-qy", "--no-install-recommends", *needed, within=at)
    before = listing(at)

    install = ("apt-get", "install", "-qy", "--no-install-recommends", "--reinstall", "/tmp/jobs-proxy.deb")
    run(*install, within=at)
    see_installed(at)
    seen = [serve(bound(kind, at), made(directory, kind.__name__), host) for kind in (Serves, ServesAsUnit)]

    # What an administrator has changed stays.
    (at / CONFIGURATION).open("a").write("drain: 3s\n")
    (at / "etc/jobs-proxy").chmod(0o700)
    for _ in range(2):
        run("/var/lib/dpkg/info/jobs-proxy.postinst", "configure", "0.0.1-1", within=at)
        run(*install, within=at)
    account(at)
    if "drain: 3s" not in (at / CONFIGURATION).read_text() or (at / "etc/jobs-proxy").stat().st_mode & 0o777 != 0o700:
        raise Failed("an installation over another undoes what the administrator has changed")

    run("apt-get", "remove", "-qy", "jobs-proxy", within=at)
    if (at / "usr/bin/jobs-proxy").exists() or not (at / CONFIGURATION).exists():
        raise Failed("removal keeps the program, or takes the configuration")
    run(*install, within=at)
    run("apt-get", "purge", "-qy", "jobs-proxy", within=at)
    run("/bin/sh", "-c", "test ! -e /var/lib/dpkg/info/jobs-proxy.list", within=at)
    after = listing(at)
    differing = [path for path in before.keys() | after.keys() if before.get(path) != after.get(path) and not KEPT.match(path)]
    if differing:
        raise Failed(f"a purge leaves different: {', '.join(sorted(differing)[:10])}")
    return "; ".join(["installed", *seen, "installed over itself, removed, purged without a trace but the account"])


def bound(kind, at):
    return type(kind.__name__, (kind,), {"at": at})


def made(directory, name):
    place = pathlib.Path(directory, name)
    place.mkdir()
    place.chmod(0o755)
    return place


def see_installed(at):
    if said := run("dpkg", "--verify", "jobs-proxy", within=at).strip():
        raise Failed(f"dpkg --verify: {said}")
    status = (at / "etc/jobs-proxy").stat()
    if (status.st_mode & 0o777, status.st_uid, status.st_gid) != (0o750, 0, int(account(at)[3])):
        raise Failed("/etc/jobs-proxy is not root's, readable by the group jobs-proxy")
    as_user = ("setpriv", "--reuid=jobs-proxy", "--regid=jobs-proxy", "--clear-groups", "--no-new-privs", "--bounding-set=-all")
    run(*as_user, "jobs-proxy", "check", "--config", f"/{CONFIGURATION}", within=at)


def units(package, directory, _host):
    """systemd reads the units without a complaint, and finds their exposure low."""
    need("systemd-analyze")
    tree = pathlib.Path(directory, "units")
    run("dpkg-deb", "--extract", package, tree)
    # What the units name must be on this system.
    for path in (tree / UNITS).iterdir():
        text = path.read_text().replace("/usr/bin/jobs-proxy", str(tree / "usr/bin/jobs-proxy"))
        path.write_text(text)
    paths = sorted((tree / UNITS).iterdir())
    said = run("sh", "-c", 'systemd-analyze verify --man=no "$@" 2>&1', "sh", *paths)
    if complaints := [line for line in said.splitlines() if "jobs-proxy" in line]:
        raise Failed("\n".join(complaints))
    exposure = run("systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", tree / UNITS / "jobs-proxy.service")
    return f"{', '.join(path.name for path in paths)}; {exposure.strip().splitlines()[-1].lstrip('→ ')}"


def new_system(at):
    """A minimal system of this one's release, as debootstrap makes it; kept in .build, since it is fetched."""
    need("debootstrap")
    release = dict(line.split("=", 1) for line in pathlib.Path("/etc/os-release").read_text().splitlines() if "=" in line)
    codename = release.get("VERSION_CODENAME", "stable").strip('"')
    kept = pathlib.Path(__file__).resolve().parents[2] / f".build/package-system/{codename}.tar"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        fresh = at.with_name("fresh")
        run("debootstrap", "--variant=minbase", codename, fresh)
        partial = kept.with_suffix(".partial")
        run("tar", "--create", "--file", partial, "--numeric-owner", "--directory", fresh, ".")
        partial.rename(kept)
        shutil.rmtree(fresh)
    at.mkdir()
    run("tar", "--extract", "--file", kept, "--numeric-owner", "--preserve-permissions", "--directory", at)
    if os.path.exists("/etc/resolv.conf"):
        shutil.copyfile("/etc/resolv.conf", at / "etc/resolv.conf")
