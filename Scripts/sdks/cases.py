"""What each SDK must see through the gateway, one function for each case. Each returns what was seen, or raises Failed."""

import json
import os
import re
import subprocess
import urllib.request

from services.servers import KEY, Failed, ask

REGION = "us-east-1"
DEFINITION = json.dumps({"StartAt": "Only", "States": {"Only": {"Type": "Pass", "End": True}}})
ROLE = "arn:aws:iam::123456789012:role/check"
SECRET = KEY[1]
# The limits of a kit's callers, by what is tried with them: the first is never refused, the second has one request in all, the
# third has to wait 25 ms before each request but the first.
LIMITS = {"served": {"rate": 1000, "burst": 1000}, "refused": {"rate": 0.001, "burst": 1}, "delayed": {"rate": 40, "burst": 1}}
# The fewest machines, so that a walk in pages of one has pages enough.
MACHINES = 4
# Seconds that a program may take. The longest waits are those of SDKs between their attempts.
LIMIT = 120


class Stage:
    """The addresses of moto, the gateway and its admin listener."""

    def __init__(self, moto, gateway, admin):
        self.moto, self.gateway, self.admin = moto, gateway, admin

    def purge(self):
        ask("POST", f"{self.admin}/purge?service=stepfunctions")

    def counts(self, caller):
        """The requests of a caller so far, by outcome."""
        with urllib.request.urlopen(f"{self.admin}/metrics", timeout=10) as reply:
            text = reply.read().decode()
        counts = {}
        for labels, value in re.findall(r"^jobsproxy_requests_total\{(.*)\} (\d+)", text, re.MULTILINE):
            if f'caller="{caller}"' in labels:
                outcome = re.search(r'outcome="(\w+)"', labels)[1]
                counts[outcome] = counts.get(outcome, 0) + int(value)
        return counts


class Client:
    """A kit's program and its callers."""

    def __init__(self, kit, command):
        self.kit, self.command = kit, command

    def caller(self, trial):
        return f"{self.kit.label}-{trial}"

    def callers(self):
        """Its part of the configuration."""
        return [
            {"name": self.caller(trial), "limit": limit,
             "keys": [{"accessKeyId": self.key(trial), "secretAccessKey": {"env": "CHECK_SECRET"}}]}
            for trial, limit in LIMITS.items()
        ]

    def key(self, trial):
        return re.sub(r"\W", "", f"GW{self.caller(trial)}").upper()

    def run(self, endpoint, *words, trial="served", secret=SECRET):
        """What its program says, signing for the caller of a trial."""
        ended = subprocess.run(
            [*self.command, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=LIMIT, env={
                "PATH": os.environ["PATH"], "HOME": "/nonexistent", "ENDPOINT": endpoint, "DEFINITION": DEFINITION, "ROLE": ROLE,
                "AWS_ACCESS_KEY_ID": self.key(trial), "AWS_SECRET_ACCESS_KEY": secret, "AWS_REGION": REGION,
                "AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull,
                "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_PAGER": "", "PYTHONWARNINGS": "ignore"})
        if ended.returncode:
            lines = ended.stderr.splitlines()
            # Ruby's message comes first, those of others last.
            raise Failed(f"`{' '.join(words)}` ends with {ended.returncode}: {' … '.join(line[:300] for line in lines[:1] + lines[-1:])}")
        return json.loads(ended.stdout)

    def walk(self, endpoint, *size, **trial):
        """The answer of a walk that must be good."""
        answer = self.run(endpoint, "walk", *size, **trial)
        require(not answer["error"], f"the list is {answer['error']}")
        return answer


def require(holds, text):
    if not holds:
        raise Failed(text)


def require_all(answer, mark, what):
    """Requires that each Cache-Status has this mark."""
    require(answer["statuses"] and all(mark in each for each in answer["statuses"]), f"{what} is no {mark}: {answer['statuses']}")


def require_direct(answer, direct):
    require(answer["machines"] == direct["machines"], f"not the direct answer: {answer['machines']}, {direct['machines']}")


# MARK: The cases


def listing(client, stage):
    """A list is a miss, then a hit, and both are the direct answer."""
    direct = client.walk(stage.moto)
    require(len(direct["machines"]) >= MACHINES, f"moto has {direct['machines']}")
    stage.purge()
    for mark in ("fwd=miss", "hit"):
        answer = client.walk(stage.gateway)
        require_all(answer, mark, "the list")
        require_direct(answer, direct)
    return f"{len(direct['machines'])} machines, by version {direct['version']}"


def pages(client, stage):
    """A walk by token has the pages of a direct walk; a second one finds each of them in the cache."""
    direct = client.walk(stage.moto, "1")
    stage.purge()
    for mark in ("fwd=miss", "hit"):
        answer = client.walk(stage.gateway, "1")
        require_all(answer, mark, "a page")
        require_direct(answer, direct)
        require(len(answer["statuses"]) >= MACHINES, f"only {len(answer['statuses'])} pages")
    return f"{len(answer['statuses'])} pages"


def write(client, stage):
    """A machine that was made through the gateway is in the next list, although the one before it was cached."""
    client.walk(stage.gateway)
    require_all(client.walk(stage.gateway), "hit", "the list before")
    name = f"{client.kit.label}-made"
    made = client.run(stage.gateway, "create", name)
    require(not made["error"], f"CreateStateMachine is {made['error']}")
    answer = client.walk(stage.gateway)
    require(name in [each[0] for each in answer["machines"]], f"the list lacks {name}: {answer['statuses']}")
    require_direct(answer, client.walk(stage.moto))
    return answer["statuses"][0]


def refused(client, stage):
    """A caller over its limit gets the SDK's throttling exception, after as many attempts as the SDK makes."""
    caller = client.caller("refused")
    client.walk(stage.gateway, trial="refused")
    answer = client.run(stage.gateway, "walk", trial="refused")
    require(answer["error"] == "ThrottlingException", f"the error is '{answer['error']}'")
    attempts = stage.counts(caller).get("throttled", 0)
    require(attempts > 1, f"{attempts} attempts: the SDK does not take it for throttling")
    return f"ThrottlingException after {attempts} attempts"


def delayed(client, stage):
    """A caller that is over its limit for a moment has its pages all the same: the SDK waits and repeats."""
    caller = client.caller("delayed")
    answer = client.walk(stage.gateway, "1", trial="delayed")
    require_direct(answer, client.walk(stage.moto, "1"))
    count = stage.counts(caller).get("throttled", 0)
    require(count > 0, "no request was over the limit")
    return f"{len(answer['machines'])} pages, with {count} requests over the limit"


def signature(client, stage):
    """A wrong secret is refused with the SDK's exception for it."""
    answer = client.run(stage.gateway, "walk", secret="another-secret")
    require(answer["error"] == "InvalidSignatureException", f"the error is '{answer['error']}'")
    return answer["error"]


ALL = {
    "list": listing, "pages": pages, "write": write, "throttled": refused, "throttled for a moment": delayed,
    "wrong signature": signature,
}
