"""The requests that are sent: those of an AWS SDK, headers and all, signed for real where it matters."""

import datetime
import hashlib
import hmac
import http.client
import json

HIT = (
    "VoiceID.ListFraudsterRegistrationJobs",
    '{"DomainId": "AAAAAAAAAAAAAAAAAAAAAA", "JobStatus": "COMPLETED", "MaxResults": 100}')
LIVE = ("VoiceID.EvaluateSession", '{"DomainId": "AAAAAAAAAAAAAAAAAAAAAA", "SessionNameOrId": "session"}')
KEY, SECRET = "GWBENCH", "bench+secret"


def page():
    """A page of about 2.3 KB, as the service lists jobs."""
    jobs = [
        {
            "CreatedAt": 1763985600.0 + index, "DataAccessRoleArn": "arn:aws:iam::123456789012:role/voice-id-access",
            "DomainId": "AAAAAAAAAAAAAAAAAAAAAA", "JobId": f"{index:022d}", "JobName": f"registration-{index}",
            "JobStatus": "COMPLETED", "EndedAt": 1763985900.0 + index, "JobProgress": {"PercentComplete": 100}}
        for index in range(8)]
    return json.dumps({"JobSummaries": jobs, "NextToken": "t" * 160})


def headers(port, target, body, signed):
    """The header fields of a request as botocore sends it; the signature is good for five minutes."""
    now = datetime.datetime.now(datetime.timezone.utc)
    date = now.strftime("%Y%m%dT%H%M%SZ")
    fields = {
        "Host": f"127.0.0.1:{port}", "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": target, "X-Amz-Date": date}
    names = ";".join(sorted(name.lower() for name in fields))
    scope = f"{date[:8]}/us-east-1/voiceid/aws4_request"
    key, secret = (KEY, SECRET) if signed else ("AKIDEXAMPLE", "unknown")
    fields["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, "
        f"Signature={signature(fields, names, date, scope, secret, body)}")
    fields["User-Agent"] = (
        "Boto3/1.43.11 md/Botocore#1.43.11 ua/2.1 os/linux#6.18 md/arch#x86_64 lang/python#3.11.7 md/pyimpl#CPython "
        "m/N,D,b,Z,e cfg/retry-mode#legacy Botocore/1.43.11")
    fields["amz-sdk-invocation-id"] = "9899e897-7d51-4429-bb78-b49a91dd5493"
    fields["amz-sdk-request"] = "attempt=1"
    return fields


def signature(fields, names, date, scope, secret, body):
    """AWS Signature Version 4 of a POST to /."""
    lowered = {name.lower(): value for name, value in fields.items()}
    lines = "".join(f"{name}:{lowered[name]}\n" for name in names.split(";"))
    canonical = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body.encode()).hexdigest()}"
    text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{secret}".encode()
    for part in [*scope.split("/"), text]:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex()


def send(port, call, signed=False):
    """(status, body) of one request over a connection of its own."""
    target, body = call
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", "/", body, headers(port, target, body, signed))
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def raw(port, call, signed=False):
    """The bytes of one request."""
    target, body = call
    fields = {**headers(port, target, body, signed), "Content-Length": len(body)}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST / HTTP/1.1\r\n{lines}\r\n{body}".encode()


def script(port, call, signed=False):
    """The same as a script for wrk."""
    target, body = call
    lines = ['wrk.method = "POST"', f"wrk.body = {json.dumps(body)}"]
    for name, value in headers(port, target, body, signed).items():
        lines.append(f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}")
    return "\n".join(lines) + "\n"
