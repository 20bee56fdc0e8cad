"""Chromium without a window, driven over a pipe by Chrome's DevTools Protocol: a page, and pictures of it at any
moment."""
# SPDX-License-Identifier: MIT
import base64
import fcntl
import json
import os
import selectors
import subprocess
import time

FIRST_FREE = 10  # the browser reads commands from descriptor 3 and answers on 4


class Failure(Exception):
    """The browser has ended, refused, or did not answer within the bound."""


def above(descriptor):
    """The same, out of the way of 3 and 4."""
    other = fcntl.fcntl(descriptor, fcntl.F_DUPFD, FIRST_FREE)
    os.close(descriptor)
    return other


class Browser:
    """Use as a context manager. `folder` takes what the browser keeps; an answer comes within `bound_s`."""

    def __init__(self, program, folder, url, bound_s, size=(1000, 700)):
        self.bound_s, self.number, self.rest = bound_s, 0, b""
        theirs_in, self.ours_out = (above(end) for end in os.pipe())
        self.ours_in, theirs_out = (above(end) for end in os.pipe())
        command = [program, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run",
                   f"--user-data-dir={os.path.join(folder, 'chromium')}", f"--window-size={size[0]},{size[1]}"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=(3, 4),
            preexec_fn=lambda: (os.dup2(theirs_in, 3), os.dup2(theirs_out, 4)))
        os.close(theirs_in)
        os.close(theirs_out)
        self.session = None
        try:
            target = self.call("Target.createTarget", url=url)["targetId"]
            self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(self.bound_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.ours_out)
        os.close(self.ours_in)

    def message(self, end):
        """The next one from the browser: they end in a zero byte."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.ours_in, selectors.EVENT_READ)
            while b"\0" not in self.rest:
                if not selector.select(max(0, end - time.monotonic())):
                    raise Failure("Chromium does not answer")
                more = os.read(self.ours_in, 1 << 16)
                if not more:
                    raise Failure("Chromium has ended")
                self.rest += more
        text, self.rest = self.rest.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, **parameters):
        """Returns the result; events in between are nobody's."""
        self.number += 1
        words = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            words["sessionId"] = self.session
        try:
            os.write(self.ours_out, json.dumps(words).encode() + b"\0")
        except BrokenPipeError:
            raise Failure("Chromium has ended") from None
        end = time.monotonic() + self.bound_s
        answer = {}
        while answer.get("id") != self.number:
            answer = self.message(end)
        if "error" in answer:
            raise Failure(f"{method}: {answer['error'].get('message')}")
        return answer["result"]

    def picture(self):
        """A PNG file's bytes of the page as it is now."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
