"""The stored samples of mutants, each in proportion to lines.

One is of all rooms, with all edits of the article's lines. The other is of what decides what is
right: `manual/`, and the oracle, tolerances, judging and diagnoses of `handgrad/`.
"""

import json
import random
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.mutation.edits import Function, Mutant, functions_of
from tests.mutation.scratch import ROOMS, ROOT, tracked

SAMPLE = Path(__file__).with_name("sample.json")

TOTAL = 400
FEWEST = 25

#: The sample of what decides, and from where it is drawn.
DECIDING = 1000
DECIDES = (
    "manual",
    *(f"handgrad/{room}" for room in ("oracle", "tolerance", "judging", "diagnosis")),
)

#: Of the text of an edit in characters: a long one would not be found once it is worded anew.
LONGEST = 90


def make_sample(seed: int = 20) -> list[tuple[str, Mutant]]:
    """All edits of the article's lines, and of each room at least 25, each with its kind.

    In the article a name is mistaken only for one that differs by a digit: others are seen at once.
    """
    article = functions_of(ROOT, "manual/article.py")
    chosen = [pair for f in article for pair in f.edits() if pair[0] != "other name"]
    functions = {
        room: [f for file in sorted(tracked(ROOT)) for f in _functions(room, file)]
        for room in ROOMS
    }
    lines = {room: sum(f.lines for f in functions[room]) for room in ROOMS if functions[room]}
    left = TOTAL - len(chosen)
    counts = dict.fromkeys(lines, FEWEST)
    for _ in range(left - sum(counts.values())):
        counts[max(lines, key=lambda room: lines[room] / (counts[room] + 1))] += 1
    generator = random.Random(seed)
    for room, count in counts.items():
        chosen += _draw(functions[room], count, generator)
    return chosen


def make_deciding(seed: int = 21) -> list[tuple[str, Mutant]]:
    """Edits of what decides what is right, but for the article's lines, of which all are tried."""
    functions = [
        f for room in DECIDES for file in sorted(tracked(ROOT)) for f in _functions(room, file)
    ]
    return _draw(functions, DECIDING, random.Random(seed))


def _functions(room: str, file: str) -> list[Function]:
    inside = file.startswith(f"{room}/") and file.endswith(".py") and file != "manual/article.py"
    return list(functions_of(ROOT, file)) if inside else []


def _draw(
    functions: list[Function], count: int, generator: random.Random
) -> list[tuple[str, Mutant]]:
    """One edit each of functions drawn by their length; three of four are not plain to see."""
    drawn: dict[Mutant, str] = {}
    weights = [f.lines for f in functions]
    taken: set[int] = set()
    while len(drawn) < count:
        (at,) = generator.choices(range(len(functions)), weights)
        kinds: dict[str, list[Mutant]] = {}
        for kind, mutant in functions[at].edits():
            if len(mutant.old) <= LONGEST:
                kinds.setdefault(kind, []).append(mutant)
        if kinds and (at not in taken or len(taken) > len(functions) / 2):
            subtle = sorted(set(kinds) - {"call", "return", "other name"})
            kind = generator.choice(
                subtle if subtle and generator.random() < 0.75 else sorted(kinds)
            )
            drawn.setdefault(generator.choice(kinds[kind]), kind)
        taken.add(at)
    return [(kind, mutant) for mutant, kind in drawn.items()]


def store(sample: list[tuple[str, Mutant]], file: Path = SAMPLE) -> None:
    """Write a sample, one mutant a line, each under a name that stays when its place changes."""
    rows = [
        json.dumps({"id": m.id, "kind": kind, **asdict(m)}, ensure_ascii=False)
        for kind, m in sample
    ]
    file.write_text("[\n" + ",\n".join(rows) + "\n]\n", "utf-8")


def load(file: Path = SAMPLE) -> dict[str, Mutant | None]:
    """A stored sample by id: the successor where one is named, None where it was dropped."""
    rows: list[dict[str, Any]] = json.loads(file.read_text("utf-8"))
    return {row["id"]: None if "dropped" in row else _mutant(row) for row in rows}


def _mutant(row: dict[str, Any]) -> Mutant:
    now = row | row.get("successor", {})
    return Mutant(now["file"], now["function"], now["old"], now["new"])
