"""through_proxy.py ENDPOINT DOMAIN: lists jobs, through whatever proxy the environment names."""

import sys

import boto3

endpoint, domain = sys.argv[1:]
client = boto3.client("voice-id", endpoint_url=endpoint)
print(client.list_fraudster_registration_jobs(DomainId=domain)["JobSummaries"])
