"""`python -m benchmarks checkers-derivatives`: compare checkers of Jacobians and others."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchmarks.commands.checkers import LIMIT, asked
from benchmarks.commands.shared import OUT, RESUME, TABLE, limit_option, several
from compare.commands.options import OVERWRITE
from handgrad.commands.options import JSON

if TYPE_CHECKING:
    from benchmarks.checkers.results import Results

_OF = "benchmarks.checkers.derivatives"


@click.command(short_help="Compare checkers of Jacobians, Hessians, complex gradients and rules.")
@OUT
@RESUME
@OVERWRITE
@several(
    *("--contender", "contenders"),
    "numdifftools",
    table=lambda: [c.name for c in import_module(f"{_OF}.contenders").CONTENDERS],
)
@several(
    *("--subject", "subjects"),
    "rosenbrock",
    table=lambda: [d.name for d in import_module(f"{_OF}.cases").DERIVATIVES],
)
@limit_option("Stop a check after so long.", otherwise=f"{LIMIT:g}")
@JSON
@TABLE
def checkers_derivatives(table: Path | None, as_json: bool, **options: Any) -> int:
    """Ask checkers about wrong and right derivatives that are no gradients of real numbers.

    These are Jacobians, Hessians, their products with vectors, complex gradients, and rules of JAX.
    Results are written as they come. Without --out, a whole run is stored where the
    documentation takes its table from, and a part of one is not stored.
    """
    from benchmarks.checkers.derivatives.table import markdown
    from benchmarks.checkers.results import DERIVATIVES, Results

    results = Results.load_of(DERIVATIVES, table) if table else _measured(**options)
    click.echo(results.as_json() if as_json else markdown(results), nl=False)
    return 0


def _measured(
    out: Path | None,
    resume: bool,
    overwrite: bool,
    contenders: tuple[str, ...],
    subjects: tuple[str, ...],
    limit: float | None,
) -> "Results":
    from benchmarks.checkers.derivatives.cases import cases
    from benchmarks.checkers.derivatives.contenders import CONTENDERS
    from benchmarks.checkers.derivatives.planted import planted
    from benchmarks.checkers.results import DERIVATIVES, STORED_DERIVATIVES

    if out is None and not (contenders or subjects):
        out = STORED_DERIVATIVES
    about = [case for case in cases() if not subjects or case.subject in subjects]
    chosen = [one for one in CONTENDERS if not contenders or one.name in contenders]
    how = out, resume, overwrite, planted, DERIVATIVES
    return asked(chosen, about, limit or LIMIT, *how)
