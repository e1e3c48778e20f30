"""Terminals that lack signs, and how the program is started again."""

import io
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.tiers import slowly

#: Names and sentences with signs that the encodings of old terminals lack.
MINE = """
import numpy as np

example = ({"σ": 0.3}, np.array([1.0, 2.0]))

def of_dict(params, x):
    print("∂L/∂σ")
    return {"σ": -np.sum(x * (1 - np.tanh(params["σ"] * x) ** 2))}

def loss_of_dict(params, x):
    return np.sum(np.tanh(params["σ"] * x))
"""


class Terminal:
    """Standard output and error in an encoding."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
        self._bytes, self._encoding = {"stdout": io.BytesIO(), "stderr": io.BytesIO()}, encoding
        for name, to in self._bytes.items():
            stream = io.TextIOWrapper(to, encoding=encoding, newline="\n")
            monkeypatch.setattr(sys, name, stream)

    def text(self, name: str) -> str:
        getattr(sys, name).flush()
        return self._bytes[name].getvalue().decode(self._encoding, "replace")


@pytest.mark.parametrize("encoding", ["cp1252", slowly("ascii")])
def test_a_terminal_that_lacks_signs_is_no_reason_to_fail(
    folder: Path, run: Any, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    (folder / "mine.py").rename(folder / "mine_σ.py")
    words = "check mine_σ.py:of_dict --loss loss_of_dict --like example --points 1"
    for more in ([], ["--json"], ["--help"]):
        terminal = Terminal(monkeypatch, encoding)
        ended = run(*words.split(), *more)
        out = terminal.text("stdout")
        if more == ["--json"]:
            assert "σ" in str(json.loads(out)["leaves"])  # nothing is lost in JSON
        elif not more:
            assert "sign" in out
        assert ended.code == (0 if more == ["--help"] else 1)


#: The program, what is found under its name, and how a report says it is started again.
STARTED = [
    ("{}/.venv/bin/handgrad", "{}/.venv/bin/handgrad", "handgrad"),
    slowly("{}/.venv/bin/handgrad", None, ".venv/bin/handgrad"),
    slowly("/lib/handgrad/__main__.py", "/usr/bin/handgrad", ".venv/bin/python -m handgrad"),
]


@pytest.mark.parametrize(("program", "found", "words"), STARTED)
def test_the_program_is_started_again_as_it_was(
    folder: Path, run: Any, monkeypatch: pytest.MonkeyPatch, program: str, found: Any, words: str
) -> None:
    named = {"handgrad": found and found.format(folder)}
    monkeypatch.setattr(shutil, "which", named.get)
    monkeypatch.setattr(sys, "executable", f"{folder}/.venv/bin/python")
    asked = "check mine.py:of_dict --loss=loss_of_dict --like=example --points=0 --json"
    ended = run(*asked.split(), program=program.format(folder))
    assert json.loads(ended.out)["reproduce"].startswith(f"{words} check ")
