"""A thousand edits of what decides what is right, each against the tests that execute its line."""

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from compare.wording import install
from evaluation.rows import Row
from tests.mutation.decide import KILLED, Judge
from tests.mutation.sample import DECIDES, load
from tests.mutation.scratch import compile_rooms, cover

#: An edit that changes nothing that anybody could see has the reason, `equivalent`, in its row, and
#: what reasons like it have in common, `because`.
SAMPLE = Path(__file__).with_name("sample.json")

SCRATCH = Path(tempfile.gettempdir(), "handgrad-mutants")

#: The tests of what is edited, the slow ones as well.
TESTS = (
    "tests/test_corpus.py",
    "tests/corpus",
    "tests/manual",
    "tests/handgrad",
    "tests/models",
    "manual",
    "handgrad",
)

OPTIONS = (
    click.Option(["--scratch"], default=SCRATCH, type=Path, help="Where the copy is kept."),
    click.Option(["--copy", "anew"], is_flag=True, help="Copy the checkout and cover it anew."),
)


def rows(wanted: Callable[[str], bool], scratch: Path, anew: bool) -> Iterator[list[Row]]:
    """Decide the edits that are wanted, in a copy of the checkout."""
    if anew or not (scratch / "coverage.json").exists():
        if find_spec("coverage") is None:
            raise click.UsageError(f"coverage is not installed; expected {install('mutants')}")
        cover(scratch, 2, ["-m", "slow or not slow", *TESTS])
    judge = Judge(scratch)
    compile_rooms(judge.tree)
    try:
        for name, mutant in load(SAMPLE).items():
            if mutant is not None and wanted(f"{name} {mutant.file}"):
                found = judge.decide(mutant)
                outcome, by = found.pop("status"), found.pop("by", "")
                row = {"id": f"{name} {mutant.file}", "outcome": outcome, "says": by}
                yield [row | found]
    finally:
        judge.close()


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
