"""http2_signatures.py GATEWAY_PROGRAM DIRECTORY: a gateway in front of an HTTP/2 origin that verifies each signature with
botocore and lets every third call fail at first. Prints how many requests came, and how many of them were good.

DIRECTORY holds what make_certificates.py makes.
"""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading

import boto3
import h2.config
import h2.connection
import h2.events
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

program, directory = sys.argv[1:]
KEY, SECRET = "UPSTREAM1", os.environ["UPSTREAM_SECRET"]
seen = []


def is_good(fields, body):
    """Whether botocore would have signed the request like that."""
    parameters = dict(part.strip().split("=", 1) for part in fields["authorization"].partition(" ")[2].split(","))
    signed = {name: fields[":authority" if name == "host" else name] for name in parameters["SignedHeaders"].split(";")}
    request = AWSRequest("POST", f"https://{fields[':authority']}/", data=body, headers=signed)
    request.context["timestamp"] = fields["x-amz-date"]
    auth = SigV4Auth(Credentials(KEY, SECRET), "voiceid", "us-east-1")
    expected = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    return {"host", "x-amz-date", "x-amz-target"} <= set(signed) and expected == parameters["Signature"]


def serve(raw, context):
    with context.wrap_socket(raw, server_side=True) as connection:
        assert connection.selected_alpn_protocol() == "h2"
        machine = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        machine.initiate_connection()
        connection.sendall(machine.data_to_send())
        requests = {}
        while data := connection.recv(65536):
            for event in machine.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    requests[event.stream_id] = (dict(event.headers), b"")
                elif isinstance(event, h2.events.DataReceived):
                    fields, body = requests[event.stream_id]
                    requests[event.stream_id] = (fields, body + event.data)
                    machine.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    fields, body = requests.pop(event.stream_id)
                    seen.append(is_good(fields, body))
                    fails = len(seen) % 3 == 1
                    answer = {"__type": "InternalServerException"} if fails else {"JobSummaries": []}
                    content = json.dumps(answer).encode()
                    head = [(":status", "500" if fails else "200"), ("content-type", "application/x-amz-json-1.0"),
                            ("content-length", str(len(content)))]
                    machine.send_headers(event.stream_id, head)
                    machine.send_data(event.stream_id, content, end_stream=True)
            connection.sendall(machine.data_to_send())


def accept(listener, context):
    while True:
        raw, _ = listener.accept()
        threading.Thread(target=serve, args=(raw, context), daemon=True).start()


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(f"{directory}/server.pem", f"{directory}/server.key")
context.set_alpn_protocols(["h2"])
listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=accept, args=(listener, context), daemon=True).start()

with open(f"{directory}/gateway.yaml", "w", encoding="utf-8") as file:
    file.write(f"""
listen: {{address: "127.0.0.1:0"}}
admin: {{address: "127.0.0.1:0"}}
services:
  - endpoint: https://127.0.0.1:{listener.getsockname()[1]}
    caBundle: {directory}/authority.pem
    credentials: {{accessKeyId: {KEY}, secretAccessKey: {{env: UPSTREAM_SECRET}}}}
    quotas: {{batch: {{rate: 1000}}}}
retry: {{budget: {{reserve: 1000}}}}
""")
gateway = subprocess.Popen([program, "serve", "--config", file.name], stdout=subprocess.PIPE, text=True)
try:
    url = gateway.stdout.readline().split()[-1]
    client = boto3.client("voice-id", endpoint_url=url, config=Config(retries={"total_max_attempts": 1}))
    for number in range(1, 31):
        client.list_fraudster_registration_jobs(DomainId="A" * 22, MaxResults=number)
finally:
    gateway.send_signal(signal.SIGTERM)
    gateway.wait(timeout=20)
print(len(seen), "requests,", sum(seen), "good")
