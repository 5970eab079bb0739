"""Asks a gateway for all that it must do wherever it runs: get ready, serve a page, be scraped, and end in order."""

import contextlib
import http.client
import json
import os
import re
import signal
import time

# Seconds. A debug build under load needs the first; the configuration's `drain` is below the last.
START, ANSWER, END = 8, 5, 6
TARGET = "ListFraudsterRegistrationJobs"


class Failed(Exception):
    """A gateway, or its surroundings, are not as they must be; the text says how."""


class Gateway:
    """A gateway's process, a child of this one, and its two listeners on 127.0.0.1."""

    def __init__(self, pid, client_port, admin_port):
        self.pid = pid
        self.client_port = client_port
        self.admin_port = admin_port
        self.status = None

    def has_ended(self):
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = status if pid else None
        return self.status is not None

    def end_spelled(self):
        code = os.waitstatus_to_exitcode(self.status)
        return f"exit {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"

    def kill(self):
        if not self.has_ended():
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)

    # MARK: Requests

    def ask(self, port, method, path, body=None, fields={}):
        """Status, fields and body of an answer."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER)) as connection:
            connection.request(method, path, body, fields)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()

    def call(self, operation, **members):
        """The answer to a call of the service: its fields and members."""
        fields = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"VoiceID.{operation}"}
        status, answered, body = self.ask(self.client_port, "POST", "/", json.dumps(members), fields)
        if status != 200:
            raise Failed(f"{operation}: {status} {body.decode(errors='replace')}")
        return answered, json.loads(body)

    def answers(self):
        """Returns true if the client listener answers now; raises `Failed` if the process is gone."""
        if self.has_ended():
            raise Failed(f"it has ended: {self.end_spelled()}")
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.ask(self.client_port, "GET", "/healthz")[0] == 200
        return False

    # MARK: What must be seen

    def wait_until_ready(self):
        last = "nothing"

        def is_ready():
            nonlocal last
            if self.has_ended():
                raise Failed(f"it ended at the start: {self.end_spelled()}")
            try:
                status, _, body = self.ask(self.admin_port, "GET", "/readyz")
                last = f"{status} {body.decode(errors='replace').strip()}"
            except (OSError, http.client.HTTPException) as error:
                # Connections are refused until it listens.
                if not isinstance(error, ConnectionRefusedError):
                    last = f"{type(error).__name__}: {error}"
                return False
            return status == 200

        if not wait_until(is_ready, START):
            raise Failed(f"not ready in {START} s; last seen at /readyz: {last}")
        status, _, body = self.ask(self.client_port, "GET", "/readyz")
        if status != 200:
            raise Failed(f"/readyz of the client listener: {status} {body.decode(errors='replace').strip()}")

    def serve_a_page(self):
        """The same page twice: fetched, then from the cache."""
        _, listed = self.call("ListDomains", MaxResults=10)
        domain = listed["DomainSummaries"][0]["DomainId"]
        for expected in ("fwd=miss", "hit"):
            fields, page = self.call(TARGET, DomainId=domain, JobStatus="COMPLETED", MaxResults=3)
            if not page["JobSummaries"] or any(job["DomainId"] != domain for job in page["JobSummaries"]):
                raise Failed(f"{TARGET}: the page is {page}")
            if expected not in (fields["Cache-Status"] or ""):
                raise Failed(f"{TARGET}: Cache-Status is {fields['Cache-Status']}, not {expected}")
        return len(page["JobSummaries"])

    def be_scraped(self):
        """The number of samples that both listeners show, the hit that was served among them."""
        samples = {}
        for name, port in (("client", self.client_port), ("admin", self.admin_port)):

            def shows_the_hit():
                status, fields, body = self.ask(port, "GET", "/metrics")
                if status != 200 or not fields["Content-Type"].startswith("text/plain"):
                    raise Failed(f"/metrics of the {name} listener: {status} {fields['Content-Type']}")
                samples[name] = [line for line in body.decode().splitlines() if line and not line.startswith("#")]
                counter = re.compile(r'jobsproxy_requests_total\{(?=.*"%s")(?=.*outcome="hit").*\} 1$' % TARGET)
                return any(counter.match(line) for line in samples[name])

            # A scrape may be a moment old.
            if not wait_until(shows_the_hit, ANSWER):
                raise Failed(f"/metrics of the {name} listener never shows the hit")
        return min(map(len, samples.values()))

    def end_in_order(self):
        """Seconds from SIGTERM to exit 0, while a connection stays open that has had its answer."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.client_port, timeout=ANSWER)) as idle:
            idle.request("GET", "/healthz")
            idle.getresponse().read()
            begun = time.monotonic()
            os.kill(self.pid, signal.SIGTERM)
            if not wait_until(self.has_ended, END):
                raise Failed(f"it has not ended {END} s after SIGTERM")
        if self.status != 0:
            raise Failed(f"it ended after SIGTERM with {self.end_spelled()}")
        return time.monotonic() - begun


def wait_until(condition, seconds):
    """Returns false if the condition does not hold in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
