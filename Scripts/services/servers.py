"""Starts moto and a gateway in front of it, on ports of loopback."""

import json
import pathlib
import sys
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "Benchmarks"))

from measuring.processes import Failed, Servers, free_ports

__all__ = ["Failed", "KEY", "Servers", "ask", "configuration", "free_ports", "prepare", "start_gateway", "start_moto"]

# The key pair of the caller, and the gateway's own for moto, which asks for none.
KEY = ("GWEXAMPLE1", "a-secret-of-the-check")
CREDENTIALS = ("AKIAEXAMPLE", "a-secret-of-the-gateway")
# Seconds until the gateway listens; a debug build takes seconds for some hundred services.
START_LIMIT = 120
MANY = {"rate": 1000000, "burst": 1000000}


def start_moto(servers, interpreter, port, name="moto"):
    """Starts moto's server; returns its address."""
    servers.start(name, [interpreter, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], port, {
        "MOTO_EC2_LOAD_DEFAULT_AMIS": "false", "PYTHONWARNINGS": "ignore"}, START_LIMIT)
    return f"http://127.0.0.1:{port}"


def prepare(moto):
    """Makes what the scenes need of other services, and ends state changes that reads bring about in moto."""
    ask("PUT", f"{moto}/bucket")
    for model in ("transcribe::vocabulary", "transcribe::transcriptionjob"):
        ask("POST", f"{moto}/moto-api/state-manager/set-transition", {
            "model_name": model, "transition": {"progression": "immediate"}})


def ask(method, url, content=None):
    """Sends a request, and raises an error unless it is answered well."""
    data = None if content is None else json.dumps(content).encode()
    urllib.request.urlopen(urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method), timeout=30).close()


def configuration(ports, catalogs, endpoint, regions=("us-east-1",), has_callers=True, ttl=None):
    """A configuration as a dictionary: every catalog in every Region, quotas lifted."""
    services = [
        {
            "catalog": str(catalog.path), "name": name if len(regions) == 1 else f"{name}-{region}", "endpoint": endpoint,
            # moto may take seconds for a large table while other runs keep the processors busy.
            "region": region, "timeouts": {"attempt": "30s", "call": "60s"}, "quotas": {group: MANY for group in catalog.quotas},
            "credentials": {"accessKeyId": CREDENTIALS[0], "secretAccessKey": {"env": "MOTO_SECRET"}},
        }
        for name, catalog in catalogs.items() for region in regions
    ]
    settings = {
        "listen": {"address": f"127.0.0.1:{ports[0]}"},
        "admin": {"address": f"127.0.0.1:{ports[1]}"},
        "http": {"maxBodyBytes": "16MiB"},
        "services": services,
        "limits": {"caller": MANY},
    }
    if has_callers:
        settings["callers"] = [{"name": "check", "keys": [{"accessKeyId": KEY[0], "secretAccessKey": {"env": "CHECK_SECRET"}}]}]
    if ttl is not None:
        settings["cache"] = {"ttl": {"default": ttl, "status": {name: ttl for name in (
            "COMPLETED", "COMPLETED_WITH_ERRORS", "FAILED")}}, "staleWhileRevalidate": "0ms", "staleIfError": "0ms", "negative": {}}
    return settings


def start_gateway(servers, gateway, ports, settings, name="gateway"):
    """Starts a gateway; returns its address."""
    # JSON is YAML.
    path = servers.directory / f"{name}.yaml"
    path.write_text(json.dumps(settings, indent=1))
    servers.start(name, [gateway, "serve", "--config", path], ports[0], {
        "MOTO_SECRET": CREDENTIALS[1], "CHECK_SECRET": KEY[1]}, START_LIMIT)
    return f"http://127.0.0.1:{ports[0]}"
