"""Single keys from a terminal."""

import os
import pty
import sys
import termios
from collections.abc import Iterator
from typing import Any

import pytest

from compare.keys import Keyboard, keyboard


class Stdin:
    def __init__(self, handle: int) -> None:
        self.handle = handle

    def fileno(self) -> int:
        return self.handle


@pytest.fixture
def press(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Standard input is a terminal; what is given is typed."""
    outside, inside = pty.openpty()
    monkeypatch.setattr(sys, "stdin", Stdin(inside))
    yield lambda keys: os.write(outside, keys.encode())
    os.close(outside)
    os.close(inside)


def test_keys_and_sequences_one_at_a_time(press: Any) -> None:
    with keyboard() as keys:
        press("n\x1b[C\x1bOD\x1b[1~\x1b[F \r\x7fq")
        read = [keys.read() for _ in range(9)]
    assert read == ["n", "\x1b[C", "\x1bOD", "\x1b[1~", "\x1b[F", " ", "\n", "\x7f", "q"]


@pytest.mark.parametrize(("typed", "line"), [("\x7f17\x7f8\r", "18"), ("12\x1b", "")])
def test_a_line_is_typed_mended_or_given_up(press: Any, typed: str, line: str) -> None:
    with keyboard() as keys:
        press(typed)
        assert keys.line("Step: ") == line


def test_the_end_of_the_input_ends_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    inside, outside = os.pipe()
    monkeypatch.setattr(sys, "stdin", Stdin(inside))
    os.write(outside, b"12")
    os.close(outside)
    assert Keyboard().line("Step: ") == "12"
    assert Keyboard().read() == ""
    os.close(inside)


def test_the_terminal_is_as_it_was(press: Any) -> None:
    """Also where Ctrl-C, which stays a signal, ends the reading."""
    press("")
    handle = sys.stdin.fileno()
    before, during = termios.tcgetattr(handle), []

    def interrupted() -> None:
        with keyboard():
            during.append(termios.tcgetattr(handle)[3])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not during[0] & (termios.ICANON | termios.ECHO)
    assert during[0] & termios.ISIG
    assert termios.tcgetattr(handle) == before
