"""pages_over_http2.py PORT: what web pages might have a browser send over HTTP/2. Prints the status of each answer; the first
request is one of the operator's own."""

import socket
import sys

import h2.config
import h2.connection
import h2.events

port = int(sys.argv[1])
own = f"localhost:{port}"
requests = [
    (own, []),
    ("rebound.example", []),
    (own, [("origin", "http://evil.example")]),
    (own, [("sec-fetch-site", "cross-site")]),
    (own, [("x-forwarded-for", "127.0.0.1")]),
]
connection = socket.create_connection(("127.0.0.1", port), timeout=10)
machine = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
machine.initiate_connection()
statuses = []
for number, (authority, fields) in enumerate(requests):
    stream = 2 * number + 1
    head = [(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", authority)]
    machine.send_headers(stream, head + [("x-amz-target", "VoiceID.ListDomains")] + fields)
    machine.send_data(stream, b"{}", end_stream=True)
    connection.sendall(machine.data_to_send())
    ended = False
    while not ended:
        for event in machine.receive_data(connection.recv(65536)):
            if isinstance(event, h2.events.ResponseReceived):
                statuses.append(dict(event.headers)[":status"])
            elif isinstance(event, h2.events.StreamEnded):
                ended = True
        connection.sendall(machine.data_to_send())
print(*statuses)
