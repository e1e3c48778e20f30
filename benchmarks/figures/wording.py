"""The texts of the figures: titles, conditions, labels of axes."""

import textwrap
from dataclasses import dataclass

from benchmarks.analysis.groups import Group
from benchmarks.cases import CASES

#: The label of an axis of times; the ticks have the unit.
TIME = "time of one call"

#: Letters that fit into a line of the note.
LETTERS = 118


@dataclass(frozen=True)
class Words:
    """The texts of one figure."""

    title: str
    about: str  #: the lines below the title: the problem and the conditions
    note: str  #: below the figure: how to read it, and the machine


def words(group: Group, note: str, title: str = "") -> Words:
    """Write the texts of a group's figure, with a note on how to read it."""
    if group.case in CASES:
        title = title or CASES[group.case].title
    title = title or f"One loss and gradient: {group.case}"
    about = [line for line in (problem(group), conditions(group)) if line]
    below = [textwrap.fill(line, LETTERS) for line in (note, origin(group)) if line]
    return Words(title, "\n".join(about), "\n".join(below))


def axes_of(case: str) -> list[str]:
    """Return the meaning of the numbers of a size, for unknown cases as well."""
    return CASES[case].axis.split(" × ") if case in CASES else ["size"]


def problem(group: Group) -> str:
    """Describe what all cells share of the problem: `two hidden layers of 64 units; relu, mse`."""
    known = CASES[group.case].about if group.case in CASES else ""
    shared = []
    for name in ("activation", "loss"):
        values = {str(cell.about.get(name, "")) for cell in group.cells}
        shared += [*values] if len(values) == 1 and "" not in values else []
    return "; ".join(filter(None, [known, ", ".join(shared)]))


def conditions(group: Group) -> str:
    """Describe the conditions: `float32, all threads, JAX on the CPU, its products at ...`."""
    threads = "one thread" if group.threads == "1" else f"{group.threads} threads"
    parts = [group.dtype, threads, f"JAX on the {group.device.upper()}"]
    # Reduced precision only exists for float32.
    parts += [f"its products at {group.precision} precision"] if group.dtype == "float32" else []
    return ", ".join(parts)


def origin(group: Group) -> str:
    """List processor, GPUs, date and revision, as far as known."""
    found = group.fingerprint
    count = found.get("processors")
    parts = [
        found.get("processor"),
        f"{count} processor{'s' * (count != 1)}" if count else "",
        # The name only, without driver and memory.
        *(str(gpu).partition(",")[0] for gpu in found.get("gpus") or []),
        found.get("date"),
        f"revision {found['revision']}" if found.get("revision") else "",
    ]
    return ", ".join(str(part) for part in parts if part)
