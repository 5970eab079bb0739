"""Python environments outside the tree: moto with what its tests need and the newest SDK, and older SDKs."""

import os
import pathlib
import subprocess
import sys
import venv

MOTO = ["moto[server,all]", "boto3", "pytest", "pytest-timeout", "freezegun", "pycognito", "pyotp"]


def directory():
    """Where the environments are kept from one run to the next."""
    caches = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(caches) / "jobs-proxy-checks"


def python(name, packages):
    """The interpreter of the environment with this name; makes it with these packages if there is none."""
    place = directory() / name
    made = place / "made"
    wanted = "\n".join(packages)
    if not made.exists() or made.read_text() != wanted:
        print(f"making {place}: {' '.join(packages)}", file=sys.stderr, flush=True)
        venv.create(place, with_pip=True, clear=True)
        subprocess.run([place / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages],
                       check=True)
        made.write_text(wanted)
    return place / "bin/python"


def with_moto():
    return python("moto", MOTO)


def with_boto3(version):
    """An environment with a version of boto3, such as 1.26, and nothing else."""
    return python(f"boto3-{version}", [f"boto3=={version}.*"])


def become(interpreter):
    """Goes on with this script in the interpreter, unless it runs there already."""
    if pathlib.Path(sys.executable) != interpreter:
        os.execv(interpreter, [str(interpreter), *sys.argv])
