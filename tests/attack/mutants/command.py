"""A thousand edits of what decides what is right, each against the tests that execute its line."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from evaluation.rows import Row
from tests.attack.mutants.edits import ROOT
from tests.attack.mutants.sample import DECIDES, SAMPLE, drawn, load

KILLED = ("killed", "timeout")

#: Where it is kept which test executes which lines: it takes hours to find out.
LINES = ROOT / ".pytest_cache" / "d" / "lines"

#: The tests of what is edited, the slow ones as well.
TESTS = (
    "tests/test_corpus.py",
    "tests/test_equivalence.py",
    *(f"tests/{room}" for room in ("corpus", "handgrad", "manual", "models")),
    "manual",
    "handgrad",
)

OPTIONS = (
    click.Option(["--fresh"], type=int, help="So many edits drawn anew, not the stored ones."),
    click.Option(["--seed"], default=0, help="By which these are drawn."),
    click.Option(["--lines"], default=LINES, type=Path, help="A folder: which test executes what."),
    click.Option(["--noting"], default=float("inf"), help="Seconds for tests that are not in it."),
)


def rows(
    wanted: Callable[[str], bool], fresh: int | None, seed: int, lines: Path, noting: float
) -> Iterator[list[Row]]:
    """Decide the edits that are wanted, in forks of one process that has collected all tests."""
    if sys.version_info < (3, 12):
        raise click.UsageError("which lines a test executes is known from Python 3.12 on")
    edits = drawn(fresh, seed) if fresh else load()
    edits = {name: edit for name, edit in edits.items() if wanted(name)}
    with TemporaryDirectory() as folder:
        asked = Path(folder, "edits.json")
        asked.write_text(json.dumps({name: asdict(edit) for name, edit in edits.items()}), "utf-8")
        options = ["-s", "-p", "no:terminalreporter", "-p", "tests.attack.mutants.plugin"]
        options += ["--edits", str(asked), "--lines", str(lines), "--noting", str(noting)]
        with subprocess.Popen(
            [sys.executable, "-m", "pytest", *options, "-m", "slow or not slow", *TESTS],
            cwd=ROOT,
            env=os.environ | {"HANDGRAD_NIGHT": "1"},
            stdout=subprocess.PIPE,
            text=True,
        ) as deciding:
            assert deciding.stdout is not None
            yield from ([json.loads(line)] for line in deciding.stdout if line.startswith("{"))
    if deciding.returncode:
        raise click.ClickException(f"pytest ended with {deciding.returncode}")


def figures(stored: list[Row]) -> dict[str, Any]:
    """Return what the document shows: how each room's edits ended, and those that do nothing."""
    sample = {f"{row['id']} {row['file']}": row for row in json.loads(SAMPLE.read_text("utf-8"))}
    decided = [row for row in stored if row["id"] in sample]
    rooms = []
    for room in DECIDES:
        ended = Counter(
            "killed"
            if row["outcome"] in KILLED
            else "equivalent"
            if "equivalent" in sample[row["id"]]
            else "left"
            for row in decided
            if sample[row["id"]]["file"].startswith(f"{room}/")
        )
        edits = sum(row["file"].startswith(f"{room}/") for row in sample.values())
        known = {name: ended[name] for name in ("killed", "equivalent", "left")}
        rooms.append({"name": room, "edits": edits, "decided": ended.total()} | known)
    same = [sample[row["id"]] for row in decided if row["outcome"] not in KILLED]
    return {
        "rooms": rooms,
        "edits": len(sample),
        "equivalent": sorted(
            (edit for edit in same if "equivalent" in edit), key=lambda edit: len(edit["old"])
        ),
    }
