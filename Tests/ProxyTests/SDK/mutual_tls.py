"""mutual_tls.py DIRECTORY PORT CLIENT DOMAIN: makes a call with a client's certificate ('-' for none); prints its status
and error type, or 'refused' if the connection is."""

import http.client
import json
import ssl
import sys

directory, port, client, domain = sys.argv[1:]
context = ssl.create_default_context(cafile=f"{directory}/authority.pem")
if client != "-":
    context.load_cert_chain(f"{directory}/{client}.pem", f"{directory}/{client}.key")
connection = http.client.HTTPSConnection("127.0.0.1", int(port), context=context, timeout=10)
try:
    connection.request(
        "POST", "/", json.dumps({"DomainId": domain}), {"X-Amz-Target": "VoiceID.ListFraudsterRegistrationJobs"})
    answer = connection.getresponse()
    answer.read()
    print(answer.status, answer.getheader("x-amzn-ErrorType", "good"))
except (ssl.SSLError, ConnectionError, http.client.RemoteDisconnected):
    print("refused")
