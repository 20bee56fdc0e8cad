"""A client of the control socket, and one of qtest: lines and JSON over a UNIX socket, each wait with a
bound."""
# SPDX-License-Identifier: MIT
import json
import os
import socket
import time

BOUND_S = 60  # of one answer; a build with sanitizers on a busy machine takes its time


class Failure(Exception):
    """An answer did not come, or is not what it must be."""


def connect(path, bound_s=BOUND_S):
    """Connects to a socket that a program that was just started is about to make."""
    end = time.monotonic() + bound_s
    while True:
        client = socket.socket(socket.AF_UNIX)
        try:
            client.connect(path)
            client.settimeout(bound_s)
            return client
        except (FileNotFoundError, ConnectionRefusedError):
            client.close()
            if time.monotonic() > end:
                raise Failure(f"nobody listens at {path}") from None
            time.sleep(0.01)


class Lines:
    """Whole lines out of a stream socket."""

    def __init__(self, client):
        self.client, self.rest = client, b""

    def send(self, text):
        self.client.sendall(text if isinstance(text, bytes) else text.encode())

    def line(self):
        """The next line without its end; None at the end of the stream."""
        while b"\n" not in self.rest:
            data = self.client.recv(65536)
            if not data:
                return None
            self.rest += data
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode("utf-8").rstrip("\r")

    def close(self):
        self.client.close()


class Qmp(Lines):
    """Answers in order; events are set aside in `events`."""

    def __init__(self, path, negotiate=True):
        super().__init__(connect(path))
        self.events = []
        self.greeting = self.message()
        if negotiate:
            self("qmp_capabilities")

    def message(self):
        line = self.line()
        if line is None:
            raise Failure("the control socket was closed")
        return json.loads(line)

    def answer(self):
        while True:
            message = self.message()
            if "event" not in message:
                return message
            self.events.append(message)

    def raw(self, text):
        self.send(text)
        return self.answer()

    def __call__(self, command, **arguments):
        """The `return` of a command; an error is a Failure."""
        answer = self.raw(json.dumps({"execute": command, "arguments": {
            name.replace("_", "-"): value for name, value in arguments.items()}}))
        if "return" not in answer:
            raise Failure(f"{command}: {answer}")
        return answer["return"]

    def event(self, name):
        """Waits for an event that is not yet taken; returns it."""
        while True:
            for event in self.events:
                if event["event"] == name:
                    self.events.remove(event)
                    return event
            message = self.message()
            if "event" not in message:
                raise Failure(f"an answer to no question: {message}")
            self.events.append(message)


class Qtest(Lines):
    """Commands and their answers; `irqs` gathers the lines that came before them."""

    def __init__(self, client):
        super().__init__(client)
        self.irqs = []

    @classmethod
    def listen(cls, path, start):
        """Listens, calls `start`, and takes the one who connects, as QEMU's libqtest does."""
        server = socket.socket(socket.AF_UNIX)
        server.bind(path)
        server.listen(1)
        server.settimeout(BOUND_S)
        start()
        client = server.accept()[0]
        server.close()
        os.unlink(path)
        client.settimeout(BOUND_S)
        return cls(client)

    def __call__(self, command):
        self.send(command + "\n")
        while True:
            line = self.line()
            if line is None:
                raise Failure(f"the other side ended after `{command}`")
            if not line.startswith("IRQ "):
                return line
            self.irqs.append(line)
