"""The models that botocore has of services, and the catalogs that the gateway makes of them."""

import concurrent.futures
import gzip
import json
import pathlib
import subprocess
import time

import botocore
import yaml

DATA = pathlib.Path(botocore.__file__).parent / "data"
# How long one import may take; a debug build needs a few times what a release does.
LIMIT = 60


class Model:
    """A service's model, in its newest version."""

    def __init__(self, name):
        self.name = name
        self.directory = max(path for path in (DATA / name).iterdir() if path.is_dir())

    def text(self, name):
        """The text of one of its files, or None."""
        path = self.directory / f"{name}.gz"
        if path.exists():
            return gzip.decompress(path.read_bytes())
        return (self.directory / name).read_bytes() if (self.directory / name).exists() else None

    def metadata(self):
        return json.loads(self.text("service-2.json"))["metadata"]

    @property
    def target_prefix(self):
        """The prefix of X-Amz-Target, or None if the service does not speak awsJson."""
        text = self.text("service-2.json")
        if text is None:
            return None
        metadata = json.loads(text)["metadata"]
        protocols = metadata.get("protocols") or [metadata["protocol"]]
        return metadata["targetPrefix"] if "json" in protocols else None


def aws_json():
    """The target prefixes of all services that speak awsJson, by name."""
    names = sorted(path.name for path in DATA.iterdir() if path.is_dir())
    prefixes = ((name, Model(name).target_prefix) for name in names)
    return {name: prefix for name, prefix in prefixes if prefix}


def import_catalog(gateway, name, directory):
    """The path of the catalog that the gateway makes of the model, its kinds by operation, its quota groups and the seconds it took."""
    model, place = Model(name), pathlib.Path(directory) / name
    place.mkdir(parents=True, exist_ok=True)
    for file in ("service-2.json", "paginators-1.json"):
        if (text := model.text(file)) is not None:
            (place / file).write_bytes(text)
    begun = time.monotonic()
    ended = subprocess.run(
        [gateway, "catalog", "import", place / "service-2.json"], capture_output=True, text=True, timeout=LIMIT)
    if ended.returncode != 0:
        raise ImportError(f"{name}: {ended.stderr.strip()}")
    path = place / "catalog.yaml"
    path.write_text(ended.stdout)
    return Catalog(path, time.monotonic() - begun)


class Catalog:
    """A catalog that was imported."""

    def __init__(self, path, seconds):
        self.path, self.seconds = path, seconds
        content = yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        self.kinds = {name: operation["kind"] for name, operation in content["operations"].items()}
        self.quotas = list(content["quotas"])


def import_all(gateway, names, directory):
    """The catalogs of services by name; an error in place of each that cannot be imported."""

    def one(name):
        try:
            return import_catalog(gateway, name, directory)
        except (ImportError, subprocess.TimeoutExpired) as error:
            return error

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return dict(zip(names, pool.map(one, names)))
