"""Timings, in memory and as a file of pyperf's, which is updated as they come, always as a whole.

A row with times is a benchmark of pyperf's by the name `CELL/ROW`; a run of it is a process, and
its values are the seconds of a call, round after round. What else is known stands in metadata:
what is not a number or one line of text, as JSON. Those of a cell, and its rows without times, are
metadata of its first benchmark; those of the whole run are metadata of the suite.
"""

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, NotRequired, Self

import msgspec
import pyperf
from msgspec import Meta

from benchmarks.files import Described, Stored, converted
from compare.wording import InputError, escaped, shown

#: Of a measurement; the limits, far beyond any, leave room for sums and ratios.
Seconds = Annotated[float, Meta(ge=1e-15, le=1e9)]

#: The kinds of rows: a contender, the reference again, the loss alone, a part of the floor.
CONTENDER, AGAIN, LOSS, FLOOR = "contender", "again", "loss", "floor"

#: How a row is called: as a Python function, or as a compiled JAX program.
PYTHON, JAX = "python", "jax"

#: pyperf's names of metadata that have another one here.
OF_PYPERF = {"processor": "cpu_model_name", "processors": "cpu_count", "load": "load_avg_1min"}


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


@dataclass
class Place:
    """What is timed, and where."""

    case: str
    size: tuple[int, ...]  #: the size on the axis of its case; two numbers on the map
    dtype: str = "float32"
    threads: str = "all"  #: or `1`
    precision: str = "highest"  #: of JAX's matrix products; `default` in older runs on a GPU
    device: str = "cpu"  #: or `gpu`, where JAX's rows run

    @property
    def label(self) -> str:
        """The name of it: `width/64/float32/all/highest/cpu`."""
        size = "x".join(map(str, self.size))
        return "/".join([self.case, size, self.dtype, self.threads, self.precision, self.device])


@dataclass(kw_only=True)
class Cell(Place):
    """One problem of one size, and the rows that were timed on it together."""

    about: dict[str, Any]  #: the problem: sizes, batch, activation, loss
    parameters: int  #: the number of elements of the gradient
    bytes: int  #: of the arguments and the answer, each moved once
    flops: float | None = None  #: of the matrix products of one loss and gradient: Σ 2bmn
    expected_cost: float | None = None  #: 3 − s₁/S, of the gradient over the loss
    sees: float | None = None  #: the share of the gradient above the gate's tolerance
    rows: list[Row] = field(default_factory=list)

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


class About(Described):
    """What times depend on, machine and versions, and how a run was asked for and how long it took.

    Tables and comparisons need what is not `NotRequired`.
    """

    load: float
    gpus: list[str]
    rounds: int
    processes: int
    workers: NotRequired[dict[str, dict[str, Any]]]
    variables: NotRequired[dict[str, str]]
    cpu_config: NotRequired[str]
    contenders: NotRequired[list[str]]
    seconds: NotRequired[float]
    left_out: NotRequired[list[str]]
    refused: NotRequired[list[str]]


@dataclass
class Results(Stored):
    """The results of a run."""

    EXPECTED = "a JSON file with timings, as `python -m benchmarks --out` writes it"

    about: dict[str, Any]  #: an `About`
    cells: list[Cell] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)  #: cells left out for lack of time
    refused: list[str] = field(default_factory=list)  #: cells in which nothing could be judged

    def as_json(self) -> str:
        """Format as pyperf does; without any time there are no benchmarks, which it refuses."""
        named = {OF_PYPERF.get(name, name): value for name, value in self.about.items()}
        common = _metadata(named | {"left_out": self.left_out, "refused": self.refused})
        made = [benchmark for cell in self.cells for benchmark in _benchmarks(cell, common)]
        if not made:
            return json.dumps({"benchmarks": [], "metadata": common}) + "\n"
        with io.StringIO() as text:
            pyperf.BenchmarkSuite(made).dump(text)
            return text.getvalue()

    @classmethod
    def read(cls, found: Any, where: str) -> Self:
        """Read the results from JSON that is parsed."""
        try:
            suite = pyperf.BenchmarkSuite.loads(json.dumps(found))
            made = [(each, _values(each.get_metadata())) for each in suite]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise InputError(f"{where}: no file of pyperf's: {escaped(repr(error))}") from error
        of_all = {"gpus": []} | made[0][1]
        of_all |= {ours: of_all[name] for ours, name in OF_PYPERF.items() if name in of_all}
        run = {**converted(of_all, About, where)}
        left_out, refused = (run.pop(name, []) for name in ("left_out", "refused"))
        cells: dict[str, Cell] = {}
        for benchmark, about in made:
            at, _, name = str(benchmark.get_name()).rpartition("/")
            place = f"{where}: {shown(f'{at}/{name}')}"
            if at not in cells:
                cells[at] = converted(about | {"rows": []}, Cell, place)
            samples = [[*run.values] for run in benchmark.get_runs()]
            cells[at].rows.append(converted(about | {"name": name, "samples": samples}, Row, place))
            cells[at].rows += converted(about.get("untimed", []), list[Row], place)
        for at, cell in cells.items():
            counts = [[len(process) for process in row.samples] for row in cell.rows if row.samples]
            if any(count != counts[0] or len({0, *count}) != 2 for count in counts):
                why = "expected as many samples of every row and process"
                raise InputError(f"{where}: these are no timings: {shown(at)}: {why}")
        return cls(run, [*cells.values()], left_out, refused)

    @property
    def failed(self) -> list[str]:
        """The rows that failed, a line each."""
        return [f"{c.label}: {r.name}: {r.wrong}" for c in self.cells for r in c.rows if r.wrong]

    @property
    def timed(self) -> bool:
        """Whether any row has valid times."""
        return any(row.timed for cell in self.cells for row in cell.rows)

    @property
    def right(self) -> bool:
        """Whether something was timed, every answer was right, and no cell was refused."""
        return self.timed and not self.failed and not self.refused

    def cell(self, label: str) -> Cell | None:
        """Return the cell of that label, if there is one."""
        return next((cell for cell in self.cells if cell.label == label), None)


def _benchmarks(cell: Cell, common: Mapping[str, Any]) -> Iterator[pyperf.Benchmark]:
    """Make a cell's benchmarks; the first one has its own metadata and its rows without times."""
    untimed = [_kept(asdict(row) | {"samples": []}) for row in cell.rows if not row.timed]
    own = asdict(cell) | {"rows": [], "untimed": untimed}
    for row in (row for row in cell.rows if row.timed):
        about = {**own, **_rounded(asdict(row)), "name": f"{cell.label}/{row.name}"}
        samples = about.pop("samples")
        metadata = {**common, **_metadata(about)}
        yield pyperf.Benchmark(
            [pyperf.Run(values, metadata=metadata, collect_metadata=False) for values in samples]
        )
        own = {}


def _kept(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value not in (None, "", [], {})}


def _metadata(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return metadata as pyperf takes them: numbers, and lines of text that are not empty."""
    return {
        name: value
        if isinstance(value, str | int | float)
        else json.dumps(value, ensure_ascii=False)
        for name, value in _kept(found).items()
    }


def _values(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `_metadata` was made of."""
    return {
        name: msgspec.json.decode(value) if isinstance(value, str) and value[0] in "[{" else value
        for name, value in metadata.items()
    }


def _rounded(value: Any) -> Any:
    """Round times to six digits: the clock has no more, and people read the file, too."""
    return json.loads(json.dumps(value), parse_float=lambda digits: float(f"{float(digits):.6g}"))
