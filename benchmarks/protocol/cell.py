"""One cell in one process: gate, warm up, time all rows in rounds, gate again."""

import contextlib
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax

from benchmarks import names
from benchmarks.cases import Spec
from benchmarks.contenders.ready import Ready, Unavailable
from benchmarks.floors import floors
from benchmarks.problems.deviation import AtAKinkError
from benchmarks.problems.gate import Gate, load
from benchmarks.problems.problem import Judge, Problem
from benchmarks.protocol.planted import planted
from benchmarks.protocol.rounds import WARM_SECONDS, sample, time_rounds, warm_up
from benchmarks.results import AGAIN, CONTENDER, FLOOR, LOSS, Cell, Row

#: From so many operations on a NumPy product takes more than one thread, which spins afterwards.
MANY_FLOPS = 1e6

#: Rows whose compiled programs are looked into, in the first process: the two that the tax
#: compares, and the one whose phases are timed.
LOOKED_INTO = (names.HAND_JIT, names.GRAD, names.GRAD_AOT)

#: Called with the name of what comes next.
OnStep = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """How a cell is timed in this process."""

    rounds: int
    seed: int  #: of the order within rounds
    only: Sequence[str] = ()  #: the contenders that are wanted; () for all
    plants: Mapping[str, str] = field(default_factory=dict)  #: what is planted, by contender
    gates: Path | None = None  #: where gates are kept for the other processes of the run


def time_cell(spec: Spec, plan: Plan, on_step: OnStep = lambda _: None) -> Cell:
    """Gate and time every row of a cell.

    Raises:
        AtAKinkError: there is no gradient to hold them to.
    """
    wide = jax.enable_x64(spec.dtype == "float64")
    with wide, jax.default_matmul_precision(spec.precision):
        on_step("the gate")
        problem = spec.problem()
        cell = _described(spec, problem)
        judge = _gate(spec, problem, plan)
        ready: dict[str, Ready] = {}
        for row, make in _rows(problem, spec, plan):
            cell.rows.append(row)
            on_step(row.name)
            with contextlib.suppress(Unavailable):
                ready[row.name] = _made(row, make, problem, judge, plan)
        _time(cell, ready, judge, plan, on_step)
    return cell


def _described(spec: Spec, problem: Problem) -> Cell:
    return Cell(
        case=spec.case,
        size=list(spec.size),
        dtype=spec.dtype,
        threads=spec.threads,
        precision=spec.precision,
        device=spec.device,
        about=problem.about,
        parameters=problem.parameters,
        flops=flops(problem),
        bytes=problem.moved,
        expected_cost=problem.expected_cost,
    )


def flops(problem: Problem) -> float | None:
    """Of the matrix products of one loss and gradient: 2 m k n each; None where there are none."""
    return float(sum(2 * m * k * n for m, k, n in problem.products)) or None


def _gate(spec: Spec, problem: Problem, plan: Plan) -> Judge:
    """The problem's gate; kept, since it takes longer to make than many a cell to time."""
    kept = plan.gates / f"{spec.label.replace('/', '_')}.npz" if plan.gates else None
    if kept is not None and kept.exists():
        return load(kept)
    judge = problem.gate()
    if kept is not None and isinstance(judge, Gate):
        judge.save(kept)
    return judge


def _rows(
    problem: Problem, spec: Spec, plan: Plan
) -> list[tuple[Row, Callable[[Any], Ready] | None]]:
    """Every row, and what makes it; the reference's second row is made of its first."""
    found: list[tuple[Row, Callable[[Any], Ready] | None]] = []
    # The reference is always there: without it there is neither a ratio nor the noise.
    wanted = {names.REFERENCE, *(plan.only or names.CONTENDERS)}
    for name, make in problem.contenders.items():
        if name in wanted and (name not in spec.leave_out or name in plan.only):
            found.append((Row(name, CONTENDER), make))
    found.append((Row(names.AGAIN, AGAIN), problem.contenders[names.REFERENCE]))
    if alone := problem.loss_alone():
        found.append((Row(names.LOSS, LOSS), lambda _: alone))
    found += [(Row(name, FLOOR), make) for name, make in floors(problem, spec.device).items()]
    return found


def _made(row: Row, make: Any, problem: Problem, judge: Judge, plan: Plan) -> Ready:
    """Something to time, called once and gated; the row says why it is not.

    Raises:
        Unavailable: it cannot run here, or its answer is wrong.
    """
    try:
        ready = make(problem)
    except Unavailable as reason:
        row.absent = str(reason)
        raise
    # The reference's second row is the reference, whatever is planted there.
    if plant := plan.plants.get(names.REFERENCE if row.kind == AGAIN else row.name):
        ready = planted(ready, plant)
    row.called = ready.called
    first, answer = sample(ready.run, 1)
    row.phases = [{**ready.phases, "first call": first}]
    if row.name in LOOKED_INTO and plan.seed == 0 and ready.compiled is not None:
        program = ready.compiled()
        row.counted_flops, row.operations = counted(program), operations(program.as_text())
    if row.kind in (CONTENDER, AGAIN):
        hold(row, ready, answer, judge)
        if row.wrong:
            raise Unavailable(row.wrong)
    return ready


def hold(row: Row, ready: Ready, answer: Any, judge: Judge) -> None:
    """Let the gate judge an answer; the row says what it found."""
    leaves = ready.read(answer)
    if ready.extra is not None:
        judge = judge.wider(ready.extra(judge))
    row.wrong = judge.complaint(leaves)
    if not row.wrong:
        row.gate_error = max(judge.share(leaves), row.gate_error or 0.0)


def counted(program: Any) -> float | None:
    """The compiler's own count of a program's operations on numbers, where it has one."""
    found = program.cost_analysis()
    found = found[0] if isinstance(found, list) else found
    return (found or {}).get("flops")


def operations(text: str) -> dict[str, int]:
    """How often each operation stands in the text of a compiled program; `dot` is a product.

    A line of it is `%name = f32[64,10]{1,0} multiply(%a, %b), ...`.
    """
    found = re.findall(r"^\s+(?:ROOT )?%\S+ = \S+ ([a-z][a-z0-9-]*)\(", text, re.MULTILINE)
    return dict(sorted(Counter(found).items()))


def _time(
    cell: Cell, ready: Mapping[str, Ready], judge: Judge, plan: Plan, on_step: OnStep
) -> None:
    each: dict[str, float] = {}
    rows = {row.name: row for row in cell.rows}
    for name, made in ready.items():
        on_step(name)
        # A part of the floor is one operation: there is less that could be cold.
        least = WARM_SECONDS / 4 if rows[name].kind == FLOOR else WARM_SECONDS
        warm = warm_up(made.run, least)
        each[name] = warm.each
        rows[name].first_calls, rows[name].steady_after = warm.seconds, [warm.steady_after]
    running = {name: made.run for name, made in ready.items()}
    pause = cell.threads != "1" and (cell.flops or 0) > MANY_FLOPS
    on_step("rounds")
    times, last = time_rounds(running, each, plan.rounds, plan.seed, pause)
    for name, made in ready.items():
        if rows[name].kind in (CONTENDER, AGAIN):
            hold(rows[name], made, last[name], judge)
        if not rows[name].wrong:
            rows[name].samples = [times[name]]


__all__ = ["AtAKinkError", "Plan", "flops", "hold", "time_cell"]
