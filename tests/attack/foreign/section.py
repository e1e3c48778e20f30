"""The section on foreign code in docs/reliability.md, from the stored results."""

from collections import Counter
from typing import Any

from tests.attack.foreign.command import RESULTS, load

OUTCOMES = ("right", "wrong", "undecidable", "error")

TEXT = """## Foreign code

`python -m tests.attack foreign` puts {count} hand-written gradients of {packages} released packages
before the judge, each beside a truth of its own: differences of the function in 90 digits, which
share nothing with JAX or the judge. {right} rulings are right ({share:.1f} %), {wrong} wrong,
{undecidable} undecidable, {error} errors. {mistaken} of the gradients are not right; {elsewhere}
are right where they were given and wrong at another point that the judge tried.
It took {minutes:.0f} minutes of processor time.

| package | gradients | right | wrong | undecidable | error |
| --- | --- | --- | --- | --- | --- |
{table}

A ruling is right if it is `agree` or `imprecise` for what differs from the truth by less than ε^0.6
(4e-10 in float64), `disagree` for what differs by more than ε^0.4 (5e-7), and any of them between.
At a kink the truth looks at one element at a time, and two that are right alone may not be right
together: there any of them counts for what differs by less than ε^0.6. Most rulings are older than
the latest revision of the judge; those that were wrong then were made anew.
What is wrong in a release is in [examples/released_mistakes.py](../examples/released_mistakes.py).
"""


def figures() -> dict[str, Any]:
    """Count what is stored."""
    rows = list(load(RESULTS).values())
    counts = Counter(row["outcome"] for row in rows)
    return {
        "count": len(rows),
        "packages": len({row["package"] for row in rows}),
        "share": 100 * counts["right"] / len(rows),
        **{outcome: counts[outcome] for outcome in OUTCOMES},
        "mistaken": sum(row.get("expected") == "wrong" for row in rows),
        "elsewhere": sum(row.get("elsewhere") == "wrong" for row in rows),
        "minutes": sum(row.get("seconds", 0) for row in rows) / 60,
    }


def section() -> str:
    """Write the section."""
    rows = load(RESULTS).values()
    lines = []
    for package, version in sorted({(row["package"], row.get("version", "")) for row in rows}):
        counts = Counter(row["outcome"] for row in rows if row["package"] == package)
        cells = (f"{package} {version}", counts.total(), *(counts[name] for name in OUTCOMES))
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return TEXT.format(table="\n".join(lines), **figures())
