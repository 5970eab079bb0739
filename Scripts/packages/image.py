"""Makes the OCI image: a root directory that holds the program and what it needs, as an image layout.

https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md, …/manifest.md, …/config.md and …/layer.md
"""

import dataclasses
import datetime
import gzip
import hashlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import tarfile

from .executable import NotPackaged

ROOT = pathlib.Path(__file__).resolve().parents[2]
# As in distroless images. Not 0, and none that a host is likely to have given to an account of its own.
USER = 65532
CONFIGURATION = "etc/jobs-proxy/jobs-proxy.yaml"
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
MEDIA_TYPE = "application/vnd.oci.image"
TEXTS = {
    "etc/passwd": f"root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:{USER}:{USER}:nonroot:/home/nonroot:/sbin/nologin\n",
    "etc/group": f"root:x:0:\nnonroot:x:{USER}:\n",
    # The C library has both sources in itself. Without this file it would ask DNS first, for `localhost` too.
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}
# Places for what a runtime mounts, which a read-only root must have already.
PLACES = ("dev", "proc", "sys", "run", "tmp", "etc/jobs-proxy", "root")
LINKS = {"bin": "usr/bin", "lib": "usr/lib", "lib64": "usr/lib64"}


@dataclasses.dataclass
class Entry:
    """A file (`content`), a symbolic link (`link`) or, without both, a directory."""

    content: bytes = None
    link: str = None
    mode: int = 0o755
    owner: int = 0


def make(executable, epoch, directory):
    """Makes the image layout in `directory`; returns its path. Every time in it is `epoch`, seconds since 1970."""
    # What the program needs changes less often than the program.
    layers = [("libraries, certificates, accounts", base(executable.libraries)), ("jobs-proxy", program(executable))]
    architecture = executable.architectures[1]
    target = pathlib.Path(directory, f"jobs-proxy_{executable.version}_{architecture}.oci")
    return write(layers, executable.version, architecture, epoch, target)


def write(layers, version, architecture, epoch, target):
    """Writes the layout of an image with these layers, each a comment and its entries; one that is there is replaced."""
    if target.exists():
        shutil.rmtree(target)
    blobs = target / "blobs/sha256"
    blobs.mkdir(parents=True)
    packed = [(text, archive(entries, epoch)) for text, entries in layers]
    created = datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    described = [
        put(blobs, gzip.compress(each, 9, mtime=0), f"{MEDIA_TYPE}.layer.v1.tar+gzip") for _, each in packed]
    config = put(blobs, as_json(configuration(version, architecture, created, packed)), f"{MEDIA_TYPE}.config.v1+json")
    manifest = {
        "schemaVersion": 2, "mediaType": f"{MEDIA_TYPE}.manifest.v1+json", "config": config, "layers": described,
        "annotations": labels(version) | {"org.opencontainers.image.created": created}}
    listed = put(blobs, as_json(manifest), f"{MEDIA_TYPE}.manifest.v1+json")
    listed |= {
        "platform": {"architecture": architecture, "os": "linux"},
        "annotations": {"org.opencontainers.image.ref.name": version}}
    index = {"schemaVersion": 2, "mediaType": f"{MEDIA_TYPE}.index.v1+json", "manifests": [listed]}
    (target / "index.json").write_bytes(as_json(index))
    (target / "oci-layout").write_bytes(as_json({"imageLayoutVersion": "1.0.0"}))
    return target


def labels(version):
    return {
        "org.opencontainers.image.title": "jobs-proxy",
        "org.opencontainers.image.description": "A gateway between many callers and an AWS JSON service",
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.licenses": "Apache-2.0",
        "org.opencontainers.image.base.name": "scratch",
    }


def configuration(version, architecture, created, packed):
    """What a runtime is told: https://github.com/opencontainers/image-spec/blob/v1.1.0/config.md"""
    return {
        "created": created, "architecture": architecture, "os": "linux",
        "config": {
            "User": f"{USER}:{USER}",
            "Entrypoint": ["/usr/bin/jobs-proxy"],
            "Cmd": ["serve", "--config", f"/{CONFIGURATION}"],
            # A crash's report would print memory, in which there are secrets.
            "Env": ["PATH=/usr/bin", "SWIFT_BACKTRACE=enable=no"],
            "ExposedPorts": {"8080/tcp": {}},
            "WorkingDir": "/", "StopSignal": "SIGTERM", "Labels": labels(version),
        },
        "rootfs": {"type": "layers", "diff_ids": [digest(each) for _, each in packed]},
        "history": [{"created": created, "created_by": "Scripts/package", "comment": text} for text, _ in packed],
    }


# MARK: Layers


def base(libraries):
    """By path, all that the program needs: see docs/deployment.md."""
    entries = {path: Entry(text.encode(), mode=0o644) for path, text in TEXTS.items()}
    entries |= {path: Entry() for path in PLACES} | {path: Entry(link=target) for path, target in LINKS.items()}
    entries["tmp"].mode = 0o1777
    entries["home/nonroot"] = Entry(mode=0o700, owner=USER)
    # For cache.snapshot; a volume that is made for it takes its owner and mode.
    entries["var/lib/jobs-proxy"] = Entry(mode=0o700, owner=USER)
    if not os.path.exists(AUTHORITIES):
        raise NotPackaged(f"there is no {AUTHORITIES}: install ca-certificates")
    for path in (AUTHORITIES, "/usr/lib/os-release"):
        entries[path[1:]] = Entry(pathlib.Path(path).read_bytes(), mode=0o644)
    entries["etc/os-release"] = Entry(link="../usr/lib/os-release")
    for path in libraries:
        # The dynamic linker is to be executable, though nobody starts it.
        entries[merged(path)] = Entry(pathlib.Path(path).read_bytes(), mode=0o755)
    for package in sorted({owner_of(path) for path in [*libraries, AUTHORITIES]} - {None}):
        entries |= record_of(package)
    return entries


def merged(path):
    """A library's path below the root, under usr where /lib is only a link to there."""
    first, rest = str(path)[1:].split("/", 1)
    return f"{LINKS.get(first, first)}/{rest}"


def owner_of(path):
    """The Debian package of a file; made files such as the bundle of authorities have that of their maker."""
    if str(path) == AUTHORITIES:
        return "ca-certificates"
    for spelled in (str(path), f"/{merged(path)}", str(path.resolve()), str(path.resolve()).removeprefix("/usr")):
        found = subprocess.run(["dpkg-query", "--search", spelled], capture_output=True, text=True)
        if found.returncode == 0:
            return found.stdout.split(": ")[0].split(",")[0]
    raise NotPackaged(f"{path} is of no Debian package")


def record_of(package):
    """A package's licence, and its record where scanners for vulnerabilities look for it in images without dpkg."""
    name = package.split(":")[0]
    stanza = subprocess.run(["dpkg-query", "--status", package], capture_output=True, check=True).stdout
    entries = {f"var/lib/dpkg/status.d/{name}": Entry(stanza, mode=0o644)}
    licence = pathlib.Path("/usr/share/doc", name, "copyright")
    if licence.exists():
        entries[str(licence)[1:]] = Entry(licence.read_bytes(), mode=0o644)
    return entries


def program(executable):
    return {
        "usr/bin/jobs-proxy": Entry(executable.packaged.read_bytes(), mode=0o755),
        CONFIGURATION: Entry((ROOT / "Config/image/jobs-proxy.yaml").read_bytes(), mode=0o644),
        "usr/share/doc/jobs-proxy/copyright": Entry((ROOT / "Config/debian/copyright").read_bytes(), mode=0o644),
    }


def archive(entries, epoch):
    """A tar archive of the entries and of the directories above them, in order of their paths."""
    above = {str(parent): Entry() for path in entries for parent in pathlib.PurePath(path).parents if str(parent) != "."}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, entry in sorted((above | entries).items()):
            member = tarfile.TarInfo(path)
            member.mode, member.uid, member.gid, member.mtime = entry.mode, entry.owner, entry.owner, epoch
            if entry.link is not None:
                member.type, member.linkname, member.mode = tarfile.SYMTYPE, entry.link, 0o777
            elif entry.content is None:
                member.type = tarfile.DIRTYPE
            else:
                member.size = len(entry.content)
            tar.addfile(member, io.BytesIO(entry.content or b""))
    return buffer.getvalue()


# MARK: Blobs


def digest(content):
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def put(blobs, content, media_type):
    """Writes a blob under its digest; returns its descriptor."""
    (blobs / digest(content).removeprefix("sha256:")).write_bytes(content)
    return {"mediaType": media_type, "digest": digest(content), "size": len(content)}


def as_json(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
