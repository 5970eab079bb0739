"""signed_requests.py COUNT SEED HOST SECRET: requests that botocore signed, each with some that are not what was signed.

A JSON object a line: the request as bytes in base64, what went into it, and its mutations.
"""

import base64
import datetime
import json
import random
import sys

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

KEY = "GWTEST1"
WORDS = ["", "a", "two words", "  ends  ", "many    spaces   in", "tab\there", "comma, list", 'quoted "  text"', "=;/+%20"]


def sign(headers, body, secret, token, timestamp, host):
    request = AWSRequest("POST", f"http://{host}/", data=body)
    for name, value in headers:
        request.headers[name] = value
    auth = SigV4Auth(Credentials(KEY, secret, token), "voiceid", "us-east-1")
    request.context["timestamp"] = timestamp
    auth._modify_request_before_signing(request)
    canonical = auth.canonical_request(request)
    signature = auth.signature(auth.string_to_sign(request, canonical), request)
    auth._inject_signature_to_request(request, signature)
    return [(name, value) for name, value in request.headers.items()]


def raw(headers, body, target="/"):
    lines = [f"POST {target} HTTP/1.1"] + [f"{name}: {value}" for name, value in headers]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def request(rng, host, secret):
    body = rng.choice(
        [b"", b"{}", '{"DomainId":"AAAAAAAAAAAAAAAAAAAAAA"}'.encode(), f'{{"Name":"{"é漢🙂" * rng.randrange(9)}"}}'.encode()])
    headers = [("Host", host), ("X-Amz-Target", "VoiceID.ListFraudsterRegistrationJobs")]
    if rng.random() < 0.8:
        headers.append(("Content-Type", "application/x-amz-json-1.0"))
    names = [f"X-Custom-{rng.choice('ABC')}{n}" for n in range(rng.randrange(5))]
    for name in names:
        for _ in range(rng.choice([1, 1, 2, 3])):
            spelt = rng.choice([name, name.lower(), name.upper()])
            headers.append((spelt, rng.choice(WORDS)))
    rng.shuffle(headers)
    token = rng.choice([None, None, "token/" + "x" * rng.randrange(300)])
    timestamp = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=rng.randrange(-200, 200))
    timestamp = timestamp.strftime("%Y%m%dT%H%M%SZ")
    signed = sign(headers, body, secret, token, timestamp, host)
    return headers, body, token, timestamp, signed


def replaced(headers, name, change):
    return [(n, change(v) if n.lower() == name.lower() else v) for n, v in headers]


def other(rng, text, alphabet):
    """The text with one of its characters replaced by another."""
    place = rng.randrange(len(text))
    return text[:place] + rng.choice([c for c in alphabet if c != text[place]]) + text[place + 1:]


def mutated(rng, headers, body):
    """The request, changed in something that its signature covers, and how."""
    authorization = dict(headers)["Authorization"]
    signed = authorization.split("SignedHeaders=")[1].split(",")[0].split(";")
    kind = rng.choice(
        ["body", "grown", "value", "removed", "added", "signature", "case", "day", "region", "service", "key", "date",
         "fewer", "query", "target"])
    target = "/"
    if kind == "body":
        body = bytes([body[0] ^ 1]) + body[1:] if body else b"{"
    elif kind == "grown":
        body += b" "
    elif kind == "value":
        name = rng.choice(signed)
        # Another port, of which the grammar has nothing to say; to any other value something is added.
        headers = replaced(headers, name, lambda v: v + ("0" if name == "host" else "x"))
    elif kind == "removed":
        name = rng.choice([n for n in signed if n != "host"])
        headers = [(n, v) for n, v in headers if n.lower() != name]
    elif kind == "added":
        singles = ("host", "content-type", "x-amz-date", "x-amz-target", "x-amz-security-token")
        names = [n for n in signed if n not in singles]
        if not names:
            return mutated(rng, headers, body)
        headers = headers + [(rng.choice(names), "more")]
    elif kind in ("signature", "case"):
        digits = authorization.rsplit("=", 1)[1]
        changed = other(rng, digits, "0123456789abcdef") if kind == "signature" else digits.upper()
        if changed == digits:
            return mutated(rng, headers, body)
        headers = replaced(headers, "authorization", lambda v: v.replace(digits, changed))
    elif kind in ("day", "region", "service", "key"):
        scope = authorization.split("Credential=")[1].split(",")[0]
        parts = scope.split("/")
        place = {"key": 0, "day": 1, "region": 2, "service": 3}[kind]
        parts[place] = other(rng, parts[place], "0123456789abc")
        headers = replaced(headers, "authorization", lambda v: v.replace(scope, "/".join(parts)))
    elif kind == "date":
        headers = replaced(headers, "x-amz-date", lambda v: v[:13] + ("00" if v[13:15] != "00" else "01") + "Z")
    elif kind == "fewer":
        dropped = rng.choice(signed)
        rest = ";".join(n for n in signed if n != dropped)
        headers = replaced(headers, "authorization", lambda v: v.replace(";".join(signed), rest))
    elif kind == "query":
        target = "/?a=b"
    elif kind == "target":
        headers = replaced(headers, "x-amz-target", lambda v: "VoiceID.ListDomains")
    return kind, raw(headers, body, target)


def encoded(data):
    return base64.b64encode(data).decode()


def main():
    count, seed, host, secret = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
    rng = random.Random(seed)
    for _ in range(count):
        headers, body, token, timestamp, signed = request(rng, host, secret)
        mutations = [mutated(rng, signed, body) for _ in range(5)]
        print(json.dumps({
            "raw": encoded(raw(signed, body)), "body": encoded(body), "token": token, "timestamp": timestamp,
            "headers": headers, "authorization": dict(signed)["Authorization"],
            "mutations": [{"kind": kind, "raw": encoded(data)} for kind, data in mutations]}))


main()
