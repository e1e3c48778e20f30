"""A short table, one line per cell, for screens that show the last lines only."""

from benchmarks import names
from benchmarks.analysis.factors import between, noise
from benchmarks.analysis.floors import over_floor
from benchmarks.report import units
from benchmarks.report.terminal import last_word
from benchmarks.results import Cell, Results
from benchmarks.statistics import spread

#: The columns and their widths.
COLUMNS = (
    *(("cell", -42), ("grad-jit", 9), ("/ floor", 8), ("hand-jit", 9), ("tax", 6), ("noise", 6)),
    *(("gate", 7), ("hand-numpy", 11), ("torch", 9), ("transfer", 9), ("steady", 7)),
)


def short(results: Results) -> str:
    """Write one line per cell: reference, floor, hand lines, tax, noise, worst error."""
    lines = [", ".join(results.fingerprint["gpus"]) or results.fingerprint["processor"]]
    lines.append(_wide([name for name, _ in COLUMNS]))
    lines += [_wide(_cells(cell)) for cell in results.cells]
    lines += [*results.left_out, *results.refused, *results.failed]
    lines.append(last_word(results))
    return "\n".join(lines)


def _cells(cell: Cell) -> list[str]:
    reference = cell.row(names.GRAD)
    floor = over_floor(cell, reference) if reference is not None and reference.timed else None
    tax, band = between(cell, names.GRAD, names.HAND_JIT), noise(cell)
    errors = [row.gate_error for row in cell.rows if row.gate_error is not None]
    steady = reference.steady_after if reference is not None else []
    return [
        cell.label,
        _time(cell, names.GRAD),
        units.digits(floor.middle) if floor else "-",
        _time(cell, names.HAND_JIT),
        f"{tax.middle:.3f}" if tax else "-",
        f"{band.high - 1:.1%}" if band else "-",
        units.percent(max(errors, default=0)),
        *(_time(cell, name) for name in (names.HAND, names.TORCH, names.TRANSFER)),
        str(max(steady, default="-")),
    ]


def _time(cell: Cell, name: str) -> str:
    times = cell.times(name)
    return units.seconds(spread(times).median) if times else "-"


def _wide(cells: list[str]) -> str:
    """Pad cells to the widths of their columns; a negative width aligns left."""
    made = [
        text.ljust(-width) if width < 0 else text.rjust(width)
        for text, (_, width) in zip(cells, COLUMNS, strict=True)
    ]
    return " ".join(made)
