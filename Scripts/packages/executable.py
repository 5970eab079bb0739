"""The gateway's executable: what it says of itself, and the copy of it that is packaged."""

import json
import pathlib
import re
import shutil
import subprocess

from deployment.root import SYSTEM_LIBRARIES, libraries_of

# Debian's and OCI's names of an architecture, by the machine's name in `readelf --file-header`.
ARCHITECTURES = {
    "Advanced Micro Devices X86-64": ("amd64", "amd64"),
    "AArch64": ("arm64", "arm64"),
}
SHELLS = ("bash", "zsh", "fish")


class NotPackaged(Exception):
    """A package cannot be made; the text says why, and what to do."""


def run(*command, **options):
    """What a command prints; raises `NotPackaged` with its complaint if it fails or is not there."""
    if not shutil.which(command[0]):
        raise NotPackaged(f"there is no {pathlib.Path(command[0]).name}: run 'Scripts/setup --package'")
    done = subprocess.run([str(each) for each in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise NotPackaged(f"{pathlib.Path(command[0]).name} fails: {(done.stderr or done.stdout).strip()}")
    return done.stdout


class Executable:
    """The executable at `path`, and a copy without symbols and library search path at `packaged`."""

    def __init__(self, path, directory):
        self.path = pathlib.Path(path).resolve()
        if not self.path.is_file():
            raise NotPackaged(f"there is no {path}: run 'make build' first")
        self.packaged = pathlib.Path(directory, "jobs-proxy")
        run("strip", "--strip-unneeded", "--remove-section=.comment", "--remove-section=.note", "-o", self.packaged, self.path)
        # Swift's linker looks beside the program ($ORIGIN); a library that someone puts into /usr/bin is no part of it.
        run("chrpath", "--delete", self.packaged)
        self.packaged.chmod(0o755)
        self.libraries = libraries_of(self.packaged)
        if strays := [str(each) for each in self.libraries if not str(each).startswith(SYSTEM_LIBRARIES)]:
            raise NotPackaged(f"{path} needs {strays[0]}, which is in no package: build it with --static-swift-stdlib ('make build')")

    @property
    def version(self):
        version = run(self.path, "--version").strip()
        if not re.fullmatch(r"\d[0-9A-Za-z.+~]*", version):
            raise NotPackaged(f"{self.path} --version says {version!r}, which is no version of a package")
        return version

    @property
    def architectures(self):
        """Debian's name of its architecture, and OCI's."""
        machine = re.search(r"Machine:\s*(.*\S)", run("readelf", "--file-header", self.path)).group(1)
        if machine not in ARCHITECTURES:
            raise NotPackaged(f"{self.path} is for {machine}, for which packages have no name here")
        return ARCHITECTURES[machine]

    def commands(self):
        """Its commands with their options, as swift-argument-parser describes them."""
        return json.loads(run(self.path, "--experimental-dump-help"))["command"]

    def completions(self, shell):
        """The script with which a shell completes its command lines."""
        script = run(self.path, "--generate-completion-script", shell)
        # Nobody starts it: a shell reads it.
        return re.sub(r"\A#!.*\n", "", script)
