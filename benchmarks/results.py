"""Timings as a file: written as they come, read again, never half written."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.files import Stored

#: What a row is: one of the ways to the gradient, that way a second time, the loss alone, or a part
#: of the floor.
CONTENDER, AGAIN, LOSS, FLOOR = "contender", "again", "loss", "floor"

#: Why a contender is not timed, where it says nothing itself: nobody has asked for it.
NOT_FOR_THIS = "not for this problem"
NOT_IN_THIS_SET = "not in this set; --contender times it"

#: How a row is called: a Python function, or a program that JAX has compiled.
PYTHON, JAX = "python", "jax"


@dataclass
class Row:
    """One contender, or one part of the floor, in one cell."""

    name: str
    kind: str  #: CONTENDER, AGAIN, LOSS or FLOOR
    called: str = PYTHON  #: PYTHON or JAX
    absent: str = ""  #: why it cannot run here
    wrong: str = ""  #: what the gate says against it, or what it raised; it has no time then
    samples: list[list[float]] = field(default_factory=list)  #: seconds a call, [process][round]
    gate_error: float | None = None
    """The largest error of its answers, before and after timing, in parts of what the gate
    allows."""
    phases: dict[str, float] = field(default_factory=dict)
    """Seconds of what comes once, in a process of its own: `trace`, `lower`, `compile`, and the
    `first call` after them."""
    steady_after: list[int] = field(default_factory=list)
    """How many calls were made, by process, until the times no longer fell."""
    untuned: float | None = None
    """Seconds of a call, the median, in a process that was not told to keep freed memory."""
    peak_bytes: int | None = None
    """Memory at the highest moment of a call beyond what is held between calls, as measured."""
    planned_bytes: int | None = None  #: the same as the compiler has planned it
    counted_flops: float | None = None  #: by the compiler's own analysis of the program
    operations: dict[str, list[int]] = field(default_factory=dict)
    """How often each operation stands in the compiled program's text, and how many numbers the
    largest of them makes."""

    @property
    def timed(self) -> bool:
        """Whether it has times that may be shown."""
        return bool(self.samples) and not self.wrong


def label(cell: Any) -> str:
    """The name of a `Cell`, or of what will be one: `width/64/float32/all/highest/cpu`."""
    size = "x".join(map(str, cell.size))
    return f"{cell.case}/{size}/{cell.dtype}/{cell.threads}/{cell.precision}/{cell.device}"


@dataclass
class Cell:
    """One problem of one size: what it is, and the rows that were timed on it together."""

    case: str
    size: list[int]  #: where it is on the axis of its case; two numbers on the map
    dtype: str
    threads: str  #: `all` or `1`
    precision: str  #: of JAX's matrix products: `highest` or `default`
    device: str  #: `cpu` or `gpu`, where JAX's rows run
    about: dict[str, Any]  #: of the problem: sizes, batch, activation, loss
    parameters: int  #: how many numbers the gradient has
    flops: float | None  #: of the matrix products of one loss and gradient, by formula: Σ 2bmn
    bytes: int  #: of the arguments and the answer, each moved once
    expected_cost: float | None  #: 3 − s₁/S, of the gradient over the loss, in multiply-adds
    sees: float | None = None  #: the part of the gradient that could not be 0 unnoticed by the gate
    rows: list[Row] = field(default_factory=list)

    @property
    def label(self) -> str:
        """Its name."""
        return label(self)

    def row(self, name: str) -> Row | None:
        """The row of that name, if there is one."""
        return next((row for row in self.rows if row.name == name), None)

    def times(self, name: str) -> list[list[float]] | None:
        """The samples of a row, if it has any that may be shown."""
        row = self.row(name)
        return row.samples if row is not None and row.timed else None

    def timed(self, *kinds: str) -> list[Row]:
        """The rows of these kinds that have times."""
        return [row for row in self.rows if row.timed and row.kind in kinds]


@dataclass
class Results(Stored):
    """All of a run."""

    WHAT, SCHEMA, PART = "timings", 2, "cells"

    fingerprint: Mapping[str, Any]
    settings: dict[str, Any]
    cells: list[Cell] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)  #: what the time did not suffice for
    refused: list[str] = field(default_factory=list)  #: cells in which nothing could be judged

    @property
    def failed(self) -> list[str]:
        """Rows with a wrong answer, or none, a line each."""
        return [f"{c.label}: {r.name}: {r.wrong}" for c in self.cells for r in c.rows if r.wrong]

    @property
    def right(self) -> bool:
        """Whether something was timed, every answer was right, and no cell refused."""
        timed = any(row.timed for cell in self.cells for row in cell.rows)
        return timed and not self.failed and not self.refused

    def cell(self, label: str) -> Cell | None:
        """The cell of that label, if there is one."""
        return next((cell for cell in self.cells if cell.label == label), None)

    def entry(self, found: Cell) -> str:
        """A cell as JSON, a line a row."""
        about = {name: value for name, value in asdict(found).items() if name != "rows"}
        lines = (json.dumps(_rounded(asdict(row)), ensure_ascii=False) for row in found.rows)
        rows = ",\n   ".join(lines)
        return f'{json.dumps(about, ensure_ascii=False)[:-1]}, "rows": [\n   {rows}\n  ]}}'


def _rounded(value: Any) -> Any:
    """Times to six digits: the clock has no more, and the file is read by people, too."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    return value
