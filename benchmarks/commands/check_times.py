"""`python -m benchmarks check-times`: measure how long a check takes."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchmarks.commands.checkers import PACKAGES
from benchmarks.commands.shared import OUT, RESUME, TABLE, begun, progress, several
from compare.commands.options import OVERWRITE
from handgrad.commands.options import JSON, option

if TYPE_CHECKING:
    from benchmarks.check_times.results import Results, Row
    from benchmarks.check_times.subjects import Subject
    from benchmarks.checkers.contenders import Contender

#: First calls and later calls; of `--quick`, whose numbers are no medians of many.
CALLS, QUICK_CALLS = (5, 5), (1, 2)


@click.command("check-times", short_help="Time checks by size, beside other checkers.")
@OUT
@RESUME
@OVERWRITE
@option("--quick", is_flag=True, help="Measure three small models only, in less than a minute.")
@several(
    *("--contender", "contenders"),
    "scipy.optimize.check_grad",
    table=lambda: [c.name for c in import_module("benchmarks.checkers.contenders").CONTENDERS],
)
@several(
    *("--subject", "subjects"),
    "attention",
    table=lambda: [s.name for s in import_module("benchmarks.check_times.subjects").SUBJECTS],
)
@JSON
@TABLE
def check_times(table: Path | None, as_json: bool, **options: Any) -> int:
    """Time checks of right gradients, the first and later ones, and print what came of it.

    Results are written as they come. Without --out, a whole run is stored where the
    documentation takes its table from, and a part of one is not stored. Ends with 1 if
    check_gradient does not agree with a gradient, or is stopped; that one has no time.
    """
    from benchmarks.check_times.results import Results
    from benchmarks.check_times.table import markdown

    results = Results.load(table) if table else _measured(**options)
    click.echo(results.as_json() if as_json else markdown(results), nl=False)
    return int(bool(results.failed) and table is None)


def _measured(
    out: Path | None,
    resume: bool,
    overwrite: bool,
    quick: bool,
    contenders: tuple[str, ...],
    subjects: tuple[str, ...],
) -> "Results":
    from benchmarks.check_times.results import STORED, Results
    from benchmarks.check_times.run import left, run
    from benchmarks.check_times.subjects import BECAUSE, QUICK, SUBJECTS, predicted
    from benchmarks.checkers.contenders import CONTENDERS
    from benchmarks.machine import described

    names = subjects or (QUICK if quick else ())
    chosen = [subject for subject in SUBJECTS if not names or subject.name in names]
    asked = [
        contender for contender in CONTENDERS if not contenders or contender.name in contenders
    ]
    if out is None and not (quick or contenders or subjects):
        out = STORED
    calls = QUICK_CALLS if quick else CALLS
    fresh = Results(described(PACKAGES), *calls, predicted(), BECAUSE, {})
    results = begun(fresh, out, resume, overwrite, "processes", "later")
    results.contenders |= {contender.name: contender.absent() for contender in asked}
    for contender in asked:
        if reason := results.contenders[contender.name]:
            click.echo(f"Not asked: {contender.name}: {reason}", err=True)
    total, done = len(left(results, asked, chosen)), 0
    with progress() as show:

        def on_row(subject: "Subject", contender: "Contender", row: "Row | None") -> None:
            nonlocal done
            what, line = f"{contender.name}: {subject.name}", ""
            if row is not None:
                done += 1
                line = f"{done}/{total} {what}: {_answer(row)}"
            show(done, total, what, line)

        run(results, asked, chosen, out, on_row)
    return results


def _answer(row: "Row") -> str:
    from benchmarks.check_times.table import both

    return both(row)
