"""`compare step` in a terminal: keys, whatever the size of the screen, Ctrl-C."""

import os
import pty
import re
import select
import subprocess
import sys
import time

import pytest


class Terminal:
    """`compare step` in a terminal of its own."""

    def __init__(self, *words: str, lines: int = 60, columns: int = 100) -> None:
        self.screen, end = pty.openpty()
        size = {"COLUMNS": str(columns), "LINES": str(lines)}
        environment = os.environ | {"TERM": "xterm"} | size
        # The terminal that sends Ctrl-C as a signal, as a user's does.
        controlled = "import fcntl, runpy, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
        controlled += "runpy.run_module('compare', run_name='__main__')"
        self.process = subprocess.Popen(
            [sys.executable, "-c", controlled, "step", *words],
            stdin=end,
            stdout=end,
            stderr=end,
            env=environment,
            start_new_session=True,
        )
        os.close(end)

    def until(self, text: str) -> str:
        """What is printed until there is this text."""
        printed, deadline = "", time.monotonic() + 60
        while text not in printed:
            assert time.monotonic() < deadline, printed
            if select.select([self.screen], [], [], 1)[0]:
                printed += os.read(self.screen, 65536).decode(errors="replace")
        return printed

    def press(self, keys: str) -> None:
        os.write(self.screen, keys.encode())


@pytest.mark.slow
def test_step_in_a_terminal_goes_there_and_back() -> None:
    at = Terminal()
    assert "Step 1 of 19" in at.until("q quit")
    for keys, step in [
        ("n", 2),
        ("\x1b[C", 3),
        (" ", 4),
        ("p", 3),
        ("\x1b[D", 2),
        ("x", 2),
        ("\x1b[F", 19),
        ("n", 19),
        ("\x1b[H", 1),
        ("p", 1),
    ]:
        at.press(keys)
        assert f"Step {step} of 19" in at.until("q quit"), keys
    at.press("g")
    at.until("1 to 19")
    at.press("18\r")
    shown = at.until("q quit")
    assert "Step 18 of 19" in shown
    assert "0.0214695352658111" in shown
    at.press("g")
    at.until("1 to 19")
    at.press("99\r")
    assert "Step 19 of 19" in at.until("q quit")
    at.press("Q")
    assert at.process.wait(timeout=30) == 0


@pytest.mark.slow
@pytest.mark.parametrize("lines", [8, 24])
def test_a_step_fits_a_short_terminal(lines: int) -> None:
    """The title stays in sight, whatever has to be left out."""
    at = Terminal("--at", "19", lines=lines, columns=80)
    shown = at.until("q quit")
    screen = shown[shown.rindex("\x1b[2J") :] if "\x1b[2J" in shown else shown
    assert "Step 19 of 19" in screen
    assert screen.count("\n") < lines
    assert ("more, in a taller terminal" in screen) == (lines == 8)
    at.press("q")
    assert at.process.wait(timeout=30) == 0


@pytest.mark.slow
def test_a_step_fits_a_narrow_terminal() -> None:
    """Lines that go on in the next one count as two."""
    at = Terminal("--at", "2", lines=24, columns=40)
    shown = at.until("q quit")
    screen = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown[shown.rindex("\x1b[H") :])
    assert "Step 2 of 19" in screen
    assert sum(max(1, -(-len(line.strip("\r")) // 40)) for line in screen.split("\n")) <= 24
    at.press("q")
    assert at.process.wait(timeout=30) == 0


@pytest.mark.slow
def test_ctrl_c_ends_it() -> None:
    at = Terminal()
    at.until("q quit")
    at.press("\x03")
    assert at.process.wait(timeout=30) == 130
