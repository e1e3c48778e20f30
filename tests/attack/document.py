"""docs/reliability.md, made from the stored results of every part, and of evaluation/foreign."""

from pathlib import Path

from evaluation.foreign import results as foreign
from evaluation.rows import Row
from evaluation.templates import templates
from tests.attack.parts import PARTS

DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"


def hours(rows: list[Row]) -> float | None:
    """Return how long all rows take, or None where no row of a kind was timed.

    The others are taken to need as much for each second that the judge or the case needed, or,
    where none are stored, as others of their kind.
    """
    total = 0.0
    for kind in dict.fromkeys(row.get("kind") for row in rows):
        of = [row for row in rows if row.get("kind") == kind]
        timed = [row for row in of if "took" in row]
        needed, of_timed = (sum(row.get("seconds", 1) for row in each) for each in (of, timed))
        if not of_timed:
            return None
        total += sum(row["took"] for row in timed) * needed / of_timed
    return total / 3600


def document() -> str:
    """Return the text of docs/reliability.md."""
    parts = [(part.name, part.stored(), part.figures) for part in PARTS]
    parts.append(("foreign", foreign.stored(), foreign.figures))
    found = {name: {"hours": hours(rows)} | figures(rows) for name, rows, figures in parts}
    found["foreign"]["section"] = foreign.section(found["foreign"])
    return templates(Path(__file__).parent).get_template("reliability.md.j2").render(**found)
