"""The command as its users call it: exit codes, streams, help, JSON. No machine is run."""
# SPDX-License-Identifier: MIT
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

PROGRAM = None
PROFILE = "microvm"
SETS = ["--set", "kernel=/nonexistent/vmlinuz"]


def call(*words, **options):
    options.setdefault("stdin", subprocess.DEVNULL)
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.PIPE)
    environment = {**os.environ, "MILLWRIGHT_PATH": os.getcwd(), **options.pop("env", {})}
    return subprocess.run([PROGRAM, *words], text=True, timeout=60, env=environment, **options)


class Help(unittest.TestCase):
    def verbs(self):
        text = call("--help").stdout
        return re.findall(r"^  ([a-z]+) +[A-Z]", text.split("Verbs:")[1].split("\n\n")[0], re.M)

    def test_every_verb_has_help_with_each_of_its_options(self):
        self.assertLessEqual({"run", "lint", "resolve", "devices", "schema", "completion", "type", "inspect",
                              "snapshot", "restore", "help"}, set(self.verbs()))
        for verb in self.verbs():
            page = call("help", verb)
            self.assertEqual(page.returncode, 0, page.stderr)
            self.assertEqual(page.stdout, call(verb, "--help").stdout)
            self.assertEqual(page.stdout, call(verb, "-h").stdout)
            self.assertIn("Usage: millwright " + verb, page.stdout)
            self.assertIn("Exit status:", page.stdout)
            self.assertLessEqual(max(map(len, page.stdout.split("\n"))), 80, verb)
            # What the options table says is what the parser takes.
            with tempfile.TemporaryDirectory() as folder:  # some options write
                for option in re.findall(r"^ +(?:-., )?--([a-z-]+)", page.stdout, re.M):
                    complaint = call(verb, "--" + option, "--" + option, cwd=folder).stderr
                    self.assertNotIn("unknown option", complaint)

    def test_examples_are_calls_that_parse(self):
        with tempfile.TemporaryDirectory() as folder:
            for verb in self.verbs():
                for line in re.findall(r"^  (millwright .*)", call("help", verb).stdout, re.M):
                    words = line.split("|")[0].split(">")[0].split("<")[0].split()
                    self.assertNotIn("Try `millwright", call(*words[1:], cwd=folder).stderr, line)

    def test_help_teaches_a_profile_that_resolves(self):
        text = call("--help").stdout
        block = text.split("# my-machine.yaml")[1].split("\n", 1)[1].split("\n\n")[0]
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "my-machine.yaml")
            with open(path, "w", encoding="utf-8") as out:
                out.write(re.sub("^  ", "", block, flags=re.M) + "\n")
            result = call("resolve", path, *SETS)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn("com2", result.stdout)

    def test_help_fits_a_terminal(self):
        for line in call("--help").stdout.split("\n"):
            self.assertLessEqual(len(line), 80, line)

    def test_no_verb_is_usage(self):
        result = call()
        self.assertEqual(result.returncode, 2)
        self.assertEqual(result.stdout, "")
        self.assertIn("Usage: millwright", result.stderr)

    def test_version(self):
        result = call("--version")
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stdout, r"\Amillwright \d+\.\d+\.\d+\naccelerators: .*\bkvm\b")

    def test_mistakes_get_a_suggestion(self):
        for words, expected in (
            (("rum",), "did you mean `run`?"),
            (("help", "lnit"), "did you mean `lint`?"),
            (("--verison",), "did you mean `--version`?"),
            (("run", "--acel", "kvm", PROFILE), "did you mean `--accel`?"),
            (("devices", "uart16551"), "did you mean `uart16550`?"),
            (("devices", "--format", "jsn"), "did you mean `json`?"),
        ):
            result = call(*words)
            self.assertEqual(result.returncode, 2, words)
            self.assertIn(expected, result.stderr)
            self.assertEqual(result.stdout, "")


class Devices(unittest.TestCase):
    def test_list_and_json_agree_and_every_type_has_a_page(self):
        types = json.loads(call("devices", "--format", "json").stdout)
        names = [entry["name"] for entry in types]
        self.assertEqual(names, sorted(names))
        self.assertGreater(len(names), 8)
        text = call("devices").stdout
        for entry in types:
            self.assertIn(entry["summary"].split()[0], text)
            page = call("devices", entry["name"])
            self.assertEqual(page.returncode, 0)
            for kind in ("properties", "regions", "wires", "timers"):
                for row in entry[kind]:
                    self.assertRegex(page.stdout, r"\n  %s\b" % re.escape(row["name"]))
            alone = call("devices", entry["name"], "--format", "json")
            self.assertEqual(json.loads(alone.stdout), entry)


class Lint(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def profile(self, devices):
        path = os.path.join(self.folder.name, "p.yaml")
        with open(path, "w", encoding="utf-8") as out:
            out.write("format: machine/1\nname: p\nversion: 1\nsummary: test\n"
                      "extends: machine/microvm@1\ndevices:\n" + devices)
        return path

    def test_clean_is_silent_and_0(self):
        result = call("lint", PROFILE, *SETS)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))
        result = call("lint", PROFILE, *SETS, "--format", "json")
        self.assertEqual((result.returncode, json.loads(result.stdout)), (0, []))

    def test_findings_are_1_on_standard_output(self):
        path = self.profile("  com9: { type: uart16550, at: sys, io: 0x3fc, irq: 5 }\n")
        result = call("lint", path, *SETS)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual(result.stderr, "")
        self.assertRegex(result.stdout, r"\.yaml:\d+:\d+: .*R301")
        for party in ("com1", "com9"):
            self.assertIn(party, result.stdout)
        result = call("lint", path, *SETS, "--format", "full")
        self.assertIn("^", result.stdout)
        self.assertNotIn("\x1b", result.stdout)
        found = json.loads(call("lint", path, *SETS, "--format", "json").stdout)
        self.assertEqual([entry["code"] for entry in found], ["R301"])

    def test_unreadable_is_2(self):
        for name in ("/nonexistent/p.yaml", "nonesuch", self.folder.name + "/"):
            result = call("lint", name)
            self.assertEqual(result.returncode, 2, result.stdout)
            self.assertIn(name.strip("/").split("/")[-1], result.stdout + result.stderr)

    def test_unknown_name_says_where_it_was_looked_for(self):
        result = call("lint", "nonesuch", "--format", "full")
        self.assertIn("looked for profiles/nonesuch.yaml", result.stdout)
        self.assertIn("share/millwright/profiles/nonesuch.yaml", result.stdout)

    def test_fail_on_lowers_the_bar(self):
        path = self.profile("  com9: { type: uart16550, at: sys, io: 0x2f8, irq: 3, backend: 'null' }\n")
        with open(path, encoding="utf-8") as source:
            text = source.read()
        with open(path, "w", encoding="utf-8") as out:
            out.write(text.replace("devices:", "params: { spare: { type: int, default: 1, help: x } }\n"
                                               "devices:"))
        result = call("lint", path, *SETS)
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertIn("S104", result.stdout)
        self.assertEqual(call("lint", path, *SETS, "--fail-on", "warning").returncode, 1)
        self.assertEqual(call("lint", path, *SETS, "--fail-on", "hint").returncode, 1)


class Resolve(unittest.TestCase):
    def test_texts(self):
        yaml = call("resolve", PROFILE, *SETS)
        self.assertEqual(yaml.returncode, 0, yaml.stderr)
        self.assertTrue(yaml.stdout.startswith("format: plan/1\n"))
        plan = json.loads(call("resolve", PROFILE, *SETS, "--format", "json").stdout)
        self.assertEqual(plan["format"], "plan/1")
        guest = call("resolve", PROFILE, *SETS, "--guest").stdout
        self.assertIn("vmlinuz", yaml.stdout)
        self.assertNotIn("vmlinuz", guest)
        self.assertNotIn("stdio", guest)

    def test_hash_is_of_the_guest_view(self):
        first = call("resolve", PROFILE, *SETS, "--hash").stdout
        self.assertRegex(first, r"\A[0-9a-f]{64}\n\Z")
        self.assertEqual(first, call("resolve", PROFILE, "--set", "kernel=/other", "--hash").stdout)
        self.assertNotEqual(first, call("resolve", PROFILE, *SETS, "--set", "cpus=2",
                                        "--hash").stdout)

    def test_findings_go_to_standard_error_and_code_is_1(self):
        result = call("resolve", PROFILE, "--set", "ram=1MiB")
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertIn("ram", result.stderr)
        result = call("resolve", PROFILE, *SETS, "--set", "cpus=300", "--diagnostics", "json")
        self.assertEqual([entry["code"] for entry in json.loads(result.stderr)], ["S103"])
        self.assertEqual(call("resolve", "nonesuch").returncode, 2)

    def test_a_file_given_later_stands_as_its_name(self):
        result = call("resolve", PROFILE)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn('linux: "<kernel>"', result.stdout)
        self.assertEqual(call("lint", PROFILE).returncode, 0)

    def test_search_path(self):
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(os.path.join(folder, "profiles"))
            with open(os.path.join(folder, "profiles", "mine.yaml"), "w", encoding="utf-8") as out:
                out.write("format: machine/1\nname: mine\nversion: 1\nsummary: x\n"
                          "extends: machine/microvm@1\n")
            path = "%s:%s" % (folder, os.getcwd())
            result = call("resolve", "mine", *SETS, env={"MILLWRIGHT_PATH": path}, cwd="/")
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn("name: mine", result.stdout)


class Run(unittest.TestCase):
    """Whatever goes wrong before a machine exists."""

    def refuse(self, code, expected, *words, **options):
        result = call("run", *words, **options)
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertIn(expected, result.stderr)
        self.assertEqual(result.stdout, "")

    def test_profile_errors_are_1_and_unreadable_is_2(self):
        self.refuse(1, "the parameter `kernel` has no value", PROFILE)
        self.refuse(2, "nonesuch", "nonesuch")
        self.refuse(2, "what is missing is PROFILE")
        self.refuse(2, "cannot write the log /nonexistent/log", PROFILE, "--log", "/nonexistent/log")

    def test_missing_kernel_is_named(self):
        self.refuse(1, "/nonexistent/vmlinuz", PROFILE, *SETS)

    def test_unknown_accelerator_lists_those_built_in(self):
        self.refuse(1, "there is no accelerator `kvn`", PROFILE, *SETS, "--accel", "kvn")
        self.refuse(1, "built in is kvm", PROFILE, *SETS, "--accel", "kvn", "--diagnostics", "full")
        self.refuse(1, "mshv is not built in", PROFILE, *SETS, "--accel", "mshv", "--diagnostics", "full")

    def test_trace_limit_is_a_number_and_its_file_can_be_written(self):
        for limit in ("many", "-1", "", "0", "12x"):
            self.refuse(2, "--trace-limit is a number", PROFILE, *SETS, "--trace-limit", limit)
        self.refuse(2, "add --trace FILE", PROFILE, *SETS, "--trace-limit", "5")
        with tempfile.TemporaryDirectory() as folder:
            rom, kept = os.path.join(folder, "rom"), os.path.join(folder, "kept")
            for path in (rom, kept):
                with open(path, "wb") as out:
                    out.write(bytes(65536))
            self.refuse(2, "cannot write the trace /nonexistent/t", "tests/boot/rom.yaml", "--accel",
                        "soft", "--set", f"firmware={rom}", "--trace", "/nonexistent/t")
            self.refuse(1, "/nonexistent/vmlinuz", PROFILE, *SETS, "--accel", "soft", "--trace", kept)
            self.assertEqual(os.path.getsize(kept), 65536)  # a run that is refused empties nothing

    def test_clock_by_instructions_is_not_kvms(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "p.yaml")
            with open(path, "w", encoding="utf-8") as out:
                out.write("format: machine/1\nname: p\nversion: 1\nsummary: test\n"
                          "extends: machine/microvm@1\naccel: { clock: instructions }\n")
            result = call("run", path, *SETS, "--accel", "kvm")
        self.assertEqual(result.returncode, 1)
        if os.access("/dev/kvm", os.R_OK | os.W_OK):
            self.assertIn("p.yaml:6:17: E A501 kvm does not offer `clock: instructions`",
                          result.stderr)

    def test_kvm_has_neither_trace_nor_counters(self):
        result = call("run", PROFILE, *SETS, "--accel", "kvm", "--trace", "-", "--counters")
        self.assertEqual(result.returncode, 1)
        if os.access("/dev/kvm", os.R_OK | os.W_OK):
            for option in ("trace", "counters"):
                self.assertIn("the accelerator kvm has no `--%s`" % option, result.stderr)


class Clients(unittest.TestCase):
    """Verbs that speak to a running machine, without one."""

    def refuse(self, code, expected, *words):
        result = call(*words)
        self.assertEqual((result.returncode, result.stdout), (code, ""), words)
        self.assertEqual(result.stderr, "millwright %s: %s\n" % (words[0], expected))

    def test_nobody_there(self):
        for words in (("type", "a"), ("inspect",), ("inspect", "com1"), ("snapshot", "f")):
            verb, rest = words[0], words[1:]
            self.refuse(1, "/nonexistent/s: No such file or directory", verb, "/nonexistent/s", *rest)
            self.refuse(1, "a machine is spoken to at a socket", verb, "stdio", *rest)

    def test_someone_else_there(self):
        for said, expected in (
            (b"220 mail ready\r\n", "this is no control socket of a machine"),
            (b"{}", "this is no control socket of a machine"),
            (b"}", "this is no control socket of a machine"),
            (b'{"QMP": {}} {"error": {"desc": "not \\u001bnow"}}', "not \x1bnow"),
            (b'{"QMP": {}} {"event": "X"} {"error"', "the machine has closed the connection"),
            (b"", "the machine has closed the connection"),
        ):
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "s")
                server = socket.socket(socket.AF_UNIX)
                server.bind(path)
                server.listen(1)

                def serve():
                    client = server.accept()[0]
                    client.sendall(said)
                    client.shutdown(socket.SHUT_WR)
                    while client.recv(1000):
                        pass
                    client.close()

                thread = threading.Thread(target=serve)
                thread.start()
                self.refuse(1, expected.replace("\x1b", "?"), "inspect", path)
                thread.join()
                server.close()

    def test_nothing_to_do_is_usage(self):
        self.refuse(2, "nothing to type; give a TEXT or --keys KEYS", "type", "/nonexistent/s")
        self.assertEqual(call("snapshot", "/nonexistent/s").returncode, 2)
        self.assertEqual(call("inspect").returncode, 2)


class Output(unittest.TestCase):
    def test_full_disk_is_noticed(self):
        for words in (("--help",), ("devices",), ("devices", "--format", "json"),
                      ("resolve", PROFILE, *SETS), ("lint", PROFILE, *SETS, "--format", "json")):
            with open("/dev/full", "w", encoding="utf-8") as full:
                result = call(*words, stdout=full)
            self.assertEqual(result.returncode, 2, words)
            self.assertIn("cannot write to standard output", result.stderr)

    def test_what_could_not_be_told_is_not_told_apart_by_what_it_was(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            result = call("diff", "microvm", "linux-pc", stdout=full)
        self.assertEqual(result.returncode, 2)

    def test_findings_of_every_verb_have_every_format(self):
        for words in (("cat", PROFILE), ("why", PROFILE, "cpu.count"), ("map", PROFILE),
                      ("graph", PROFILE), ("diff", PROFILE, PROFILE), ("resolve", PROFILE),
                      ("lock", PROFILE)):
            result = call(*words, "--set", "cpus=300", "--diagnostics", "json")
            self.assertIn("S103", {found["code"] for found in json.loads(result.stderr)}, words)

    def test_reader_that_went_away_is_noticed(self):
        read, write = os.pipe()
        os.close(read)
        result = call("devices", stdout=write)
        os.close(write)
        self.assertEqual(result.returncode, 2)
        self.assertRegex(result.stderr, "Broken pipe|a write failed")

    def test_closed_descriptors_do_no_harm(self):
        def closed(which):
            return subprocess.run(["sh", "-c", 'exec "$0" "$@" ' + which, PROGRAM, "devices"],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  timeout=60, check=False)
        self.assertEqual(closed("<&-").returncode, 0)
        self.assertEqual(closed("2>&-").returncode, 0)
        self.assertEqual(closed(">&-").returncode, 2)
        self.assertEqual(closed("<&- >&- 2>&-").returncode, 2)

    def test_no_colour_off_a_terminal(self):
        result = call("resolve", PROFILE, "--diagnostics", "full")
        self.assertNotIn("\x1b", result.stderr)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
