"""The program with the libraries that it needs, and root directories that hold little else."""

import os
import pathlib
import re
import shutil
import subprocess

from . import kernel

# Where the dynamic linker looks by itself.
SYSTEM_LIBRARIES = ("/lib", "/usr/lib", "/lib64", "/usr/lib64")
# Where the program is in a root directory of its own, and the libraries that the linker does not find by itself.
PLACE, OWN_LIBRARIES = "/usr/local/bin/jobs-proxy", "/usr/local/lib/jobs-proxy"


class Program:
    """An executable, its libraries, and the variables with which it finds them."""

    def __init__(self, path, libraries=(), environment=None):
        self.path = str(path)
        self.libraries = list(libraries)
        self.environment = environment or {}

    def execute(self, command, environment, _started):
        """Makes this process the program."""
        os.execve(command[0], command, environment)

    @classmethod
    def at(cls, path, directory):
        """The executable at `path`, copied into `directory` if other users cannot reach it or one of its libraries."""
        path = pathlib.Path(path).resolve()
        libraries = libraries_of(path)
        elsewhere = [each for each in libraries if not str(each).startswith(SYSTEM_LIBRARIES)]
        if path.stat().st_mode & 0o001 and all(is_reachable(each) for each in [path, *elsewhere]):
            return cls(path, libraries)
        copies = [pathlib.Path(shutil.copy(each, directory)) for each in [path, *elsewhere]]
        for copy in copies:
            copy.chmod(0o755)
        libraries = [each for each in libraries if each not in elsewhere] + copies[1:]
        return cls(copies[0], libraries, {"LD_LIBRARY_PATH": str(directory)})


def libraries_of(path):
    """The shared libraries of an executable, the dynamic linker among them, where ldd(1) finds them."""
    listed = subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout
    if missing := re.findall(r"(\S+) => not found", listed):
        raise FileNotFoundError(f"{path} needs {', '.join(missing)}")
    return [pathlib.Path(each) for each in re.findall(r"(/\S+) \(0x", listed)]


def is_reachable(path):
    """Returns true if every user can read the file; that is enough to use a library."""
    return path.stat().st_mode & 0o004 and all(each.stat().st_mode & 0o001 for each in path.parents)


def build(at, program, files):
    """Makes a root directory at `at`, in which the program is at `PLACE`; to be completed, then entered.

    `files` are further paths in it, with the files or directories that are bound there.

    Returns the variables with which the program finds its libraries there.
    """
    kernel.mount("tmpfs", at, "tmpfs", kernel.NO_SUID, "mode=755")
    system = {str(each): each for each in program.libraries if str(each).startswith(SYSTEM_LIBRARIES)}
    own = {f"{OWN_LIBRARIES}/{each.name}": each for each in program.libraries if str(each) not in system}
    for path, source in {PLACE: program.path, **system, **own, **files}.items():
        target = pathlib.Path(f"{at}{path}")
        target.parent.mkdir(parents=True, exist_ok=True)
        if os.path.isdir(source):
            target.mkdir()
        else:
            target.touch()
        kernel.bind(os.path.realpath(source), target)
    return {"LD_LIBRARY_PATH": OWN_LIBRARIES} if own else {}


def enter(at):
    """Makes the root directory at `at` the process's."""
    os.chroot(at)
    os.chdir("/")
