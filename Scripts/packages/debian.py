"""Makes the Debian package: the files in it, what dpkg is told of it, and the archive."""

import datetime
import email.utils
import gzip
import os
import pathlib
import re
import shutil
import tempfile

from . import manual
from .executable import SHELLS, NotPackaged, run

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ROOT / "Config/debian"
# The first packaging of a version; a change of the packaging alone would count it up.
REVISION = "1"
COMPLETIONS = {
    "bash": "usr/share/bash-completion/completions/jobs-proxy",
    "zsh": "usr/share/zsh/vendor-completions/_jobs-proxy",
    "fish": "usr/share/fish/vendor_completions.d/jobs-proxy.fish",
}
# What a unit of Config/systemd says for a program that someone installed by hand, and what a package's says.
UNIT_CHANGES = {
    "jobs-proxy.service": [
        (r"\A#.*\n(?:#.*\n)*", "# `systemctl edit jobs-proxy` changes it; a restart loses no request, since jobs-proxy.socket holds the sockets.\n"),
        (r"(?<=\[Unit\]\n)", "Documentation=man:jobs-proxy(1)\n"),
        (r"/usr/local/bin/jobs-proxy", "/usr/bin/jobs-proxy"),
        (r"/etc/jobs-proxy\.yaml", "/etc/jobs-proxy/jobs-proxy.yaml"),
        (r"(?m)^#EnvironmentFile=.*$", "EnvironmentFile=-/etc/jobs-proxy/environment"),
        (r"(?m)^DynamicUser=yes$", "User=jobs-proxy\nGroup=jobs-proxy"),
    ],
    "jobs-proxy.socket": [
        (r"(?<=\[Unit\]\n)", "Documentation=man:jobs-proxy(1)\n"),
        (r"/etc/jobs-proxy\.yaml", "/etc/jobs-proxy/jobs-proxy.yaml"),
    ],
}
DESCRIPTION = """\
gateway between many callers and an AWS JSON service
 Answers repeated page requests of boto3, the AWS CLI and the AWS SDKs from its
 cache, keeps a service's quota so that the service never has to refuse,
 retries when the service stumbles, and shows what it does at /metrics. Callers
 change nothing but their endpoint URL.
 .
 The service that is installed listens on 127.0.0.1:8080 in front of a stand-in
 for Amazon Voice ID, until /etc/jobs-proxy/jobs-proxy.yaml names another."""


def make(executable, maintainer, epoch, directory):
    """Makes the package in `directory`; returns its path. Every time in it is `epoch`, seconds since 1970."""
    version, architecture = f"{executable.version}-{REVISION}", executable.architectures[0]
    date = datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc)
    target = pathlib.Path(directory, f"jobs-proxy_{version}_{architecture}.deb")
    with tempfile.TemporaryDirectory(prefix="jobs-proxy-deb-") as made:
        tree = pathlib.Path(made, "tree")
        for path, (content, mode) in sorted(files(executable, version, maintainer, date).items()):
            write(tree / path, content, mode)
        write_control(tree, executable, version, architecture, maintainer)
        for place in [*tree.rglob("*"), tree]:
            if place.is_dir():
                place.chmod(0o755)
            os.utime(place, (epoch, epoch), follow_symlinks=False)
        # The number of threads has a part in what xz writes.
        run("dpkg-deb", "--root-owner-group", "--threads-max=1", "-Zxz", "--build", tree, target,
            env=os.environ | {"SOURCE_DATE_EPOCH": str(epoch)})
    return target


def write(path, content, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, pathlib.Path):
        shutil.copyfile(content, path)
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)


def files(executable, version, maintainer, date):
    """By path in the package, the content (text, bytes or a file) and mode."""
    documents = "usr/share/doc/jobs-proxy"
    frame = (SOURCES / "jobs-proxy.1").read_text()
    page = manual.page(frame, executable.commands(), executable.version, date)
    found = {
        "usr/bin/jobs-proxy": (executable.packaged, 0o755),
        "etc/jobs-proxy/jobs-proxy.yaml": (SOURCES / "jobs-proxy.yaml", 0o644),
        "usr/share/man/man1/jobs-proxy.1.gz": (compressed(page), 0o644),
        f"{documents}/changelog.Debian.gz": (compressed(changelog(version, maintainer, date)), 0o644),
        f"{documents}/changelog.gz": (compressed((ROOT / "CHANGELOG.md").read_bytes()), 0o644),
        f"{documents}/copyright": (SOURCES / "copyright", 0o644),
        f"{documents}/examples/jobs-proxy.yaml": (ROOT / "Config/jobs-proxy.yaml", 0o644),
        f"{documents}/examples/prometheus/alerts.yaml": (ROOT / "Config/prometheus/alerts.yaml", 0o644),
        f"{documents}/examples/grafana/jobs-proxy.json": (ROOT / "Config/grafana/jobs-proxy.json", 0o644),
        "usr/share/lintian/overrides/jobs-proxy": (SOURCES / "lintian-overrides", 0o644),
    }
    for name in ("deployment.md", "operations.md", "metrics.md", "catalogs.md"):
        found[f"{documents}/{name}.gz"] = (compressed((ROOT / "docs" / name).read_bytes()), 0o644)
    for name in UNIT_CHANGES:
        found[f"lib/systemd/system/{name}"] = (unit(name), 0o644)
    for shell in SHELLS:
        found[COMPLETIONS[shell]] = (executable.completions(shell), 0o644)
    return found


def unit(name):
    """A unit of Config/systemd as the package has it."""
    text = (ROOT / "Config/systemd" / name).read_text()
    for pattern, new in UNIT_CHANGES[name]:
        text, count = re.subn(pattern, new, text)
        if count == 0:
            raise NotPackaged(f"Config/systemd/{name} has no {pattern!r}, which its package changes: see {pathlib.Path(__file__).name}")
    return text


def compressed(content):
    return gzip.compress(content.encode() if isinstance(content, str) else content, 9, mtime=0)


def changelog(version, maintainer, date):
    return (
        f"jobs-proxy ({version}) unstable; urgency=medium\n\n  * What is new is in changelog.gz.\n\n"
        f" -- {maintainer}  {email.utils.format_datetime(date)}\n")


# MARK: For dpkg


def write_control(tree, executable, version, architecture, maintainer):
    control = tree / "DEBIAN"
    paths = [each for each in sorted(tree.rglob("*")) if each.is_file()]
    size = sum(-(-each.stat().st_size // 1024) for each in paths) + sum(each.is_dir() for each in tree.rglob("*"))
    sums = "".join(
        f"{run('md5sum', each).split()[0]}  {each.relative_to(tree)}\n" for each in paths if not each.is_relative_to(tree / "etc"))
    write(control / "md5sums", sums)
    write(control / "conffiles", "".join(f"/{each.relative_to(tree)}\n" for each in paths if each.is_relative_to(tree / "etc")))
    for script in ("postinst", "prerm", "postrm"):
        write(control / script, SOURCES / script, 0o755)
    write(control / "control", f"""\
Package: jobs-proxy
Version: {version}
Architecture: {architecture}
Maintainer: {maintainer}
Installed-Size: {size}
Depends: adduser, {dependencies(executable)}
Recommends: ca-certificates
Section: net
Priority: optional
Description: {DESCRIPTION}
""")


def dependencies(executable):
    """The packages of the libraries that the executable is linked to, with the versions whose functions it calls."""
    with tempfile.TemporaryDirectory(prefix="jobs-proxy-shlibs-") as directory:
        # dpkg-shlibdeps looks for the file of a source package.
        write(pathlib.Path(directory, "debian/control"), "Source: jobs-proxy\n\nPackage: jobs-proxy\nArchitecture: any\n")
        said = run("dpkg-shlibdeps", "-O", "--warnings=0", executable.packaged, cwd=directory)
    return re.search(r"^shlibs:Depends=(.+)$", said, re.MULTILINE).group(1)
