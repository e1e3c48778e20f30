"""`python -m benchmarks checkers`: compare gradient checkers."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchmarks.commands import shared
from benchmarks.commands.shared import OUT, RESUME, TABLE, begun, limit_option, several
from compare.commands.options import OVERWRITE
from handgrad.commands.options import JSON, option

if TYPE_CHECKING:
    from benchmarks.checkers.cases import Case
    from benchmarks.checkers.contenders import Contender
    from benchmarks.checkers.results import Check, Planted, Results
    from benchmarks.checkers.run import OnCheck

#: Packages whose versions affect the checkers' answers.
PACKAGES = ("numpy", "jax", "scipy", "torch", "python-flint", "numdifftools")

#: Seconds after which a check is stopped; of `--quick`, whose checks are small.
LIMIT, QUICK_LIMIT = 120.0, 10.0


@click.command(short_help="Compare gradient checkers: what each catches, says and takes.")
@OUT
@RESUME
@OVERWRITE
@option("--quick", is_flag=True, help="Measure a small part only, in less than two minutes.")
@several(
    *("--contender", "contenders"),
    "scipy.optimize.check_grad",
    table=lambda: [c.name for c in import_module("benchmarks.checkers.contenders").CONTENDERS],
)
@several(
    *("--subject", "subjects"),
    "softmax-regression",
    table=lambda: {c.subject: c for c in import_module("benchmarks.checkers.cases").cases()},
)
@limit_option("Stop a check after so long.", otherwise=f"{LIMIT:g}, with --quick {QUICK_LIMIT:g}")
@JSON
@TABLE
def checkers(table: Path | None, as_json: bool, **options: Any) -> int:
    """Ask gradient checkers about wrong and right gradients, and print what came of it.

    Results are written as they come. Without --out, a whole run is stored where the
    documentation takes its table from, and a part of one is not stored.
    """
    from benchmarks.checkers.results import GRADIENTS, Results
    from benchmarks.checkers.table import markdown

    results = Results.load_of(GRADIENTS, table) if table else _measured(**options)
    click.echo(results.as_json() if as_json else markdown(results), nl=False)
    return 0


def _measured(
    out: Path | None,
    resume: bool,
    overwrite: bool,
    quick: bool,
    contenders: tuple[str, ...],
    subjects: tuple[str, ...],
    limit: float | None,
) -> "Results":
    from benchmarks.checkers.contenders import CONTENDERS
    from benchmarks.checkers.results import STORED

    if out is None and not (quick or contenders or subjects):
        out = STORED
    chosen = [asked for asked in CONTENDERS if not contenders or asked.name in contenders]
    seconds = limit or (QUICK_LIMIT if quick else LIMIT)
    return asked(chosen, _cases(subjects, quick), seconds, out, resume, overwrite)


def asked(
    chosen: "Sequence[Contender]",
    cases: "Sequence[Case]",
    limit: float,
    out: Path | None,
    resume: bool,
    overwrite: bool,
    planted: "Callable[[Iterable[Case]], dict[str, Planted]]" = lambda _: {},
    command: str = "checkers",
) -> "Results":
    """Ask checkers about all cases that have no answer yet, and show how it goes on.

    Args:
        chosen: the checkers.
        cases: what they are asked about.
        limit: seconds after which a check is stopped.
        out: where answers are stored as they come, and are looked for; None for nowhere.
        resume, overwrite: what to do with answers that are there.
        planted: returns what is known of the mistakes among some cases.
        command: that of `python -m benchmarks` which asks.

    Raises:
        click.UsageError: as `benchmarks.commands.shared.begun`.
    """
    from benchmarks.checkers.results import Results
    from benchmarks.checkers.run import left, run
    from benchmarks.machine import described

    fresh = Results(described(PACKAGES), limit, {}, command=command)
    results = begun(fresh, out, resume, overwrite, "limit")
    results.planted |= planted(case for case in cases if case.id not in results.planted)
    results.contenders |= {contender.name: contender.absent() for contender in chosen}
    available = [c for c in chosen if results.contenders[c.name] is None]
    for contender in chosen:
        if reason := results.contenders[contender.name]:
            click.echo(f"Not asked: {contender.name}: {reason}", err=True)
    with progress(len(left(results, available, cases))) as on_check:
        run(results, available, cases, out, on_check)
    return results


def _cases(names: tuple[str, ...], quick: bool) -> "list[Case]":
    from benchmarks.checkers import cases

    chosen = [case for case in cases.cases() if not names or case.subject in names]
    return cases.quick(chosen) if quick else chosen


@contextmanager
def progress(total: int) -> "Iterator[OnCheck]":
    """Show the running check and the time left; without a terminal, a plain line per check."""
    done = 0
    with shared.progress() as show:

        def on_check(contender: "Contender", case: "Case", check: "Check | None") -> None:
            nonlocal done
            about = ", ".join(filter(None, (case.subject, case.what, case.format)))
            what, line = f"{contender.name}: {about}", ""
            if check is not None:
                done += 1
                line = f"{done}/{total} {what}: {_answer(check)}"
            show(done, total, what, line)

        yield on_check


def _answer(check: "Check") -> str:
    reason = f" ({check.reason})" if check.reason else ""
    cpu = "" if check.cpu is None else f", {check.cpu:.2g} s of processors"
    return f"{check.verdict}{reason}, {check.seconds:.2g} s{cpu}"
