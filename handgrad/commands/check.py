"""`handgrad check`: judge a gradient in a file."""

import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import click

from handgrad.clock import SECONDS
from handgrad.commands.extras import EXTRAS, tell
from handgrad.commands.kinds import KINDS
from handgrad.commands.options import DURATION, JSON, option, seed_option, whole
from handgrad.commands.targets import (
    BadInput,
    again,
    as_bad_input,
    ending,
    example_of,
    function_at,
    judged,
    show,
    working,
)
from handgrad.marks import OPTIONS

if TYPE_CHECKING:
    from handgrad.report import GradientReport

#: The options that --all hands on to every check, and those that it has besides.
OF_EVERY = ("points", "seed", "strict", "seconds")
OF_ALL = (*OF_EVERY, "gradient", "everything", "plant", "tests", "out", "as_json")

#: NumPy takes larger ones; 64 bits are as many as a clock has.
LARGEST_SEED = 2**64 - 1


def _formats(_: Any, __: Any, value: str | None) -> Any:
    """Return the format of values and that of sums, or that of both."""
    if value is None:
        return None
    from handgrad.data.computed_in import arithmetic

    names = tuple(name.strip() for name in value.split(","))
    stated = names[0] if len(names) == 1 else names
    try:
        arithmetic(stated)
    except ValueError as error:
        says = str(error).removeprefix("computed_in: ").replace(repr(stated), value)
        raise click.BadParameter(says) from None
    return stated


@click.command(short_help="Judge a gradient against the loss it is said to be of.")
@click.argument("gradient", metavar="FILE.py:GRADIENT")
@option(
    "--all",
    "everything",
    is_flag=True,
    help="Judge all in FILE.py, in a package, or in a list or dict of checks, FILE.py:NAME.",
)
@option(
    "--kind",
    type=click.Choice([*OPTIONS]),
    metavar="KIND",
    default="gradient",
    help="jacobian for jac(x, *args), hessian for hess(x, *args), hvp for hessp(x, v, *args).",
)
@option(
    "--loss",
    metavar="[FILE.py:]LOSS",
    help="The scalar loss(params, *inputs), in JAX or NumPy; of a Jacobian, the function.",
)
@option(
    "--like",
    metavar="[FILE.py:]EXAMPLE",
    help="A tuple (params, *inputs) to judge at, or a function that returns it.",
)
@option(
    "--points",
    type=whole(0, 10**9),
    default=8,
    help="Points to judge at besides the example: its parameters, moved.",
)
@seed_option("those points", type=whole(0, LARGEST_SEED), default=0)
@option("--strict", is_flag=True, help="Treat lost digits as an error, not as a warning.")
@option("--has-value", is_flag=True, help="Take a gradient that returns (loss, gradient).")
@option(
    "--trust-rule",
    "trust_rules",
    metavar="NAME",
    multiple=True,
    help="A custom rule that is meant to differ from its function's derivative; repeatable.",
)
@option(
    "--time",
    is_flag=True,
    help="Time the gradient, if it is right, beside jit(value_and_grad(loss)) and the loss.",
)
@option("--plant", is_flag=True, help="Plant mistakes, and say which would have been caught.")
@option(
    "--tests",
    metavar="TESTS",
    help="Run pytest's TESTS on the functions with planted mistakes, and say which they miss.",
)
@option("--counterexample", is_flag=True, help="Print the smallest test that shows the mistake.")
@option(
    "--seconds",
    type=DURATION,
    default=SECONDS,
    help="Processor time that judging may take; with less than it needs, less is judged.",
)
@option(
    "--directions",
    type=whole(1, 24),  # `random_slopes.MOST`, which would load JAX
    help="Judge slopes along 1 to 24 random directions, and no element: a quick look.",
)
@option(
    "--computed-in",
    "computed_in",
    metavar="FORMATS",
    callback=_formats,
    help="What a kernel computes in behind its arrays: bfloat16, or bfloat16,float32 (sums).",
)
@option(
    "--convention",
    type=click.Choice(["jax", "torch"]),
    help="How a gradient by complex numbers is written: JAX's way, or its conjugate, PyTorch's.",
)
@option(
    "--domain",
    metavar="NAME",
    help="Where all parameters stay: positive, 'interval 0 1', simplex, symmetric, ...",
)
@option(
    "--out",
    metavar="FOLDER",
    help="Write what --all finds: audit.html, audit.json, junit.xml, and each report that fails.",
)
@JSON
@click.pass_context
def check(
    context: click.Context,
    gradient: str,
    everything: bool,
    loss: str,
    like: str,
    out: str | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Judge the gradient(params, *inputs) of a FILE.py, or of a package.module.

    LOSS and EXAMPLE are needed, and looked for in the same file unless they name another. Ends with
    0 if the gradient is right, with 1 if it is not, with 3 if that cannot be decided.

    With --all: NAME_grad, NAME_jac, NAME_hess, NAME_hessp and the like beside NAME, with
    NAME_example, and what @handgrad.gradient_of, jacobian_of, hessian_of and hvp_of mark. Ends with
    1 if one is wrong, else with 2 if one raises, else with 3 if one is undecidable.
    """
    _check_options(context, everything, options["kind"])
    if everything:
        from handgrad.commands.check_all import check_all

        kept = {name: options[name] for name in OF_EVERY}
        return check_all(gradient, kept, options["plant"], options["tests"], out, as_json)
    tests, wanted = options.pop("tests"), [name for name in EXTRAS if options.pop(name)]
    if wanted and options["directions"] is not None:
        raise BadInput(
            f"--{wanted[0]} needs every element judged, and --directions judges none; "
            "expected one of the two"
        )
    # Whatever the file prints goes to standard error; standard output is for the report alone.
    with redirect_stdout(sys.stderr):
        command = again(gradient, loss, like, options)
        report, interrupted = _judged(gradient, loss, like, options, command)
        with working(f"Reading the report on {gradient}"):
            answer = report.to_dict()  # naming the kinds runs the gradient again, which may print
    # Printed first, to be read while the extras are computed.
    if not as_json:
        show(report)
    stopped = f"after {report.points:,} of {1 + options['points']:,} points" if interrupted else ""
    tell(gradient, report, {gradient: report}, answer, stopped, wanted, tests, as_json)
    if report.verdict == "imprecise" and report.passes:
        click.echo("Warning: imprecise, digits are lost; with --strict this is an error.", err=True)
    return ending(report)


def _check_options(context: click.Context, everything: bool, kind: str) -> None:
    """Raise for options that are missing, or that --all or the check of a kind has not."""
    params = {str(param.name): param for param in context.command.params}
    typed = click.core.ParameterSource.COMMANDLINE
    said = {name for name in params if context.get_parameter_source(name) is typed}
    for name, param in params.items():
        if everything and name in said and name not in OF_ALL:
            raise BadInput(f"{param.opts[0]} is for one gradient; expected none of it with --all")
    for name in ("time", *OPTIONS["gradient"]):
        if name in said and name not in (*OPTIONS[kind], *["time"] * (kind == "gradient")):
            what = params[name].opts[0]
            raise BadInput(f"{what} is for gradients; expected none of it with --kind {kind}")
    if not everything and "out" in said:
        raise BadInput("--out is for many gradients; expected --all with it")
    for name in ("loss", "like"):
        if not everything and name not in said:
            raise click.MissingParameter(ctx=context, param=params[name])


def _judged(
    gradient: str, loss: str, like: str, options: dict[str, Any], command: str
) -> "tuple[GradientReport, bool]":
    """Return the report, and whether Ctrl-C ended the check."""
    with working(f"Loading {gradient}"):
        from handgrad.check import CheckInterrupted
        from handgrad.commands.loading import Loader, parse

        options = options | {"domain": _domain(options["domain"])}
        loader, kind = Loader(), options["kind"]
        where = parse(gradient, kind)
        where_loss = parse(loss, "loss", where.source)
        derivative = function_at(loader, where, KINDS[kind].form)
        function = function_at(loader, where_loss, KINDS[kind].function)
        where_like = parse(like, "example", where.source)
        example = loader.load(where_like)
        with as_bad_input(loader, {f"the example, {where_like},": example}):
            point = example_of(example, str(where_like))
    functions = {f"the {kind}, {where},": derivative, f"the loss, {where_loss},": function}
    with as_bad_input(loader, functions):
        try:
            return judged(kind, derivative, function, point, options, command), False
        except CheckInterrupted as interrupt:
            return interrupt.report, True


def _domain(words: str | None) -> Any:
    """Return what `domain=` is for the words after --domain."""
    from handgrad.data.domains.named import BY_NAME

    name, *ends = words.split() if words else [""]
    if words is None or " ".join([name, *ends]) in BY_NAME:
        return words
    try:
        low, high = map(float, ends)
    except ValueError:
        low, high = 0.0, 0.0
    if name != "interval" or not low < high:
        names = ", ".join(map(repr, BY_NAME))
        raise BadInput(f"--domain: got {words!r}, expected {names} or 'interval LOW HIGH'")
    return (name, low, high)
