"""`millwright lint` on real files: what it reads, hides, mends and answers."""
# SPDX-License-Identifier: MIT
import json
import os
import stat
import subprocess
import sys
import tempfile
import unittest

PROGRAM = None
ROOT = None

HEAD = """format: machine/1
name: p
version: 1
summary: test
extends: machine/microvm@1
"""
SPARE = "params:\n  spare: { type: int, default: 1, help: x }%s\n"


class Folder(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.folder = os.path.realpath(self.temporary.name)
        os.mkdir(self.path(".git"))  # no config from outside

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", newline="") as out:
            out.write(text)
        return path

    def read(self, name):
        with open(self.path(name), encoding="utf-8", newline="") as source:
            return source.read()

    def call(self, *words, text=None, cwd=None):
        environment = {**os.environ, "MILLWRIGHT_PATH": ROOT}
        result = subprocess.run([PROGRAM, "lint", *words], timeout=120, env=environment,
                                input=(text or "").encode(), cwd=cwd or self.folder, check=False,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        result.stdout, result.stderr = result.stdout.decode(), result.stderr.decode()
        return result

    def lint(self, *words, code=0, **options):
        result = self.call(*words, **options)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result

    def resolve(self, *words):
        environment = {**os.environ, "MILLWRIGHT_PATH": ROOT}
        return subprocess.run([PROGRAM, "resolve", *words], cwd=self.folder, env=environment,
                              text=True, check=False, capture_output=True, timeout=60)

    def codes(self, *words, code=0, **options):
        result = self.lint("--format", "concise", *words, code=code, **options)
        return [line.split(": ")[1].split()[1] for line in result.stdout.splitlines()]


class Directives(Folder):
    def test_end_of_line_hides_and_is_kept_for_sarif(self):
        self.write("p.yaml", HEAD + SPARE % " # lint: allow S104 -- later")
        self.assertEqual(self.codes("p.yaml", "--fail-on", "hint"), [])
        self.assertEqual(self.resolve("p.yaml").stderr, "")

    def test_above_an_entry_it_speaks_for_its_block(self):
        self.write("p.yaml", HEAD + "# lint: allow S104 -- later\nparams:\n"
                   "  a: { type: int, default: 1, help: x }\n\n  b:\n    type: int\n    default: 1\n"
                   "    help: x\n")
        self.assertEqual(self.codes("p.yaml"), [])
        self.write("p.yaml", HEAD + "params:\n  # lint: allow S104 -- later\n"
                   "  a: { type: int, default: 1, help: x }\n  b: { type: int, default: 1, help: x }\n")
        self.assertEqual(self.codes("p.yaml"), ["S104"])

    def test_before_the_first_key_it_speaks_for_the_file(self):
        self.write("p.yaml", "# lint: allow S1 -- all of it\n" + HEAD + SPARE % "")
        self.assertEqual(self.codes("p.yaml"), [])

    def test_the_key_does_too(self):
        self.write("p.yaml", HEAD + "lint: { allow: { S104: later } }\n" + SPARE % "")
        self.assertEqual(self.codes("p.yaml"), [])
        self.write("p.yaml", HEAD + "lint: { allow: { S104: '' } }\n" + SPARE % "")
        self.assertEqual(self.codes("p.yaml"), ["S109"])
        self.write("p.yaml", HEAD + "lint: { alow: { S104: '' } }\n")
        self.assertEqual(self.codes("p.yaml", code=1), ["S101"])

    def test_what_looks_like_a_comment_is_none(self):
        self.write("p.yaml", HEAD + "params:\n"
                   "  a: { type: string, default: \"x # lint: allow S104 -- no\", help: x }\n"
                   "  b:\n    type: string\n    default: x#lint:allow-S104\n"
                   "  c:\n    type: string\n    help: |\n      # lint: allow S104 -- no\n"
                   "    default: 'it''s # lint: allow S104 -- no'\n")
        self.assertEqual(self.codes("p.yaml"), ["S104", "S104", "S104"])

    def test_without_reason_or_use_it_is_told(self):
        self.write("p.yaml", HEAD + SPARE % " # lint: allow S104")
        self.assertEqual(self.codes("p.yaml"), ["S109"])
        self.write("p.yaml", HEAD + SPARE % " # lint: allow S104, R3 -- later")
        self.assertEqual(self.codes("p.yaml"), ["S109"])
        self.write("p.yaml", HEAD + SPARE % " # lint: disable S104")
        self.assertEqual(self.codes("p.yaml"), ["S104", "S109"])

    def test_fixed_errors_cannot_be_allowed(self):
        self.write("p.yaml", "# lint: allow R3, R301, Y001 -- no\n" + HEAD +
                   "devices:\n  com9: { type: uart16550, at: sys, io: 0x3fc, irq: 5 }\n")
        self.assertEqual(self.codes("p.yaml", code=1), ["S109", "S109", "R301"])

    def test_errors_are_hidden_from_lint_only(self):
        self.write("p.yaml", HEAD + "devices:\n  # lint: allow S108 -- a test\n  nobody: { irq: 5 }\n")
        self.assertEqual(self.codes("p.yaml"), [])
        result = self.resolve("p.yaml")
        self.assertEqual(result.returncode, 1)
        self.assertIn("S108", result.stderr)

    def test_many_directives_take_no_time(self):
        lines = "  # lint: allow S104, S105, S106 -- x\n" * 20000
        self.write("p.yaml", HEAD + "params:\n" + lines + "  a: { type: int, default: 1, help: x }\n")
        self.assertIn("S109", self.codes("p.yaml"))
        self.write("p.yaml", HEAD + "params: # lint:\n  a: " + "[" * 200000 + "\n")
        self.codes("p.yaml", code=1)


class Config(Folder):
    def test_nearest_upward_and_not_beyond_the_repository(self):
        profile = HEAD + SPARE % ""
        self.write("a/b/p.yaml", profile)
        self.write("a/.millwright.yaml", "ignore: [S104]\n")
        self.write("c/.git/HEAD", "")
        self.write("c/d/p.yaml", profile)
        self.write(".millwright.yaml", "severity: { S104: error }\n")
        self.assertEqual(self.codes("a/b/p.yaml"), [])
        self.assertEqual(self.codes("c/d/p.yaml"), ["S104"])
        self.write("p.yaml", profile)
        self.codes("p.yaml", code=1)
        self.codes("p.yaml", "--no-config")
        self.codes("a/b/p.yaml", "--config", ".millwright.yaml", code=1)

    def test_the_longer_code_and_the_command_line_win(self):
        self.write("p.yaml", HEAD.replace("@1", "") + SPARE % "")
        self.assertEqual(self.codes("p.yaml"), ["C703", "S104"])
        self.assertEqual(self.codes("p.yaml", "--select", "S"), ["S104"])
        self.assertEqual(self.codes("p.yaml", "--select", "S,C703", "--ignore", "C"), ["C703", "S104"])
        self.assertEqual(self.codes("p.yaml", "--ignore", "S1", "--ignore", "C7"), [])
        self.assertEqual(self.codes("p.yaml", "--severity", "S104=off"), ["C703"])
        self.write(".millwright.yaml", "select: S\nfail_on: warning\nseverity: { S104: hint }\n")
        self.assertEqual(self.codes("p.yaml"), ["S104"])
        self.assertEqual(self.codes("p.yaml", "--select", "C"), ["C703"])
        self.assertEqual(self.codes("p.yaml", "--severity", "S1=warning", code=1), ["S104"])

    def test_per_file_paths_are_from_the_config(self):
        self.write("a/p.yaml", HEAD + SPARE % "")
        self.write("b/p.yaml", HEAD + SPARE % "")
        self.write(".millwright.yaml", "per-file: { 'a/*': { ignore: [S104] } }\n")
        self.assertEqual(len(self.codes("a/p.yaml", "b/p.yaml")), 1)
        self.assertEqual(len(self.codes("p.yaml", "../b/p.yaml", cwd=self.path("a"))), 1)

    def test_fixed_errors_stay(self):
        self.write("p.yaml", HEAD + "devices:\n  com9: { type: uart16550, at: sys, io: 0x3fc, irq: 5 }\n")
        self.assertEqual(self.codes("p.yaml", "--ignore", "R", code=1), ["R301"])
        self.assertIn("always an error", self.lint("p.yaml", "--severity", "R301=off", code=2).stderr)

    def test_profile_path_finds_profiles(self):
        self.write("lib/profiles/mine.yaml", HEAD.replace("name: p", "name: mine"))
        self.write("p.yaml", HEAD.replace("microvm", "mine"))
        self.assertEqual(self.codes("p.yaml", code=1), ["S113"])
        self.write(".millwright.yaml", "profile_path: [lib]\nmodule_path: []\ntrust: []\n")
        self.assertEqual(self.codes("p.yaml"), [])
        self.assertEqual(self.resolve("p.yaml").returncode, 0)

    def test_mistakes_are_2_with_a_place(self):
        self.write("p.yaml", HEAD)
        for text, expected in (("selct: [S]\n", "did you mean `select`"),
                               ("select: [Q9]\n", "no rule's code"),
                               ("severity: { S104: eror }\n", "did you mean `error`"),
                               ("severity: { R301: off }\n", "is an error always"),
                               ("format: jsn\n", "did you mean `json`"),
                               ("per-file: { a: { ignor: [S] } }\n", "unknown key `ignor`"),
                               ("ignore: { a: b }\n", "expected a list"),
                               ("select: &a [S]\n", "anchors"), ("[", "")):
            self.write(".millwright.yaml", text)
            result = self.lint("p.yaml", code=2)
            self.assertRegex(result.stderr, r"\.millwright\.yaml:\d+:\d+: ")
            self.assertIn(expected, result.stderr)
        self.lint("p.yaml", "--config", "nonesuch", code=2)
        self.lint("p.yaml", "--select", "Q9", code=2)


class Fix(Folder):
    TEXT = ("# first\n" + HEAD.replace("@1", "   # base").replace("summary: test", "summary:  'a   b'") +
            "params:\n  # lint: allow R3, G2 -- gone\n\n"
            "  spare: { type: int, default: 1, help: x }   # lint: allow S104, R3 -- later\r\n# last")

    def test_every_other_byte_stays_and_nothing_is_left_to_do(self):
        path = self.write("p.yaml", self.TEXT)
        os.chmod(path, 0o640)
        result = self.lint("p.yaml", "--fix", "--fail-on", "hint")
        self.assertIn("fixed 4 findings in 1 file; 0 left", result.stderr)
        expected = self.TEXT.replace("microvm   #", "microvm@1   #").replace(", R3 -- later", " -- later")
        expected = expected.replace("  # lint: allow R3, G2 -- gone\n", "")
        self.assertEqual(self.read("p.yaml"), expected)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o640)
        self.assertEqual(sorted(os.listdir(self.folder)), [".git", "p.yaml"])
        self.assertIn("fixed 0 findings in 0 files; 0 left", self.lint("p.yaml", "--fix").stderr)

    def test_diff_is_a_patch_that_changes_nothing(self):
        self.write("p.yaml", self.TEXT)
        patch = self.lint("p.yaml", "--diff", code=1).stdout
        self.assertEqual(self.read("p.yaml"), self.TEXT)
        self.write("patch", patch)
        subprocess.run(["patch", "--binary", "-s", "p.yaml", "patch"], cwd=self.folder, check=True)
        patched = self.read("p.yaml")
        self.write("p.yaml", self.TEXT)
        self.lint("p.yaml", "--fix")
        self.assertEqual(self.read("p.yaml"), patched)
        self.assertEqual(self.lint("p.yaml", "--diff").stdout, "")

    def test_placeholders_are_never_applied(self):
        text = HEAD + SPARE % " # lint: allow S104"
        self.write("p.yaml", text)
        self.lint("p.yaml", "--fix", "--unsafe-fixes")
        self.assertEqual(self.read("p.yaml"), text)

    def test_bases_of_others_are_left_alone(self):
        with tempfile.TemporaryDirectory() as other:
            base = os.path.join(other, "base.yaml")
            with open(base, "w", encoding="utf-8") as out:
                out.write(HEAD.replace("@1", ""))
            self.write("p.yaml", HEAD.replace("machine/microvm@1", base))
            self.assertIn("left alone", self.lint("p.yaml", "--fix").stderr)
            with open(base, encoding="utf-8") as source:
                self.assertNotIn("microvm@1", source.read())

    def test_a_link_is_followed_and_stays_one(self):
        self.write("real/p.yaml", HEAD.replace("@1", ""))
        os.symlink("real/p.yaml", self.path("link.yaml"))
        self.lint("link.yaml", "--fix")
        self.assertTrue(os.path.islink(self.path("link.yaml")))
        self.assertIn("microvm@1", self.read("real/p.yaml"))

    def test_folder_that_cannot_be_written(self):
        if os.geteuid() == 0:
            self.skipTest("root writes everywhere")
        self.write("ro/p.yaml", HEAD.replace("@1", ""))
        os.chmod(self.path("ro"), 0o500)
        self.addCleanup(os.chmod, self.path("ro"), 0o700)
        self.lint("ro/p.yaml", "--fix", code=2)


class Baseline(Folder):
    def test_round_trip(self):
        self.write("p.yaml", HEAD + SPARE % "")
        self.codes("p.yaml", "--fail-on", "warning", code=1)
        self.lint("p.yaml", "--baseline-write")
        first = self.read(".millwright-baseline.yaml")
        self.assertIn("code: S104", first)
        self.assertEqual(self.codes("p.yaml", "--fail-on", "hint"), [])
        self.assertEqual(self.codes("p.yaml", "--no-baseline"), ["S104"])
        # lines move, the finding stays known; a second one is new
        self.write("p.yaml", "# more\n\n" + HEAD + SPARE % "")
        self.assertEqual(self.codes("p.yaml"), [])
        self.write("p.yaml", HEAD + SPARE % "\n  other: { type: int, default: 1, help: x }")
        self.assertEqual(len(self.codes("p.yaml")), 1)
        self.lint("p.yaml", "--baseline-write")
        self.lint("p.yaml", "--baseline-write")
        self.write("p.yaml", HEAD + SPARE % "")
        self.assertIn("1 known finding is gone", self.lint("p.yaml").stderr)
        self.lint("p.yaml", "--baseline-prune")
        self.assertEqual(self.read(".millwright-baseline.yaml"), first)

    def test_named_file_and_config(self):
        self.write("p.yaml", HEAD + SPARE % "")
        self.lint("p.yaml", "--baseline", "b.yaml", "--baseline-write")
        self.assertEqual(self.codes("p.yaml"), ["S104"])
        self.assertEqual(self.codes("p.yaml", "--baseline", "b.yaml"), [])
        self.write(".millwright.yaml", "baseline: b.yaml\n")
        self.assertEqual(self.codes("p.yaml"), [])

    def test_grave_errors_are_not_taken(self):
        self.write("p.yaml", HEAD + "devices:\n  com9: { type: uart16550, at: sys, io: 0x3fc, irq: 5 }\n")
        result = self.lint("p.yaml", "--baseline-write", code=1)
        self.assertIn("too grave", result.stderr)
        self.assertIn("findings: []", self.read(".millwright-baseline.yaml"))

    def test_bad_files_are_2(self):
        self.write("p.yaml", HEAD)
        for text in ("", "format: baseline/2\n", "format: baseline/1\nfindings: { a: b }\n",
                     "format: baseline/1\nfindings: [ { code: S104 } ]\n",
                     "format: baseline/1\nfindings: [ { code: Q1, message: x } ]\n",
                     "format: baseline/1\nfindings: [ { code: S104, message: x, count: 0 } ]\n",
                     "format: baseline/1\nmore: 1\n", "format: baseline/1\nfindings: [ x ]\n"):
            self.write("b.yaml", text)
            self.lint("p.yaml", "--baseline", "b.yaml", code=2)


class Sweep(Folder):
    def test_a_finding_of_one_combination_names_the_smallest_row(self):
        self.write("p.yaml", HEAD + "params:\n"
                   "  one: { type: bool, default: false, help: x }\n"
                   "  two: { type: enum, of: [a, b, c], default: a, help: x }\n"
                   "  three: { type: bool, default: true, help: x }\n"
                   "devices:\n"
                   "  com7: { type: uart16550, at: sys, io: 0x3e8, irq: 7, backend: 'null', when: three }\n"
                   "  com8: { type: uart16550, at: sys, io: 0x2f8, irq: 3, backend: 'null', when: one }\n"
                   "  com9: { type: uart16550, at: sys, io: 0x2fc, irq: 5, backend: 'null',"
                   " when: two == c }\n")
        self.assertEqual(self.codes("p.yaml"), [])
        result = self.lint("p.yaml", "--all-params", "--format", "full", code=1)
        self.assertEqual(result.stdout.count("error[R301]"), 1)
        self.assertIn("note: with one=true, two=c\n", result.stdout)
        self.assertRegex(result.stderr, r"\d+ combinations of parameters checked, 0 refused")
        self.assertEqual(self.codes("p.yaml", "--all-params", "--set", "one=false"), [])

    def test_checks_refuse_combinations(self):
        self.write("p.yaml", HEAD + "params:\n"
                   "  one: { type: bool, default: false, help: x }\n"
                   "  two: { type: bool, default: false, help: x }\n"
                   "checks: [ { that: not (one and two), say: not both } ]\n")
        result = self.lint("p.yaml", "--all-params")
        self.assertEqual(result.stdout, "")
        self.assertNotIn(" 0 refused", result.stderr)

    def test_a_directive_that_one_combination_needs_is_used(self):
        self.write("p.yaml", HEAD + "params:\n  one: { type: bool, default: false, help: x }\n"
                   "devices:\n  com8:\n    type: uart16550\n    at: sys\n    io: 0x2f8\n"
                   "    irq: 3\n    backend: 'null'\n    when: one\n"
                   "    props: {} # lint: allow S104 -- never\n")
        self.assertEqual(self.codes("p.yaml", "--all-params"), ["S109"])


class Operands(Folder):
    def test_folders_hold_files_of_the_language(self):
        self.write("m/p.yaml", HEAD + SPARE % "")
        self.write("m/deep/q.yaml", "# comment\n" + HEAD + SPARE % "")
        self.write("m/other.yaml", "services: {}\n")
        self.write("m/.hidden/r.yaml", HEAD + SPARE % "")
        os.symlink("..", self.path("m/loop"))
        self.assertEqual(self.codes("m"), ["S104", "S104"])
        self.assertEqual(self.codes("m/"), ["S104", "S104"])
        self.assertEqual(self.codes("."), ["S104", "S104"])

    def test_a_base_of_many_is_told_once(self):
        self.write("base.yaml", HEAD.replace("@1", "").replace("name: p", "name: base"))
        for name in ("a.yaml", "b.yaml"):
            self.write(name, HEAD.replace("machine/microvm@1", "./base.yaml"))
        self.assertEqual(self.codes("a.yaml", "b.yaml"), ["C703"])

    def test_other_files_of_the_language(self):
        self.write("m/c.yaml", "format: chipset/1\nname: c\nversion: 1\nsummary: test\nwindos: {}\n")
        self.write("m/o.yaml", "format: overlay/1\nname: o\ndevices:\n  com1: { irq: 5 }\n")
        self.write("m/l.yaml", "format: lock/1\n")
        self.assertEqual(self.codes("m", code=1), ["S101"])
        self.assertEqual(self.codes("m/o.yaml"), [])

    def test_standard_input(self):
        text = HEAD + SPARE % ""
        result = self.lint("-", text=text)
        self.assertRegex(result.stdout, r"stdin\.yaml:7:3: .*S104")
        result = self.lint("-", "--stdin-name", "sub/m.yaml", "--format", "json", text=text)
        self.assertTrue(json.loads(result.stdout)[0]["file"].endswith("sub/m.yaml"))
        self.lint("-", "--fix", text=text, code=2)
        patch = self.lint("-", "--diff", text=text.replace("@1", ""), code=1).stdout
        self.assertIn("+extends: machine/microvm@1", patch)

    def test_exit_codes(self):
        self.write("p.yaml", HEAD)
        self.lint("p.yaml")
        self.lint("p.yaml", "nonesuch.yaml", code=2)
        self.lint("/nonexistent/", code=2)
        self.assertIn("no file", self.lint(".git", code=2).stderr)
        self.lint(code=2)

    def test_older_versions_are_looked_at(self):
        self.write("p.yaml", HEAD.replace("version: 1", "version: 3") + "history:\n"
                   "  2: { devices: { zz: { io: 1 } } }\n  1: { memory: { ram: 64MiB } }\n")
        result = self.lint("p.yaml", code=1)
        self.assertEqual(len(result.stdout.splitlines()), 1, result.stdout)
        self.assertIn("E S108 there is no `zz` to change", result.stdout)

    def test_formats(self):
        self.write("p.yaml", HEAD + SPARE % " # lint: allow S104")
        for name in ("full", "concise", "json", "jsonl", "sarif", "github", "junit"):
            self.assertIn("S109", self.lint("p.yaml", "--format", name).stdout)
        sarif = json.loads(self.lint("p.yaml", "--format", "sarif").stdout)
        hidden = [result for result in sarif["runs"][0]["results"] if result.get("suppressions")]
        self.assertEqual([result["ruleId"] for result in hidden], ["S104"])
        self.write("p.yaml", HEAD)
        json.loads(self.lint("p.yaml", "--format", "sarif").stdout)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    ROOT = os.getcwd()
    unittest.main()
