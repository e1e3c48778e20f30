"""What the wheel holds runs on Linux, macOS and Windows; what Windows does is emulated here."""

import ast
import errno
import io
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import pytest

import handgrad
from handgrad.commands import loading, process
from handgrad.data import frames

PACKAGE = Path(handgrad.__file__).parent
TREES = {
    str(path.relative_to(PACKAGE)): ast.parse(path.read_text(encoding="utf-8"))
    for path in PACKAGE.rglob("*.py")
}

#: Modules of the standard library that Windows lacks.
POSIX_ONLY = {
    *("crypt", "curses", "fcntl", "grp", "nis", "ossaudiodev", "posix", "pty", "pwd", "readline"),
    *("resource", "spwd", "syslog", "termios", "tty"),
}

#: What handgrad takes from the modules that differ between systems; all of it is there in each.
EVERYWHERE = {
    "os": {"O_RDWR", "O_WRONLY", "_exit", "altsep", "devnull", "dup2", "fstat", "getcwd", "getenv"}
    | {"open", "path", "sep", "set_inheritable"},
    "signal": {"SIGINT", "SIG_IGN", "getsignal", "signal"},
    "time": {"perf_counter", "process_time", "sleep"},
}


def imports(tree: ast.AST) -> set[str]:
    """The modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return found


def test_no_module_is_for_posix_only() -> None:
    assert len(TREES) > 100
    for file, tree in TREES.items():
        assert not {name.partition(".")[0] for name in imports(tree)} & POSIX_ONLY, file
        # Processes are started in another way on each system; the judge starts none.
        assert not {name.partition(".")[0] for name in imports(tree)} & {"multiprocessing"}, file


def test_what_differs_between_systems_is_there_in_all() -> None:
    for file, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                allowed = EVERYWHERE.get(node.value.id)
                assert allowed is None or node.attr in allowed, (file, node.value.id, node.attr)
            if isinstance(node, ast.ImportFrom):
                assert node.module not in EVERYWHERE, file  # else it would not be seen above


def test_text_files_are_in_utf_8_whatever_the_system_s_encoding() -> None:
    for file, tree in TREES.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            literals = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
            is_binary = any(isinstance(mode, str) and "b" in mode for mode in literals)
            if called in ("read_text", "write_text") or (
                isinstance(node.func, ast.Name) and called == "open" and not is_binary
            ):
                assert "encoding" in {word.arg for word in node.keywords}, (file, node.lineno)


#: Names and sentences with signs that the encodings of old terminals lack.
MINE = """
import numpy as np

def loss(σ, x):
    return np.sum(np.tanh(σ * x))

def gradient(σ, x):
    print("∂L/∂σ")
    return -x * (1 - np.tanh(σ * x) ** 2)

example = ({"σ": 0.3}, np.array([1.0, 2.0]))

def of_dict(params, x):
    return {"σ": -np.sum(x * (1 - np.tanh(params["σ"] * x) ** 2))}

def loss_of_dict(params, x):
    return np.sum(np.tanh(params["σ"] * x))
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "mine_σ.py"
    path.write_text(MINE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return path


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
    mine: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    from handgrad.cli import main

    words = ["handgrad", "check", f"{mine}:of_dict", "--loss", "loss_of_dict", "--like", "example"]
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


def test_json_is_in_ascii_where_standard_output_is_not_unicode(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for encoding, text in {"cp1252": '"\\u03c3"', "utf-8": '"σ"', "utf-16": '"σ"'}.items():
        Terminal(monkeypatch, encoding)
        assert process.json_text("σ") == text


def test_a_file_s_location_may_have_a_drive(monkeypatch: pytest.MonkeyPatch) -> None:
    location = loading.parse(r"C:\work\mine.py:gradient", "gradient")
    assert location == (r"C:\work\mine.py", "gradient")
    loss = loading.parse("loss", "loss", location.source)
    assert loss == (r"C:\work\mine.py", "loss")
    assert loading.parse(r"D:\b.py:Model.loss", "loss", location.source).source == r"D:\b.py"
    monkeypatch.setattr(loading.os, "sep", "\\")
    monkeypatch.setattr(loading.os, "altsep", "/")
    for path in (r"C:\work\mine.py", r"work\mine", "work/mine", "MINE.PY"):
        with pytest.raises(loading.LoadingError, match=r"; expected FILE\.py:loss or package"):
            loading.parse(path, "loss", "other.py")
    for path in (r"work\mine", "work/mine"):
        with pytest.raises(loading.LoadingError, match="no such file: work"):
            loading.Loader().load(loading.Location(path, "loss"))


def test_the_command_to_repeat_is_written_for_the_shell_of_the_system(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = ["handgrad", "check", r"C:\my work\a.py:f", "--loss", "loss"]
    assert shlex.split(process.command_line(words)) == words
    monkeypatch.setattr(sys, "platform", "win32")
    assert process.command_line(words) == r'handgrad check "C:\my work\a.py:f" --loss loss'


@pytest.mark.parametrize(
    ("kind", "here", "script", "executable", "found", "words"),
    [
        (PurePosixPath, "/me", "/me/.venv/bin/handgrad", "", "/me/.venv/bin/handgrad", "handgrad"),
        (PurePosixPath, "/me", "/me/.venv/bin/handgrad", "", None, ".venv/bin/handgrad"),
        (PurePosixPath, "/me", "/other/handgrad", "", "/usr/bin/handgrad", "/other/handgrad"),
        (PurePosixPath, "/me", ".venv/bin/handgrad", "", None, ".venv/bin/handgrad"),
        (
            PurePosixPath,
            "/me",
            "/lib/handgrad/__main__.py",
            "/me/.venv/bin/python",
            "/usr/bin/handgrad",
            ".venv/bin/python -m handgrad",
        ),
        (PurePosixPath, "/me", "/t/pytest", "/t/python3", None, "/t/python3 -m handgrad"),
        (
            PureWindowsPath,
            r"C:\me",
            r"C:\me\Scripts\handgrad",
            "",
            r"c:\me\Scripts\handgrad.EXE",
            "handgrad",
        ),
        (
            PureWindowsPath,
            r"C:\me",
            r"C:\lib\handgrad\__main__.py",
            r"C:\me\.venv\Scripts\python.exe",
            None,
            r".venv\Scripts\python.exe -m handgrad",
        ),
    ],
)
def test_the_program_is_started_again_as_it_was(
    kind: type,
    here: str,
    script: str,
    executable: str,
    found: str | None,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process, "PurePath", kind)
    monkeypatch.setattr(process.os, "getcwd", lambda: here)
    monkeypatch.setattr(process.shutil, "which", {"handgrad": found}.get)
    monkeypatch.setattr(sys, "argv", [script, "check"])
    monkeypatch.setattr(sys, "executable", executable)
    assert process.started() == words.split()


def test_a_reader_that_is_gone_is_one_on_windows_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = OSError(errno.EINVAL, "Invalid argument")
    no_name = OSError(errno.EINVAL, "Invalid argument", "a?b")
    assert process.is_broken_pipe(BrokenPipeError())
    assert not process.is_broken_pipe(gone)
    monkeypatch.setattr(sys, "platform", "win32")
    assert process.is_broken_pipe(gone)
    assert process.is_broken_pipe(BrokenPipeError(errno.EPIPE, "Broken pipe"))
    assert not process.is_broken_pipe(no_name)
    assert not process.is_broken_pipe(ValueError())


GONE = """
import errno, sys
from handgrad.commands.process import prepared
sys.platform = "win32"
with prepared():
    raise OSError(errno.EINVAL, "Invalid argument")
"""


def test_a_reader_that_is_gone_ends_the_process_with_0() -> None:
    ended = subprocess.run([sys.executable, "-c", GONE], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_capital_letters_of_a_path_do_not_count_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "normcase", str.lower)
    monkeypatch.setattr(process, "_LIBRARIES", (r"c:\python\lib",))
    assert process._in_a_library(r"C:\Python\Lib\site-packages\jax\core.py")
    assert not process._in_a_library(r"C:\Users\me\mine.py")


@pytest.mark.parametrize(
    ("kind", "standard", "theirs", "mine"),
    [
        (PureWindowsPath, r"C:\Python\Lib", r"c:\python\lib\json\decoder.py", r"C:\Python\mine.py"),
        (PureWindowsPath, r"C:\P", r"C:\x\Lib\site-packages\jax\core.py", r"C:\P2\mine.py"),
        (PurePosixPath, "/usr/lib/python3", "/usr/lib/python3/json.py", "/usr/lib/python3x/a.py"),
    ],
)
def test_files_of_libraries_are_known_by_their_folders(
    monkeypatch: pytest.MonkeyPatch, kind: Any, standard: str, theirs: str, mine: str
) -> None:
    monkeypatch.setattr(frames, "Path", kind)
    monkeypatch.setattr(frames, "_HERE", kind("elsewhere"))
    monkeypatch.setattr(frames, "_STANDARD", {standard})
    frames._is_nobody_elses.cache_clear()
    assert not frames.is_own(theirs)
    assert frames.is_own(mine)
    frames._is_nobody_elses.cache_clear()
