"""Terminals that lack signs, and how the program is started again."""

import io
import json
import sys
from pathlib import Path

import pytest

from handgrad.cli import main
from handgrad.commands import process

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


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "cp437"])
def test_a_terminal_that_lacks_signs_is_no_reason_to_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    (tmp_path / "mine_σ.py").write_text(MINE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    words = [
        "handgrad",
        "check",
        "mine_σ.py:of_dict",
        "--loss",
        "loss_of_dict",
        "--like",
        "example",
    ]
    for more in ([], ["--json"], ["--help"]):
        terminal = Terminal(monkeypatch, encoding)
        monkeypatch.setattr(sys, "argv", [*words, "--points", "1", *more])
        with pytest.raises(SystemExit) as ended:
            main()
        out = terminal.text("stdout")
        if more == ["--json"]:
            assert "σ" in str(json.loads(out)["leaves"])  # nothing is lost in JSON
        elif not more:
            assert "sign" in out
        assert ended.value.code == (0 if more == ["--help"] else 1)


@pytest.mark.parametrize(
    ("script", "executable", "found", "words"),
    [
        ("/me/.venv/bin/handgrad", "", "/me/.venv/bin/handgrad", "handgrad"),
        ("/me/.venv/bin/handgrad", "", None, ".venv/bin/handgrad"),
        ("/other/handgrad", "", "/usr/bin/handgrad", "/other/handgrad"),
        (
            "/lib/handgrad/__main__.py",
            "/me/.venv/bin/python",
            "/usr/bin/handgrad",
            ".venv/bin/python -m handgrad",
        ),
        ("/t/pytest", "/t/python3", None, "/t/python3 -m handgrad"),
    ],
)
def test_the_program_is_started_again_as_it_was(
    script: str, executable: str, found: str | None, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process.os, "getcwd", lambda: "/me")
    monkeypatch.setattr(process.shutil, "which", {"handgrad": found}.get)
    monkeypatch.setattr(sys, "argv", [script, "check"])
    monkeypatch.setattr(sys, "executable", executable)
    assert process.started() == words.split()
