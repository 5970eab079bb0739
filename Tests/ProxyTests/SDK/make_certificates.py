"""make_certificates.py DIRECTORY: an authority, a server and two clients signed by it, and a client signed by another."""

import subprocess
import sys

directory = sys.argv[1]


def make(name, subject, authority=None, extension="basicConstraints=critical,CA:TRUE"):
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    command += ["-subj", subject, "-keyout", f"{directory}/{name}.key", "-out", f"{directory}/{name}.pem"]
    command += ["-addext", extension]
    if authority:
        command += ["-CA", f"{directory}/{authority}.pem", "-CAkey", f"{directory}/{authority}.key"]
    subprocess.run(command, check=True, capture_output=True)


make("authority", "/CN=authority")
make("stranger", "/CN=stranger")
make("server", "/CN=server", "authority", "subjectAltName=DNS:localhost,IP:127.0.0.1")
make("dashboard", "/O=Example/CN=dashboard", "authority", "subjectAltName=DNS:dashboard.example")
make("report", "/CN=report", "authority", "subjectAltName=DNS:report.example")
make("nobody", "/CN=nobody", "authority", "subjectAltName=DNS:nobody.example")
make("forged", "/O=Example/CN=dashboard", "stranger", "subjectAltName=DNS:dashboard.example")
