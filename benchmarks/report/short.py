"""The shortest table: a line a cell, for a screen that shows the last lines only."""

from benchmarks import names
from benchmarks.analysis.factors import between, noise
from benchmarks.analysis.floors import over_floor
from benchmarks.report import units
from benchmarks.results import Cell, Results
from benchmarks.statistics import spread

HEAD = "cell                                       grad-jit  / floor  hand-jit    tax  noise  gate"


def short(results: Results) -> str:
    """A line a cell: the reference's time, its floor, the hand lines, the tax, the worst error."""
    lines = [", ".join(results.fingerprint["gpus"]) or results.fingerprint["processor"], HEAD]
    lines += [_line(cell) for cell in results.cells]
    lines += [*results.left_out, *results.failed]
    right = not results.failed
    lines.append("every answer right" if right else f"{len(results.failed)} wrong answers")
    return "\n".join(lines)


def _line(cell: Cell) -> str:
    reference, by_hand = cell.row(names.GRAD), cell.row(names.HAND_JIT)
    floor = over_floor(cell, reference) if reference is not None and reference.timed else None
    tax, band = between(cell, names.GRAD, names.HAND_JIT), noise(cell)
    times = [
        units.seconds(spread(row.samples).median) if row is not None and row.timed else "-"
        for row in (reference, by_hand)
    ]
    errors = [row.gate_error for row in cell.rows if row.gate_error is not None]
    return (
        f"{cell.label:42} {times[0]:>8} {units.digits(floor.middle) if floor else '-':>8} "
        f"{times[1]:>9} {f'{tax.middle:.3f}' if tax else '-':>6} "
        f"{f'{band.high - 1:.1%}' if band else '-':>6} {units.percent(max(errors, default=0)):>6}"
    )
