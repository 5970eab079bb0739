"""Trials of the OCI image: its layout, and its root directory as a container has it."""

import gzip
import hashlib
import io
import json
import os
import pathlib
import stat
import tarfile

from deployment import cases, kernel, root
from deployment.probe import Failed

from .image import AUTHORITIES, CONFIGURATION, MEDIA_TYPE, USER
from .trial import InRoot, listing, need, run, serve
from .trial_of_debian import bound, made

# What a runtime puts into a container's root, and has a place there for.
MOUNTED = ("etc/hosts", "etc/resolv.conf")


def read(image, descriptor):
    """A blob, after its digest and size have been compared with its descriptor's."""
    content = pathlib.Path(image, "blobs", *descriptor["digest"].split(":")).read_bytes()
    if f"sha256:{hashlib.sha256(content).hexdigest()}" != descriptor["digest"] or len(content) != descriptor["size"]:
        raise Failed(f"the blob {descriptor['digest']} is not what its descriptor says")
    return content


def parts(image):
    """The configuration and the layers (as tar archives), after all digests have been compared."""
    if json.loads((image / "oci-layout").read_text()) != {"imageLayoutVersion": "1.0.0"}:
        raise Failed("oci-layout names another version")
    (listed,) = json.loads((image / "index.json").read_text())["manifests"]
    manifest = json.loads(read(image, listed))
    if manifest["mediaType"] != listed["mediaType"] or manifest["config"]["mediaType"] != f"{MEDIA_TYPE}.config.v1+json":
        raise Failed("a descriptor's media type is not that of its blob")
    config = json.loads(read(image, manifest["config"]))
    layers = [gzip.decompress(read(image, each)) for each in manifest["layers"]]
    digests = [f"sha256:{hashlib.sha256(each).hexdigest()}" for each in layers]
    if digests != config["rootfs"]["diff_ids"]:
        raise Failed("rootfs.diff_ids are not the digests of the layers")
    known = {descriptor["digest"] for descriptor in [listed, manifest["config"], *manifest["layers"]]}
    if strays := {f"sha256:{each.name}" for each in (image / "blobs/sha256").iterdir()} - known:
        raise Failed(f"blobs that nothing names: {strays}")
    return config, layers


def unpack(image, at):
    """Makes the root directory of a container at `at`; returns the image's configuration."""
    config, layers = parts(image)
    for layer in layers:
        with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
            tar.extractall(at, filter="fully_trusted") if hasattr(tarfile, "data_filter") else tar.extractall(at)
    return config


def layout(image, directory, _host):
    """Digests, sizes and media types are right; nothing in the root gives a privilege or can be written to by others."""
    config, layers = parts(image)
    members = {each.name: each for layer in layers for each in tarfile.open(fileobj=io.BytesIO(layer))}
    for path, member in members.items():
        if member.mode & (stat.S_ISUID | stat.S_ISGID) or member.mode & stat.S_IWOTH and not (member.mode & stat.S_ISVTX or member.issym()):
            raise Failed(f"{path} has the mode {member.mode:o}")
        if (member.uid, member.gid) != (0, 0) and not (member.isdir() and (member.uid, member.gid) == (USER, USER)):
            raise Failed(f"{path} is owned by {member.uid}:{member.gid}")
    programs = [path for path in members if path.startswith("usr/bin/")]
    if programs != ["usr/bin/jobs-proxy"] or config["config"]["User"] != f"{USER}:{USER}":
        raise Failed(f"there are the programs {programs}, for the user {config['config']['User']}")
    return f"{len(layers)} layers, {sum(each.isfile() for each in members.values())} files, one program"


def with_skopeo(image, directory, _host):
    """skopeo reads and copies it."""
    need("skopeo")
    copy = pathlib.Path(directory, "copy")
    run("skopeo", "--insecure-policy", "copy", "--preserve-digests", f"oci:{image}", f"oci:{copy}:tried")
    seen = json.loads(run("skopeo", "inspect", f"oci:{image}"))
    if {each.name for each in (copy / "blobs/sha256").iterdir()} != {each.name for each in (image / "blobs/sha256").iterdir()}:
        raise Failed("skopeo's copy has other blobs")
    return f"{seen['Os']}/{seen['Architecture']}, {len(seen['Layers'])} layers, version {seen['Labels']['org.opencontainers.image.version']}"


def with_umoci(image, directory, _host):
    """umoci unpacks the same root directory, and a runtime's configuration for the same user."""
    need("umoci")
    bundle, at = pathlib.Path(directory, "bundle"), pathlib.Path(directory, "unpacked")
    version = json.loads((image / "index.json").read_text())["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"]
    run("umoci", "unpack", "--image", f"{image}:{version}", bundle)
    unpack(image, at)
    theirs, ours = listing(bundle / "rootfs"), listing(at)
    if differing := [path for path in theirs.keys() | ours.keys() if theirs.get(path) != ours.get(path)]:
        raise Failed(f"umoci unpacks otherwise: {', '.join(sorted(differing)[:10])}")
    process = json.loads((bundle / "config.json").read_text())["process"]
    if (process["user"]["uid"], process["user"]["gid"]) != (USER, USER):
        raise Failed(f"umoci's user is {process['user']}")
    return f"the same {len(ours)} entries, {' '.join(process['args'])}"


# MARK: As a container


class Serves(InRoot):
    """Process 1, as the image's user, on a read-only root, with its command, variables and configuration."""

    is_first_process = True
    config = {}

    def before(self):
        self.user = self.group = int(self.config["User"].split(":")[0])
        self.command, *self.arguments = self.config["Entrypoint"] + self.config["Cmd"]
        self.environment = dict(each.split("=", 1) for each in self.config["Env"])


class ServesByName(cases.MinimalRoot):
    """A service by name over https, with the image's libraries and the places of its configuration and authorities."""

    needs_root = True
    at = None

    def before(self):
        super().before()
        self.user = self.group = USER
        self.command, self.arguments = "/usr/bin/jobs-proxy", ["serve", "--config", f"/{CONFIGURATION}"]
        self.secret = "/etc/jobs-proxy/secret"

    def change(self):
        mounted = self.directory / "mounted"
        mounted.mkdir()
        kernel.bind(self.at, mounted)
        files = {f"/{name}": self.directory / name.split("/")[-1] for name in MOUNTED}
        files |= {AUTHORITIES: self.certificate, f"/{CONFIGURATION}": self.directory / "jobs-proxy.yaml"}
        files[self.secret] = self.directory / "secret"
        for path, source in files.items():
            kernel.bind(source, f"{mounted}{path}")
        kernel.bind("/proc", f"{mounted}/proc")
        kernel.make_read_only(mounted)
        self.environment = {}
        root.enter(mounted)


def container(image, directory, host):
    """Its root, read-only, serves as its user, and reaches a service by name over https."""
    at = pathlib.Path(directory, "root")
    config = unpack(image, at)["config"]
    for name in (*MOUNTED, "etc/jobs-proxy/secret"):
        (at / name).touch()
    seen = []
    for kind in (Serves, ServesByName):
        case = type(kind.__name__, (kind,), {"at": at, "config": config})
        seen.append(serve(case, made(directory, kind.__name__), host))
    return "; by name over https: ".join(seen)
