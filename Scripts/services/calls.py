"""Makes the calls of the scenes directly and through the gateway, with whichever boto3 its interpreter has.

    python -m services.calls < JOB

A job is JSON: {direct, through, key, kinds: {service: {operation: kind}}}. Writes a line of JSON for each finding.
"""

import datetime
import json
import re
import string
import sys

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError

from .cases import ROUNDS, SCENES

REGION = "us-east-1"
# Times of an answer that are this near to the present depend on when it was made.
PRESENT = datetime.timedelta(minutes=10)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6})?(Z|[+-]\d\d:\d\d)")
CONFIG = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=60)


class Unspoken(Exception):
    """This boto3 cannot make the call."""


class Answer:
    """What a client makes of an answer: a dictionary, or an error."""

    def __init__(self, content=None, error=None):
        self.headers = {}
        if error is not None:
            content = error.response
            self.headers = content["ResponseMetadata"].get("HTTPHeaders", {})
            parts = content["Error"]
            self.value = ["error", parts.get("Code"), parts.get("Message"), content["ResponseMetadata"].get("HTTPStatusCode"),
                          type(error).__name__]
            self.is_error = True
        else:
            self.headers = content["ResponseMetadata"].get("HTTPHeaders", {})
            self.content = content
            self.value = plain({key: each for key, each in content.items() if key != "ResponseMetadata"})
            self.is_error = False

    @property
    def cache_status(self):
        return self.headers.get("cache-status", "")

    @property
    def is_hit(self):
        return "; hit" in self.cache_status


def plain(value):
    """A value that can be compared and shown; times of the present are all the same."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, datetime.datetime):
        now = datetime.datetime.now(value.tzinfo)
        return "now" if abs(now - value) < PRESENT else value.isoformat()
    if isinstance(value, str) and TIME.fullmatch(value):
        return plain(datetime.datetime.fromisoformat(value.replace("Z", "+00:00")))
    if isinstance(value, (bytes, bytearray)):
        return "bytes " + value.hex()
    return value


def difference(one, other, path=""):
    """The path of the first difference with both values, or None."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}):
            if found := difference(one.get(key), other.get(key), f"{path}.{key}"):
                return found
        return None
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, (left, right) in enumerate(zip(one, other)):
            if found := difference(left, right, f"{path}[{place}]"):
                return found
        return None
    return None if one == other else f"{path or 'answer'}: {json.dumps(one)[:300]} / {json.dumps(other)[:300]}"


def filled(value, names):
    """An input with its names filled in; KeyError if there is one without a value."""
    if isinstance(value, dict):
        return {key: filled(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, names) for each in value]
    return string.Template(value).substitute(names) if isinstance(value, str) and "$" in value else value


def is_by_round(value):
    return "$" in json.dumps(value, default=str)


class Scene:
    def __init__(self, service, job):
        self.service, self.scene = service, SCENES[service]
        self.kinds = job["kinds"][service]
        self.direct, self.through = (self.client(job[way], job["key"]) for way in ("direct", "through"))
        self.names = {letter: {"n": letter} for letter in ROUNDS}

    def client(self, endpoint, key):
        try:
            client = boto3.client(
                self.service, endpoint_url=endpoint, region_name=REGION, aws_access_key_id=key[0],
                aws_secret_access_key=key[1], config=CONFIG)
        except Exception as error:
            raise Unspoken(f"no such service: {type(error).__name__}") from None
        model = client.meta.service_model
        protocol = getattr(model, "resolved_protocol", None) or model.metadata["protocol"]
        if protocol != "json":
            raise Unspoken(f"spoken to in {protocol}")
        return client

    def call(self, client, operation, content):
        method = getattr(client, xform_name(operation), None)
        if method is None:
            raise Unspoken("no such operation")
        try:
            return Answer(method(**content))
        except ClientError as error:
            return Answer(error=error)
        except ParamValidationError as error:
            raise Unspoken(str(error).splitlines()[-1]) from None

    def report(self, part, operation, **values):
        print(json.dumps({"service": self.service, "part": part, "operation": operation, **values}), flush=True)

    def run(self):
        self.make_directly("first", ROUNDS[0])
        self.make_directly("makes", ROUNDS[0])
        self.compare_reads()
        self.see_what_is_new()
        self.compare_errors()
        self.write_through()

    def make_directly(self, part, letter):
        for operation, content, *keep in self.scene.get(part, []):
            try:
                answer = self.call(self.direct, operation, filled(content, self.names[letter]))
            except (Unspoken, KeyError) as error:
                self.report("left out", operation, reason=str(error))
                continue
            if answer.is_error:
                self.report("left out", operation, reason=f"refused straight: {answer.value}")
            else:
                self.keep(answer, keep, letter)

    def keep(self, answer, keep, letter):
        for name, path in (keep[0] if keep else {}).items():
            value = answer.content
            for key in path.split("."):
                value = value[key]
            self.names[letter][name] = value

    def compare_reads(self):
        """The first answer through the gateway is the direct one; the second is a hit exactly where the kind says so."""
        for operation, content in self.scene["reads"]:
            try:
                content = filled(content, self.names[ROUNDS[0]])
                direct = self.call(self.direct, operation, content)
                if direct.is_error:
                    raise Unspoken(f"refused straight: {direct.value}")
                first, second = (self.call(self.through, operation, content) for _ in range(2))
            except (Unspoken, KeyError) as error:
                self.report("left out", operation, reason=str(error))
                continue
            kind = self.kinds.get(operation)
            self.report(
                "read", operation, kind=kind, input=content, wrong=difference(direct.value, first.value),
                again=difference(direct.value, second.value), hit=second.is_hit, kept=kind in ("page", "read"),
                status=second.cache_status)

    def see_what_is_new(self):
        """The second answer through the gateway comes from the service too."""
        for operation, content in self.scene.get("new", []):
            try:
                content = filled(content, self.names[ROUNDS[0]])
                _, second = (self.call(self.through, operation, content) for _ in range(2))
            except (Unspoken, KeyError) as error:
                self.report("left out", operation, reason=str(error))
                continue
            if second.is_error:
                self.report("new", operation, input=content, refused=second.value)
            else:
                self.report("new", operation, input=content, cached=second.cache_status if second.is_hit else None)

    def compare_errors(self):
        for operation, content in self.scene["errors"]:
            try:
                direct = self.call(self.direct, operation, content)
                if not direct.is_error:
                    raise Unspoken("accepted straight")
                through = [self.call(self.through, operation, content) for _ in range(2)]
            except Unspoken as error:
                self.report("left out", operation, reason=str(error))
                continue
            wrong = next(filter(None, (difference(direct.value, each.value) for each in through)), None)
            self.report("error", operation, input=content, wrong=wrong)

    def write_through(self):
        """After each write through the gateway, every read of the service through it is what it is directly."""
        letter = ROUNDS[1]
        before = self.reads(self.direct)
        self.reads(self.through)
        for operation, content, *keep in self.scene["makes"] + self.scene["ends"]:
            try:
                answer = self.call(self.through, operation, filled(content, self.names[letter]))
            except (Unspoken, KeyError) as error:
                self.report("left out", operation, reason=str(error))
                continue
            if answer.is_error:
                self.report("write", operation, refused=answer.value, input=filled(content, self.names[letter]))
                continue
            self.keep(answer, keep, letter)
            through, after = self.reads(self.through), self.reads(self.direct)
            old = {name: found for name in after if (found := difference(after[name], through[name]))}
            self.report("write", operation, old=old, shown=any(after[name] != before.get(name) for name in after))
            before = after

    def reads(self, client):
        """The answers of all reads of both rounds for which there are names."""
        answers = {}
        for operation, content in self.scene["reads"]:
            for letter in ROUNDS if is_by_round(content) else ROUNDS[:1]:
                try:
                    one = filled(content, self.names[letter])
                    answers[f"{operation} {json.dumps(one)}"] = self.call(client, operation, one).value
                except (Unspoken, KeyError):
                    continue
        return answers


def main():
    job = json.load(sys.stdin)
    for service in SCENES:
        if service not in job["kinds"]:
            continue
        try:
            scene = Scene(service, job)
        except Unspoken as error:
            print(json.dumps({"service": service, "part": "left out", "operation": "*", "reason": str(error)}))
            continue
        scene.run()
    print(json.dumps({"part": "end", "boto3": boto3.__version__}))


if __name__ == "__main__":
    main()
