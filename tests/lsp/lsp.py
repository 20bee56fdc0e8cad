#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`millwright lsp` as an editor uses it: lsp.py MILLWRIGHT. A caret (‸) in a text is the cursor."""
import json
import os
import sys
import tempfile
import unittest
from pathlib import Path

from client import Client, Gone, frame, position, text_at, uri

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
MILLWRIGHT = None
CARET = "‸"
WHOLE = {"start": {"line": 0, "character": 0}, "end": {"line": 10000, "character": 0}}

MACHINE = """\
format: machine/1
name: lab
version: 1
summary: a machine to edit
extends: chipset/isa-pc@1
params:
  kernel: { type: path, scope: host }
  ram: { type: size, default: 128MiB, min: 16MiB, help: guest memory }
  mode: { type: enum, of: [fast, safe], default: fast }
cpu: { model: host, hypervisor: kvm, tsc_khz: from-host }
memory: { ram: $(ram) }
windows: { mmio32: { range: 0xfe000000+0x100000, pack: up } }
devices:
  com1: { type: uart16550, at: isa, io: 0x3f8, irq: 4, backend: stdio }
  lite: { type: uartlite, at: sys, count: 2, mmio: auto, irq: gsi:auto, when: mode == fast }
boot: { linux: $(kernel), cmdline: "io=$(dev.com1.io) at=$(dev.lite0.mmio)", tables: [acpi] }
"""


class Case(unittest.TestCase):
    """Each test has a server and a folder."""
    maxDiff = None
    snippets = False
    encodings = ("utf-16",)

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.client = Client(MILLWRIGHT, folders=[ROOT], snippets=self.snippets,
                             encodings=self.encodings)
        self.addCleanup(self.client.kill)

    def open(self, text, name="lab.yaml"):
        """A file with this text; returns its URI. The caret is taken out and kept as `here`."""
        before, caret, after = text.partition(CARET)
        path = os.path.join(self.folder.name, name)
        Path(path).write_text(before + after, encoding="utf-8")
        name = self.client.open(path)
        if caret:
            self.here = {"textDocument": {"uri": name},
                         "position": position(before + after, len(before))}
        return name

    def labels(self, text, name="lab.yaml"):
        """What is offered at the caret."""
        self.open(text, name)
        answer = self.client.request("textDocument/completion", self.here)
        self.items = {item["label"]: item for item in answer["items"]}
        return [item["label"] for item in answer["items"]]

    def edited(self, text, replaced):
        """MACHINE with one piece replaced."""
        self.assertIn(text, MACHINE)
        return MACHINE.replace(text, replaced, 1)

    def hover(self, text):
        self.open(text)
        answer = self.client.request("textDocument/hover", self.here)
        return answer and answer["contents"]["value"]


class Life(unittest.TestCase):
    def setUp(self):
        self.client = None

    def tearDown(self):
        if self.client:
            self.client.kill()

    def start(self, **options):
        self.client = Client(MILLWRIGHT, **options)
        return self.client

    def test_initialize_says_what_it_can_do(self):
        result = self.start().result
        self.assertEqual(result["serverInfo"]["name"], "millwright")
        self.assertEqual(result["capabilities"]["positionEncoding"], "utf-16")
        self.assertEqual(result["capabilities"]["textDocumentSync"]["change"], 2)
        self.assertEqual(
            sorted(key for key in result["capabilities"] if key.endswith("Provider")),
            ["codeActionProvider", "completionProvider", "definitionProvider",
             "documentFormattingProvider", "documentSymbolProvider", "hoverProvider",
             "inlayHintProvider", "referencesProvider", "renameProvider"])
        self.assertEqual(self.client.end(), 0)

    def test_utf8_is_taken_where_the_client_has_it(self):
        result = self.start(encodings=("utf-16", "utf-8")).result
        self.assertEqual(result["capabilities"]["positionEncoding"], "utf-8")

    def test_it_asks_to_be_told_of_files_that_change(self):
        self.start(watches=True).settle()
        self.assertEqual([(one["method"], one["params"]["registrations"][0]["method"])
                          for one in self.client.notices],
                         [("client/registerCapability", "workspace/didChangeWatchedFiles")])
        self.client.send({"id": "watch", "result": None})
        self.assertEqual(self.client.end(), 0)

    def test_nothing_goes_before_initialize(self):
        self.start(start=False)
        self.assertEqual(self.client.ask("textDocument/hover", {})["error"]["code"], -32002)

    def test_initialize_comes_once(self):
        self.assertEqual(self.start().ask("initialize", {})["error"]["code"], -32600)

    def test_nothing_goes_after_shutdown(self):
        self.start().request("shutdown", None)
        self.assertEqual(self.client.ask("textDocument/hover", {})["error"]["code"], -32600)
        self.client.notify("exit", None)
        self.assertEqual(self.client.process.wait(10), 0)

    def test_exit_without_shutdown_is_a_failure(self):
        self.start().notify("exit", None)
        self.assertEqual(self.client.process.wait(10), 1)

    def test_a_client_that_leaves_takes_the_server_along(self):
        self.start().process.stdin.close()
        self.assertEqual(self.client.process.wait(10), 1)

    def test_unknown_requests_are_told_and_unknown_notifications_are_not(self):
        self.start().notify("x/none", {})
        self.assertEqual(self.client.ask("x/none", {})["error"],
                         {"code": -32601, "message": "there is no method `x/none`"})

    def test_a_document_that_is_not_open_is_no_document(self):
        answer = self.start().ask("textDocument/hover", {
            "textDocument": {"uri": "file:///none.yaml"}, "position": {"line": 0, "character": 0}})
        self.assertEqual(answer["error"]["code"], -32602)


class Hostile(unittest.TestCase):
    """Bytes that no editor sends. Whatever they are, the server answers the next request."""

    def setUp(self):
        self.client = Client(MILLWRIGHT)
        self.addCleanup(self.client.kill)

    def refused(self, data, code):
        self.client.raw(data)
        message = self.client.receive()
        self.assertEqual((message["id"], message["error"]["code"]), (None, code))
        self.assertEqual(self.client.ask("x/none", {})["error"]["code"], -32601)

    def test_messages_may_be_cut_anywhere(self):
        data = frame(b'{"jsonrpc":"2.0","id":"a","method":"x/none"}')
        for byte in data:
            self.client.raw(bytes([byte]))
        self.assertEqual(self.client.receive()["id"], "a")
        self.client.raw(data + data)
        self.assertEqual([self.client.receive()["id"] for _ in range(2)], ["a", "a"])

    def test_headers_may_say_more(self):
        body = b'{"jsonrpc":"2.0","id":7,"method":"x/none"}'
        self.client.raw(b"content-type: application/vscode-jsonrpc; charset=utf-8\r\n"
                        b"CONTENT-LENGTH:  %d \r\n\r\n%s" % (len(body), body))
        self.assertEqual(self.client.receive()["id"], 7)

    def test_what_is_no_json_is_refused(self):
        for body in (b"", b"{", b"[1,", b"\xff\xfe", b"nul", b'{"id":1e999}', b"{}{}",
                     b'"' + b"\\ud800" + b'"', b"[" * 100000):
            self.refused(frame(body), -32700)

    def test_what_is_no_request_is_refused(self):
        for body in (b"[]", b"1", b"null", b'{"id":1}', b'{"id":[1],"method":"x"}',
                     b'{"id":null,"method":"x"}', b'[{"id":1,"method":"x"}]'):
            self.refused(frame(body), -32600)

    def test_a_header_without_a_length_is_refused(self):
        for header in (b"\r\n\r\n", b"Content-Length: \r\n\r\n", b"Content-Length: -1\r\n\r\n",
                       b"Content-Length: 4x\r\n\r\n", b"Content-Type: 5\r\n\r\n",
                       b"nonsense\r\n\r\n"):
            self.refused(header, -32700)

    def test_a_message_that_is_too_long_is_passed_over(self):
        self.refused(b"Content-Length: 16777217\r\n\r\n" + b"x" * 16777217, -32600)

    def test_a_header_that_never_ends_ends_the_server(self):
        self.client.raw(b"x" * 10000)
        self.assertEqual(self.client.receive()["error"]["code"], -32700)
        self.assertEqual(self.client.process.wait(10), 1)

    def test_params_of_any_shape_do_no_harm(self):
        methods = ["textDocument/didOpen", "textDocument/didChange", "textDocument/didClose",
                   "textDocument/hover", "textDocument/completion", "textDocument/rename",
                   "textDocument/codeAction", "textDocument/inlayHint", "initialize",
                   "workspace/didChangeWorkspaceFolders"]
        shapes = [None, [], 1, "x", {}, {"textDocument": 1}, {"textDocument": {"uri": 5}},
                  {"textDocument": {"uri": "file:///a.yaml", "text": 5}},
                  {"event": {"added": [1, {"uri": "x"}], "removed": {"uri": 1}}}]
        for method in methods:
            for shape in shapes:
                self.client.notify(method, shape)
                self.client.ask(method, shape)
        self.assertEqual(self.client.ask("x/none", {})["error"]["code"], -32601)

    def test_positions_outside_of_the_text_are_clamped_or_refused(self):
        with tempfile.NamedTemporaryFile(suffix=".yaml") as file:
            name = self.client.open(file.name, MACHINE)
            for line, character in ((0, 999999), (999999, 0), (2 ** 40, 2 ** 40)):
                self.client.request("textDocument/completion", {
                    "textDocument": {"uri": name},
                    "position": {"line": line, "character": character}})
            for line, character in ((-1, 0), (0, -1), (0.5, 0), ("0", 0), (None, None)):
                answer = self.client.ask("textDocument/completion", {
                    "textDocument": {"uri": name},
                    "position": {"line": line, "character": character}})
                self.assertEqual(answer["error"]["code"], -32602)

    def test_every_prefix_of_a_file_is_answered(self):
        with tempfile.NamedTemporaryFile(suffix=".yaml") as file:
            name = self.client.open(file.name, "")
            for end in range(0, len(MACHINE), 7):
                self.client.change(name, MACHINE[:end])
                where = {"textDocument": {"uri": name}, "position": position(MACHINE, end)}
                for method in ("completion", "hover", "definition", "prepareRename"):
                    self.client.ask("textDocument/" + method, where)
                for method in ("documentSymbol", "inlayHint", "codeAction", "formatting"):
                    self.client.request("textDocument/" + method, dict(where, range=WHOLE))

    def test_texts_of_any_bytes_are_answered(self):
        with tempfile.NamedTemporaryFile(suffix=".yaml") as file:
            for text in ("format: machine/1\0\ndevices: {", "devices:\n\t- [{[{", "[" * 200000,
                         "devices: {" * 5000, "- " * 50000, "devices: &a *a", "\r\r\r\n\n", "'",
                         "devices:\n" + "  a: {b: [c, {d: e\n" * 3000, "format: $($($($(",
                         "devices:\n  a: |\n" + "     x\n" * 9000, "😀: 😀\ndevices: 😀"):
                name = self.client.open(file.name, text)
                where = self.client.at(name, "")
                where["position"] = {"line": 10 ** 6, "character": 0}
                for method in ("completion", "hover", "documentSymbol", "inlayHint"):
                    self.client.request("textDocument/" + method, dict(where, range=WHOLE))

    def test_too_many_documents_are_refused_aloud(self):
        for number in range(257):
            self.client.notify("textDocument/didOpen", {"textDocument": {
                "uri": f"file:///none/{number}.yaml", "languageId": "yaml", "version": 1,
                "text": "a: 1"}})
        self.client.settle()
        self.assertEqual([notice["method"] for notice in self.client.notices],
                         ["window/showMessage"])


class Documents(Case):
    def text(self, name):
        """The server's text, by a symbol that is its only key."""
        return [symbol["name"] for symbol in self.client.request(
            "textDocument/documentSymbol", {"textDocument": {"uri": name}})]

    def test_a_range_counts_utf16_units(self):
        name = self.open("# 😀ä\ndevices: {}\n")
        self.client.change(name, ({"line": 0, "character": 4}, {"line": 0, "character": 5}, "\nx"),
                           ({"line": 1, "character": 0}, {"line": 1, "character": 1}, "a: 1"))
        self.assertEqual(self.text(name), ["a", "devices"])

    def test_changes_apply_one_after_the_other(self):
        name = self.open("devices: {}\n")
        self.client.change(name, ({"line": 0, "character": 0}, {"line": 0, "character": 0}, "a: 1\n"),
                           ({"line": 1, "character": 0}, {"line": 1, "character": 0}, "b: 1\n"),
                           ({"line": 0, "character": 0}, {"line": 0, "character": 1}, "c"))
        self.assertEqual(self.text(name), ["c", "b", "devices"])

    def test_a_whole_text_replaces_what_was_there(self):
        name = self.open("devices: {}\n")
        self.client.change(name, "b: 1\ndevices: {}")
        self.assertEqual(self.text(name), ["b", "devices"])

    def test_a_range_that_runs_backwards_closes_the_document(self):
        name = self.open("devices: {}\n")
        self.client.change(name, ({"line": 0, "character": 5}, {"line": 0, "character": 1}, "x"))
        answer = self.client.ask("textDocument/hover", {
            "textDocument": {"uri": name}, "position": {"line": 0, "character": 0}})
        self.assertEqual(answer["error"]["code"], -32602)
        self.assertEqual(self.client.notices[-1]["method"], "window/showMessage")

    def test_closing_takes_the_findings_away(self):
        name = self.open(self.edited("uart16550", "uart"))
        self.assertEqual(len(self.client.diagnostics(name)), 1)
        self.client.close(name)
        self.assertEqual(self.client.diagnostics(name), [])

    def test_folders_of_the_workspace_are_searched(self):
        os.mkdir(os.path.join(self.folder.name, "chipsets"))
        Path(self.folder.name, "chipsets", "own.yaml").write_text(
            "format: chipset/1\nname: own\nversion: 1\nextends: chipset/isa-pc@1\n")
        name = self.open(self.edited("chipset/isa-pc@1", "chipset/own@1"))
        self.assertIn("there is no chipset `own`", self.client.diagnostics(name)[0]["message"])
        event = {"added": [{"uri": uri(self.folder.name), "name": "x"}], "removed": []}
        self.client.notify("workspace/didChangeWorkspaceFolders", {"event": event})
        self.assertEqual(self.client.diagnostics(name), [])
        event = {"removed": event["added"], "added": []}
        self.client.notify("workspace/didChangeWorkspaceFolders", {"event": event})
        self.assertEqual(len(self.client.diagnostics(name)), 1)


class Utf8(Case):
    encodings = ("utf-8",)

    def test_positions_count_bytes(self):
        name = self.open("format: machine/1\nx-😀: { a: 1 }\ndevices: { com1: { type: nope } }\n")
        symbols = self.client.request("textDocument/documentSymbol",
                                      {"textDocument": {"uri": name}})
        self.assertEqual(symbols[1]["selectionRange"]["end"], {"line": 1, "character": 6})


class Findings(Case):
    def test_shipped_files_are_clean(self):
        for path in sorted([*(ROOT / "profiles").glob("*.yaml"),
                            *(ROOT / "chipsets").glob("*.yaml")]):
            self.assertEqual(self.client.diagnostics(self.client.open(path)), [], path)

    def test_a_finding_is_complete(self):
        text = self.edited("boot:", "  com2: { type: uart16550, at: isa, io: 0x3fc, irq: 3 }\nboot:")
        name = self.open(text)
        found, = self.client.diagnostics(name)
        self.assertEqual(found["code"], "R301")
        self.assertEqual(found["source"], "millwright")
        self.assertEqual(found["severity"], 1)
        self.assertEqual(text_at(text, found["range"]), "0x3fc")
        self.assertEqual(found["message"].split("\n")[0],
                         "`com2.bank` 0x3fc-0x403 overlaps `com1.bank` 0x3f8-0x3ff by 4 ports")
        related, = found["relatedInformation"]
        self.assertEqual(related["message"], "`com1` is placed here")
        self.assertEqual(related["location"]["uri"], name)
        self.assertEqual(text_at(text, related["location"]["range"]), "0x3f8")

    def test_what_is_mended_is_cleared(self):
        name = self.open(self.edited("irq: 4", "irq: 99"))
        self.assertEqual([one["code"] for one in self.client.diagnostics(name)], ["R305"])
        self.client.change(name, MACHINE)
        self.assertEqual(self.client.diagnostics(name), [])

    def test_unused_parameters_are_faded(self):
        found, = self.client.diagnostics(self.open(self.edited("$(ram)", "64MiB")))
        self.assertEqual((found["code"], found["tags"], found["severity"]), ("S104", [1], 2))

    def test_findings_of_a_base_are_at_the_base(self):
        base = Path(self.folder.name, "base.yaml")
        base.write_text("format: chipset/1\nname: base\nversion: 1\nextends: chipset/isa-pc@1\n"
                        "devices:\n  two: { type: nope, at: isa }\n")
        name = self.open(self.edited("chipset/isa-pc@1", "./base.yaml"))
        self.assertEqual(self.client.diagnostics(name), [])
        found, = self.client.diagnostics(uri(base))
        self.assertEqual(found["message"].split("\n")[0], "there is no device type `nope`")
        # open, it is the editor's text that counts, for both
        text = base.read_text().replace("nope, at", "uart16550, io: 0x2f8, irq: 3, at")
        self.client.open(base, text)
        self.assertEqual(self.client.diagnostics(uri(base)), [])
        self.client.close(uri(base))
        self.assertEqual(len(self.client.diagnostics(uri(base))), 1)
        self.client.close(name)
        self.assertEqual(self.client.diagnostics(uri(base)), [])

    def test_a_chipset_alone_need_not_be_a_machine(self):
        text = (ROOT / "chipsets" / "isa-pc.yaml").read_text()
        name = self.open(text, "mine.yaml")
        self.assertEqual(self.client.diagnostics(name), [])
        self.client.change(name, text.replace("mc146818", "mc14681"))
        found, = self.client.diagnostics(name)
        self.assertEqual(found["message"].split("\n")[0], "there is no device type `mc14681`")

    def test_an_error_of_the_machine_in_an_open_base_is_shown_at_extends(self):
        base = Path(self.folder.name, "base.yaml")
        base.write_text("format: chipset/1\nname: base\nversion: 1\nextends: chipset/isa-pc@1\n"
                        "params: { n: { type: int } }\nchecks: [{ that: n > 3, say: too few }]\n")
        self.client.open(base)
        text = self.edited("chipset/isa-pc@1", "./base.yaml").replace(
            "params:\n", "params:\n  n: { default: 2 }\n")
        name = self.open(text)
        self.assertEqual(self.client.diagnostics(uri(base)), [])
        found, = self.client.diagnostics(name)
        self.assertEqual(text_at(text, found["range"]), "extends")
        self.assertEqual(found["relatedInformation"][0]["location"]["uri"], uri(base))

    def test_suppressions_count(self):
        text = self.edited("boot:", "  com3: { type: uart16550, at: isa, io: 0x3e8, irq: 4 }\nboot:")
        self.assertEqual([one["code"] for one in self.client.diagnostics(self.open(text))],
                         ["R304"])
        self.assertEqual(self.client.diagnostics(self.open(
            text.replace("irq: 4 }", "irq: 4 } # lint: allow R304 -- as on old boards"))), [])

    def test_a_base_that_changed_outside_is_read_again(self):
        base = Path(self.folder.name, "base.yaml")
        base.write_text("format: chipset/1\nname: base\nversion: 1\nextends: chipset/isa-pc@1\n")
        name = self.open(self.edited("chipset/isa-pc@1", "./base.yaml"))
        self.assertEqual(self.client.diagnostics(name), [])
        base.write_text("format: chipset/1\nname: base\nversion: 1\n")
        self.client.notify("workspace/didChangeWatchedFiles",
                           {"changes": [{"uri": uri(base), "type": 2}]})
        self.assertTrue(self.client.diagnostics(name))

    def test_the_config_of_the_project_counts(self):
        text = self.edited("chipset/isa-pc@1", "chipset/isa-pc")
        self.assertEqual([one["code"] for one in self.client.diagnostics(self.open(text))],
                         ["C703"])
        Path(self.folder.name, ".millwright.yaml").write_text("ignore: [C703]\n")
        self.client.notify("textDocument/didSave", {})
        self.assertEqual(self.client.diagnostics(self.open(text)), [])

    def test_other_yaml_is_left_alone(self):
        for text in ("format: lock/1\nplaces: {}\n", "format: int32\ntype: integer\n",
                     "services:\n  web: { image: nginx }\n"):
            name = self.open(text, "compose.yaml")
            self.assertFalse(self.client.diagnostics(name))
        for text in ("format: machin/1\n", "format: \n"):
            name = self.open(text, "compose.yaml")
            self.assertTrue(self.client.diagnostics(name))
        name = self.open("services:\n  web: { image: nginx }\n", "compose.yaml")
        self.assertIsNone(self.client.request("textDocument/hover", {
            "textDocument": {"uri": name}, "position": {"line": 0, "character": 1}}))

    def test_text_that_does_not_parse_is_one_finding(self):
        name = self.open(self.edited("backend: stdio }", "backend: stdio"))
        self.assertEqual(len(self.client.diagnostics(name)), 1)


class Completion(Case):
    def test_keys_of_the_file(self):
        labels = self.labels(MACHINE + CARET)
        self.assertEqual([key for key in ("checks", "accel", "power", "irq") if key in labels],
                         ["checks", "accel", "power", "irq"])
        self.assertNotIn("devices", labels)  # it is there
        self.assertIn("Conditions that must hold", self.items["checks"]["documentation"])

    def test_keys_of_a_device_in_flow_and_block(self):
        flow = self.labels(self.edited("backend: stdio", "b" + CARET))
        self.assertEqual(flow, ["backend"])
        self.assertEqual(self.items["backend"]["textEdit"]["newText"], "backend: ")
        block = self.labels(self.edited(
            "boot:", f"  two:\n    type: uart16550\n    {CARET}\nboot:"))
        self.assertEqual([key for key in ("type", "at", "io", "irq", "props") if key in block],
                         ["at", "io", "irq", "props"])

    def test_types_with_what_they_need(self):
        labels = self.labels(self.edited("boot:", "  two: { type: uart" + CARET + " }\nboot:"))
        self.assertEqual(labels, ["uart16550", "uartlite"])
        self.assertEqual(self.items["uart16550"]["textEdit"]["newText"],
                         "uart16550, at: isa, io: 0x200, irq: 3")
        self.assertEqual(self.items["uart16550"]["documentation"],
                         "16550A serial port with 16-byte FIFOs")
        self.labels(self.edited("boot:", f"  two:\n    type: uartl{CARET}\nboot:"))
        self.assertEqual(self.items["uartlite"]["textEdit"]["newText"],
                         "uartlite\n    at: isa\n    mmio: auto\n    irq: 3")

    def test_a_type_being_changed_is_a_word(self):
        self.labels(self.edited("uart16550", "uart" + CARET + "16550"))
        self.assertEqual(self.items["uartlite"]["textEdit"]["newText"], "uartlite")

    def test_buses_that_fit(self):
        self.assertEqual(self.labels(self.edited("at: isa", "at: " + CARET)), ["isa", "sys"])
        self.assertEqual(self.labels(self.edited("type: uart16550, at: isa",
                                                 "type: isa-bus, at: " + CARET)), ["sys"])

    def test_free_ports_and_addresses(self):
        ports = self.labels(self.edited("io: 0x3f8", "io: " + CARET))
        self.assertEqual(ports, ["0x200", "0x208", "0x210", "0x218", "0x220"])
        self.assertEqual(self.items["0x200"]["detail"], "free: 0x200-0x207")
        self.assertEqual(self.labels(self.edited("mmio: auto", "mmio: 0x" + CARET)),
                         ["0xfe000000", "0xfe000010", "0xfe000020", "0xfe000030", "0xfe000040"])

    def test_free_lines(self):
        self.assertEqual(self.labels(self.edited("irq: 4", "irq: " + CARET)),
                         ["3", "4", "5", "6", "7", "10", "11", "13", "14", "15", "auto"])
        self.assertEqual(self.labels(self.edited("irq: gsi:auto", "irq: isa:1" + CARET))[:2],
                         ["isa:10", "isa:11"])

    def test_properties_and_their_members(self):
        self.assertEqual(self.labels(self.edited("backend: stdio", "props: { " + CARET + " }")),
                         ["clock_hz", "flow", "modem", "out2_gates"])
        self.assertEqual(self.labels(self.edited("backend: stdio", "props: { flow: " + CARET)),
                         ["rts", "dtr", "none"])
        self.assertEqual(self.labels(self.edited("backend: stdio", "props: { out2_gates: " + CARET)),
                         ["true", "false"])

    def test_parameters_in_expressions(self):
        self.assertEqual(self.labels(self.edited("$(ram)", "$(" + CARET))[:3],
                         ["kernel", "ram", "mode"])
        self.assertEqual(self.labels(self.edited("$(ram)", "$(2 * r" + CARET + ")")), ["ram"])
        self.assertEqual(self.items["ram"]["documentation"], "guest memory")
        self.assertEqual(self.labels(self.edited("when: mode", "when: mo" + CARET)), ["mode"])
        self.assertEqual(self.labels(self.edited("$(dev.com1.io)", "$(dev.com" + CARET)),
                         ["dev.com1.bank.base", "dev.com1.irq"])

    def test_keys_of_a_parameter(self):
        labels = self.labels(self.edited("help: guest memory", CARET))
        self.assertEqual([key for key in ("type", "max", "multiple", "scope") if key in labels],
                         ["max", "multiple", "scope"])
        self.assertIn("duration", self.labels(self.edited("type: size", "type: " + CARET)))

    def test_bases(self):
        self.assertEqual(self.labels(self.edited("chipset/isa-pc@1", CARET)),
                         [f"chipset/{path.stem}@1"
                          for path in sorted((ROOT / "chipsets").glob("*.yaml"))] +
                         [f"machine/{path.stem}@1"
                          for path in sorted((ROOT / "profiles").glob("*.yaml"))])

    def test_words_of_the_tables(self):
        self.assertEqual(self.labels(self.edited("hypervisor: kvm", "hypervisor: " + CARET)),
                         ["none", "kvm", "hyperv"])
        self.assertEqual(self.labels(MACHINE + f"accel: {{ prefer: [auto, {CARET}")[:3],
                         ["auto", "kvm", "soft"])
        self.assertEqual(self.labels(MACHINE + f"accel:\n  irqchip: {CARET}"),
                         ["auto", "kernel", "split", "user"])
        self.assertEqual(self.labels(self.edited("model: host", "model: x" + CARET)),
                         ["x86-64-v1", "x86-64-v2"])

    def test_nodes_of_a_base_can_be_changed(self):
        labels = self.labels(self.edited("boot:", f"  {CARET}\nboot:"))
        self.assertEqual(labels, ["pic", "ioapic", "isa", "pit", "pm", "rtc", "kbd"])
        self.assertEqual(self.items["rtc"]["detail"], "mc146818")

    def test_wires_overlays_and_backends(self):
        self.assertEqual(self.labels(self.edited("backend: stdio", "wires: { port: " + CARET + " }")),
                         ["pit.speaker", "lite0.port", "lite1.port"])
        self.assertIn("pm.pm", self.labels(self.edited("backend: stdio", "overlays: " + CARET)))
        self.assertIn("pty", self.labels(self.edited("backend: stdio", "backend: " + CARET)))
        self.assertEqual(self.labels(MACHINE + f"irq: {{ isa: {{ to: [{CARET}] }} }}\n"),
                         ["pic", "ioapic"])

    def test_a_file_that_never_parsed_still_knows_the_tables(self):
        labels = self.labels("format: machine/1\ndevices:\n  a: { type: uart16550, at: ]\n  b: { "
                             + CARET)
        self.assertIn("mmio", labels)
        self.assertEqual(self.labels("format: machine/1\nparams: { size_of: { type: int }\n"
                                     "memory: { ram: $(si" + CARET), ["size_of"])

    def test_after_a_good_run_broken_text_keeps_its_knowledge(self):
        name = self.open(MACHINE)
        self.assertEqual(self.client.diagnostics(name), [])
        text = MACHINE.replace("boot:", "  two: { type: uart16550, at: \nboot:")
        self.client.change(name, text)
        where = self.client.at(name, "at: \n", 4)
        answer = self.client.request("textDocument/completion", where)
        self.assertEqual([item["label"] for item in answer["items"]], ["isa", "sys"])

    def test_codes_that_may_be_allowed(self):
        labels = self.labels(MACHINE + f"lint: {{ allow: {{ R30{CARET}")
        self.assertEqual(labels[:4], ["R301", "R302", "R303", "R304"])
        self.assertEqual(self.items["R304"]["detail"], "shared-irq")

    def test_a_chipset_alone_knows_its_nodes(self):
        text = (ROOT / "chipsets" / "isa-pc.yaml").read_text()
        labels = self.labels(text.replace("at: isa, io: 0x600", f"at: {CARET}, io: 0x600"))
        self.assertEqual(labels, ["isa", "sys"])

    def test_comments_and_closed_braces_offer_nothing(self):
        self.assertEqual(self.labels(MACHINE + "# dev" + CARET), [])
        self.assertEqual(self.labels(self.edited("backend: stdio }", "backend: stdio } " + CARET)),
                         [])

    def test_an_empty_file_is_offered_a_format(self):
        self.assertEqual(self.labels(CARET), ["format"])
        self.assertEqual(self.labels("services: {}\n" + CARET), [])


class Snippets(Case):
    snippets = True

    def test_a_type_has_stops(self):
        self.labels(self.edited("boot:", "  two: { type: uart16" + CARET + " }\nboot:"))
        item = self.items["uart16550"]
        self.assertEqual(item["insertTextFormat"], 2)
        self.assertEqual(item["textEdit"]["newText"],
                         "uart16550, at: ${1:isa}, io: ${2:0x200}, irq: ${3:3}")


class Hover(Case):
    def test_keys(self):
        self.assertEqual(self.hover(self.edited("memory:", "mem" + CARET + "ory:")),
                         "**memory**: How much RAM there is and where.")

    def test_a_node_says_where_it_is(self):
        self.assertEqual(self.hover(self.edited("com1:", "co" + CARET + "m1:")).split("\n"), [
            "**com1**: `uart16550`, 16550A serial port with 16-byte FIFOs", "", "on `isa`", "",
            "- `io.bank` 0x3f8-0x3ff (8)",
            "- `irq.irq` `isa:4`, GSI 4, to `pic.pin:4`, `ioapic.pin:4`", "",
            "declared in lab.yaml:14"])

    def test_claims(self):
        self.assertEqual(self.hover(self.edited("0x3f8", "0x3" + CARET + "f8")),
                         "**com1** `io.bank` 0x3f8-0x3ff (8)")
        self.assertEqual(self.hover(self.edited("mmio: auto", "mmio: au" + CARET + "to")),
                         "**lite0** `mmio.bank` 0xfe000000-0xfe00000f (16), placed by the "
                         "allocator\n\n**lite1** `mmio.bank` 0xfe000010-0xfe00001f (16), placed "
                         "by the allocator")

    def test_parameters(self):
        self.assertEqual(self.hover(self.edited("$(ram)", "$(r" + CARET + "am)")).split("\n"), [
            "**ram**: `size`, default `128MiB`, min `16MiB`", "", "guest memory", "",
            "now `134217728`", "", "declared in lab.yaml:8", "", "`$(ram)` is `134217728`"])

    def test_types_and_properties(self):
        self.assertIn("Properties (props: { NAME: VALUE })",
                      self.hover(self.edited("uart16550", "uart" + CARET + "16550")))
        self.assertEqual(
            self.hover(self.edited("backend: stdio", f"props: {{ fl{CARET}ow: rts }}")).split("\n")[0],
            "**flow** of `uart16550`, rts | dtr | none, default rts")

    def test_bases(self):
        self.assertEqual(self.hover(self.edited("isa-pc@1", "isa" + CARET + "-pc@1")),
                         "**chipset/isa-pc@1**: an ISA PC with ACPI and no PCI; two 8259, I/O APIC, "
                         "8254, CMOS clock, 8042\n\nis isa-pc.yaml:1")

    def test_codes(self):
        self.assertEqual(self.hover(self.edited("boot:", f"# lint: allow R3{CARET}04 -- x\nboot:")),
                         "**R304**: shared-irq")

    def test_nothing_is_nothing(self):
        self.assertIsNone(self.hover(MACHINE + CARET))


class Names(Case):
    def go(self, text):
        name = self.open(text)
        return name, self.client.request("textDocument/definition", self.here)

    def test_nodes_and_parameters_are_found(self):
        for before, after, word in (("$(dev.lite0.mmio)", f"$(dev.li{CARET}te0.mmio)", "lite"),
                                    ("$(dev.com1", f"$(dev.com{CARET}1", "com1"),
                                    ("$(ram)", f"$(ra{CARET}m)", "ram"),
                                    ("when: mode", f"when: mo{CARET}de", "mode")):
            text = self.edited(before, after)
            name, place = self.go(text)
            self.assertEqual(place["uri"], name)
            self.assertEqual(text_at(MACHINE, place["range"]), word)

    def test_what_a_base_declares_is_found_there(self):
        chipset = ROOT / "chipsets" / "isa-pc.yaml"
        _, place = self.go(self.edited("at: isa", f"at: is{CARET}a"))
        self.assertEqual(place["uri"], uri(chipset))
        self.assertEqual(text_at(chipset.read_text(), place["range"]), "isa")
        _, place = self.go(self.edited("chipset/isa-pc", f"chipset{CARET}/isa-pc"))
        self.assertEqual((place["uri"], place["range"]["start"]["line"]), (uri(chipset), 0))

    def test_an_override_leads_to_what_it_overrides(self):
        chipset = ROOT / "chipsets" / "isa-pc.yaml"
        _, place = self.go(self.edited("boot:", f"  rtc: {{ i{CARET}rq: 10 }}\nboot:"))
        line = chipset.read_text().split("\n")[place["range"]["start"]["line"]]
        self.assertTrue(line.lstrip().startswith("rtc:"), line)
        self.assertEqual(text_at(chipset.read_text(), place["range"]), "irq")

    def test_references(self):
        name = self.open(self.edited("$(dev.lite0", f"$(dev.li{CARET}te0"))
        found = self.client.request("textDocument/references", dict(
            self.here, context={"includeDeclaration": True}))
        self.assertEqual([text_at(MACHINE, one["range"]) for one in found], ["lite", "lite"])
        found = self.client.request("textDocument/references", dict(
            self.here, context={"includeDeclaration": False}))
        self.assertEqual([one["uri"] for one in found], [name])

    def test_references_in_bases(self):
        self.open(self.edited("at: isa", f"at: is{CARET}a"))
        found = self.client.request("textDocument/references", dict(
            self.here, context={"includeDeclaration": True}))
        chipset = uri(ROOT / "chipsets" / "isa-pc.yaml")
        self.assertEqual(len([one for one in found if one["uri"] == chipset]), 5)

    def rename(self, text, new):
        name = self.open(text)
        answer = self.client.ask("textDocument/rename", dict(self.here, newName=new))
        if "error" in answer:
            return answer["error"]["message"]
        changed = text.replace(CARET, "")
        lines = changed.split("\n")
        for edit in reversed(answer["result"]["changes"][name]):
            start, end = edit["range"]["start"], edit["range"]["end"]
            line = lines[start["line"]]
            lines[start["line"]] = (line[:start["character"]] + edit["newText"] +
                                    line[end["character"]:])
        return "\n".join(lines)

    def test_rename_changes_every_place(self):
        self.assertEqual(self.rename(self.edited("com1:", f"c{CARET}om1:"), "tty0"),
                         MACHINE.replace("com1", "tty0"))
        self.assertEqual(self.rename(self.edited("lite:", f"lite{CARET}:"), "port"),
                         MACHINE.replace("lite:", "port:").replace("lite0", "port0"))
        self.assertEqual(self.rename(self.edited("$(ram)", f"$({CARET}ram)"), "memory_size"),
                         MACHINE.replace("  ram: {", "  memory_size: {").replace(
                             "$(ram)", "$(memory_size)"))

    def test_rename_reaches_history_and_wires(self):
        text = self.edited("backend: stdio", "wires: { port: lite0.port }").replace(
            "name: lab\nversion: 1\n", "name: lab\nversion: 2\nhistory: { 1: { devices: { lite: { "
            "count: 1 } } } }\n")
        self.assertEqual(self.rename(text.replace("lite: { type", f"lite{CARET}: {{ type"), "port"),
                         text.replace("lite: {", "port: {").replace("lite0", "port0"))

    def test_rename_refuses(self):
        self.assertEqual(self.rename(self.edited("at: isa", f"at: is{CARET}a"), "x"),
                         "`isa` is declared in a file that this one extends")
        self.assertEqual(self.rename(self.edited("com1:", f"c{CARET}om1:"), "Bad"),
                         "`Bad` is no name for a node")
        self.assertEqual(self.rename(self.edited("com1:", f"c{CARET}om1:"), "rtc"),
                         "there is a `rtc` already")
        self.assertEqual(self.rename(self.edited("name:", f"na{CARET}me:"), "x"),
                         "no node or parameter is named here")

    def test_prepare_rename_gives_the_word(self):
        self.open(self.edited("com1:", f"c{CARET}om1:"))
        answer = self.client.request("textDocument/prepareRename", self.here)
        self.assertEqual(answer["placeholder"], "com1")
        self.assertEqual(text_at(MACHINE, answer["range"]), "com1")


class Shown(Case):
    def test_symbols(self):
        name = self.open(MACHINE)
        symbols = self.client.request("textDocument/documentSymbol",
                                      {"textDocument": {"uri": name}})
        self.assertEqual([symbol["name"] for symbol in symbols],
                         ["format", "name", "version", "summary", "extends", "params", "cpu",
                          "memory", "windows", "devices", "boot"])
        devices = symbols[9]["children"]
        self.assertEqual([(one["name"], one["detail"]) for one in devices],
                         [("com1", "uart16550"), ("lite", "uartlite")])
        self.assertEqual(devices[0]["range"], {"start": {"line": 13, "character": 2},
                                               "end": {"line": 13, "character": 71}})
        self.assertEqual([one["name"] for one in symbols[5]["children"]],
                         ["kernel", "ram", "mode"])

    def hints(self, text, span=WHOLE):
        name = self.open(text)
        return [(hint["position"]["line"], hint["label"]) for hint in self.client.request(
            "textDocument/inlayHint", {"textDocument": {"uri": name}, "range": span})]

    def test_hints(self):
        self.assertEqual(self.hints(MACHINE), [
            (10, "= 134217728"), (14, "= 0xfe000000, ..."), (14, "= 0, ...")])
        self.assertEqual(self.hints(MACHINE, {"start": {"line": 10, "character": 0},
                                              "end": {"line": 11, "character": 0}}),
                         [(10, "= 134217728")])

    def test_hints_of_broken_text_are_none(self):
        self.assertEqual(self.hints(MACHINE + "devices: {"), [])

    def actions(self, text, only=None):
        name = self.open(text)
        context = {"diagnostics": []}
        if only:
            context["only"] = [only]
        return name, self.client.request("textDocument/codeAction", {
            "textDocument": {"uri": name}, "range": WHOLE, "context": context})

    def test_a_fix_is_a_quick_fix(self):
        text = self.edited("chipset/isa-pc@1", "chipset/isa-pc")
        name, actions = self.actions(text)
        action, every = actions
        self.assertEqual((action["kind"], every["kind"]), ("quickfix", "source.fixAll"))
        self.assertEqual(action["diagnostics"][0]["code"], "C703")
        edit, = action["edit"]["changes"][name]
        where = edit["range"]
        line = text.split("\n")[where["start"]["line"]]
        self.assertEqual(line[:where["start"]["character"]] + edit["newText"] +
                         line[where["end"]["character"]:], "extends: chipset/isa-pc@1")
        self.assertEqual(every["edit"], action["edit"])
        _, actions = self.actions(text, "source.fixAll")
        self.assertEqual([one["kind"] for one in actions], ["source.fixAll"])
        _, actions = self.actions(text, "refactor")
        self.assertEqual(actions, [])

    def test_clean_files_have_no_actions(self):
        _, actions = self.actions(MACHINE)
        self.assertEqual(actions, [])

    def test_formatting_is_one_edit(self):
        formatted = self.format(MACHINE)
        self.assertIn("  ram:    { type: size", formatted)
        self.assertEqual(self.format(formatted), formatted)

    def format(self, text):
        name = self.open(text)
        edits = self.client.request("textDocument/formatting",
                                    {"textDocument": {"uri": name}, "options": {}})
        if not edits:
            return text
        edit, = edits
        lines = text.split("\n")

        def offset(where):
            return sum(len(line) + 1 for line in lines[:where["line"]]) + where["character"]
        return (text[:offset(edit["range"]["start"])] + edit["newText"] +
                text[offset(edit["range"]["end"]):])


if __name__ == "__main__":
    MILLWRIGHT = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=1)
