"""live_tail.py ENDPOINT: tails logs, and calls another operation after the first event, upon which the service sends the next. Prints
each event as it comes."""

import sys

import boto3
from botocore.config import Config

config = Config(inject_host_prefix=False, retries={"total_max_attempts": 1}, read_timeout=30)
client = boto3.client("logs", endpoint_url=sys.argv[1], config=config)
for event in client.start_live_tail(logGroupIdentifiers=["g"])["responseStream"]:
    if "sessionStart" in event:
        print("sessionStart", event["sessionStart"]["sessionId"])
        client.describe_destinations()
    else:
        print("sessionUpdate", event["sessionUpdate"]["sessionResults"][0]["message"])
print("end")
