"""The command line of the extremes."""

from collections.abc import Mapping
from pathlib import Path

from tests.attack import cases
from tests.attack.cases import Case

RESULTS = Path(__file__).with_name("results.jsonl")


def table() -> Mapping[str, Case]:
    """Every extreme by its name."""
    from tests.attack.extremes.extremes import table

    return table()


extremes = cases.command(
    "extremes",
    "Extreme values, arrays and sizes: a verdict that is right, or one clear line.",
    *(table, RESULTS, 600),
)


def section() -> str:
    """Write the section."""
    return cases.section(Path(__file__).with_name("section.md.j2"), RESULTS, table())
