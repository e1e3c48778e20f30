"""Measure one cell in one process: gate, warm up, time all rows in rounds, gate again."""

import pickle
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax

from benchmarks import names
from benchmarks.cases import Spec
from benchmarks.contenders.families import contenders
from benchmarks.floors import floors
from benchmarks.problems.gate import Gate
from benchmarks.problems.problem import Judge, Problem
from benchmarks.protocol import program
from benchmarks.protocol.warm import SAMPLE_SECONDS, WARM_SECONDS, warm_up
from benchmarks.ready import Ready, Unavailable, error_line
from benchmarks.results import (
    AGAIN,
    CONTENDER,
    FLOOR,
    LOSS,
    NOT_FOR_THIS,
    NOT_IN_THIS_SET,
    Cell,
    Row,
)
from handgrad.speed.rounds import calls_of_a_sample, time_rounds

#: Operations from which a NumPy product uses several threads, which spin afterwards.
MANY_FLOPS = 1e6

#: The largest share of the gradient below the gate's tolerance; with more, a cell is refused.
BLIND = 0.5

#: Rows whose compiled programs are analysed, in the first process.
INSPECTED = (names.HAND_JIT, names.HAND_JIT_ARTICLE, names.GRAD)


class RefusedError(ValueError):
    """No answer in a cell could be judged; the message is one line."""


@dataclass(frozen=True)
class Plan:
    """The plan for timing a cell in this process."""

    rounds: int
    seed: int  #: the number of the process; orders the rows within rounds
    only: Sequence[str] = ()  #: the contenders to time; () for all
    gates: Path | None = None  #: the folder of gates shared by the processes of the run


def time_cell(spec: Spec, plan: Plan) -> Iterator[str | Cell]:
    """Gate and time every row of a cell.

    Yields:
        The name of each row as it begins, "" for the gate; and last the cell.

    Raises:
        AtAKinkError: the right gradient is not unique.
        RefusedError: the gate would miss too much.
    """
    wide = jax.enable_x64(spec.dtype == "float64")
    with wide, jax.default_matmul_precision(spec.precision):
        yield ""
        problem = spec.problem()
        judge = _gate(spec, problem, plan)
        cell = _described(spec, problem, judge)
        ready: dict[str, Ready] = {}
        for row, make in _rows(problem, spec, plan):
            cell.rows.append(row)
            if make is not None:
                yield row.name
                made = _made(row, make, problem, judge, plan)
                ready |= {row.name: made} if made else {}
        yield from _time(cell, ready, judge, plan)
    yield cell


def _described(spec: Spec, problem: Problem, judge: Judge) -> Cell:
    seen = judge.sees() if isinstance(judge, Gate) else None
    if seen is not None and seen < BLIND:
        raise RefusedError(
            f"all but {seen:.1%} of the gradient could be 0 and the gate would not see it"
        )
    return Cell(
        *(spec.case, [*spec.size], spec.dtype, spec.threads, spec.precision, spec.device),
        about=problem.about,
        parameters=problem.parameters,
        flops=float(sum(2 * m * k * n for m, k, n in problem.products)) or None,
        bytes=problem.moved,
        expected_cost=problem.expected_cost,
        sees=seen,
    )


def _gate(spec: Spec, problem: Problem, plan: Plan) -> Judge:
    """Build the problem's gate, or take an earlier process's: it may take longer than the cell."""
    kept = plan.gates / f"{spec.label.replace('/', '_')}.pickle" if plan.gates else None
    if kept is not None and kept.exists():
        return pickle.loads(kept.read_bytes())
    judge = problem.gate()
    if kept is not None:
        kept.write_bytes(pickle.dumps(judge))
    return judge


def _rows(
    problem: Problem, spec: Spec, plan: Plan
) -> list[tuple[Row, Callable[[Any], Ready] | None]]:
    """List all rows with their prepare functions; None if the row states why it is absent."""
    makers, wanted = contenders(problem), {names.REFERENCE, *(plan.only or names.CONTENDERS)}
    found: list[tuple[Row, Callable[[Any], Ready] | None]] = []
    # The reference is always timed, for the ratios and the noise.
    for name in filter(wanted.__contains__, names.CONTENDERS):
        left_out = name in spec.leave_out and name not in plan.only
        absent = NOT_IN_THIS_SET if left_out else ""
        absent = absent if name in makers else NOT_FOR_THIS
        row = Row(name, CONTENDER, absent=absent)
        found.append((row, None if absent else makers[name]))
    found.append((Row(names.AGAIN, AGAIN), makers[names.REFERENCE]))
    if alone := problem.loss_alone():
        found.append((Row(names.LOSS, LOSS), lambda _: alone))
    found += [(Row(name, FLOOR), make) for name, make in floors(problem, spec.device).items()]
    return found


def _made(row: Row, make: Any, problem: Problem, judge: Judge, plan: Plan) -> Ready | None:
    """Prepare a row, call it once and judge it; None if it cannot be timed, noted in the row."""
    try:
        ready = make(problem)
        answer = ready.run()
        row.called = ready.called
        _inspect(row, ready, plan)
        apply_gate(row, ready, answer, judge)
        return None if row.wrong else ready
    except Unavailable as reason:
        row.absent = str(reason)
    except Exception as error:  # a library's failure must not affect the other rows
        row.wrong = f"it raised {error_line(error)}"
    return None


def _inspect(row: Row, ready: Ready, plan: Plan) -> None:
    if row.name in INSPECTED and plan.seed == 0 and ready.compiled is not None:
        compiled = ready.compiled()
        row.counted_flops = program.flops(compiled)
        row.operations = program.operations(compiled.as_text())
        row.planned_bytes = program.memory(compiled)


def apply_gate(row: Row, ready: Ready, answer: Any, judge: Judge) -> None:
    """Judge an answer, if the row has one, and note the result in the row."""
    if row.kind == FLOOR:
        return
    leaves = ready.read(answer)
    if isinstance(judge, Gate) and row.kind == LOSS:
        judge = judge.of_loss()
    elif isinstance(judge, Gate) and ready.extra:  # an inexact method
        judge = judge.wider(ready.extra(judge))
    row.wrong = judge.complaint(leaves)
    if not row.wrong:
        row.gate_error = max(judge.share(leaves), row.gate_error or 0.0)


def _time(cell: Cell, ready: Mapping[str, Ready], judge: Judge, plan: Plan) -> Iterator[str]:
    repeats: dict[str, int] = {}
    rows = {row.name: row for row in cell.rows}
    for name, made in ready.items():
        yield name
        # A part of the floor is one operation, which warms up faster.
        least = WARM_SECONDS / 4 if rows[name].kind == FLOOR else WARM_SECONDS
        try:
            warm = warm_up(made.run, least)
        except Exception as error:  # as in the first call
            rows[name].wrong = f"it raised {error_line(error)}"
            continue
        repeats[name] = calls_of_a_sample(warm.each, SAMPLE_SECONDS)
        rows[name].steady_after = [warm.steady_after]
    running = {name: ready[name].run for name in repeats}
    pause = cell.threads != "1" and (cell.flops or 0) > MANY_FLOPS
    yield "rounds"
    shuffle = random.Random(plan.seed).shuffle
    times, last = time_rounds(running, plan.rounds, repeats=repeats, pause=pause, shuffle=shuffle)
    for name, answer in last.items():
        apply_gate(rows[name], ready[name], answer, judge)
        if not rows[name].wrong:
            rows[name].samples = [times[name]]
