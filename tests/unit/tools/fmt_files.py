"""fmt_files.py MILLWRIGHT: `millwright fmt` on every YAML file of the project, and its ways of being called."""
# SPDX-License-Identifier: MIT
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

PROGRAM = None
UGLY = "format: machine/1\nname:    x\na: {b: 1} # c\n"
PRETTY = "format: machine/1\nname: x\na: { b: 1 }   # c\n"


def call(*words, **options):
    return subprocess.run([PROGRAM, "fmt", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=120, check=False, **options)


def read(path):
    with open(path, "rb") as file:
        return file.read()


class Files(unittest.TestCase):
    def test_shipped_files_are_in_the_style(self):
        files = [path for pattern in ("profiles/*.yaml", "chipsets/**/*.yaml")
                 for path in glob.glob(pattern, recursive=True)]
        self.assertGreater(len(files), 4)
        done = call("--check", *files)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))

    def test_every_file_keeps_its_meaning_and_what_comes_out_stays(self):
        with tempfile.TemporaryDirectory() as folder:
            copies = []
            for i, path in enumerate(sorted(glob.glob("tests/**/*.yaml", recursive=True))):
                copies.append(os.path.join(folder, f"{i}.yaml"))
                shutil.copy(path, copies[-1])
            done = call(*copies)
            # 3 would be a text that means something else; 2 are those with errors
            self.assertEqual(done.returncode, 2, done.stderr)
            wrong = set(re.findall(r"[^ \n]*/\d+\.yaml", done.stderr.decode()))
            good = [path for path in copies if path not in wrong]
            self.assertGreater(len(good), 60)
            done = call("--check", *good)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))


class Calls(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def write(self, name, text):
        path = os.path.join(self.folder.name, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def test_files_are_changed_in_place(self):
        ugly, pretty = self.write("ugly.yaml", UGLY), self.write("pretty.yaml", PRETTY)
        before = os.stat(pretty).st_mtime_ns
        done = call(ugly, pretty)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
        self.assertEqual(read(ugly).decode(), PRETTY)
        self.assertEqual(os.stat(pretty).st_mtime_ns, before)

    def test_check_names_what_would_change_and_changes_nothing(self):
        ugly, pretty = self.write("ugly.yaml", UGLY), self.write("pretty.yaml", PRETTY)
        done = call("--check", pretty, ugly)
        self.assertEqual((done.returncode, done.stdout.decode()), (1, ugly + "\n"))
        self.assertEqual(read(ugly).decode(), UGLY)
        self.assertEqual(call("--check", pretty).returncode, 0)

    def test_diff_prints_a_patch(self):
        ugly = self.write("ugly.yaml", UGLY)
        done = call("--diff", ugly)
        self.assertEqual(done.returncode, 1)
        self.assertIn("\n-name:    x\n-a: {b: 1} # c\n+name: x\n+a: { b: 1 }   # c\n",
                      done.stdout.decode())
        self.assertEqual(read(ugly).decode(), UGLY)

    def test_standard_input_goes_to_standard_output(self):
        done = call("-", input=UGLY.encode())
        self.assertEqual((done.returncode, done.stdout.decode()), (0, PRETTY))

    def test_a_file_with_errors_is_left_alone(self):
        text = "a: 1\na:   2\n"
        wrong, ugly = self.write("wrong.yaml", text), self.write("ugly.yaml", UGLY)
        done = call(wrong, ugly)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"wrong.yaml:2:1: E Y001 duplicate key", done.stderr)
        self.assertEqual(read(wrong).decode(), text)
        self.assertEqual(read(ugly).decode(), PRETTY)

    def test_what_cannot_be_read_is_named(self):
        for path in (self.folder.name, "/nonexistent.yaml"):
            done = call(path)
            self.assertEqual(done.returncode, 2)
            self.assertIn(path.encode(), done.stderr)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
