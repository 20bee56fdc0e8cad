"""`millwright run` on a terminal: it is given back whatever ends the process, keys and signals go
where they should, and any standard input will do. Exits with 77 where no accelerator works."""
# SPDX-License-Identifier: MIT
import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import termios
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import echo  # noqa: E402

PROGRAM = None
PROFILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "echo.yaml")
PATIENCE = 60  # seconds until a thing that must happen counts as not happening
CTRL_A = b"\x01"


def command(rom):
    return [PROGRAM, "run", PROFILE, "--set", "firmware=" + rom]


def environment():
    # Fatal signals must reach their default action, not a sanitizer's report.
    return dict(os.environ, MILLWRIGHT_PATH=os.getcwd(),
                ASAN_OPTIONS="handle_abort=0:handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:detect_leaks=0",
                TSAN_OPTIONS="handle_abort=0:handle_segv=0:handle_sigbus=0:handle_sigfpe=0:"
                "handle_sigill=0",
                UBSAN_OPTIONS="handle_segv=0")


def wait_until(what, test):
    end = time.monotonic() + PATIENCE
    while not what():
        if time.monotonic() > end:
            test.fail("waited %d s in vain" % PATIENCE)
        time.sleep(0.01)


class Terminal:
    """A pseudo terminal with the command in its foreground."""

    def __init__(self, test, words, stdin=None):
        self.test = test
        self.seen = b""
        self.master, slave = pty.openpty()
        # Something that is not the default, so that "restored" cannot be "set to defaults".
        modes = termios.tcgetattr(slave)
        modes[6][termios.VERASE] = b"\x08"
        modes[3] |= termios.ECHO | termios.ICANON
        termios.tcsetattr(slave, termios.TCSANOW, modes)
        self.slave = slave
        self.modes = termios.tcgetattr(slave)
        self.flags = self.open_flags()

        def lead():
            os.setsid()
            import fcntl
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            signal.signal(signal.SIGTTOU, signal.SIG_DFL)

        self.process = subprocess.Popen(words, stdin=slave if stdin is None else stdin,
                                        stdout=slave, stderr=slave, preexec_fn=lead,
                                        env=environment())
        test.addCleanup(self.close)

    def open_flags(self):
        import fcntl
        return fcntl.fcntl(self.slave, fcntl.F_GETFL)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.slave)
        os.close(self.master)

    def expect(self, text):
        end = time.monotonic() + PATIENCE
        while text not in self.seen:
            ready = select.select([self.master], [], [], max(0, end - time.monotonic()))[0]
            if not ready:
                self.test.fail("no %r within %d s in: %r" % (text, PATIENCE, self.seen[-2000:]))
            self.seen += os.read(self.master, 4096)
        self.seen = self.seen.split(text, 1)[1]

    def send(self, keys):
        os.write(self.master, keys)

    def is_raw(self):
        return not termios.tcgetattr(self.slave)[3] & (termios.ICANON | termios.ECHO | termios.ISIG)

    def is_restored(self):
        return termios.tcgetattr(self.slave) == self.modes and self.open_flags() == self.flags

    def end(self):
        return self.process.wait(timeout=PATIENCE)


class Ends(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.rom = os.path.join(folder.name, "echo.rom")
        echo.write(self.rom)

    def start(self):
        terminal = Terminal(self, command(self.rom))
        terminal.expect(b">")
        self.assertTrue(terminal.is_raw())
        return terminal

    def test_guest_ends_the_machine_with_its_code(self):
        terminal = self.start()
        terminal.send(b"hello")
        terminal.expect(b"hello")
        terminal.send(b"q")
        self.assertEqual(terminal.end(), echo.EXIT_CODE)
        self.assertTrue(terminal.is_restored())

    def test_ctrl_a_x_leaves(self):
        terminal = self.start()
        terminal.send(CTRL_A + b"x")
        self.assertEqual(terminal.end(), 0)
        self.assertTrue(terminal.is_restored())

    def test_ctrl_a_question_mark_helps(self):
        terminal = self.start()
        terminal.send(CTRL_A + b"?")
        terminal.expect(b"Ctrl-A x")
        terminal.send(b"q")
        self.assertEqual(terminal.end(), echo.EXIT_CODE)

    def test_ctrl_c_z_and_backslash_go_to_the_guest(self):
        terminal = self.start()
        for key in (b"\x03", b"\x1a", b"\x1c", b"\x11", b"\x13", b"\x04", CTRL_A + CTRL_A):
            terminal.send(key + b".")
            terminal.expect(key[-1:] + b".")
        terminal.send(b"q")
        self.assertEqual(terminal.end(), echo.EXIT_CODE)

    def test_signals_that_end_it_in_order(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            terminal = self.start()
            terminal.process.send_signal(number)
            self.assertEqual(terminal.end(), 128 + number)
            self.assertTrue(terminal.is_restored(), number)

    def test_signals_that_kill_it(self):
        for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE,
                       signal.SIGQUIT, signal.SIGALRM, signal.SIGUSR1):
            terminal = self.start()
            terminal.process.send_signal(number)
            self.assertEqual(terminal.end(), -number)
            self.assertTrue(terminal.is_restored(), number)

    def test_stopped_from_outside_and_continued(self):
        terminal = self.start()
        pid = terminal.process.pid
        for _ in range(3):
            os.kill(pid, signal.SIGTSTP)
            found, status = os.waitpid(pid, os.WUNTRACED)
            self.assertEqual(found, pid)
            self.assertTrue(os.WIFSTOPPED(status))
            self.assertTrue(terminal.is_restored())
            os.kill(pid, signal.SIGCONT)
            wait_until(terminal.is_raw, self)
            terminal.send(b"on")
            terminal.expect(b"on")
        terminal.send(b"q")
        self.assertEqual(terminal.end(), echo.EXIT_CODE)
        self.assertTrue(terminal.is_restored())

    def test_machine_that_cannot_be_built(self):
        terminal = Terminal(self, command("/nonexistent/rom"))
        terminal.expect(b"/nonexistent/rom")
        self.assertEqual(terminal.end(), 1)
        self.assertTrue(terminal.is_restored())

    def test_terminal_that_goes_away(self):
        terminal = self.start()
        os.close(terminal.slave)
        os.close(terminal.master)
        self.assertEqual(terminal.end(), 128 + signal.SIGHUP)
        terminal.slave, terminal.master = os.open("/dev/null", os.O_RDWR), os.open("/dev/null", os.O_RDWR)


class Inputs(unittest.TestCase):
    """Standard input that is no terminal."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.rom = os.path.join(folder.name, "echo.rom")
        echo.write(self.rom)

    def run_with(self, stdin, **options):
        return subprocess.Popen(command(self.rom), stdin=stdin, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=environment(), **options)

    def read_until(self, process, text):
        seen = b""
        end = time.monotonic() + PATIENCE
        while text not in seen:
            if not select.select([process.stdout], [], [], max(0, end - time.monotonic()))[0]:
                self.fail("no %r within %d s in %r" % (text, PATIENCE, seen))
            part = os.read(process.stdout.fileno(), 4096)
            if not part:
                self.fail("it ended early: %r %r" % (seen, process.stderr.read()))
            seen += part

    def finish(self, process, number=signal.SIGTERM):
        process.send_signal(number)
        self.assertEqual(process.wait(timeout=PATIENCE), 128 + number, process.stderr.read())
        process.stdout.close()
        process.stderr.close()

    def test_file_is_typed_in_and_ctrl_a_is_a_byte_like_others(self):
        path = os.path.join(self.folder, "input")
        text = bytes(range(256)).replace(b"q", b"") * 8
        with open(path, "wb") as out:
            out.write(text + b"q")
        with open(path, "rb") as stdin:
            process = self.run_with(stdin)
            out, error = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, echo.EXIT_CODE, error)
        self.assertEqual(out, b">" + text)

    def test_pipe(self):
        process = self.run_with(subprocess.PIPE)
        out, error = process.communicate(b"piped" * 1000 + b"q", timeout=PATIENCE)
        self.assertEqual((process.returncode, out), (echo.EXIT_CODE, b">" + b"piped" * 1000), error)

    def test_closed_pipe_keeps_it_running(self):
        read, write = os.pipe()
        os.close(write)
        process = self.run_with(read)
        os.close(read)
        self.read_until(process, b">")
        self.finish(process)

    def test_dev_null_keeps_it_running(self):
        process = self.run_with(subprocess.DEVNULL)
        self.read_until(process, b">")
        self.finish(process, signal.SIGINT)

    def test_closed_descriptor_keeps_it_running(self):
        process = subprocess.Popen(["sh", "-c", 'exec "$0" "$@" <&-', *command(self.rom)],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=environment())
        self.read_until(process, b">")
        self.finish(process)

    def test_idle_input_burns_no_time(self):
        for stdin in (subprocess.DEVNULL, subprocess.PIPE):
            process = self.run_with(stdin)
            self.read_until(process, b">")
            task = "/proc/%d/task/%d/stat" % (process.pid, process.pid)

            def ticks():
                with open(task, encoding="ascii") as stat:
                    fields = stat.read().rsplit(")", 1)[1].split()
                return int(fields[11]) + int(fields[12])
            before = ticks()
            time.sleep(1)
            self.assertLess(ticks() - before, 20, "the main thread spins")
            self.finish(process)
            if process.stdin:
                process.stdin.close()

    def test_output_that_goes_away_does_not_end_the_guest(self):
        process = self.run_with(subprocess.PIPE)
        self.read_until(process, b">")
        process.stdout.close()
        process.stdin.write(b"lost" * 100 + b"q")
        process.stdin.flush()
        self.assertEqual(process.wait(timeout=PATIENCE), echo.EXIT_CODE)
        process.stdin.close()
        process.stderr.close()

    def test_ignored_hangup_stays_ignored(self):
        process = self.run_with(subprocess.PIPE, preexec_fn=lambda: signal.signal(
            signal.SIGHUP, signal.SIG_IGN))
        self.read_until(process, b">")
        process.send_signal(signal.SIGHUP)
        process.stdin.write(b"still here")
        process.stdin.flush()
        self.read_until(process, b"still here")
        process.stdin.close()
        self.finish(process)


def accelerator_is_missing():
    """Why no machine can run here, or None."""
    with tempfile.TemporaryDirectory() as folder:
        rom = os.path.join(folder, "echo.rom")
        echo.write(rom)
        result = subprocess.run(command(rom) + ["--diagnostics", "full"], input=b"q",
                                capture_output=True, timeout=PATIENCE, env=environment(), check=False)
    if b"no accelerator that this machine may use" in result.stderr:
        return result.stderr.decode(errors="replace")
    return None


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    reason = accelerator_is_missing()
    if reason:
        print("skipped: no machine can run here:\n" + reason)
        sys.exit(77)
    unittest.main()
