"""other_protocol.py GATEWAY: what botocore's reader of rpc-v2-cbor makes of the gateway's answer to a call in that protocol."""

import sys
import urllib.error
import urllib.request

import botocore.parsers

request = urllib.request.Request(
    f"{sys.argv[1]}/service/Things/operation/ListThings", b"\xa0",
    {"Smithy-Protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"})
try:
    urllib.request.urlopen(request)
except urllib.error.HTTPError as answer:
    fields = {name.lower(): value for name, value in answer.headers.items()}
    assert fields["smithy-protocol"] == "rpc-v2-cbor", fields
    response = {"status_code": answer.code, "headers": fields, "body": answer.read()}
    error = botocore.parsers.create_parser("smithy-rpc-v2-cbor").parse(response, None)
    print(error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Code"])
    print(error["Error"]["Message"])
