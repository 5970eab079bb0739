"""recover_command_line.py GATEWAY DOMAIN: five AWS CLIs at once ask for more pages than there are tokens."""

import os
import subprocess
import sys

gateway, domain = sys.argv[1:]
command = ["aws", "voice-id", "list-fraudster-registration-jobs", "--endpoint-url", gateway, "--region", "us-east-1"]
command += ["--domain-id", domain, "--no-paginate", "--max-results"]
environment = dict(os.environ, AWS_MAX_ATTEMPTS="8")
clients = [subprocess.Popen(command + [str(size)], env=environment, stdout=subprocess.PIPE) for size in range(1, 6)]
for size, client in enumerate(clients, 1):
    output, _ = client.communicate()
    assert client.returncode == 0, size
    assert output.count(b'"JobId"') == size, output
print("answered")
