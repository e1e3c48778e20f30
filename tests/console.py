"""Run the `console` blocks of documents and compare the output with the printed one.

A command must end with 0, or with 1 where its first line says `disagree`, its last `failed`, or the
line that sums up many checks `wrong`.
The text must be the same but for white space. Numbers of six digits and more must agree to ten
significant digits, since the last ones differ between processors; whole numbers of one or two
digits may differ, since they count units in the last place. A line `...` stands for any lines.
"""

import contextlib
import io
import os
import re
import runpy
import shlex
import subprocess
import sys
import warnings
from pathlib import Path
from unittest import mock

import jax

ROOT = Path(__file__).parent.parent
FAILED = re.compile(r"^[1-9]\d* failed\b.*\n?\Z", re.M)
WRONG = re.compile(r"^\d+ of \d+ checks pass: \d+ wrong ", re.MULTILINE)
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")

#: How our own commands begin. One with a shell's characters needs a shell, pytest a process of its
#: own, and a sweep needs a JAX that has not started yet: it has a device for each processor.
PYTHON, SHELL = ".venv/bin/python -m ", set(";|&<>$")
APART = (".venv/bin/python -m compare sweep ", ".venv/bin/python -m pytest ")

#: Commands that would run these very tests again: only what they would do is looked at.
RECURSIVE = ("make test", "make test-all", "make lint")


def shown_in(document: Path) -> list[tuple[str, str]]:
    """The commands of a document's `console` blocks, each with what is printed below it."""
    found: list[tuple[str, str]] = []
    for block in re.findall(r"^```console\n(.*?)^```$", document.read_text("utf-8"), re.M | re.S):
        first, *parts = re.split(r"^\$ ", block, flags=re.MULTILINE)
        assert first.strip() == "", "a console block begins with a command"
        found += [(command, output) for command, _, output in (p.partition("\n") for p in parts)]
    return found


def check(command: str, expected: str) -> str | None:
    """What is wrong with a command, or None."""
    if command in RECURSIVE:
        command, expected = command.replace("make", "make --dry-run", 1), ""
    if command.startswith("make "):
        # The environment that runs these tests is not set up anew under their feet.
        stamp = Path(os.path.relpath(sys.prefix, ROOT)) / ".installed-by-make"
        command = command.replace("make", f"make --assume-old={stamp}", 1)
    python = command.startswith(PYTHON) and not command.startswith(APART)
    run = in_this_process if python and SHELL.isdisjoint(command) else _in_a_shell
    code, out, err = run(command)
    # A wrong gradient is what some commands are shown to find.
    wrong = out.startswith("disagree: ") or FAILED.search(out) or WRONG.search(out)
    due = 1 if wrong else 0
    if code != due:
        return f"ended with {code}, not {due}: {err}"
    if expected.strip() and not same(expected, out):
        return f"printed\n{out}\nwhere the document has\n{expected}"
    return None


def _in_a_shell(command: str) -> tuple[int, str, str]:
    """Exit code, output and errors."""
    # The Python that runs these tests, wherever its environment is.
    run = subprocess.run(
        command.replace(".venv/bin/python", sys.executable),
        shell=True,
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=False,
    )
    return run.returncode, run.stdout, run.stderr


def in_this_process(command: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a module of ours: Python and JAX are loaded already.

    Args:
        command: beginning with `PYTHON`, without a shell's characters.
    """
    module, *words = shlex.split(command.removeprefix(PYTHON))
    path = ROOT.joinpath(*module.split("."))
    main = path / "__main__.py" if path.is_dir() else path.with_suffix(".py")
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(ROOT),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.object(sys, "argv", [str(main), *words]),
        mock.patch.object(sys, "executable", str(ROOT / PYTHON.split()[0]))
        if module == "handgrad"
        else contextlib.nullcontext(),
        mock.patch.dict(os.environ, COLUMNS="80"),
        warnings.catch_warnings(action="ignore"),
        jax.numpy_dtype_promotion("standard"),
        jax.numpy_rank_promotion("allow"),
    ):
        try:
            runpy.run_path(str(main), run_name="__main__")
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
    return code, out.getvalue(), err.getvalue()


def same(expected: str, printed: str) -> bool:
    """Whether the output is what the document shows, as the module's docstring defines it."""
    wanted, found = _lines(expected), _lines(printed)
    while wanted and found:
        if wanted[0] == "...":
            if len(wanted) == 1 or (len(found) > 1 and not _same_line(wanted[1], found[0])):
                found = found[1:]
            else:
                wanted = wanted[1:]
        elif _same_line(wanted[0], found[0]):
            wanted, found = wanted[1:], found[1:]
        else:
            return False
    return not found and wanted in ([], ["..."])


def _lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def _same_line(expected: str, printed: str) -> bool:
    if NUMBER.sub("#", expected) != NUMBER.sub("#", printed):
        return False
    return all(map(_same_number, NUMBER.findall(expected), NUMBER.findall(printed)))


def _same_number(a: str, b: str) -> bool:
    if max(len(a), len(b)) <= 2:
        return True
    if len(re.sub(r"\D", "", a)) < 6:
        return a == b
    return abs(float(a) - float(b)) <= 1e-10 * abs(float(a))
