#!/usr/bin/env python3
"""editor.py MILLWRIGHT: yaml-language-server with the generated schema, driven over stdio as an editor
drives it: completion, hover, and findings at their lines."""
# SPDX-License-Identifier: MIT
import json
import os
import pathlib
import select
import subprocess
import sys
import tempfile
import time

import npm

PATIENCE = 60
PROFILE = """format: machine/1
name: desk
version: 1
extends: microvm@1
devices:
  com1: { type: uart16550, at: sys }
  com2:
    type: uart16550
    at: sys
    io: 0x2f8
    props:
      flow: rts
      
  com3:
    type: 
"""


class Server:
    """One language server; every answer must come within PATIENCE seconds."""

    def __init__(self, modules):
        program = os.path.join(modules, "yaml-language-server/bin/yaml-language-server")
        self.process = subprocess.Popen(["node", program, "--stdio"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.buffer, self.number, self.findings = b"", 0, {}

    def send(self, **message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def take(self, until):
        """Bytes up to and with `until`, or that many."""
        end = time.monotonic() + PATIENCE
        while True:
            at = self.buffer.find(until) + len(until) if isinstance(until, bytes) else until
            if at <= len(self.buffer) and (not isinstance(until, bytes) or until in self.buffer):
                taken, self.buffer = self.buffer[:at], self.buffer[at:]
                return taken
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            more = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not more:
                sys.exit("yaml-language-server " + ("ended" if ready else "does not answer"))
            self.buffer += more

    def receive(self):
        header = self.take(b"\r\n\r\n").decode()
        length = next(int(line.split(":")[1]) for line in header.splitlines()
                      if line.lower().startswith("content-length"))
        message = json.loads(self.take(length))
        if message.get("method") == "textDocument/publishDiagnostics":
            self.findings[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif "method" in message and "id" in message:
            self.send(id=message["id"], result=self.answer(message))
        return message

    @staticmethod
    def answer(message):
        """What a server asks its client: settings. Nothing is fetched from anywhere."""
        if message["method"] != "workspace/configuration":
            return None
        yaml = {"validate": True, "hover": True, "completion": True,
                "schemaStore": {"enable": False}, "disableDefaultProperties": False}
        return [yaml if item.get("section") == "yaml" else {} for item in message["params"]["items"]]

    def ask(self, method, **params):
        self.number += 1
        self.send(id=self.number, method=method, params=params)
        while True:
            message = self.receive()
            if message.get("id") == self.number and "method" not in message:
                if "error" in message:
                    sys.exit(f"{method}: {message['error']}")
                return message["result"]

    def start(self, folder):
        self.ask("initialize", processId=os.getpid(), rootUri=pathlib.Path(folder).as_uri(),
                 workspaceFolders=None,
                 capabilities={"workspace": {"configuration": True},
                               "textDocument": {"hover": {"contentFormat": ["markdown"]},
                                                "completion": {"completionItem": {"snippetSupport": True}}}})
        self.send(method="initialized", params={})

    def open(self, uri, text):
        self.send(method="textDocument/didOpen",
                  params={"textDocument": {"uri": uri, "languageId": "yaml", "version": 1, "text": text}})

    def wait_for_findings(self, uri):
        while uri not in self.findings:
            self.receive()
        return self.findings[uri]

    def stop(self):
        self.process.kill()
        self.process.wait()


def position(text, needle, offset=0):
    """Line and character of the place `offset` behind the start of `needle`."""
    before = text[:text.index(needle) + offset]
    return {"line": before.count("\n"), "character": len(before) - before.rfind("\n") - 1}


def expect(good, what):
    if not good:
        sys.exit(what)


def check_completion(server, uri, text):
    place = {"textDocument": {"uri": uri}}
    items = server.ask("textDocument/completion", **place,
                       position=position(text, "    type: \n", len("    type: ")))["items"]
    labels = {item["label"] for item in items}
    expect({"uart16550", "i8042", "rom"} <= labels, f"types offered: {sorted(labels)}")
    expect("stdio" not in labels, "a backend is offered as a device type")
    items = server.ask("textDocument/completion", **place,
                       position=position(text, "      \n  com3", 6))["items"]
    labels = {item["label"] for item in items}
    expect({"clock_hz", "modem", "out2_gates"} <= labels, f"properties offered: {sorted(labels)}")
    expect("pins" not in labels, "a property of another type is offered")
    items = server.ask("textDocument/completion", **place,
                       position=position(text, "      flow: rts", len("      flow: ")))["items"]
    labels = {item["label"] for item in items}
    expect({"rts", "dtr", "none"} <= labels, f"members offered: {sorted(labels)}")


def check_hover(server, uri, text):
    hover = server.ask("textDocument/hover", textDocument={"uri": uri},
                       position=position(text, "flow: rts", 1))
    told = json.dumps(hover)
    expect("When the host may send" in told and "default rts" in told, f"hover on flow: {told}")
    hover = server.ask("textDocument/hover", textDocument={"uri": uri},
                       position=position(text, "extends:", 1))
    expect("based on" in json.dumps(hover), f"hover on extends: {hover}")
    hover = server.ask("textDocument/hover", textDocument={"uri": uri},
                       position=position(text, "devices:", 1))
    expect("each under its id" in json.dumps(hover), f"hover on devices: {hover}")


def check_findings(server, uri, text, wanted):
    """`wanted`: where a finding must begin, and what it must say."""
    server.open(uri, text)
    found = [(row["range"]["start"], row["message"]) for row in server.wait_for_findings(uri)]
    expect(len(found) == len(wanted), f"{uri}: {found}")
    for (needle, words), (start, message) in zip(wanted, sorted(found, key=lambda row: row[0]["line"])):
        expect(start == position(text, needle) and words in message,
               f"{uri}: `{needle}` is wrong, the server says {start} {message}")


def main():
    modules = npm.modules()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[1], "schema", "--all", folder], check=True, timeout=120)
        modeline = f"# yaml-language-server: $schema={pathlib.Path(folder, 'machine.schema.json').as_uri()}\n"
        server = Server(modules)
        try:
            server.start(folder)
            uri = pathlib.Path(folder, "desk.yaml").as_uri()
            text = modeline + PROFILE
            server.open(uri, text)
            check_completion(server, uri, text)
            check_hover(server, uri, text)
            head = modeline + "format: machine/1\nname: wrong\nextends: microvm@1\n"
            check_findings(server, pathlib.Path(folder, "a.yaml").as_uri(),
                           head + "devices:\n  com2:\n    type: uart16550\n    at: sys\n    irqq: 3\n",
                           [("irqq", "irqq is not allowed")])
            check_findings(server, pathlib.Path(folder, "b.yaml").as_uri(),
                           head + "memory:\n  ram: 1GB\nmemroy: {}\n",
                           [("1GB", "expected a size such as 64KiB"), ("memroy", "memroy is not allowed")])
            check_findings(server, pathlib.Path(folder, "c.yaml").as_uri(),
                           head + "devices:\n  com2: { type: uart16550, at: sys, io: 0x2f8, irq: $(line) }\n", [])
            with open(os.path.join(npm.ROOT, "profiles/microvm.yaml"), encoding="utf-8") as file:
                check_findings(server, pathlib.Path(folder, "microvm.yaml").as_uri(),
                               modeline + file.read(), [])
        finally:
            server.stop()
    print("completion, hover and findings are right")


if __name__ == "__main__":
    main()
