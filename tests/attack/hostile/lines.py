"""Command lines: every option of every command, with values that it takes or must refuse."""

import contextlib
import io
import json
import os
import shutil
import sys
import tempfile
import xml.etree.ElementTree
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import click
import numpy as np

from benchmarks.cli import cli as benchmarks
from compare.cli import cli as compare
from compare.exit_codes import run as run_room
from evaluation.rows import Row
from handgrad.cli import cli as handgrad
from handgrad.cli import main as run_handgrad
from study.cli import cli as study
from tests.attack.cases import at_most, cost, described
from tests.attack.hostile import files, objects
from tests.attack.hostile.limits import MEGABYTES, SECONDS
from tests.attack.hostile.mutations import NUMBERS, WORDS

#: Small and valid, by a part of the option's name; what has no row takes what its type says.
VALID: dict[str, tuple[str, ...]] = {
    "epochs": ("0", "1", "2"),
    "steps": ("1", "3"),
    "cases": ("1", "10", "1e2"),
    "case": ("width", "0", "7"),
    "network": ("2-2-1", "4-7-3", "3-2", "1-1", "2-3-3-1"),
    "sizes": ("2-2-1",),
    "data": ("iris", "good.csv", "wine", "davis"),
    "target": ("c", "sex", "height"),
    "feature": ("a", "b", "weight"),
    "table": ("article", "good.csv", "answers.json"),
    "file": ("timings.json", "exam.svg"),
    "before": ("timings.json",),
    "after": ("timings.json",),
    "folder": ("figures",),
    "out": ("new.npz", "model.npz", "new.json", "timings.json", "new.html", "page.html"),
    "plot": ("new.svg", "exam.svg", "new.png"),
    "plant": ("half-mse", "dw-transposed", "numpy=slow"),
    "slug": ("half-mse",),
    "weights": ("uniform:5", "spread:0.1:10"),
    "inputs": ("uniform:20",),
    "x": ("1,2", "w1", "0.5"),
    "y": ("1", "w5", "0,1"),
    "name": ("w1", "b3", "a1"),
    "gradient": ("module.py:gradient",),
    "loss": ("module.py:loss", "mse", "bce"),
    "like": ("module.py:example",),
    "points": ("0", "1"),
    "every": ("0", "5"),
    "number": ("1", "3"),
    "rate": ("0.1", "1e-3"),
}

#: What would ask others than this process: other machines, a browser, hours of timing.
LEFT_OUT = {"distributed", "open_", "document"}


#: Each program's command, and what runs it with `sys.argv`.
PROGRAMS: dict[str, tuple[click.Command, Callable[[], Any]]] = {
    "compare": (compare, partial(run_room, "compare")),
    "handgrad": (handgrad, run_handgrad),
    "study": (study, partial(run_room, "study")),
    "benchmarks": (benchmarks, partial(run_room, "benchmarks")),
}


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[Any]:
    """Yield every command of a program with the words that lead to it."""
    if command.name not in LEFT_OUT:
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield path, command
        if isinstance(command, click.Group):
            for name, inner in command.commands.items():
                yield from commands(inner, (*path, name))


def drawn(rng: Random, path: tuple[str, ...], command: click.Command) -> list[str]:
    """Draw a command line: what is required mostly, some options, each value hostile or not."""
    words = [*path]
    for parameter in command.params:
        if parameter.name in LEFT_OUT or rng.random() > (0.93 if parameter.required else 0.25):
            continue
        if isinstance(parameter, click.Option):
            words.append(rng.choice(parameter.opts))
            if parameter.is_flag:
                continue
        words += [_value(rng, command, parameter)] * rng.choice(
            (1, 1, 1, 2 if parameter.multiple else 1)
        )
    if rng.random() < 0.1:
        words.insert(
            rng.randrange(len(words) + 1), rng.choice((*WORDS, *NUMBERS, "--", "-h", "--x"))
        )
    return [word.replace("\0", "\1") for word in words]  # no argument of a process has a NUL


def _value(rng: Random, command: click.Command, parameter: click.Parameter) -> str:
    with click.Context(command) as context:  # some names depend on another option
        context.params = {option.name: option.default for option in command.params}
        names = getattr(parameter.type, "names", None) or getattr(parameter.type, "choices", None)
    parts = (parameter.name or "", *(parameter.name or "").split("_"))
    valid = next((VALID[part] for part in parts if part in VALID), ("1", "x"))
    good = [*(names or valid)]
    if rng.random() < 0.7:
        return rng.choice(good)
    word = rng.choice((*NUMBERS, *WORDS, *FILES, "", "nowhere/x.svg", ".", "/", "a.npz", "x" * 300))
    return rng.choice((word, word, f"{rng.choice(good)}{word}", word + rng.choice(good)))


#: The files of the folder that a command line is run in.
FILES: dict[str, Callable[[], bytes]] = {
    "good.csv": lambda: files.TABLES[2],
    "bad.csv": lambda: b"a,b\n1\n",
    "model.npz": lambda: files.MODEL,
    "timings.json": lambda: files.timings()[0],
    "answers.json": lambda: files.answers()[0],
    "module.py": lambda: files.MODULE,
    "exam.svg": lambda: b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
    "page.html": lambda: b"<html></html>\n",
}

#: Whether a file is whole, by its suffix.
WHOLE: dict[str, Callable[[Path], Any]] = {
    ".npz": lambda path: np.load(path, allow_pickle=False).close(),
    ".json": lambda path: json.loads(path.read_text()),
    ".svg": xml.etree.ElementTree.parse,
    ".png": lambda path: path.read_bytes().index(b"IEND"),
    ".html": lambda path: path.read_text().index("</html>"),
    ".csv": lambda path: path.read_text(),
}


def ended(run: Callable[[], Any], argv: list[str], limit: float) -> tuple[int | str, str, str]:
    """Run a program in this process: its exit code, or what escaped it, and what it printed."""
    made = {"encoding": "utf-8", "errors": "replace", "write_through": True}
    out, err = (io.TextIOWrapper(io.BytesIO(), **made) for _ in range(2))

    def leave(code: int) -> None:
        raise SystemExit(code)

    with (
        patch.object(sys, "argv", argv),
        patch.object(os, "_exit", leave),
        patch("benchmarks.protocol.run", lambda *_: None),
        patch("benchmarks.checkers.run.run", lambda *_: None),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            with at_most(limit, by_interrupt=True):
                run()
            code: int | str = "it returned"
        except SystemExit as ending:
            code = ending.code if isinstance(ending.code, int) else int(bool(ending.code))
        except BaseException as error:  # what would be a traceback
            code = described(error)
    out.seek(0)
    err.seek(0)
    return code, out.read(), err.read()


def wrong(program: str, code: int | str, out: str, err: str) -> str | None:
    """Return what must not be in how a command line ended, or None."""
    allowed = {0, 1, 2, 130} | ({3} if program == "handgrad" else set())
    if code not in allowed:
        return f"ended with {code!r}: {err[-300:]}"
    if "Traceback (most recent" in err and program != "handgrad":
        return f"a traceback: {err[-300:]}"
    errors = [line for line in err.splitlines() if line.startswith("Error: ")]
    # One line; handgrad adds the frames of the caller's own code. A group alone shows its help.
    if code == 2 and not errors and "Usage: " not in err:
        return f"no line that says why: {err[-300:]}"
    if code == 2 and "please report it" in err:
        return err[-400:]
    if code == 2 and program != "handgrad" and errors and (len(errors) > 1 or out.strip()):
        return f"more than one line: {out[-100:]!r} {err[-300:]!r}"
    if any(not line.isprintable() for line in errors):
        return f"unprintable: {errors[0]!r}"
    return None


def broken(folder: Path, before: dict[str, bytes], words: Collection[str]) -> str | None:
    """Return which file is neither as it was nor whole, or was left behind, or None."""
    for name, content in before.items():
        path = folder / name
        if not path.exists():
            return f"{name} is gone"
        if path.read_bytes() != content and (reason := _damage(path)):
            return f"{name} is {reason}"
    for path in folder.iterdir():
        if path.name.startswith(".") and path.name not in words:
            return f"{path.name} was left behind"
        if path.is_file() and path.name not in before and (reason := _damage(path)):
            return f"{path.name} is {reason}"
    return None


def _damage(path: Path) -> str | None:
    check = WHOLE.get(path.suffix.lower())
    if check is None:
        return "of a kind that nothing writes"
    try:
        check(path)
    except Exception as error:
        return f"not whole: {described(error)}"
    return None


def batch(program: str, count: int, rng: Random, limit: float = SECONDS) -> Row:
    """Try so many command lines of one program, each in a folder with good and bad files."""
    command, run = PROGRAMS[program]
    every, outcomes, defects = [*commands(command)], Counter[str](), []
    made = {name: content() for name, content in FILES.items()}
    (_, start), slowest = cost(), 0.0
    for _ in range(count):
        if program == "handgrad" and rng.random() < 0.7:
            text, words = objects.drawn(rng)
        else:
            text, words = files.MODULE, drawn(rng, *rng.choice(every))
        with tempfile.TemporaryDirectory() as name:
            folder, before = Path(name), made | {"module.py": text}
            for file, content in before.items():
                (folder / file).write_bytes(content)
            began, peak = cost()
            with contextlib.chdir(folder):
                code, out, err = ended(run, [program, *words], limit)
            after, grown = cost()
            seconds, grown = after - began, grown - peak
            reason = wrong(program, code, out, err) or broken(folder, before, words)
            shutil.rmtree(folder / "figures", ignore_errors=True)
        sys.path[:] = [entry for entry in sys.path if entry != name]
        if reason is None and ((code == 2 and seconds > limit) or grown > MEGABYTES):
            reason = f"{seconds:.1f} s, {grown:.0f} MB more"
        outcome = "refused" if code == 2 else "stopped" if code == 130 else "accepted"
        outcomes["found" if reason else outcome] += 1
        slowest = max(slowest, seconds if code == 2 else 0.0)
        if reason:
            module = f"\n{text.decode()}" if "\n" in reason else ""
            defects.append([reason, " ".join(words)[:500] + module])
    return {
        "kind": f"{program}: command lines",
        "tried": count,
        **outcomes,
        "slowest": round(slowest, 3),
        "megabytes": round(cost()[1] - start),
        "defects": defects,
    }
