"""recover.py GATEWAY DOMAIN MODE: asks for more pages than there are tokens; the SDK's own retries get them all."""

import sys

import boto3
from botocore.config import Config

gateway, domain, mode = sys.argv[1:]
client = boto3.client("voice-id", endpoint_url=gateway, config=Config(retries={"mode": mode, "total_max_attempts": 8}))
retries = 0
for size in range(1, 6):
    page = client.list_fraudster_registration_jobs(DomainId=domain, MaxResults=size)
    assert len(page["JobSummaries"]) == size, page
    retries += page["ResponseMetadata"]["RetryAttempts"]
print("retries:", retries)
