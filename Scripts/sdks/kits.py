"""The SDKs, each with a program in the folder programs.

A program reads ENDPOINT, DEFINITION, ROLE and the AWS variables of its environment. `PROGRAM walk [SIZE]` lists all state machines page
by page, with the SDK's paginator and its own retries; `PROGRAM create NAME` makes one. It prints a JSON object: the SDK's
`version`, `machines` (a list of texts for each), `statuses` (the Cache-Status of each answer) and `error` (the code of the
SDK's own exception, or an empty text). Any other exception ends it with another status than 0.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile

from services import environment

PROGRAMS = pathlib.Path(__file__).resolve().parent / "programs"
# Where Debian's packages of Go sources are.
GO_PATH = "/usr/share/gocode"
# Seconds; the first build of an SDK takes most of a minute for each.
BUILD_LIMIT = 300


class LeftOut(Exception):
    """An SDK is not installed; the text says why."""


class Kit:
    """An SDK.

    - `name`: what its cases are called by.
    - `packages`: Debian's packages of it, which `--install` installs.
    - `find`: a function that returns the words of the command, or raises LeftOut.
    """

    def __init__(self, name, find, packages=()):
        self.name, self.find, self.packages = name, find, packages

    @property
    def label(self):
        """The name as it may stand in a caller's name."""
        return self.name.lower().replace(" ", "-").replace(".", "-")

    def command(self, install):
        """The words of its program's command. Installs it, if that is allowed, where it is missing."""
        try:
            return self.find(install)
        except LeftOut:
            if not install or not self.packages:
                raise
        apt_get_install(self.packages)
        return self.find(install)


def apt_get_install(packages):
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise LeftOut(f"needs root and apt-get to install {' '.join(packages)}")
    ended = subprocess.run(
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    if ended.returncode:
        raise LeftOut(f"cannot install {' '.join(packages)}: {' '.join(ended.stdout.splitlines()[-1:])}")


# MARK: Python


def boto3(version):
    def find(install):
        return [in_environment(*environments()[version], install), PROGRAMS / "boto.py"]
    return find


def environments():
    """The Python environments by what they are for: name, packages."""
    return {
        "newest": ("moto", environment.MOTO), "1.26": ("boto3-1.26", ["boto3==1.26.*"]), "AWS CLI v1": ("awscli-1", ["awscli==1.*"])}


def in_environment(name, packages, install):
    """The interpreter of an environment, which is made only if that is allowed."""
    if not install and not (environment.directory() / name / "made").exists():
        raise LeftOut(f"there is no Python environment with {packages[0]}: --install makes it")
    try:
        return environment.python(name, packages)
    except subprocess.CalledProcessError as error:
        raise LeftOut(f"cannot install {packages[0]}: {error}") from None


def cli_v1(install):
    interpreter = in_environment(*environments()["AWS CLI v1"], install)
    return [interpreter, PROGRAMS / "cli.py", interpreter.parent / "aws"]


def cli_v2(install):
    # Another version may stand before it in the PATH.
    for directory in [*os.get_exec_path(), "/usr/local/bin", "/usr/bin"]:
        program = pathlib.Path(directory, "aws")
        if os.access(program, os.X_OK) and cli_version(program).startswith("aws-cli/2."):
            return ["python3", PROGRAMS / "cli.py", program]
    raise LeftOut("no program aws of version 2")


def cli_version(program):
    ended = subprocess.run([program, "--version"], capture_output=True, text=True)
    return ended.stdout


# MARK: Go and Ruby


def go(version, package):
    def find(install):
        compiler = shutil.which("go")
        if not compiler:
            raise LeftOut("no program go")
        if not pathlib.Path(GO_PATH, "src", package, "service/sfn").exists():
            raise LeftOut(f"no {package} in {GO_PATH}")
        cache = environment.directory() / "go"
        program = cache / f"states-{version}"
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as directory:
            # Without modules nothing is downloaded.
            ended = subprocess.run(
                [compiler, "build", "-o", program, "main.go"], cwd=PROGRAMS / f"go-{version}", capture_output=True, text=True,
                timeout=BUILD_LIMIT, env={
                    "PATH": os.environ["PATH"], "GOPATH": GO_PATH, "GO111MODULE": "off", "GOPROXY": "off", "GOFLAGS": "",
                    "GOCACHE": str(cache / "build"), "HOME": directory})
        if ended.returncode:
            raise RuntimeError(f"{package} cannot be built: {ended.stderr.strip()}")
        return [program]
    return find


def ruby(install):
    interpreter = shutil.which("ruby")
    if not interpreter:
        raise LeftOut("no program ruby")
    if subprocess.run([interpreter, "-e", "require 'aws-sdk-core'"], capture_output=True).returncode:
        raise LeftOut("no aws-sdk-core for ruby")
    return [interpreter, PROGRAMS / "states.rb"]


KITS = [
    Kit("boto3 newest", boto3("newest")),
    Kit("boto3 1.26", boto3("1.26")),
    Kit("AWS CLI v1", cli_v1),
    Kit("AWS CLI v2", cli_v2, ["awscli"]),
    Kit("Go SDK v1", go("v1", "github.com/aws/aws-sdk-go"), ["golang-go", "golang-github-aws-aws-sdk-go-dev"]),
    Kit("Go SDK v2", go("v2", "github.com/aws/aws-sdk-go-v2"), ["golang-go", "golang-github-aws-aws-sdk-go-v2-dev"]),
    Kit("Ruby SDK v3", ruby, ["ruby", "ruby-aws-sdk-core"]),
]
