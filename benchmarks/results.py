"""Timings in a file that is updated as they come, always as a whole."""

import json
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Annotated, Any, NotRequired, TypedDict

from msgspec import Meta

from benchmarks.files import Described, Stored
from compare.wording import shown

#: Of a measurement; the limits, far beyond any, leave room for sums and ratios.
Seconds = Annotated[float, Meta(ge=1e-15, le=1e9)]

#: The kinds of rows: a contender, the reference again, the loss alone, a part of the floor.
CONTENDER, AGAIN, LOSS, FLOOR = "contender", "again", "loss", "floor"

#: Default reasons why a contender is not timed.
NOT_FOR_THIS = "not for this problem"
NOT_IN_THIS_SET = "not in this set; --contender times it"

#: How a row is called: as a Python function, or as a compiled JAX program.
PYTHON, JAX = "python", "jax"


@dataclass
class Row:
    """One contender, or one part of the floor, in one cell."""

    name: str
    kind: str  #: CONTENDER, AGAIN, LOSS or FLOOR
    called: str = PYTHON  #: PYTHON or JAX
    absent: str = ""  #: why it cannot run here
    wrong: str = ""  #: the gate's complaint, or the exception; the row has no time then
    samples: list[list[Seconds]] = field(default_factory=list)  #: seconds a call, [process][round]
    gate_error: float | None = None
    """The largest error of its answers, before and after timing, in units of the tolerance."""
    phases: dict[str, float] = field(default_factory=dict)
    """Seconds of `trace`, `lower`, `compile`, and the `first call`, in a separate process."""
    steady_after: list[int] = field(default_factory=list)
    """The number of calls until the times no longer fell, by process."""
    untuned: float | None = None
    """Median seconds of a call with the C library's default memory settings."""
    peak_bytes: int | None = None
    """Measured peak memory of a call above that between calls."""
    planned_bytes: int | None = None  #: the same as planned by the compiler
    counted_flops: float | None = None  #: by the compiler's own analysis of the program
    operations: dict[str, list[int]] = field(default_factory=dict)
    """The count of each operation in the compiled program, and its largest result in numbers."""

    @property
    def timed(self) -> bool:
        """Whether the row has valid times."""
        return bool(self.samples) and not self.wrong


def label(cell: Any) -> str:
    """Return the name of a `Cell` or `Spec`: `width/64/float32/all/highest/cpu`."""
    size = "x".join(map(str, cell.size))
    return f"{cell.case}/{size}/{cell.dtype}/{cell.threads}/{cell.precision}/{cell.device}"


@dataclass
class Cell:
    """One problem of one size, and the rows that were timed on it together."""

    case: str
    size: list[int]  #: the size on the axis of its case; two numbers on the map
    dtype: str
    threads: str  #: `all` or `1`
    precision: str  #: of JAX's matrix products: `highest` or `default`
    device: str  #: `cpu` or `gpu`, where JAX's rows run
    about: dict[str, Any]  #: the problem: sizes, batch, activation, loss
    parameters: int  #: the number of elements of the gradient
    flops: float | None  #: of the matrix products of one loss and gradient, by formula: Σ 2bmn
    bytes: int  #: of the arguments and the answer, each moved once
    expected_cost: float | None  #: 3 − s₁/S, of the gradient over the loss, in multiply-adds
    sees: float | None = None  #: the share of the gradient above the gate's tolerance
    rows: list[Row] = field(default_factory=list)

    @property
    def label(self) -> str:
        """The cell's name."""
        return label(self)

    def row(self, name: str) -> Row | None:
        """Return the row of that name, if there is one."""
        return next((row for row in self.rows if row.name == name), None)

    def times(self, name: str) -> list[list[float]] | None:
        """Return the samples of a row, if they are valid."""
        row = self.row(name)
        return row.samples if row is not None and row.timed else None

    def timed(self, *kinds: str) -> list[Row]:
        """Return the rows of these kinds that have times."""
        return [row for row in self.rows if row.timed and row.kind in kinds]


class Machine(Described):
    """What tables and comparisons need of a fingerprint."""

    load: float
    gpus: list[str]
    workers: NotRequired[dict[str, dict[str, Any]]]
    set_up: NotRequired[dict[str, str]]


class Settings(TypedDict):
    """What tables need of the settings."""

    rounds: int
    processes: int


@dataclass
class Results(Stored):
    """The results of a run."""

    WHAT, SCHEMA, PART = "timings", 2, "cells"
    COMMAND = "python -m benchmarks"
    ABOUT = MappingProxyType({"fingerprint": Machine, "settings": Settings})

    settings: dict[str, Any]
    cells: list[Cell] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)  #: cells left out for lack of time
    refused: list[str] = field(default_factory=list)  #: cells in which nothing could be judged

    def contradiction(self) -> str | None:
        """Return where layers' sizes are missing, or processes have unequally many samples."""
        for cell in self.cells:
            sizes = cell.about.get("sizes")
            if not (isinstance(sizes, list) and sizes[2:] and {*map(type, sizes)} == {int}):
                return f"{shown(cell.label)}: expected the sizes of three layers or more"
            for row in cell.rows:
                if [] in row.samples or len(set(map(len, row.samples))) > 1:
                    where = f"{shown(cell.label)}, {shown(row.name)}"
                    return f"{where}: expected the same number of samples of every process"
        return None

    @property
    def failed(self) -> list[str]:
        """The rows that failed, a line each."""
        return [f"{c.label}: {r.name}: {r.wrong}" for c in self.cells for r in c.rows if r.wrong]

    @property
    def right(self) -> bool:
        """Whether something was timed, every answer was right, and no cell was refused."""
        timed = any(row.timed for cell in self.cells for row in cell.rows)
        return timed and not self.failed and not self.refused

    def cell(self, label: str) -> Cell | None:
        """Return the cell of that label, if there is one."""
        return next((cell for cell in self.cells if cell.label == label), None)

    def entry(self, found: Cell) -> str:
        """Format a cell as JSON, one line per row."""
        about = {name: value for name, value in asdict(found).items() if name != "rows"}
        lines = (json.dumps(_rounded(asdict(row)), ensure_ascii=False) for row in found.rows)
        rows = ",\n   ".join(lines)
        return f'{json.dumps(about, ensure_ascii=False)[:-1]}, "rows": [\n   {rows}\n  ]}}'


def _rounded(value: Any) -> Any:
    """Round times to six digits: the clock has no more, and people read the file, too."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    return value
