# SPDX-License-Identifier: MIT
"""A small LSP client over a server's standard streams."""
import json
import os
import subprocess
import threading
from pathlib import Path

BOUND_S = 60


class Gone(Exception):
    """The server said nothing in time, or has left."""


class Client:
    """One server. Requests wait for their answer; notifications gather in `notices`."""

    def __init__(self, program, folders=(), encodings=("utf-16",), snippets=False, watches=False,
                 start=True):
        self.process = subprocess.Popen([program, "lsp"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.timer = threading.Timer(BOUND_S, self.process.kill)
        self.timer.start()
        self.next_id = 0
        self.notices = []
        self.texts = {}
        self.result = None
        if start:
            self.result = self.request("initialize", {
                "processId": None, "rootUri": None,
                "workspaceFolders": [{"uri": uri(folder), "name": "w"} for folder in folders],
                "capabilities": {
                    "workspace": {"didChangeWatchedFiles": {"dynamicRegistration": watches}},
                    "general": {"positionEncodings": list(encodings)},
                    "textDocument": {"completion": {"completionItem": {
                        "snippetSupport": snippets}}}}})
            self.notify("initialized", {})

    def raw(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, message):
        self.raw(frame(json.dumps(dict(jsonrpc="2.0", **message)).encode()))

    def notify(self, method, params):
        self.send({"method": method, "params": params})

    def receive(self):
        length = None
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise Gone(self.process.stderr.read().decode(errors="replace"))
            if line == b"\r\n":
                break
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return json.loads(self.process.stdout.read(length))

    def answer(self, number):
        """The answer to a request; what comes before it is kept."""
        while True:
            message = self.receive()
            if "method" not in message and message.get("id") == number:
                return message
            self.notices.append(message)

    def ask(self, method, params):
        """The whole answer, errors too."""
        self.next_id += 1
        self.send({"id": self.next_id, "method": method, "params": params})
        return self.answer(self.next_id)

    def request(self, method, params):
        answer = self.ask(method, params)
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        return answer["result"]

    def open(self, path, text=None, version=1):
        """Opens a file with the text given, or its own, and returns its URI."""
        text = Path(path).read_text(encoding="utf-8") if text is None else text
        self.texts[uri(path)] = text
        self.notify("textDocument/didOpen", {"textDocument": {
            "uri": uri(path), "languageId": "yaml", "version": version, "text": text}})
        return uri(path)

    def change(self, name, *changes):
        """Whole texts, or (start, end, text) with positions."""
        items = []
        for change in changes:
            if isinstance(change, str):
                items.append({"text": change})
                self.texts[name] = change
            else:
                items.append({"range": {"start": change[0], "end": change[1]}, "text": change[2]})
        self.notify("textDocument/didChange", {
            "textDocument": {"uri": name, "version": 2}, "contentChanges": items})

    def close(self, name):
        self.notify("textDocument/didClose", {"textDocument": {"uri": name}})

    def at(self, name, mark, shift=0, count=0):
        """Position params of where `mark` stands in the text of the document, plus `shift`."""
        text = self.texts[name]
        offset = -1
        for _ in range(count + 1):
            offset = text.index(mark, offset + 1)
        return dict(textDocument={"uri": name}, position=position(text, offset + shift))

    def diagnostics(self, name):
        """What was published last for a file, after everything sent so far."""
        self.settle()
        found = None
        for notice in self.notices:
            if (notice.get("method") == "textDocument/publishDiagnostics" and
                    notice["params"]["uri"] == name):
                found = notice["params"]["diagnostics"]
        return found

    def settle(self):
        """Until the server has nothing more to say of what it was sent. A question it does not know
        is answered in its turn; findings come after, so it is asked twice."""
        self.ask("x/nothing", {})
        self.ask("x/nothing", {})

    def end(self):
        """shutdown and exit; the exit code."""
        self.request("shutdown", None)
        self.notify("exit", None)
        self.process.communicate()
        self.timer.cancel()
        return self.process.returncode

    def kill(self):
        self.timer.cancel()
        if self.process.poll() is None:
            self.process.kill()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                stream.close()
            except BrokenPipeError:
                pass
        self.process.wait()


def frame(body):
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def uri(path):
    return Path(os.path.realpath(path)).as_uri()


def position(text, offset):
    """In UTF-16."""
    line = text.count("\n", 0, offset)
    start = text.rfind("\n", 0, offset) + 1
    return {"line": line, "character": len(text[start:offset].encode("utf-16-le")) // 2}


def text_at(text, span):
    """The text of a range, in UTF-16."""
    lines = text.split("\n")
    start, end = span["start"], span["end"]
    assert start["line"] == end["line"], span
    line = lines[start["line"]].encode("utf-16-le")
    return line[2 * start["character"]:2 * end["character"]].decode("utf-16-le")
