"""throttle.py GATEWAY DOMAIN: asks for pages until the gateway refuses one."""

import sys

import boto3
from botocore.config import Config

gateway, domain = sys.argv[1:]
client = boto3.client("voice-id", endpoint_url=gateway, config=Config(retries={"total_max_attempts": 1}))
try:
    for size in range(1, 20):
        client.list_fraudster_registration_jobs(DomainId=domain, MaxResults=size)
except client.exceptions.ThrottlingException as error:
    metadata = error.response["ResponseMetadata"]
    assert metadata["HTTPStatusCode"] == 400, metadata
    assert 0 < int(metadata["HTTPHeaders"]["x-amz-retry-after"]) < 10_000, metadata
    assert "quota group 'batch'" in error.response["Error"]["Message"], error
    print("throttled")
