"""The program of boto3: `boto.py walk [SIZE]` or `boto.py create NAME`, see ../kits.py."""

import json
import os
import sys

import boto3
import botocore.exceptions


def main():
    client = boto3.client("stepfunctions", endpoint_url=os.environ["ENDPOINT"])
    answer = {"version": boto3.__version__, "machines": [], "statuses": [], "error": ""}
    try:
        run(client, answer)
    except botocore.exceptions.ClientError as error:
        answer["error"] = error.response["Error"]["Code"]
    print(json.dumps(answer))


def run(client, answer):
    if sys.argv[1] == "create":
        client.create_state_machine(
            name=sys.argv[2], definition=os.environ["DEFINITION"], roleArn=os.environ["ROLE"])
        return
    sizes = {"PageSize": int(size) for size in sys.argv[2:]}
    for page in client.get_paginator("list_state_machines").paginate(PaginationConfig=sizes):
        answer["statuses"].append(page["ResponseMetadata"]["HTTPHeaders"].get("cache-status", ""))
        answer["machines"] += [
            [each["name"], each["stateMachineArn"], each["type"], str(each["creationDate"])] for each in page["stateMachines"]]


if __name__ == "__main__":
    main()
