"""The stored sample of edits of what decides what is right, and one that is drawn afresh.

An edit is found by its function and its text, wherever the file has gone. Where its line is gone,
its row in sample.json may have a `successor` with the equivalent edit (`file`, `function`, `old`
and `new` as far as they differ). One that changes nothing that anybody could see has the reason,
`equivalent`, and what reasons like it have in common, `because`. All edits of the article's lines
are among them.
"""

import json
import random
from pathlib import Path
from typing import Any

from tests.attack.mutants.edits import ROOT, Function, Mutant, functions_of, python_files

SAMPLE = Path(__file__).with_name("sample.json")

#: What decides, in proportion to whose lines edits are drawn.
DECIDES = (
    "manual",
    *(f"handgrad/{room}" for room in ("oracle", "tolerance", "judging", "diagnosis")),
)

#: Of the text of an edit in characters: a long one would not be found once it is worded anew.
LONGEST = 90


def drawn(count: int, seed: int) -> dict[str, Mutant]:
    """Edits by their names, one each of functions drawn by their length.

    Three of four are not plain to see.
    """
    files = [file for file in python_files() if file.startswith(tuple(f"{of}/" for of in DECIDES))]
    functions = [function for file in files for function in functions_of(ROOT, file)]
    generator, found = random.Random(seed), dict[str, Mutant]()
    weights = [function.lines for function in functions]
    while len(found) < count:
        (function,) = generator.choices(functions, weights)
        if edit := _edit(function, generator):
            found.setdefault(f"{edit.id} {edit.file}", edit)
    return found


def _edit(function: Function, generator: random.Random) -> Mutant | None:
    kinds: dict[str, list[Mutant]] = {}
    for kind, edit in function.edits():
        if len(edit.old) <= LONGEST:
            kinds.setdefault(kind, []).append(edit)
    if not kinds:
        return None
    subtle = sorted(set(kinds) - {"call", "return", "other name"})
    kind = generator.choice(subtle if subtle and generator.random() < 0.75 else sorted(kinds))
    return generator.choice(kinds[kind])


def load() -> dict[str, Mutant]:
    """The stored sample by its names: the successor where one is named."""
    rows: list[dict[str, Any]] = json.loads(SAMPLE.read_text("utf-8"))
    return {f"{row['id']} {row['file']}": _mutant(row | row.get("successor", {})) for row in rows}


def _mutant(row: dict[str, Any]) -> Mutant:
    return Mutant(row["file"], row["function"], row["old"], row["new"])
