"""Who is measured, and at what: each peer is set up to do the same job as the gateway, as well as it can."""

import dataclasses
import os
import pathlib
import re
import shutil
import subprocess

from . import processes, requests
from .processes import Failed, free_ports

BENCHMARKS = pathlib.Path(__file__).resolve().parent.parent
PEERS = BENCHMARKS / "peers"
FLOOR = "bare epoll loop in C"
GATEWAY = "jobs-proxy"

CASES = {
    "hit": "a page from the cache",
    "throttle": "a caller over its limit, refused",
    "pass": "a call that is never cached, fetched from the origin",
}


@dataclasses.dataclass
class Contender:
    case: str
    name: str
    server: processes.Server
    port: int
    call: tuple = requests.HIT
    signed: bool = False

    def check(self):
        """Sees that it does its job before it is measured at it."""
        expected = 400 if self.case == "throttle" else 200
        # The first one fills a cache, or a bucket.
        for _ in range(3):
            status, body = requests.send(self.port, self.call, self.signed)
        if status != expected or (expected == 200 and body != requests.page()):
            raise Failed(f"{self.name} answers with {status}, not {expected}: {body[:300]}")
        if expected == 400 and "ThrottlingException" not in body and not self.name.startswith("Envoy"):
            raise Failed(f"{self.name} answers with {body[:300]}")


def find(name):
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", str(BENCHMARKS / ".venv/bin")])
    return shutil.which(name, path=path)


def version(command, *arguments):
    """The first line of what a program says of its version."""
    done = subprocess.run([find(str(command)), *arguments], capture_output=True, text=True)
    return (done.stdout + done.stderr).strip().split("\n")[0]


def gateway_settings(servers, name, port, admin, origin, values):
    """The path of a gateway's configuration in which nothing runs out, but for what `values` change."""
    common = {"callers": "", "rate": 10_000_000, "burst": 10_000_000, "access": "errors"}
    places = {"port": port, "admin": admin, "origin": origin}
    return servers.fill(PEERS / "jobs-proxy.yaml", {**common, **places, **values}, f"jobs-proxy-{name}.yaml")


def start_floor(servers, name):
    """A server that answers every request with the page."""
    binary, page = servers.directory / "floor", servers.directory / "page.json"
    if not binary.exists():
        page.write_text(requests.page())
        subprocess.run([find("cc") or find("clang"), "-O2", "-o", binary, PEERS / "floor.c"], check=True)
    (port,) = free_ports(1)
    return servers.start(name, [binary, str(port), page], port)


# One event loop on the one core, as the peers have one worker.
ENVIRONMENT = {"BENCH_SECRET": requests.SECRET, "NIO_SINGLETON_GROUP_LOOP_COUNT": "1"}
# A caller who signs, and a limit of which nothing is left after the first request.
SIGNING = {
    "callers": f"callers: [{{ name: bench, keys: [{{ accessKeyId: {requests.KEY}, secretAccessKey: {{ env: BENCH_SECRET }} }}] }}]"}
SPENT = {"rate": 0.01, "burst": 1, "access": "off"}


class Field:
    """Starts everybody; knows who is missing."""

    def __init__(self, servers, gateway):
        self.servers = servers
        self.gateway = gateway
        self.contenders = []
        self.missing = []
        self.versions = []
        self.start_floor()
        self.start_gateways()
        self.start_peers()

    def start_peers(self):
        for start in (self.start_nginx, self.start_varnish, self.start_haproxy, self.start_envoy):
            start()

    def add(self, case, name, server, port, call=requests.HIT, signed=False):
        self.contenders.append(Contender(case, name, server, port, call, signed))

    def named(self, case, name):
        return next((each for each in self.contenders if (each.case, each.name) == (case, name)), None)

    def lacks(self, name, program, *cases):
        """Notes a peer that is not installed."""
        if find(program):
            return False
        self.missing += [(case, name) for case in cases]
        return True

    def start_floor(self):
        origin = start_floor(self.servers, "origin")
        origin.pin(1)
        self.origin = origin.port
        floor = start_floor(self.servers, "floor")
        self.add("hit", FLOOR, floor, floor.port)

    # Without callers and with one that signs; and both again with a limit that is over.
    def start_gateways(self):
        open_ = self.start_gateway("open", {})
        verifying = self.start_gateway("verifying", SIGNING)
        throttling = self.start_gateway("throttling", SPENT)
        strict = self.start_gateway("strict", SIGNING | SPENT)
        self.add("hit", f"{GATEWAY}, anonymous", open_, open_.port)
        self.add("hit", f"{GATEWAY}, signature verified", verifying, verifying.port, signed=True)
        self.add("throttle", f"{GATEWAY}, anonymous", throttling, throttling.port)
        self.add("throttle", f"{GATEWAY}, signature verified", strict, strict.port, signed=True)
        self.add("pass", f"{GATEWAY}, signed anew", open_, open_.port, requests.LIVE)
        self.versions.append(f"{GATEWAY} {version(self.gateway, '--version')}")

    def start_gateway(self, name, values):
        port, admin = free_ports(2)
        settings = gateway_settings(self.servers, name, port, admin, self.origin, values)
        command = [self.gateway, "serve", "--config", settings]
        return self.servers.start(f"jobs-proxy-{name}", command, port, ENVIRONMENT)

    def start_nginx(self):
        names = ("nginx_cache", "nginx_return", "nginx_limit", "nginx_pass", "nginx_lua")
        for case, name in (("hit", "nginx proxy_cache"), ("throttle", "nginx return"), ("pass", "nginx proxy_pass")):
            if self.lacks(name, "nginx", case):
                return
        ports = dict(zip(names, free_ports(len(names))))
        modules = [pathlib.Path("/usr/lib/nginx/modules") / name for name in ("ndk_http_module.so", "ngx_http_lua_module.so")]
        has_lua = all(module.exists() for module in modules)
        values = {
            "lua_modules": "".join(f"load_module {module};\n" for module in modules) if has_lua else "",
            "lua_server": (PEERS / "nginx-lua.conf").read_text() if has_lua else "",
            "directory": self.servers.directory, "origin": self.origin, **ports}
        settings = self.servers.fill(PEERS / "nginx.conf", values)
        # Twice, because a part that was filled in has places of its own.
        settings.write_text(self.servers.fill(settings, values).read_text())
        user = ["-g", "user root;"] if os.geteuid() == 0 else []
        server = self.servers.start("nginx", [find("nginx"), "-c", settings, *user], ports["nginx_cache"])
        self.add("hit", "nginx proxy_cache", server, ports["nginx_cache"])
        self.add("throttle", "nginx return", server, ports["nginx_return"])
        self.add("throttle", "nginx limit_req", server, ports["nginx_limit"])
        self.add("pass", "nginx proxy_pass", server, ports["nginx_pass"], requests.LIVE)
        if has_lua:
            self.add("hit", "nginx + Lua, shared memory", server, ports["nginx_lua"])
        else:
            self.missing.append(("hit", "nginx + Lua, shared memory"))
        self.versions.append(version("nginx", "-v").removeprefix("nginx version: "))

    def start_varnish(self):
        if self.lacks("Varnish", "varnishd", "hit", "throttle", "pass"):
            return
        names = ("varnish_cache", "varnish_limit", "varnish_pass")
        ports = dict(zip(names, free_ports(len(names))))
        settings = self.servers.fill(PEERS / "varnish.vcl", {"origin": self.origin, **ports})
        command = [find("varnishd"), "-F", "-j", "none", "-n", self.servers.directory / "varnish", "-f", settings]
        command += ["-s", "malloc,256m", "-p", "timeout_idle=600", "-T", "none"]
        for port in ports.values():
            command += ["-a", f"127.0.0.1:{port}"]
        try:
            server = self.servers.start("varnish", command, ports["varnish_cache"])
        except Failed as failure:
            # Its module that reads bodies is a package of its own.
            self.missing += [(case, "Varnish (does not start)") for case in ("hit", "throttle", "pass")]
            self.versions.append(f"Varnish: {str(failure)[:200]}")
            return
        self.add("hit", "Varnish", server, ports["varnish_cache"])
        self.add("throttle", "Varnish vsthrottle", server, ports["varnish_limit"])
        self.add("pass", "Varnish", server, ports["varnish_pass"], requests.LIVE)
        self.versions.append(version("varnishd", "-V").removeprefix("varnishd (").split(" ")[0])

    def start_haproxy(self):
        if self.lacks("HAProxy", "haproxy", "throttle", "pass"):
            return
        names = ("haproxy_limit", "haproxy_pass")
        ports = dict(zip(names, free_ports(len(names))))
        settings = self.servers.fill(PEERS / "haproxy.cfg", {"origin": self.origin, **ports})
        server = self.servers.start("haproxy", [find("haproxy"), "-f", settings], ports["haproxy_limit"])
        self.add("throttle", "HAProxy stick-table", server, ports["haproxy_limit"])
        self.add("pass", "HAProxy", server, ports["haproxy_pass"], requests.LIVE)
        self.versions.append(" ".join(version("haproxy", "-v").split(" ")[:3]))

    def start_envoy(self):
        if self.lacks("Envoy", "envoy", "throttle", "pass"):
            return
        names = ("envoy_limit", "envoy_pass")
        ports = dict(zip(names, free_ports(len(names))))
        settings = self.servers.fill(PEERS / "envoy.yaml", {"origin": self.origin, **ports})
        command = [find("envoy"), "-c", settings, "--concurrency", "1", "--log-level", "error", "--disable-hot-restart"]
        server = self.servers.start("envoy", command, ports["envoy_limit"])
        self.add("throttle", "Envoy local_ratelimit", server, ports["envoy_limit"])
        self.add("pass", "Envoy", server, ports["envoy_pass"], requests.LIVE)
        match = re.search(r"version: \w+/([\d.]+)/", version("envoy", "--version"))
        self.versions.append(f"Envoy {match.group(1) if match else '?'}")
