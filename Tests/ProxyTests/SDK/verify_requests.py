"""verify_requests.py FILE REGION SERVICE KEY SECRET: counts the requests in FILE, a JSON object a line, that botocore would
have signed with the signature that they carry."""

import base64
import json
import sys

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

path, region, service, key, secret = sys.argv[1:]
good = 0
for line in open(path, encoding="utf-8"):
    sent = json.loads(line)
    fields = {name.lower(): value for name, value in sent["headers"]}
    algorithm, _, rest = fields["authorization"].partition(" ")
    assert algorithm == "AWS4-HMAC-SHA256", algorithm
    parameters = dict(part.strip().split("=", 1) for part in rest.split(","))
    signed = parameters["SignedHeaders"].split(";")
    assert {"host", "x-amz-date", "x-amz-target"} <= set(signed), signed
    scope = f"{key}/{fields['x-amz-date'][:8]}/{region}/{service}/aws4_request"
    assert parameters["Credential"] == scope, parameters["Credential"]
    request = AWSRequest(
        sent["method"], f"http://{fields['host']}{sent['target']}", data=base64.b64decode(sent["body"]),
        headers={name: fields[name] for name in signed})
    request.context["timestamp"] = fields["x-amz-date"]
    auth = SigV4Auth(Credentials(key, secret, fields.get("x-amz-security-token")), service, region)
    expected = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    good += expected == parameters["Signature"]
print(good, "good")
