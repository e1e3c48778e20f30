"""The command line of the faults."""

from collections.abc import Mapping
from pathlib import Path

from tests.attack import cases
from tests.attack.cases import Case

RESULTS = Path(__file__).with_name("results.jsonl")


def table() -> Mapping[str, Case]:
    """Every fault by its name."""
    from tests.attack.faults.faults import table

    return table()


faults = cases.command(
    "faults",
    "Kills, full disks and broken environments: what a run leaves behind, and what it says.",
    *(table, RESULTS, 1000),
)


def section() -> str:
    """Write the section."""
    return cases.section(Path(__file__).with_name("section.md.j2"), RESULTS, table())
