"""`python -m benchmarks checkers-torch`: compare checkers of `torch.autograd.Function`s."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from benchmarks.commands.checkers import LIMIT, asked
from benchmarks.commands.shared import OUT, RESUME, TABLE, limit_option, several
from compare.commands.options import OVERWRITE
from compare.wording import InputError, install
from handgrad.commands.options import JSON

if TYPE_CHECKING:
    from benchmarks.checkers.results import Results

#: As `models.torch_functions` has them, which cannot be imported without torch.
FORMATS = ("float64", "float32", "bfloat16")


def _table(module: str, name: str) -> Any:
    _expect_torch()
    return getattr(import_module(module), name)


@click.command(short_help="Compare checkers of torch functions, in half precision as well.")
@OUT
@RESUME
@OVERWRITE
@several(
    *("--contender", "contenders"),
    "torch.autograd.gradcheck",
    table=lambda: [
        c.name for c in _table("benchmarks.checkers.functions.contenders", "CONTENDERS")
    ],
)
@several(
    *("--subject", "subjects"),
    "layer-norm",
    table=lambda: [f.name for f in _table("models.torch_functions.functions", "FUNCTIONS")],
)
@several("--format", "formats", "That of the tensors", *FORMATS)
@limit_option("Stop a check after so long.", otherwise=f"{LIMIT:g}")
@JSON
@TABLE
def checkers_torch(table: Path | None, as_json: bool, **options: Any) -> int:
    """Ask checkers about wrong and right torch.autograd.Functions, and print what came of it.

    It needs torch. Results are written as they come. Without --out, a whole run is stored where the
    documentation takes its table from, and a part of one is not stored.
    """
    from benchmarks.checkers.functions.table import markdown
    from benchmarks.checkers.results import FUNCTIONS, Results

    results = Results.load_of(FUNCTIONS, table) if table else _measured(**options)
    click.echo(results.as_json() if as_json else markdown(results), nl=False)
    return 0


def _measured(
    out: Path | None,
    resume: bool,
    overwrite: bool,
    contenders: tuple[str, ...],
    subjects: tuple[str, ...],
    formats: tuple[str, ...],
    limit: float | None,
) -> "Results":
    _expect_torch()
    from benchmarks.checkers.functions.cases import cases
    from benchmarks.checkers.functions.contenders import CONTENDERS
    from benchmarks.checkers.functions.planted import planted
    from benchmarks.checkers.results import FUNCTIONS, STORED_TORCH

    if out is None and not (contenders or subjects or formats):
        out = STORED_TORCH
    every = cases(formats or FORMATS)
    about = [case for case in every if not subjects or case.subject in subjects]
    chosen = [one for one in CONTENDERS if not contenders or one.name in contenders]
    return asked(chosen, about, limit or LIMIT, out, resume, overwrite, planted, FUNCTIONS)


def _expect_torch() -> None:
    """Find out whether torch is installed.

    Raises:
        InputError: it is not.
    """
    if find_spec("torch") is None:
        raise InputError(f"torch is not installed: {install('peers')}")
