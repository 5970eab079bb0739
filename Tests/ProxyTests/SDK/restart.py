"""restart.py GATEWAY_PROGRAM ORIGIN_URL: holds the listening sockets of a gateway and replaces it three times while eight clients
keep it busy, with nothing tried twice. Prints what became of each gateway and of the clients' requests; then of one that is
handed the callers' socket alone, wherever it listens, while the operator's address is still in use; then how a gateway
ends that is handed a socket which is not its own.
"""

import http.client
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "Benchmarks"))
from measuring import handover

program, origin = sys.argv[1:]
BODY = '{"DomainId":"AAAAAAAAAAAAAAAAAAAAAA"}'
HEADERS = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "VoiceID.ListFraudsterRegistrationJobs"}
LIMIT = 20


def listening_socket():
    handle = socket.socket()
    handle.bind(("127.0.0.1", 0))
    handle.listen(128)
    return handle


def start(sockets, **options):
    command, handles = handover.arguments(sockets, [program, "serve", "--config", settings])
    return subprocess.Popen(command, pass_fds=handles, stdin=subprocess.DEVNULL, text=True, **options)


def start_and_wait(sockets):
    process = start(sockets, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    line = process.stdout.readline()
    assert line.startswith("Callers:"), line
    return process


def wait(what, condition):
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.005)


def listens(process, handle):
    """Whether a process has a socket open."""
    name = os.readlink(f"/proc/self/fd/{handle.fileno()}")
    directory = pathlib.Path(f"/proc/{process.pid}/fd")
    try:
        return any(os.readlink(entry) == name for entry in directory.iterdir())
    except OSError:
        return process.poll() is None


class Client(threading.Thread):
    answers, failures, is_over = 0, [], False
    lock = threading.Lock()

    def run(self):
        # It connects anew after an answer that said it was the last, and only then.
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)
        while not Client.is_over:
            try:
                connection.request("POST", "/", BODY, HEADERS)
                answer = connection.getresponse()
                text = answer.read()
                assert answer.status == 200, f"{answer.status}: {text}"
            except Exception as failure:
                with Client.lock:
                    Client.failures.append(repr(failure))
                connection.close()
                continue
            with Client.lock:
                Client.answers += 1
        connection.close()


def more_answers(count):
    before = Client.answers
    wait(f"{count} answers", lambda: Client.answers >= before + count or Client.failures)


with tempfile.TemporaryDirectory() as directory:
    callers, admin, foreign = (listening_socket() for _ in range(3))
    port = callers.getsockname()[1]
    settings = directory + "/gateway.yaml"
    pathlib.Path(settings).write_text(f"""\
listen: {{address: "127.0.0.1:{port}"}}
admin: {{address: "127.0.0.1:{admin.getsockname()[1]}"}}
services: [{{catalog: voice-id, endpoint: "{origin}", quotas: {{batch: {{rate: 10000, burst: 10000}}}},
            credentials: {{accessKeyId: UPSTREAM1, secretAccessKey: {{env: UPSTREAM_SECRET}}}}}}]
limits: {{caller: {{rate: 1000000, burst: 1000000}}}}
drain: 8s
log: {{access: off}}
""")
    gateway = start_and_wait([callers, admin])
    try:
        clients = [Client() for _ in range(8)]
        for client in clients:
            client.start()
        for _ in range(3):
            more_answers(100)
            begun = time.monotonic()
            gateway.send_signal(signal.SIGTERM)
            # One after the other: where two accept from one socket, NIO's debug builds stop when one finds nothing left.
            wait("the end of listening", lambda: not listens(gateway, callers))
            old, gateway = gateway, None
            gateway = start_and_wait([callers, admin])
            old.wait(LIMIT)
            print(f"ended with {old.returncode}, {'in' if time.monotonic() - begun < 8 else 'not in'} time")
        more_answers(100)
        Client.is_over = True
        for client in clients:
            client.join()
        print(f"failed: {Client.failures}")
        assert Client.failures or Client.answers >= 400
    finally:
        Client.is_over = True
        if gateway is not None:
            gateway.kill()
            gateway.wait()

    # The one before keeps the operator's address until its idle connection has had time for another request.
    elsewhere = listening_socket()
    settings = directory + "/alone.yaml"
    spare = listening_socket()
    operator = spare.getsockname()[1]
    spare.close()
    pathlib.Path(settings).write_text(f"""\
listen: {{address: "127.0.0.1:{port}"}}
admin: {{address: "127.0.0.1:{operator}"}}
log: {{access: off}}
drain: 8s
""")
    old = start_and_wait([elsewhere])
    idle = socket.create_connection(elsewhere.getsockname())
    try:
        old.send_signal(signal.SIGTERM)
        wait("the end of listening", lambda: not listens(old, elsewhere))
        new = start_and_wait([elsewhere])
        try:
            was_there = old.poll() is None
            old.wait(LIMIT)

            def serves(number):
                try:
                    connection = http.client.HTTPConnection("127.0.0.1", number, timeout=LIMIT)
                    connection.request("GET", "/healthz")
                    return connection.getresponse().status == 200
                except OSError:
                    return False

            wait("the operator's listener", lambda: serves(operator))
            print(f"one socket alone: {was_there} {serves(elsewhere.getsockname()[1])}")
        finally:
            new.kill()
            new.wait()
    finally:
        idle.close()
        old.kill()
        old.wait()

    settings = directory + "/gateway.yaml"
    refused = start([callers, foreign], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, words = refused.communicate(timeout=LIMIT)
    named = f"127.0.0.1:{foreign.getsockname()[1]} was handed over" in words and "admin.address" in words
    print(f"a foreign socket: {refused.returncode}, {'named' if named else words}")
