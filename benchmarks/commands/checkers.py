"""`python -m benchmarks checkers`: compare checkers of derivatives."""

import os
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchmarks.commands import shared
from benchmarks.commands.shared import OUT, limit_option, several
from compare.commands.options import OVERWRITE, Name, file_option
from compare.wording import InputError, install
from handgrad.commands.options import JSON, option

if TYPE_CHECKING:
    from benchmarks.checkers.cases import Case
    from benchmarks.checkers.contenders import Contender
    from benchmarks.checkers.results import Check, Results

#: Packages whose versions affect the checkers' answers.
PACKAGES = ("numpy", "jax", "scipy", "torch", "python-flint", "numdifftools")

#: Parts of a fingerprint that may differ between an interrupted run and its continuation.
MAY_DIFFER = ("date", "load")

#: Seconds after which a check is stopped; of `--quick`, whose checks are small.
LIMIT, QUICK_LIMIT = 120.0, 10.0


def _cases(questions: str, formats: tuple[str, ...] = (), quick: bool = False) -> "list[Case]":
    if questions == "torch" and find_spec("torch") is None:
        raise InputError(f"torch is not installed: {install('peers')}")
    from benchmarks.checkers import cases

    return cases.cases(questions, formats or cases.FORMATS, quick)


def _subjects() -> Iterable[str]:
    questions = click.get_current_context().params["questions"]
    return dict.fromkeys(case.subject for case in _cases(questions))


def _contenders() -> Iterable[str]:
    from benchmarks.checkers.contenders import of

    return [contender.name for contender in of(click.get_current_context().params["questions"])]


@click.command(short_help="Compare checkers: what each catches, says and takes.")
@option(
    "--questions",
    type=Name("gradients", "derivatives", "torch", "sized"),
    default="gradients",
    is_eager=True,  # which names there are depends on it
    help="What is asked about: losses and gradients; Jacobians, Hessians, complex gradients and "
    "rules; functions of PyTorch; or right gradients of models that grow, for the times of checks.",
)
@OUT
@option("--resume", is_flag=True, help="Go on with the run whose results the file of --out holds.")
@OVERWRITE
@option("--quick", is_flag=True, help="Ask about a small part only, in about two minutes.")
@several("--contender", "contenders", "scipy.optimize.check_grad", table=_contenders)
@several("--subject", "subjects", "softmax-regression", table=_subjects)
@several("--format", "formats", "That of tensors of PyTorch", "float64", "float32", "bfloat16")
@limit_option("Stop a check after so long.", otherwise=f"{LIMIT:g}, with --quick {QUICK_LIMIT:g}")
@JSON
@file_option("--table", "Measure nothing: print the tables of the results in this file.")
def checkers(table: Path | None, as_json: bool, **options: Any) -> int:
    """Ask checkers about wrong and right derivatives, and print what came of it.

    Results are written as they come. Without --out, a whole run is stored where the
    documentation takes its tables from, and a part of one is not stored. Ends with 1 if
    check_gradient does not agree with a gradient whose check is timed.
    """
    from benchmarks.checkers.results import Results
    from benchmarks.checkers.tables import failed, markdown

    results = Results.load(table) if table else _asked(**options)
    click.echo(results.as_json() if as_json else markdown(results), nl=False)
    return int(bool(failed(results)) and table is None)


def _asked(
    questions: str,
    out: Path | None,
    resume: bool,
    overwrite: bool,
    quick: bool,
    contenders: tuple[str, ...],
    subjects: tuple[str, ...],
    formats: tuple[str, ...],
    limit: float | None,
) -> "Results":
    """Ask checkers about all cases that have no answer yet, and show how it goes on."""
    from benchmarks.checkers.contenders import of
    from benchmarks.checkers.planted import planted
    from benchmarks.checkers.results import Machine, Results, stored
    from benchmarks.checkers.run import left, run
    from benchmarks.machine import described

    every = _cases(questions, formats, quick)
    if out is None and not (quick or contenders or subjects or formats):
        out = stored(questions)
    fresh = Results(
        Machine(**described(PACKAGES)), limit or (QUICK_LIMIT if quick else LIMIT), {}, questions
    )
    results = begun(fresh, out, resume, overwrite)
    chosen = [one for one in of(questions) if not contenders or one.name in contenders]
    about = [case for case in every if not subjects or case.subject in subjects]
    results.planted |= planted(c for c in about if c.id not in results.planted)
    results.contenders |= {contender.name: contender.absent() for contender in chosen}
    for contender in chosen:
        if reason := results.contenders[contender.name]:
            click.echo(f"Not asked: {contender.name}: {reason}", err=True)
    todo, done = left(results, chosen, about), set[str]()
    with shared.progress() as show:

        def on_check(contender: "Contender", case: "Case", check: "Check | None") -> None:
            """Show the running check and the time left; without a terminal, a line per check."""
            named = ", ".join(filter(None, (case.subject, case.what, case.format)))
            what, line = f"{contender.name}: {named}", ""
            if check is not None:
                done.add(f"{contender.name}/{case.id}")
                line = f"{len(done)}/{len(todo)} {what}: {check}"
            show(len(done), len(todo), what, line)

        run(results, todo, out, on_check)
    return results


def begun(fresh: "Results", out: Path | None, resume: bool, overwrite: bool) -> "Results":
    """Return the results that a file holds, to go on with them, or the fresh ones.

    Raises:
        click.UsageError: the file is there and neither flag is given, or it was made elsewhere, or
            with other options.
    """
    if out is None or not os.path.exists(out) or overwrite:
        return fresh
    if not resume:
        raise click.UsageError(f"{out} is there already; expected --resume or --overwrite")
    found = fresh.load(out)
    old, new = {**found.fingerprint}, {**fresh.fingerprint}
    other = [n for n in {**old, **new} if n not in MAY_DIFFER and old.get(n) != new.get(n)]
    made = f"{out} was made with"
    if other:
        where = "expected a run to go on where it began, or --overwrite"
        raise click.UsageError(f"{made} another {', '.join(other)}; {where}")
    if found.limit != fresh.limit:
        raise click.UsageError(f"{made} --limit {found.limit:g}, got {fresh.limit:g}")
    if found.questions != fresh.questions:
        raise click.UsageError(f"{made} --questions {found.questions}, got {fresh.questions}")
    return found
