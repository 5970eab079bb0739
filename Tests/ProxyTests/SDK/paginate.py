"""paginate.py GATEWAY SANDBOX DOMAIN: the jobs of a domain, page by page, must be the same both ways."""

import sys

import boto3
from botocore.config import Config


def client(url):
    return boto3.client("voice-id", endpoint_url=url, config=Config(retries={"max_attempts": 1}))


def jobs(url, domain, status, size):
    arguments = {"DomainId": domain, "PaginationConfig": {"PageSize": size}}
    if status:
        arguments["JobStatus"] = status
    pages = list(client(url).get_paginator("list_fraudster_registration_jobs").paginate(**arguments))
    return [job for page in pages for job in page["JobSummaries"]], len(pages)


gateway, sandbox, domain = sys.argv[1:]
walked = 0
for size in (1, 7, 100):
    for status in (None, "SUBMITTED", "IN_PROGRESS", "COMPLETED", "COMPLETED_WITH_ERRORS", "FAILED"):
        through, pages = jobs(gateway, domain, status, size)
        direct, _ = jobs(sandbox, domain, status, size)
        assert through == direct, (status, size, len(through), len(direct))
        assert all(job["JobStatus"] == status for job in through) if status else len(through) == 250
        walked = max(walked, pages)
assert walked >= 10, walked
print("same")
