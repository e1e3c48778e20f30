"""Runs the `console` blocks of documents and holds what they print against what is printed there.

A command must end with 0, or with 1 where its first line says `disagree`.
The text must be the same but for white space. Numbers of six digits and more must agree to ten
significant digits, since the last ones differ between processors; whole numbers of one or two
digits may differ, since they count units in the last place. A line `...` stands for any lines.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")

#: Commands that would run these very tests again: only what they would do is looked at.
RECURSIVE = ("make test", "make test-all", "make lint")


def blocks(document: Path) -> list[str]:
    """The `console` blocks of a document, from top to bottom."""
    return re.findall(r"^```console\n(.*?)^```$", document.read_text("utf-8"), re.M | re.S)


def commands(block: str) -> list[tuple[str, str]]:
    """The commands of a block, each with the output that is printed below it."""
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)
    assert parts[0].strip() == "", "a console block begins with a command"
    split = (part.partition("\n") for part in parts[1:])
    return [(command, output) for command, _, output in split]


def check(command: str, expected: str) -> str | None:
    """What is wrong with a command, or None."""
    if command in RECURSIVE:
        command = command.replace("make", "make --dry-run", 1)
    if command.startswith("make "):
        # The environment that runs these tests is not set up anew under their feet.
        stamp = Path(os.path.relpath(sys.prefix, ROOT)) / ".installed-by-make"
        command = command.replace("make", f"make --assume-old={stamp}", 1)
    # The Python that runs these tests, wherever its environment is.
    command = command.replace(".venv/bin/python", sys.executable)
    run = subprocess.run(
        command,
        shell=True,
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=False,
    )
    # A wrong gradient is what some commands are shown to find.
    due = 1 if run.stdout.startswith("disagree: ") else 0
    if run.returncode != due:
        return f"ended with {run.returncode}, not {due}: {run.stderr}"
    if expected.strip() and not same(expected, run.stdout):
        return f"printed\n{run.stdout}\nwhere the document has\n{expected}"
    return None


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
