"""The program of the AWS CLI: `cli.py AWS walk [SIZE]` or `cli.py AWS create NAME`, AWS being the command; see ../kits.py."""

import json
import os
import re
import subprocess
import sys

ERROR = re.compile(r"^(?:aws: \[ERROR\]: )?An error occurred \((\w+)\) when calling", re.MULTILINE)
VERSION = re.compile(r"CLI version: aws-cli/(\S+)")
STATUS = re.compile(r"Response headers: .*'cache-status': '([^']*)'", re.IGNORECASE)


def main():
    command, verb, *arguments = sys.argv[1:]
    if verb == "create":
        words = ["create-state-machine", "--name", *arguments, "--definition", os.environ["DEFINITION"],
                 "--role-arn", os.environ["ROLE"]]
    else:
        words = ["list-state-machines", *(word for size in arguments for word in ("--page-size", size))]
    # Only its log shows header fields.
    ended = subprocess.run(
        [command, "stepfunctions", *words, "--endpoint-url", os.environ["ENDPOINT"], "--output", "json", "--debug"],
        capture_output=True, text=True)
    error = ERROR.search(ended.stderr)
    if ended.returncode and not error:
        sys.exit("\n".join(ended.stderr.splitlines()[-5:]))
    machines = [] if error or verb == "create" else json.loads(ended.stdout)["stateMachines"]
    version = VERSION.search(ended.stderr)
    print(json.dumps({
        "version": version[1] if version else "",
        "machines": [[each["name"], each["stateMachineArn"], each["type"], str(each["creationDate"])] for each in machines],
        "statuses": STATUS.findall(ended.stderr), "error": error[1] if error else ""}))


if __name__ == "__main__":
    main()
