"""Run a sweep from its first case to its last, or until it is stopped."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from compare.limits import shape
from compare.sweep import tally
from compare.sweep.cases import BLOCK
from compare.sweep.program import Program, evaluate_block, subject_of
from compare.sweep.settings import Settings
from compare.sweep.tally import ENDS
from compare.wording import InputError

#: Gradient elements that a device computes in a step, a fraction of a second.
_ELEMENTS = 9 * 256 * BLOCK

#: Most cases passed to the judge.
SUSPECTS = 3


@dataclass(frozen=True)
class SweepResult:
    """The result of a sweep."""

    settings: Settings
    requested: int  #: the number of cases requested
    cases: int  #: the number of cases done, from case 0 on
    disagreements: int
    overflowed: int
    judged: dict[str, int]  #: by parameter, the number of elements larger than their bound
    max_ulps: dict[str, float]  #: by parameter; |by hand - autodiff| / ulp(the larger)
    max_bound_ratio: float
    histogram: np.ndarray  #: see `compare.sweep.tally.ENDS`
    suspects: list[tuple[int, float]]  #: cases and their ratios to the bound, largest first
    devices: int
    processes: int
    seconds: float  #: without compilation
    floor: float | None = None  #: cases a second of `floor`, if it was timed

    @property
    def is_whole(self) -> bool:
        """Whether all cases were done."""
        return self.cases == self.requested

    @property
    def network(self) -> str:
        """The network's sizes, as `--network` takes them."""
        return shape(self.settings.sizes)

    def verdict(self, rulings: Sequence[str]) -> str:
        """Return `agree`, `disagree`, or `undecidable` where there is nothing to compare.

        That is the case after overflow, or if all elements of a parameter are below their bounds.

        Args:
            rulings: the judge's verdicts on the suspects: both gradients may share a mistake.
        """
        if self.disagreements or "disagree" in rulings:
            return "disagree"
        nothing = self.overflowed or not all(self.judged.values())
        return "undecidable" if nothing else "agree"

    def as_object(self, suspects: list[dict[str, Any]]) -> dict[str, Any]:
        """Return everything but the verdict, for JSON."""
        settings = self.settings
        return {
            "network": self.network,
            "cases": self.cases,
            "requested": self.requested,
            "seconds": self.seconds,
            "cases_per_second": self.cases / self.seconds if self.seconds else None,
            "floor_cases_per_second": self.floor,
            "disagreements": self.disagreements,
            "overflowed": self.overflowed,
            "judged": self.judged,
            "max_ulps": self.max_ulps,
            "max_bound_ratio": self.max_bound_ratio,
            "histogram": [
                {"from": low, "below": high, "elements": int(count)}
                for low, high, count in zip(
                    ENDS, [*ENDS[1:], math.inf], self.histogram, strict=True
                )
            ],
            "suspects": suspects,
            "devices": self.devices,
            "processes": self.processes,
            "dtype": settings.dtype,
            "weights": str(settings.weights),
            "inputs": str(settings.inputs),
            "examples": settings.examples,
            "seed": settings.seed,
            "plant": settings.plant,
        }


def sweep(
    settings: Settings,
    requested: int,
    on_progress: Callable[[int], None] = lambda _: None,
    stop_requested: Callable[[], bool] = lambda: False,
) -> SweepResult:
    """Compare cases 0 to `requested` - 1, or until a stop is requested.

    Args:
        settings: the settings of the sweep.
        requested: the number of cases.
        on_progress: called with the number of cases done.
        stop_requested: called between steps, each some tenths of a second.
    """
    with jax.enable_x64(True), jax.default_matmul_precision("highest"):
        program = Program(settings, requested)
        steps = _Steps(requested, program.devices, settings)
        nothing, join = np.zeros(program.devices, np.int64), jax.jit(tally.joined)
        found, stops = program.run(nothing, nothing, stops=False)  # compiles
        if program.differs():
            raise InputError("the processes were given different options; expected the same ones")
        found = jax.device_get(join(found, found))
        began, done = time.perf_counter(), 0
        for starts, counts, after in steps:
            try:
                more, stops = program.run(starts, counts, stop_requested())
            except jax.errors.JaxRuntimeError:
                if jax.process_count() == 1:
                    raise
                break  # another process is gone; keep the cases done so far
            found = jax.device_get(join(found, more))
            done = after
            on_progress(done)
            if stops:
                break
        return _as_swept(settings, requested, done, found, program, time.perf_counter() - began)


def floor(settings: Settings, requested: int) -> float:
    """Time a loop that only draws cases and evaluates the loss by hand; return cases a second.

    Args:
        settings: the settings of the sweep.
        requested: the number of cases.
    """
    with jax.enable_x64(True), jax.default_matmul_precision("highest"):
        program = Program(settings, requested, evaluate_block)
        nothing = np.zeros(program.devices, np.int64)
        program.run(nothing, nothing, stops=False)  # compiles
        began = time.perf_counter()
        for starts, counts, _ in _Steps(requested, program.devices, settings):
            program.run(starts, counts, stops=False)
        return requested / (time.perf_counter() - began)


class _Steps:
    """Iterates over steps: each device's first block and number of blocks, cases done by then."""

    def __init__(self, requested: int, devices: int, settings: Settings) -> None:
        self.requested, self.devices = requested, devices
        self.blocks = -(-requested // BLOCK)
        work = settings.parameters * settings.examples * BLOCK
        self.most = max(1, _ELEMENTS // work)

    def __iter__(self) -> Any:
        first = 0
        while first < self.blocks:
            each = min(self.most, -(-(self.blocks - first) // self.devices))
            starts = first + each * np.arange(self.devices, dtype=np.int64)
            counts = np.clip(self.blocks - starts, 0, each)
            first += each * self.devices
            yield starts, counts, min(self.requested, first * BLOCK)


def _as_swept(
    settings: Settings, requested: int, done: int, found: Any, program: Program, seconds: float
) -> SweepResult:
    names = subject_of(settings).names
    largest = found.ulps.max(axis=1)
    ratio = found.ratio
    order = np.lexsort([found.case, -ratio])[:SUSPECTS]
    return SweepResult(
        settings=settings,
        requested=requested,
        cases=done,
        disagreements=int(found.disagreements.sum()),
        overflowed=int(found.overflowed.sum()),
        judged={name: int(n) for name, n in zip(names, found.judged.sum(axis=1), strict=True)},
        max_ulps={name: float(value) for name, value in zip(names, largest, strict=True)},
        max_bound_ratio=max(0.0, float(ratio.max())),
        histogram=found.histogram.sum(axis=1),
        suspects=[(int(found.case[at]), float(ratio[at])) for at in order if ratio[at] >= 0],
        devices=program.devices,
        processes=jax.process_count(),
        seconds=seconds,
    )
