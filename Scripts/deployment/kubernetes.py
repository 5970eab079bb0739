"""Compares the objects of Config/kubernetes with one another, and starts a gateway with their configuration."""

import contextlib
import http.client
import re
import secrets
import subprocess
import time

from . import kernel
from .probe import ANSWER, END, START, Failed, wait_until

VERSIONS = {
    "ConfigMap": "v1", "Service": "v1", "ServiceAccount": "v1", "Deployment": "apps/v1", "PodDisruptionBudget": "policy/v1"}
# A pod's address, by which kubelet and Prometheus ask.
POD = "10.244.1.7"
POD_SECURITY = {"runAsNonRoot": True, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532, "seccompProfile": {"type": "RuntimeDefault"}}
CONTAINER_SECURITY = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
PROBES = {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
# Beside the pages and what clients have not read: the program, its threads, requests and replies in flight.
OTHER_MEMORY = 128 << 20
# Seconds that the process takes at the most after `drain`, docs/design.md, "The end".
TIME_TO_END = 5
UNITS = {"Mi": 1 << 20, "MiB": 1 << 20, "Gi": 1 << 30, "GiB": 1 << 30, "KiB": 1 << 10}

TEMPLATE = ("Deployment", "spec", "template")
POD_SPEC = (*TEMPLATE, "spec")
CONTAINER = (*POD_SPEC, "containers", 0)
# Each a place, and the value that is wrong there; without a value it is left out.
PLANTED = [
    (("Service", "apiVersion"), "v2"),
    (("Service", "metadata", "name"), None),
    (("Service", "spec", "selector"), {"app": "another"}),
    (("Service", "spec", "ports", 0, "targetPort"), "https"),
    (("PodDisruptionBudget", "spec", "selector", "matchLabels"), {"app": "another"}),
    ((*TEMPLATE, "metadata", "labels"), {"app": "another"}),
    ((*TEMPLATE, "metadata", "annotations", "prometheus.io/port"), "9090"),
    ((*POD_SPEC, "serviceAccountName"), "default"),
    ((*POD_SPEC, "terminationGracePeriodSeconds"), 25),
    ((*POD_SPEC, "securityContext", "runAsNonRoot"), None),
    ((*POD_SPEC, "volumes", 0, "configMap", "name"), "another"),
    ((*POD_SPEC, "volumes", 1, "secret", "items"), []),
    ((*CONTAINER, "securityContext", "readOnlyRootFilesystem"), False),
    ((*CONTAINER, "readinessProbe", "httpGet", "path"), "/healthz"),
    ((*CONTAINER, "livenessProbe"), None),
    ((*CONTAINER, "ports", 0, "containerPort"), 8081),
    ((*CONTAINER, "args"), ["serve"]),
    ((*CONTAINER, "volumeMounts", 1, "mountPath"), "/run/secrets"),
    ((*CONTAINER, "lifecycle", "preStop"), None),
    ((*CONTAINER, "resources", "limits", "memory"), "384Mi"),
    (("Deployment", "spec", "replicas"), 3),
    (("Deployment", "spec", "strategy", "rollingUpdate", "maxSurge"), 1),
    (("Configuration", "drain"), "21s"),
    (("Configuration", "admin", "address"), "0.0.0.0:9090"),
    (("Configuration", "listen", "address"), "127.0.0.1:8080"),
]


def faults(objects):
    """What is wrong, a line for each; empty if nothing is."""
    try:
        return [text for holds, text in claims(objects) if not holds]
    except (KeyError, IndexError, TypeError) as error:
        return [f"something is missing: {type(error).__name__}: {error}"]


def claims(objects):
    """What must be true, each with the sentence that says that it is not."""
    for kind, version in VERSIONS.items():
        yield objects[kind]["apiVersion"] == version, f"the {kind} is not of {version}"
        yield objects[kind]["metadata"]["name"] == "jobs-proxy", f"the {kind} has another name"
    deployment, configuration = objects["Deployment"]["spec"], objects["Configuration"]
    template = deployment["template"]
    pod, (container,) = template["spec"], template["spec"]["containers"]
    yield from claims_on_labels(objects, template["metadata"]["labels"])
    yield from claims_on_ports(objects, template, container, configuration)
    yield from claims_on_files(pod, container, objects)
    for place, wanted, name in ((pod, POD_SECURITY, "pod"), (container, CONTAINER_SECURITY, "container")):
        yield place["securityContext"] == wanted, f"the {name}'s securityContext is not {wanted}"
    yield pod["serviceAccountName"] == objects["ServiceAccount"]["metadata"]["name"], "the pod has another service account"
    before_end = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    yield before_end + seconds(configuration["drain"]) + TIME_TO_END <= pod["terminationGracePeriodSeconds"], (
        f"preStop, drain and {TIME_TO_END} s more are not within terminationGracePeriodSeconds")
    yield configuration["replicas"] == deployment["replicas"], "the configuration has other replicas than the deployment"
    yield deployment["strategy"]["rollingUpdate"]["maxSurge"] == 0, "an update has more pods than share the quotas"
    needed = size(configuration["cache"]["maxBytes"]) + size(configuration["http"]["maxUnsentBytes"]) + OTHER_MEMORY
    yield size(container["resources"]["limits"]["memory"]) >= needed, f"the limit of memory is below {needed >> 20}Mi"


def claims_on_labels(objects, labels):
    for kind, selector in (
            ("Service", objects["Service"]["spec"]["selector"]),
            ("Deployment", objects["Deployment"]["spec"]["selector"]["matchLabels"]),
            ("PodDisruptionBudget", objects["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"])):
        yield selector and selector.items() <= labels.items(), f"the {kind} selects no pod of the deployment"


def claims_on_ports(objects, template, container, configuration):
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    host, port = configuration["listen"]["address"].rsplit(":", 1)
    yield ports["http"] == int(port), "the container's port is not the configuration's"
    yield host in ("0.0.0.0", "[::]"), "listen.address is not the pod's"
    yield configuration["admin"]["address"].startswith("127.0.0.1:"), "the admin listener is not on the pod's loopback"
    for each in objects["Service"]["spec"]["ports"]:
        yield each["targetPort"] in ports, f"the service leads to {each['targetPort']}, which is no port of the container"
    for name, path in PROBES.items():
        asked = container[name]["httpGet"]
        yield asked["path"] == path and asked["port"] == "http", f"the {name} does not ask for {path}"
    annotations = template["metadata"]["annotations"]
    yield annotations["prometheus.io/port"] == str(ports["http"]), "Prometheus is sent to another port"


def claims_on_files(pod, container, objects):
    mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    volumes = {each["name"]: each for each in pod["volumes"]}
    yield mounts.keys() == volumes.keys(), "what is mounted are not the volumes"
    yield volumes["configuration"]["configMap"]["name"] == objects["ConfigMap"]["metadata"]["name"], "the pod mounts another ConfigMap"
    paths = [f"{mounts['configuration']}/{name}" for name in objects["ConfigMap"]["data"]]
    yield container["args"] == ["serve", "--config", *paths], f"the gateway is not started with {paths[0]}"
    secret = {f"{mounts['secrets']}/{each['path']}" for each in volumes["secrets"]["secret"]["items"]}
    named = set(re.findall(r"file: (\S+)", objects["ConfigMap"]["data"]["jobs-proxy.yaml"]))
    yield named == secret, f"the configuration names {sorted(named)}, and the secret has {sorted(secret)}"


def seconds(text):
    return int(text.removesuffix("s"))


def size(text):
    number, unit = re.fullmatch(r"(\d+)(\w+)", text).groups()
    return int(number) * UNITS[unit]


# MARK: The gateway


def serve(gateway, objects, directory):
    """Checks the configuration, then starts a gateway with it, in front of the sandbox; a sentence on what was seen.

    This process must be in a network namespace of its own, as a pod is.
    """
    kernel.loopback_address(POD)
    text = objects["ConfigMap"]["data"]["jobs-proxy.yaml"]
    mount = next(each["mountPath"] for each in container_of(objects)["volumeMounts"] if each["name"] == "secrets")
    for path in re.findall(r"file: (\S+)", text):
        (directory / path.rsplit("/", 1)[1]).write_text(secrets.token_urlsafe(30))
    file = directory / "jobs-proxy.yaml"
    file.write_text(text.replace(mount, str(directory)))
    done = subprocess.run([gateway, "check", "--config", file], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed((done.stderr + done.stdout).strip())

    file.write_text(file.read_text().replace(objects["Configuration"]["services"][0]["endpoint"], "sandbox"))
    with open(directory / "log", "wb") as log, subprocess.Popen([gateway, "serve", "--config", file], stdout=log, stderr=log) as process:
        try:
            seen = ask(objects, directory, process)
            process.terminate()
            if process.wait(END) != 0:
                raise Failed(f"it ended with {process.returncode}")
        finally:
            process.kill()
    return seen


def container_of(objects):
    return objects["Deployment"]["spec"]["template"]["spec"]["containers"][0]


def ask(objects, directory, process):
    """Asks a pod by its address, as kubelet and Prometheus do."""
    (port,) = [each["containerPort"] for each in container_of(objects)["ports"]]
    probes = {name: container_of(objects)[name]["httpGet"]["path"] for name in PROBES}

    def is_ready():
        if process.poll() is not None:
            raise Failed(f"it ended at the start: {(directory / 'log').read_text(errors='replace')[-500:]}")
        with contextlib.suppress(OSError):
            return status(port, probes["readinessProbe"]) == 200

    begun = time.monotonic()
    if not wait_until(is_ready, START):
        raise Failed(f"not ready in {START} s")
    ready = time.monotonic() - begun
    scraped = objects["Deployment"]["spec"]["template"]["metadata"]["annotations"]["prometheus.io/path"]
    for name, path in (*probes.items(), ("scrape", scraped)):
        if (seen := status(port, path)) != 200:
            raise Failed(f"the {name} gets {seen}")
    return f"Config/kubernetes: ready in {ready:.2f} s, probed and scraped by a pod's address, exit 0"


def status(port, path):
    with contextlib.closing(http.client.HTTPConnection(POD, port, timeout=ANSWER)) as connection:
        connection.request("GET", path, headers={"Connection": "close"})
        answer = connection.getresponse()
        answer.read()
        return answer.status
