"""Images of a stand-in, each damaged in a way that the trial of an image must find."""

import json
import pathlib

from deployment.root import libraries_of

from . import image

EPOCH = 1_700_000_000


class StandIn:
    """A program that is on every system, in the gateway's place."""

    packaged = pathlib.Path("/bin/true")


def image_of_stand_in(directory, damage):
    """The path of an image whose entries, or whose files, `damage` has changed."""
    entries = image.program(StandIn) | image.base(libraries_of(StandIn.packaged))
    if damage and damage.of == "entries":
        damage(entries)
    made = image.write([("all", entries)], "0", "any", EPOCH, pathlib.Path(directory, "stand-in.oci"))
    if damage and damage.of == "files":
        damage(made)
    return made


def of(what):
    def mark(function):
        function.of = what
        return function
    return mark


@of("entries")
def privilege(entries):
    entries["usr/bin/jobs-proxy"].mode = 0o4755


@of("entries")
def writable(entries):
    entries["etc/passwd"].mode = 0o666


@of("entries")
def another_owner(entries):
    entries["usr/bin/jobs-proxy"].owner = image.USER


@of("entries")
def shell(entries):
    entries["usr/bin/sh"] = image.Entry(b"", mode=0o755)


@of("files")
def flipped_bit(made):
    blob = max((made / "blobs/sha256").iterdir(), key=lambda each: each.stat().st_size)
    content = bytearray(blob.read_bytes())
    content[len(content) // 2] ^= 1
    blob.write_bytes(content)


@of("files")
def stray_blob(made):
    image.put(made / "blobs/sha256", b"stray", "")


@of("files")
def layers_undigested(made):
    """Every descriptor is right, but the configuration names the layers as they are packed."""
    index = json.loads((made / "index.json").read_text())
    blobs = made / "blobs/sha256"
    listed = index["manifests"][0]
    path = blobs / listed["digest"].removeprefix("sha256:")
    manifest = json.loads(path.read_text())
    path.unlink()
    path = blobs / manifest["config"]["digest"].removeprefix("sha256:")
    config = json.loads(path.read_text())
    path.unlink()
    config["rootfs"]["diff_ids"] = [each["digest"] for each in manifest["layers"]]
    manifest["config"] = image.put(blobs, image.as_json(config), manifest["config"]["mediaType"])
    index["manifests"][0] |= image.put(blobs, image.as_json(manifest), listed["mediaType"])
    (made / "index.json").write_bytes(image.as_json(index))


ALL = {
    "no damage": None, "a program with a privilege": privilege, "a file that all may write": writable,
    "a program of the user's": another_owner, "a shell": shell, "a flipped bit": flipped_bit, "a stray blob": stray_blob,
    "digests of packed layers": layers_undigested,
}
