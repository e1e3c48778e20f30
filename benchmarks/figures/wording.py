"""What stands around the figures: titles, what was measured on what, names of axes."""

import textwrap
from dataclasses import dataclass

from benchmarks.analysis.groups import Group
from benchmarks.cases import CASES

#: By case.
TITLES = {
    "sample": "One gradient of the 2-2-1 network",
    "batch-2-2-1": "One gradient of the 2-2-1 network, by its batch",
    "training": "A whole training of the 2-2-1 network",
    "mass": "The gradients of many 2-2-1 networks at once",
    "digits": "One gradient of a network for digits",
    "width": "One gradient of an MLP, by its width",
    "depth": "One gradient of an MLP, by its depth",
    "batch": "One gradient of an MLP, by its batch",
    "diagonal": "One gradient of an MLP, by its width and batch together",
    "map": "Who is fastest at one gradient of an MLP",
}

#: Of an axis of times; the ticks have the unit.
TIME = "time of one call"

#: Letters that fit between the edges, in the size of the note.
LETTERS = 118


@dataclass(frozen=True)
class Words:
    """Of one figure."""

    title: str
    about: str  #: the lines below the title: what was timed, and in which way
    note: str  #: below the figure: how to read it, and on what it was measured


def words(group: Group, note: str, title: str = "") -> Words:
    """Of a group's figure, with a note on how to read it."""
    title = title or TITLES.get(group.case, f"One loss and gradient: {group.case}")
    about = [line for line in (problem(group), conditions(group)) if line]
    below = [textwrap.fill(line, LETTERS) for line in (note, origin(group)) if line]
    return Words(title, "\n".join(about), "\n".join(below))


def axes_of(case: str) -> list[str]:
    """What the numbers of a size count; also of a case that is not known here."""
    return CASES[case].axis.split(" × ") if case in CASES else ["size"]


def problem(group: Group) -> str:
    """What is timed, as far as all cells share it: `two hidden layers of 64 units; relu, mse`."""
    known = CASES[group.case].about if group.case in CASES else ""
    shared = []
    for name in ("activation", "loss"):
        values = {str(cell.about.get(name, "")) for cell in group.cells}
        shared += [*values] if len(values) == 1 and "" not in values else []
    return "; ".join(filter(None, [known, ", ".join(shared)]))


def conditions(group: Group) -> str:
    """How it was timed: `float32, all threads, JAX on the CPU, its products at ... precision`."""
    threads = "one thread" if group.threads == "1" else f"{group.threads} threads"
    parts = [group.dtype, threads, f"JAX on the {group.device.upper()}"]
    # Of wider numbers there are no fewer bits to be had.
    parts += [f"its products at {group.precision} precision"] if group.dtype == "float32" else []
    return ", ".join(parts)


def origin(group: Group) -> str:
    """Processor, GPUs, date and revision, as far as they are known."""
    found = group.fingerprint
    count = found.get("processors")
    parts = [
        found.get("processor"),
        f"{count} processor{'s' * (count != 1)}" if count else "",
        # Name, driver and memory, of which the name will do.
        *(str(gpu).partition(",")[0] for gpu in found.get("gpus") or []),
        found.get("date"),
        f"revision {found['revision']}" if found.get("revision") else "",
    ]
    return ", ".join(str(part) for part in parts if part)
