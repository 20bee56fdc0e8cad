#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The control socket of a guest that counts: qmp.py MILLWRIGHT ROM_FOLDER. The guest runs on the software
CPU."""
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "support"))

from qmp import BOUND_S, Failure, Lines, Qmp  # noqa: E402

MILLWRIGHT = ROMS = None
PROFILE = os.path.join(HERE, "rom.yaml")


def millwright(*words):
    return subprocess.run([MILLWRIGHT, *words], capture_output=True, text=True, timeout=BOUND_S,
                          check=False)


class Machine(unittest.TestCase):
    """Starts a guest with a control socket; `qmp()` is a client of it."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.socket = os.path.join(self.folder.name, "s")
        self.process = None

    def start(self, *words, rom="spin", socket_words="", accel="soft", **streams):
        for name in ("stdin", "stdout", "stderr"):
            streams.setdefault(name, subprocess.DEVNULL)
        self.process = subprocess.Popen(
            [MILLWRIGHT, "run", PROFILE, "--set", f"firmware={ROMS}/{rom}.rom", "--accel", accel,
             "--qmp", self.socket + socket_words, *words], **streams)
        self.addCleanup(self.end)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def qmp(self, **options):
        client = Qmp(self.socket, **options)
        self.addCleanup(client.close)
        return client


class Control(Machine):
    def test_greeting_says_what_speaks(self):
        self.start()
        client = self.qmp()
        version = client.greeting["QMP"]["version"]
        self.assertEqual(set(version["qemu"]), {"major", "minor", "micro"})
        self.assertTrue(version["package"].startswith("Millwright "))
        self.assertEqual(client.greeting["QMP"]["capabilities"], [])
        self.assertEqual(client("query-version"), version)
        self.assertEqual(client("query-name"), {"name": "rom"})
        names = [entry["name"] for entry in client("query-commands")]
        self.assertIn("query-status", names)
        self.assertEqual(len(client("query-cpus-fast")), 1)

    def test_nothing_goes_without_capabilities(self):
        self.start()
        client = self.qmp(negotiate=False)
        answer = client.raw('{"execute": "query-status"}')
        self.assertEqual(answer["error"], {
            "class": "CommandNotFound",
            "desc": "Expecting capabilities negotiation with 'qmp_capabilities'"})
        client("qmp_capabilities")
        client("query-status")

    def test_stop_and_cont(self):
        self.start()
        client = self.qmp()
        running = {"status": "running", "singlestep": False, "running": True}
        paused = {"status": "paused", "singlestep": False, "running": False}
        self.assertEqual(client("query-status"), running)
        client("stop")
        self.assertEqual(client("query-status"), paused)
        self.assertEqual(set(client.event("STOP")["timestamp"]), {"seconds", "microseconds"})
        first = client("x-millwright-inspect")["clock-ns"]
        time.sleep(0.05)
        self.assertEqual(client("x-millwright-inspect")["clock-ns"], first)
        client("stop")
        client("cont")
        client.event("RESUME")
        self.assertEqual(client.events, [])
        self.assertEqual(client("query-status"), running)
        time.sleep(0.05)
        self.assertGreater(client("x-millwright-inspect")["clock-ns"], first)

    def test_reset_of_a_paused_machine_leaves_it_paused(self):
        self.start()
        client = self.qmp()
        client("system_reset")
        data = {"guest": False, "reason": "host-qmp-system-reset"}
        self.assertEqual(client.event("RESET")["data"], data)
        self.assertEqual(client("x-millwright-inspect")["resets"], 1)
        client("stop")
        client("system_reset")
        client.event("RESET")
        self.assertEqual(client("query-status")["status"], "paused")
        client("cont")
        self.assertEqual(client("query-status")["status"], "running")

    def test_quit_answers_before_the_process_ends(self):
        for paused in (False, True):
            self.start()
            client = self.qmp()
            if paused:
                client("stop")
            client("quit")
            event = client.event("SHUTDOWN")
            self.assertEqual(event["data"], {"guest": False, "reason": "host-qmp-quit"})
            self.assertIsNone(client.line())
            self.assertEqual(self.process.wait(BOUND_S), 0)
            self.assertFalse(os.path.exists(self.socket))

    def test_guest_that_resets_and_leaves_is_heard(self):
        self.start(rom="port_reset", socket_words=",server=on,wait=off")
        # It may be over before anyone is there.
        try:
            client = self.qmp()
            event = client.event("SHUTDOWN")
            self.assertEqual(event["data"]["guest"], True)
        except (Failure, OSError):
            pass
        self.assertEqual(self.process.wait(BOUND_S), 3)

    def test_signal_is_heard(self):
        self.start()
        client = self.qmp()
        self.process.send_signal(signal.SIGTERM)
        self.assertEqual(client.event("SHUTDOWN")["data"]["reason"], "host-signal")
        self.assertEqual(self.process.wait(BOUND_S), 128 + signal.SIGTERM)

    def test_clients_come_one_after_the_other(self):
        self.start()
        for _ in range(3):
            client = Qmp(self.socket)
            client("query-status")
            client.close()
        first, waiting = self.qmp(), socket.socket(socket.AF_UNIX)
        self.addCleanup(waiting.close)
        waiting.connect(self.socket)
        waiting.settimeout(0.2)
        with self.assertRaises(socket.timeout):
            waiting.recv(1)
        first.close()
        waiting.settimeout(BOUND_S)
        self.assertIn("QMP", json.loads(Lines(waiting).line()))

    def test_hostile_clients_do_no_harm(self):
        self.start()
        self.qmp().close()
        for data in (b"\0\1\2\xff" * 1000, b"[" * 100000, b'"' + b"x" * (2 << 20),
                     b'{"execute": "' + b"y" * 70000 + b'"}', b"}]" * 1000,
                     b'{"execute": "qmp_capabilities"}' * 100, b'{"execute": "quit"'):
            client = socket.socket(socket.AF_UNIX)
            client.connect(self.socket)
            client.settimeout(BOUND_S)
            try:
                client.sendall(data)
            except (BrokenPipeError, ConnectionResetError):
                pass  # it has heard enough
            client.close()
        # One that never reads what it asks for.
        client = socket.socket(socket.AF_UNIX)
        client.connect(self.socket)
        client.setblocking(False)
        try:
            while True:
                client.send(b'{"execute": "query-commands"}\n' * 100)
        except BlockingIOError:
            pass
        client.close()
        client = self.qmp()
        client("quit")
        self.assertEqual(self.process.wait(BOUND_S), 0)

    def test_end_does_not_wait_for_a_client_that_does_not_read(self):
        self.start()
        client = self.qmp()
        client.client.setblocking(False)
        try:
            while True:
                client.client.send(b'{"execute": "query-commands"}\n' * 100)
        except BlockingIOError:
            pass
        self.process.terminate()
        self.assertEqual(self.process.wait(10), 128 + signal.SIGTERM)

    def test_inspect_shows_nodes_and_rows(self):
        self.start()
        client = self.qmp()
        look = client("x-millwright-inspect")
        ids = [node["id"] for node in look["nodes"]]
        self.assertIn("com1", ids)
        self.assertEqual(look["rows"], [])
        rows = {row["name"]: row["value"]
                for row in client("x-millwright-inspect", node="com1")["rows"]}
        self.assertEqual(rows["scr"], "00")
        with self.assertRaisesRegex(Failure, "no node `nobody`"):
            client("x-millwright-inspect", node="nobody")

    def test_without_server_the_machine_connects(self):
        server = socket.socket(socket.AF_UNIX)
        server.bind(self.socket)
        server.listen(1)
        server.settimeout(BOUND_S)
        self.start(socket_words=",server=off")
        client = server.accept()[0]
        client.settimeout(BOUND_S)
        lines = Lines(client)
        self.assertIn("QMP", json.loads(lines.line()))
        lines.send('{"execute": "qmp_capabilities"}{"execute": "quit"}')
        self.assertEqual(json.loads(lines.line()), {"return": {}})
        self.assertEqual(self.process.wait(BOUND_S), 0)
        lines.close()
        server.close()

    def test_standard_streams(self):
        profile = os.path.join(self.folder.name, "p.yaml")
        with open(PROFILE, encoding="utf-8") as source, open(profile, "w", encoding="utf-8") as out:
            out.write(source.read().replace("devices:", "devices:\n  com1: { backend: null }"))
        done = subprocess.run(
            [MILLWRIGHT, "run", profile, "--set", f"firmware={ROMS}/spin.rom", "--accel", "soft",
             "--qmp", "stdio"], capture_output=True, text=True, timeout=BOUND_S, check=False,
            input='{"execute": "qmp_capabilities"}\n{"execute": "quit", "id": 1}\n')
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertIn("QMP", lines[0])
        self.assertIn({"return": {}, "id": 1}, lines)


class Verbs(Machine):
    def test_inspect(self):
        self.start()
        self.qmp().close()
        done = millwright("inspect", self.socket)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"\Arom: running, \d+\.\d{9} s, 0 resets\n")
        self.assertRegex(done.stdout, r"\n  com1 +uart16550 +16550A")
        done = millwright("inspect", self.socket, "com1")
        self.assertRegex(done.stdout, r"\n    scr +00\n")
        look = json.loads(millwright("inspect", self.socket, "com1", "--json").stdout)
        self.assertEqual([node["id"] for node in look["nodes"]], ["com1"])
        done = millwright("inspect", "unix:" + self.socket, "nobody")
        self.assertEqual(done.returncode, 1)
        self.assertIn("the machine has no node `nobody`", done.stderr)

    def test_type_needs_a_keyboard(self):
        self.start()
        self.qmp().close()
        look = json.loads(millwright("inspect", self.socket, "--json").stdout)
        done = millwright("type", self.socket, "a")
        self.assertEqual(done.returncode, 1)
        self.assertIn("the machine has no keyboard", done.stderr)
        self.assertIn("nodes", look)

    def test_media_need_a_drive(self):
        self.start()
        self.qmp().close()
        for words, why in ((("eject", self.socket, "com1"), "no medium that can be exchanged"),
                           (("eject", self.socket, "nobody"), "the machine has no node `nobody`"),
                           (("insert", self.socket, "com1", "x"), "no medium that can be exchanged")):
            done = millwright(*words)
            self.assertEqual(done.returncode, 1)
            self.assertIn(why, done.stderr)
        with self.assertRaisesRegex(Failure, "'filename' is missing"):
            self.qmp()("blockdev-change-medium", id="com1")

    def test_snapshot_is_written_where_the_command_stands(self):
        self.start()
        self.qmp().close()
        done = subprocess.run([MILLWRIGHT, "snapshot", self.socket, "m.snapshot"], check=False,
                              cwd=self.folder.name, capture_output=True, text=True,
                              timeout=BOUND_S)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        path = os.path.join(self.folder.name, "m.snapshot")
        self.assertEqual(os.stat(path).st_mode & 0o077, 0)
        self.assertEqual(self.qmp()("query-status")["status"], "running")
        done = millwright("snapshot", self.socket, "/nonexistent/folder/x")
        self.assertEqual(done.returncode, 1)

    def test_machine_that_speaks_to_another_is_not_waited_for_for_ever(self):
        self.start()
        self.qmp()
        begin = time.monotonic()
        done = millwright("inspect", self.socket)
        self.assertEqual(done.returncode, 1)
        self.assertIn("the machine may be speaking to someone else", done.stderr)
        self.assertLess(time.monotonic() - begin, 30)


if __name__ == "__main__":
    MILLWRIGHT, ROMS = map(os.path.abspath, sys.argv[1:3])
    del sys.argv[1:3]
    os.environ["MILLWRIGHT_PATH"] = ROOT
    unittest.main()
