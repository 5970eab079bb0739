"""Drives a headless Chromium through its DevTools protocol, over a pipe: no other program, no port, nothing to install but
Debian's package `chromium`.

    with Chromium() as browser:
        page = browser.open("http://127.0.0.1:9090/")
        page.evaluate("document.title")
"""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-extensions", "--no-first-run", "--hide-scrollbars", "--mute-audio",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--lang=en",
    "--remote-debugging-pipe"]


class Failure(Exception):
    """The browser answers with an error, or not in time."""


class Chromium:
    def __init__(self):
        self.number, self.pages, self.rest = 0, {}, b""
        self.profile = tempfile.mkdtemp(prefix="chromium.")
        commands, self.commands = os.pipe()
        self.replies, replies = os.pipe()

        def hand_over():
            # The browser reads commands from descriptor 3 and writes to 4. Both are moved away first: either may be there already.
            first, second = os.dup(commands), os.dup(replies)
            os.dup2(first, 3)
            os.dup2(second, 4)

        self.program = subprocess.Popen(
            ["chromium", *FLAGS, f"--user-data-dir={self.profile}"], preexec_fn=hand_over, pass_fds=(3, 4, commands, replies),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(commands)
        os.close(replies)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.terminate()
        self.program.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    def open(self, url="about:blank"):
        target = self.send("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.send("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        page = self.pages[session] = Page(self, session)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.send(f"{domain}.enable")
        if url != "about:blank":
            page.go(url)
        return page

    def send(self, method, parameters=None, session=None, seconds=60):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters or {}}
        if session:
            message["sessionId"] = session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + seconds
        while True:
            reply = self.receive(end)
            if reply.get("id") == self.number:
                if "error" in reply:
                    raise Failure(f"{method}: {reply['error']['message']}")
                return reply["result"]

    def receive(self, end):
        """The next message. Events are noted by their page on the way."""
        while b"\0" not in self.rest:
            if not select.select([self.replies], [], [], max(0, end - time.monotonic()))[0]:
                raise Failure("the browser does not answer")
            part = os.read(self.replies, 1 << 20)
            if not part:
                raise Failure("the browser has ended")
            self.rest += part
        line, _, self.rest = self.rest.partition(b"\0")
        message = json.loads(line)
        if message.get("sessionId") in self.pages and "method" in message:
            self.pages[message["sessionId"]].note(message["method"], message["params"])
        return message


class Page:
    def __init__(self, browser, session):
        self.browser, self.session = browser, session
        # What went wrong in the page: exceptions, and messages of the console that are errors.
        self.errors = []
        self.responses = {}

    def send(self, method, parameters=None):
        return self.browser.send(method, parameters, self.session)

    def note(self, method, parameters):
        if method == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(parameters["exceptionDetails"])[:400])
        elif method == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
            self.errors.append(f"{parameters['entry']['text']} {parameters['entry'].get('url', '')}")
        elif method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "assert", "warning"):
            self.errors.append(json.dumps(parameters["args"])[:400])
        elif method == "Network.responseReceived":
            self.responses[parameters["response"]["url"]] = parameters["response"]

    def go(self, url):
        if text := self.send("Page.navigate", {"url": url}).get("errorText"):
            raise Failure(f"{url}: {text}")
        self.wait_for("document.readyState === 'complete'")

    def evaluate(self, expression):
        result = self.send("Runtime.evaluate", {"expression": expression, "returnByValue": True, "awaitPromise": True})
        if "exceptionDetails" in result:
            raise Failure(f"{expression}: {json.dumps(result['exceptionDetails'])[:400]}")
        return result["result"].get("value")

    def wait_for(self, expression, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if value := self.evaluate(expression):
                return value
            time.sleep(0.02)
        raise Failure(f"waited {seconds} s for {expression}")

    def look_like(self, width, height, scheme="light", scale=1, is_phone=False, reduced=False):
        self.send("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": is_phone})
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        if reduced:
            features.append({"name": "prefers-reduced-motion", "value": "reduce"})
        self.send("Emulation.setEmulatedMedia", {"features": features})

    def screenshot(self, path, quality=80):
        data = self.send("Page.captureScreenshot", {"format": "webp", "quality": quality, "optimizeForSpeed": False})["data"]
        path.write_bytes(base64.b64decode(data))

    def press(self, key):
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", {"type": kind, "key": key, "code": key})

    def close(self):
        self.send("Page.close")
