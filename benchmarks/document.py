"""Fill the tables of documents, and draw the figures of docs/benchmarks.md, from what is stored."""

import re
from collections.abc import Mapping
from pathlib import Path

from benchmarks import names
from benchmarks.analysis import floor
from benchmarks.figures import draw
from benchmarks.report import units
from benchmarks.report.table import Table
from benchmarks.report.whole import lines
from benchmarks.results import JAX, Cell, Results
from benchmarks.statistics import typical
from compare.wording import InputError

ROOT = Path(__file__).parents[1]

#: The documents with tables, each between `<!-- table: NAME -->` and `<!-- end -->`.
DOCUMENT, README = ROOT / "docs" / "benchmarks.md", ROOT / "README.md"
CHECKING = ROOT / "docs" / "checking.md"

#: The stored results of a run on a processor, and the figures made from it.
STORED = ROOT / "benchmarks" / "results" / "cpu.json"
FIGURES = ROOT / "benchmarks" / "results" / "figures"

#: The cells that the document is mostly about, by `case/size/dtype/threads`.
SAMPLE, LARGE = "sample/1/float64/1", "digits/512/float32/1"

#: The rows of the README's table: what it says, the cell, and the row.
IN_BRIEF = (
    ("784-1024-1024-10, batch 512, NumPy", LARGE, names.HAND),
    ("`jax.grad`, compiled", LARGE, names.GRAD),
    ("the article's 2-2-1, Python floats", SAMPLE, names.FLOATS),
    ("NumPy scalars", SAMPLE, names.HAND),
    ("`autodiff.article.value_and_gradient`", SAMPLE, names.PUBLIC),
    ("bare compiled `jax.grad`, NumPy", SAMPLE, names.IN_NUMPY),
    ("the bare one on device arrays", SAMPLE, names.GRAD),
    ("C", SAMPLE, names.C),
)

#: The first table of docs/benchmarks.md: the network, and the cell.
NETWORKS = {
    "the article's 2-2-1, one sample": SAMPLE,
    "two layers of 64 units, 64 examples": "width/64/float32/1",
    "two layers of 1024 units, 64 examples": "width/1024/float32/1",
    "784-1024-1024-10, 512 examples": LARGE,
}


def cell_of(results: Results, label: str) -> Cell:
    """Return the cell of `case/size/dtype/threads`, on a processor, its products at `highest`.

    Raises:
        InputError: the results do not have it.
    """
    found = results.cell(f"{label}/highest/cpu")
    if found is None:
        raise InputError(f"the results have no cell {label}/highest/cpu")
    return found


def time(cell: Cell, name: str) -> str:
    """Return the median time of a row.

    Raises:
        InputError: it has none.
    """
    times = cell.times(name)
    if not times:
        raise InputError(f"{cell.label} has no time of {name}")
    return units.seconds(typical(times))


def tables() -> dict[Path, dict[str, str]]:
    """Return the tables of each document, by name, from the stored results.

    Raises:
        InputError: a file of results is missing, or lacks what a table shows.
    """
    from benchmarks.checkers import results as answers
    from benchmarks.checkers.cases import QUESTIONS
    from benchmarks.checkers.tables import in_brief, markdown

    timings = Results.load(STORED)
    asked = {each: answers.Results.load(answers.stored(each)) for each in QUESTIONS}
    brief = [[what, time(cell_of(timings, label), name)] for what, label, name in IN_BRIEF]
    timed = {row.name for cell in timings.cells for row in cell.rows if row.timed}
    rows = [[f"`{name}`", what] for name, what in names.CONTENDERS.items() if name in timed]
    return {
        DOCUMENT: {
            "brief": _compared(timings),
            "rows": Table(["row", "what it is"], rows, words=(0, 1)).markdown(),
            "sample": _times(timings, SAMPLE),
            "training": _times(timings, "training/1000/float64/1"),
            "large": _times(timings, LARGE),
        },
        README: {
            "checkers-in-brief": in_brief(asked["gradients"]),
            "benchmarks": Table(["one loss and gradient", "time"], brief).markdown(),
        },
        CHECKING: {
            "checkers": markdown(asked["gradients"]),
            "derivative-checkers": markdown(asked["derivatives"]),
            "torch-checkers": markdown(asked["torch"]),
            "check-times": markdown(asked["sized"]),
        },
    }


def _compared(timings: Results) -> str:
    """By hand, by autodiff, and the floor of a compiled program."""
    heads = ["one loss and gradient", "by hand, NumPy", "by hand, compiled", "`jax.grad`, compiled"]
    rows = []
    for what, label in NETWORKS.items():
        cell = cell_of(timings, label)
        below = floor(cell, JAX)
        found = [time(cell, name) for name in (names.HAND, names.HAND_JIT, names.GRAD)]
        rows.append([what, *found, units.seconds(typical(below)) if below else "-"])
    return Table([*heads, "floor"], rows).markdown()


def _times(timings: Results, label: str) -> str:
    """The rows of a cell, without the columns of how times are spread and of the gate."""
    found = lines(cell_of(timings, label))
    rows = [(f"`{row[0]}`", row[1], *row[5:8]) for row in found.rows]
    return Table([*found.heads[:2], *found.heads[5:8]], rows, words=(0, 3)).markdown()


def with_tables(text: str, made: Mapping[str, str]) -> str:
    """Return the text of a document with the tables that are made, by name.

    Raises:
        InputError: it does not have one of them, once.
    """
    for name, new in made.items():
        place = re.compile(rf"(?<=<!-- table: {name} -->\n).*?(?=<!-- end -->)", re.DOTALL)
        text, places = place.subn(lambda _, new=new: f"\n{new.strip()}\n\n", text)
        if places != 1:
            raise InputError(f"got {places} tables {name}, expected one")
    return text


def shown(text: str) -> list[str]:
    """Return the names of the figures in a document."""
    return sorted(set(re.findall(r"results/figures/([\w.-]+\.svg)", text)))


def build() -> list[Path]:
    """Write the tables into the documents, and the figures; return the files written.

    Raises:
        InputError: results are missing, or a figure; or matplotlib is not installed.
    """
    made = {path: with_tables(path.read_text("utf-8"), found) for path, found in tables().items()}
    shown_there = shown(made[DOCUMENT])
    drawn = {file.name for file in draw(Results.load(STORED), FIGURES)}
    for name in shown_there:
        if name not in drawn:
            raise InputError(f"{name}: the results have no such figure")
    for file in FIGURES.glob("*"):
        if file.name not in shown_there:
            file.unlink()
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")
    return [*made, *(FIGURES / name for name in shown_there)]
