"""The stored rulings, and what docs/reliability.md says of them."""

from collections import Counter
from pathlib import Path
from typing import Any

from evaluation.rows import Row, read
from evaluation.templates import templates

#: What the document is made from.
STORED = Path(__file__).with_name("results.jsonl")
OUTCOMES = ("right", "wrong", "undecidable", "error")


def stored() -> list[Row]:
    """Return the rows that the document is made from."""
    return [*read(STORED).values()]


def figures(rows: list[Row]) -> dict[str, Any]:
    """Return every number of the section by its name in the template."""
    counts = Counter(row["outcome"] for row in rows)
    table = []
    for package, version in sorted({(row["package"], row.get("version", "")) for row in rows}):
        of = Counter(row["outcome"] for row in rows if row["package"] == package)
        table.append([f"{package} {version}", of.total(), *(of[name] for name in OUTCOMES)])
    return {
        "gradients": len(rows),
        "packages": len({row["package"] for row in rows}),
        "share": 100 * counts["right"] / max(len(rows), 1),
        **{outcome: counts[outcome] for outcome in OUTCOMES},
        "mistaken": sum(row.get("expected") == "wrong" for row in rows),
        "elsewhere": sum(row.get("elsewhere") == "wrong" for row in rows),
        "minutes": sum(row.get("seconds", 0) for row in rows) / 60,
        "table": table,
        "odd": [
            f"{row['id']}: {row['outcome']}; {row['says']}"
            for row in rows
            if row["outcome"] not in ("right", "undecidable")
        ],
    }


def section(found: dict[str, Any]) -> str:
    """Return figures as the document and the command show them."""
    template = templates(Path(__file__).parent).get_template("section.md.j2")
    return template.render(**found)
