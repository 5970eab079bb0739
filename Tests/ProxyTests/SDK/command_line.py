"""command_line.py GATEWAY DOMAIN: what the AWS CLI prints."""

import subprocess
import sys

gateway, domain = sys.argv[1:]
command = ["aws", "voice-id", "list-fraudster-registration-jobs", "--endpoint-url", gateway, "--region", "us-east-1"]
subprocess.run(command + ["--domain-id", domain, "--job-status", "COMPLETED"], check=True)
