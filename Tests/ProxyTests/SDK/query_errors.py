"""query_errors.py GATEWAY ORIGIN: what botocore makes of the errors of SQS, a service that once had the query protocol, through the
gateway and straight. Prints what differs, then 'same', then the code of an error that the gateway words itself.
"""

import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


def client(url):
    return boto3.client("sqs", endpoint_url=url, config=Config(retries={"total_max_attempts": 1}))


def seen(sqs, name):
    """The exception's class, and what it holds but ids and dates."""
    try:
        sqs.get_queue_url(QueueName=name)
    except ClientError as error:
        return type(error).__name__, error.response["Error"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    return None


gateway, origin = (client(url) for url in sys.argv[1:])
expected = seen(origin, "missing")
assert expected[0] == "QueueDoesNotExist", expected
assert expected[1]["Code"] == "AWS.SimpleQueueService.NonExistentQueue", expected
# The second one comes from the cache.
for number in range(2):
    found = seen(gateway, "missing")
    if found != expected:
        print(found, expected)
print("same")
try:
    gateway.get_queue_url(QueueName="other")
    print("no error")
except ClientError as error:
    print(error.response["Error"]["Code"], error.response["Error"]["Type"])
