"""What docs/reliability.md says of foreign code, from the stored rows alone."""

from collections import Counter
from typing import Any

from tests.attack.stored import Row

OUTCOMES = ("right", "wrong", "undecidable", "error")


def figures(rows: list[Row]) -> dict[str, Any]:
    """Return every number of the section by its name in the template."""
    counts = Counter(row["outcome"] for row in rows)
    table = []
    for package, version in sorted({(row["package"], row.get("version", "")) for row in rows}):
        of = Counter(row["outcome"] for row in rows if row["package"] == package)
        table.append([f"{package} {version}", of.total(), *(of[name] for name in OUTCOMES)])
    return {
        "count": len(rows),
        "packages": len({row["package"] for row in rows}),
        "share": 100 * counts["right"] / len(rows),
        **{outcome: counts[outcome] for outcome in OUTCOMES},
        "mistaken": sum(row.get("expected") == "wrong" for row in rows),
        "elsewhere": sum(row.get("elsewhere") == "wrong" for row in rows),
        "minutes": sum(row.get("seconds", 0) for row in rows) / 60,
        "table": table,
    }
