"""stream_over_http2.py PORT: tails logs over HTTP/2, and calls another operation after the first part, upon which the service sends
the next. Prints the status and each part as it comes."""

import socket
import sys

import h2.config
import h2.connection
import h2.events

port = int(sys.argv[1])
connection = socket.create_connection(("127.0.0.1", port), timeout=20)
machine = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
machine.initiate_connection()


def call(stream, operation, body):
    head = [(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", f"localhost:{port}")]
    machine.send_headers(stream, head + [("x-amz-target", f"Logs_20140328.{operation}")])
    machine.send_data(stream, body, end_stream=True)
    connection.sendall(machine.data_to_send())


call(1, "StartLiveTail", b'{"logGroupIdentifiers":["g"]}')
parts, ended = 0, False
while not ended:
    data = connection.recv(65536)
    if not data:
        sys.exit("the connection has ended")
    for event in machine.receive_data(data):
        if event.stream_id != 1 if hasattr(event, "stream_id") else True:
            continue
        if isinstance(event, h2.events.ResponseReceived):
            print(dict(event.headers)[":status"])
        elif isinstance(event, h2.events.DataReceived) and event.data:
            print(event.data.decode())
            parts += 1
            if parts == 1:
                call(3, "DescribeDestinations", b"{}")
        elif isinstance(event, h2.events.StreamReset):
            sys.exit(f"reset: {event.error_code}")
        elif isinstance(event, h2.events.StreamEnded):
            ended = True
    connection.sendall(machine.data_to_send())
print("end")
