"""Made-up results that look like real ones: for tests of what reads results, and for their looks.

Times follow a plain model (what a call costs, operations, bytes) with noise that a round shares and
noise of each sample's own. The same seed gives the same results.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from benchmarks import names
from benchmarks.results import AGAIN, CONTENDER, FLOOR, JAX, LOSS, PYTHON, Cell, Results, Row

PROCESSES, ROUNDS = 5, 6

#: Seconds of one call of a compiled program, of one NumPy function, and of an empty function.
DISPATCH, NUMPY_CALL, EMPTY = 8e-6, 0.24e-6, 45e-9

#: Of a round, and of a sample; as small as on one thread of an idle machine.
SHARED_NOISE, OWN_NOISE = 0.01, 0.01

FINGERPRINT = {
    "date": "2026-01-31",
    "revision": "0123456789ab",
    "machine": "x86_64",
    "system": "Linux",
    "processor": "Made-up CPU @ 2.60GHz",
    "processors": 4,
    "load": 0.1,
    "versions": {"python": "3.12.0", "numpy": "2.3.0", "jax": "0.10.0"},
    "gpus": [],
}


@dataclass(frozen=True)
class Work:
    """What a cell asks for."""

    layers: int
    examples: int
    flops: float
    bytes: int
    rate: float  #: floating-point operations a second

    @property
    def seconds(self) -> float:
        """Of the products, or of moving the bytes."""
        return max(self.flops / self.rate, self.bytes / 12e9)


def _dispatched(calls: float, products: float, moved: float) -> Callable[[Work], float]:
    return lambda w: DISPATCH * calls + products * w.seconds + moved * w.bytes / 12e9


#: By row: its kind, how it is called, and its seconds.
ROWS: dict[str, tuple[str, str, Callable[[Work], float]]] = {
    names.HAND: (
        CONTENDER,
        PYTHON,
        lambda w: 11 * w.layers * NUMPY_CALL + 1.08 * w.seconds + 9 * w.bytes / 12e9,
    ),
    names.HAND_JIT: (CONTENDER, JAX, _dispatched(1.27, 1.02, 1.0)),
    names.GRAD: (CONTENDER, JAX, _dispatched(1.15, 1.05, 1.3)),
    names.GRAD_AOT: (CONTENDER, JAX, lambda w: _dispatched(1.15, 1.05, 1.3)(w) + 1.5e-6),
    names.FROM_HOST: (CONTENDER, JAX, lambda w: 14e-6 + _dispatched(1.15, 1.05, 1.6)(w)),
    names.FORWARD: (CONTENDER, JAX, lambda w: _dispatched(1.0, 1.0, 1.0)(w) * (4 + w.flops**0.3)),
    names.TORCH: (CONTENDER, PYTHON, lambda w: 95e-6 * w.layers + 1.1 * w.seconds),
    names.AUTOGRAD: (CONTENDER, PYTHON, lambda w: 150e-6 * w.layers + 1.5 * w.seconds),
    names.AGAIN: (AGAIN, JAX, _dispatched(1.15, 1.05, 1.3)),
    names.LOSS: (LOSS, JAX, _dispatched(1.0, 0.35, 0.5)),
    names.EMPTY_CALL: (FLOOR, PYTHON, lambda w: EMPTY),
    names.IDENTITY: (FLOOR, JAX, lambda w: DISPATCH),
    names.PRODUCTS["NumPy"]: (
        FLOOR,
        PYTHON,
        lambda w: 3 * w.layers * NUMPY_CALL + w.flops / w.rate,
    ),
    names.PRODUCTS_CALLS: (FLOOR, PYTHON, lambda w: 3 * w.layers * NUMPY_CALL),
    names.PRODUCTS["jax.jit"]: (FLOOR, JAX, lambda w: DISPATCH + 0.3e-6 + 1.03 * w.flops / w.rate),
    names.MEMORY["NumPy"]: (FLOOR, PYTHON, lambda w: 0.4e-6 + w.bytes / 12e9),
    names.MEMORY_CALL: (FLOOR, PYTHON, lambda w: 0.4e-6),
    names.MEMORY["jax.jit"]: (FLOOR, JAX, lambda w: DISPATCH + w.bytes / 10e9),
}

#: Rows of the 2-2-1 network only; what runs example by example grows with the batch from the start.
SCALAR_ROWS: dict[str, tuple[str, str, Callable[[Work], float]]] = {
    names.FLOATS: (CONTENDER, PYTHON, lambda w: 2e-6 * w.examples),
    names.ARTICLE: (CONTENDER, PYTHON, lambda w: 15e-6 * w.examples),
    names.C: (CONTENDER, PYTHON, lambda w: 0.4e-6 + 0.05e-6 * w.examples),
}

#: By case: the sizes of its cells.
SIZES: dict[str, list[list[int]]] = {
    "sample": [[1]],
    "training": [[1000]],
    "digits": [[1797]],
    "batch-2-2-1": [[4**k] for k in range(1, 11)],
    "mass": [[10**k] for k in range(7)],
    "width": [[2**k] for k in range(1, 13)],
    "depth": [[2**k] for k in range(6)],
    "batch": [[2**k] for k in range(0, 14, 2)],
    "diagonal": [[2**k] for k in range(2, 11)],
    "map": [[2**k, 2**j] for k in range(2, 13, 2) for j in range(0, 14, 2)],
}


def made_results(cases: Iterable[str] = tuple(SIZES), seed: int = 0) -> Results:
    """Results with these cases, `width` in both dtypes; one contender is absent, one is wrong."""
    rng = np.random.default_rng(seed)
    cells = [
        made_cell(case, size, dtype, rng)
        for case in cases
        for dtype in (("float32", "float64") if case == "width" else ("float32",))
        for size in SIZES[case]
    ]
    return Results(FINGERPRINT, {"processes": PROCESSES, "rounds": ROUNDS}, cells)


def made_cell(case: str, size: list[int], dtype: str, rng: np.random.Generator) -> Cell:
    """One cell, all of its rows."""
    sizes, batch = _network(case, size)
    weights = [m * n for m, n in pairwise(sizes)]
    parameters = sum(weights) + sum(sizes[1:])
    flops = 2.0 * batch * (3 * sum(weights) - weights[0])
    width = 4 if dtype == "float32" else 8
    moved = width * (batch * (sizes[0] + sizes[-1]) + 2 * parameters + 1)
    work = Work(len(weights), batch, flops, moved, 240e9 / width)
    small = ROWS | SCALAR_ROWS if sizes == [2, 2, 1] and batch < 5000 else ROWS
    shared = np.exp(SHARED_NOISE * rng.normal(size=(PROCESSES, ROUNDS)))
    rows = [_row(name, *how, work, shared, rng) for name, how in small.items()]
    rows += [
        Row(names.TORCH_COMPILED, CONTENDER, absent="not installed: pip install --group peers"),
        Row(names.SKLEARN, CONTENDER, wrong="dw of layer 1 is off by 3e-2 at [0, 1]"),
    ]
    about = {"sizes": sizes, "batch": batch, "activation": "relu", "loss": "softmax-ce"}
    cost = 3 - weights[0] / sum(weights)
    where = (case, size, dtype, "all", "highest", "cpu")
    return Cell(*where, about, parameters, moved, flops, cost, sees=1.0, rows=rows)


def _network(case: str, size: list[int]) -> tuple[list[int], int]:
    """The units of each layer, and the batch."""
    if case in ("sample", "training", "batch-2-2-1", "mass"):
        return [2, 2, 1], 4000 if case == "training" else size[0]
    if case == "digits":
        return [64, 32, 10], 1797
    width, depth, batch = {
        "width": (size[0], 2, 64),
        "depth": (64, size[0], 64),
        "batch": (64, 2, size[0]),
        "diagonal": (size[0], 2, size[0]),
        "map": (size[0], 2, size[-1]),
    }[case]
    return [width] * (depth + 1) + [10], batch


def _row(
    name: str,
    kind: str,
    called: str,
    seconds: Callable[[Work], float],
    work: Work,
    shared: np.ndarray,
    rng: np.random.Generator,
) -> Row:
    """One row, its times about a middle; what comes once is a thousand calls' worth of dispatch."""
    own = np.exp(OWN_NOISE * np.abs(rng.normal(size=shared.shape)))
    row = Row(name, kind, called, samples=(seconds(work) * shared * own).tolist(), gate_error=0.1)
    if called == JAX and kind != FLOOR:
        phases = {"trace": 0.01, "lower": 0.02, "compile": 0.05, "first call": 0.1}
        row.phases = phases
    return row
