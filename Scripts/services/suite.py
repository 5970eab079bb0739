"""moto's own tests: where they are, which belong to which service, and how they are run."""

import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
from importlib import metadata

from . import environment, models, servers

SCRIPTS = pathlib.Path(__file__).resolve().parent.parent
# Seconds for a test, and for all tests of a service in one mode.
TEST_LIMIT, RUN_LIMIT = 60, 900
MODES = ("straight", "through", "uncached")


def fetch(directory):
    """The unpacked source of the installed moto, which its package index has with its tests."""
    version = metadata.version("moto")
    root = directory / f"moto-{version}"
    if not root.exists():
        directory.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:",
                        "--dest", directory, f"moto=={version}"], check=True)
        with tarfile.open(directory / f"moto-{version}.tar.gz") as archive:
            archive.extractall(directory, filter="data")
    return root


def mismatch(root):
    """The version of an unpacked source if it is known and is not that of the installed moto, or None."""
    path = root / "PKG-INFO"
    found = re.search(r"^Version: (\S+)", path.read_text(), re.M) if path.exists() else None
    return found[1] if found and found[1] != metadata.version("moto") else None


def services(tests):
    """The directories of tests of services that speak awsJson, by service."""
    return {name: path for name in models.aws_json() if (path := tests / f"test_{name.replace('-', '')}").is_dir()}


class Run:
    """The tests of one service, with a moto, a gateway and a router of their own."""

    def __init__(self, service, tests, gateway, directory):
        self.service, self.gateway = service, gateway
        self.directory = pathlib.Path(directory)
        self.port, self.moto_port, *self.ports = servers.free_ports(4)
        self.tests = self.copy(tests)
        own = self.tests / f"test_{service.replace('-', '')}"
        text = "\n".join(path.read_text(errors="replace") for path in own.rglob("*.py"))
        # us-east-1 comes first: the gateway sends there what is not signed.
        found = re.findall(r'["\']([a-z]{2,4}(?:-[a-z]+){1,3}-[1-9])["\']', text)
        self.regions = ["us-east-1", *sorted(set(found) - {"us-east-1"})]
        prefixes = models.aws_json()
        named = {name for name in re.findall(r'(?:client|resource)\(\s*"([a-z0-9-]+)"', text) if name in prefixes}
        # Two services with one prefix cannot be in one gateway: the one under test comes first.
        self.prefixes = {prefixes[name]: name for name in sorted(named - {service}) + [service]}

    def copy(self, tests):
        """A copy of the tests, which import one another, that find the server at this run's port."""
        place = self.directory / "suite"
        shutil.copytree(tests, place / "tests", ignore=shutil.ignore_patterns("__pycache__"))
        for path in place.rglob("*.py"):
            text = path.read_bytes()
            if b"localhost:5000" in text:
                path.write_bytes(text.replace(b"localhost:5000", b"localhost:%d" % self.port))
        return place / "tests"

    def run(self, mode, only=None):
        """How the tests end, as {test: [outcome, message]}; of these tests only, if there are any."""
        results, selection = self.directory / f"{mode}.jsonl", self.directory / f"{mode}-tests.json"
        results.unlink(missing_ok=True)
        variables = {}
        if only is not None:
            selection.write_text(json.dumps(only))
            variables["CHECK_TESTS"] = str(selection)
        with servers.Servers(self.directory) as running:
            self.start(running, mode)
            log = open(self.directory / f"{mode}-pytest.log", "w")
            process = subprocess.Popen(
                [sys.executable, "-m", "pytest", "-q", "-p", "services.recorder", "-p", "no:cacheprovider",
                 "--continue-on-collection-errors", "-o", "addopts=", "--timeout", str(TEST_LIMIT), "-W", "ignore", f"tests/test_{self.service.replace('-', '')}"],
                cwd=self.tests.parent, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env={
                    **os.environ, **variables, "CHECK_RESULTS": str(results), "PYTHONPATH": str(SCRIPTS),
                    "PYTHONDONTWRITEBYTECODE": "1", "TEST_SERVER_MODE": "true",
                    "TEST_SERVER_MODE_ENDPOINT": f"http://localhost:{self.port}", "AWS_ACCESS_KEY_ID": "server_key",
                    "AWS_SECRET_ACCESS_KEY": "server_secret", "AWS_DEFAULT_REGION": "us-east-1"})
            try:
                process.wait(RUN_LIMIT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        lines = results.read_text().splitlines() if results.exists() else []
        return {test: [outcome, message] for test, outcome, message in map(json.loads, lines)}

    @functools.cached_property
    def catalogs(self):
        """The catalogs of the services that the tests use; one that cannot be imported is sent straight."""
        results = models.import_all(self.gateway, list(self.prefixes.values()), self.directory / "catalogs")
        if not isinstance(results[self.service], models.Catalog):
            raise servers.Failed(str(results[self.service]))
        return {name: each for name, each in results.items() if isinstance(each, models.Catalog)}

    def start(self, running, mode):
        interpreter = sys.executable
        if mode == "straight":
            servers.start_moto(running, interpreter, self.port)
            return
        moto = servers.start_moto(running, interpreter, self.moto_port)
        settings = servers.configuration(
            self.ports, self.catalogs, moto, self.regions, has_callers=False, ttl="0ms" if mode == "uncached" else None)
        servers.start_gateway(running, self.gateway, self.ports, settings, f"gateway-{mode}")
        prefixes = ",".join(prefix for prefix, name in self.prefixes.items() if name in self.catalogs)
        running.start(f"router-{mode}", [
            interpreter, "-m", "services.router", str(self.port), str(self.ports[0]), str(self.ports[1]), str(self.moto_port),
            prefixes], self.port, {"PYTHONPATH": str(SCRIPTS)})


def passed(results):
    """The tests that passed."""
    return sorted(test for test, (outcome, _) in results.items() if outcome == "passed")
