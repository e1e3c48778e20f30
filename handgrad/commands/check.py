"""`handgrad check`: judge a gradient in a file."""

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Any

import click

from handgrad.clock import SECONDS
from handgrad.commands.extras import EXTRAS
from handgrad.commands.options import DURATION, JSON, option, seed_option, whole
from handgrad.commands.process import command_line, json_text, started

if TYPE_CHECKING:
    from handgrad.commands.loading import Loader, Location
    from handgrad.report import GradientReport

#: Exit codes by verdict where the gradient does not pass; 1 for all others.
NOT_PASSED = {"undecidable": 3}

#: NumPy takes larger ones; 64 bits are as many as a clock has.
LARGEST_SEED = 2**64 - 1


class BadInput(click.ClickException):
    """Bad input, which ends the command with 2: one line, and details printed below it."""

    exit_code = 2

    def __init__(self, line: str, *details: str):
        super().__init__(line)
        self.details = details


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
    "--loss",
    metavar="[FILE.py:]LOSS",
    required=True,
    help="The scalar loss(params, *inputs), in JAX or NumPy.",
)
@option(
    "--like",
    metavar="[FILE.py:]EXAMPLE",
    required=True,
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
@JSON
def check(gradient: str, loss: str, like: str, as_json: bool, **options: Any) -> int:
    """Judge the gradient(params, *inputs) of a FILE.py, or of a package.module.

    LOSS and EXAMPLE are looked for in the same file unless they name another. Ends with 0 if the
    gradient is right, with 1 if it is not, with 3 if that cannot be decided.
    """
    wanted = [name for name in EXTRAS if options.pop(name)]
    extras = [EXTRAS[name] for name in wanted]
    if wanted and options["directions"] is not None:
        raise BadInput(
            f"--{wanted[0]} needs every element judged, and --directions judges none; "
            "expected one of the two"
        )
    # Whatever the file prints goes to standard error; standard output is for the report alone.
    with redirect_stdout(sys.stderr):
        command = _again(gradient, loss, like, options)
        report, interrupted = _judged(gradient, loss, like, options, command)
        with _working(f"Reading the report on {gradient}"):
            answer = report.to_dict()  # naming the kinds runs the gradient again, which may print
    # Printed first, to be read while the extras are computed.
    if not as_json:
        _show(report)
    if interrupted:
        if as_json:
            click.echo(json_text(answer))
        raise KeyboardInterrupt(f"after {report.points:,} of {1 + options['points']:,} points")
    for extra in extras:
        with redirect_stdout(sys.stderr), _working(f"{extra.doing} {gradient}"):
            text, answer[extra.key] = extra.compute(report)
        if not as_json:
            click.echo(f"\n{text}")
    if as_json:
        click.echo(json_text(answer))
    if report.verdict == "imprecise" and report.passes:
        click.echo("Warning: imprecise, digits are lost; with --strict this is an error.", err=True)
    return 0 if report.passes else NOT_PASSED.get(report.verdict, 1)


def _judged(
    gradient: str, loss: str, like: str, options: dict[str, Any], command: str
) -> "tuple[GradientReport, bool]":
    """Return the report, and whether Ctrl-C ended the check."""
    with _working(f"Loading {gradient}"):
        from handgrad.check import CheckInterrupted, report_on_gradient
        from handgrad.commands.loading import Loader, parse
        from handgrad.judging.case import OF_COMMAND, Case

        loader = Loader()
        where = parse(gradient, "gradient")
        where_loss = parse(loss, "loss", where.source)
        gradient_function = _function(loader, where, "gradient(params, *inputs)")
        loss_function = _function(loader, where_loss, "loss(params, *inputs)")
        point = _example(loader, parse(like, "example", where.source))
    functions = {
        f"the gradient, {where},": gradient_function,
        f"the loss, {where_loss},": loss_function,
    }
    interrupted = False
    with _as_bad_input(loader, functions):
        try:
            case = Case(
                gradient_function,
                loss_function,
                options["has_value"],
                seed=options["seed"],
                trusted=frozenset(options["trust_rules"]),
                wording=OF_COMMAND,
                computed_in=options["computed_in"],
                convention=options["convention"],
            )
            others = (options[name] for name in ("seconds", "directions"))
            report = report_on_gradient(
                case, point, options["points"], options["strict"], command, *others
            )
        except CheckInterrupted as interrupt:
            report, interrupted = interrupt.report, True
    return report, interrupted


def _again(gradient: str, loss: str, like: str, options: dict[str, Any]) -> str:
    """Return the command that gives the judgement again, with the options that are not default."""
    words = [*started(), "check", gradient, "--loss", loss, "--like", like]
    for param in check.params:
        value = options.get(param.name or "")
        if value is None or value == param.get_default(click.get_current_context()):
            continue
        if isinstance(value, bool):
            words.append(param.opts[0])
        else:
            several = value if param.multiple else (value,)
            if isinstance(value, tuple) and not param.multiple:
                several = (",".join(value),)
            words += [word for one in several for word in (param.opts[0], str(one))]
    return command_line(words)


def _function(loader: "Loader", location: "Location", form: str) -> Any:
    found = loader.load(location)
    if not callable(found):
        raise BadInput(f"{location} is {_what(found)}; expected a function {form}")
    return found


def _example(loader: "Loader", location: "Location") -> tuple[Any, ...]:
    found = loader.load(location)
    if callable(found):
        if needed := _needed(found):
            raise BadInput(
                f"{location} is a function of {', '.join(needed)}; expected a tuple "
                "(params, *inputs), or a function without arguments that returns one"
            )
        with _as_bad_input(loader, {f"the example, {location},": found}):
            found = found()
    if isinstance(found, tuple) and found and not hasattr(found, "_fields"):
        return found
    raise BadInput(f"{location} is {_what(found)}; expected a tuple (params, *inputs)")


def _needed(function: Any) -> list[str]:
    """Return the arguments that a function requires; none if it has no signature."""
    try:
        given = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    passed = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in given if p.default is p.empty and p.kind not in passed]


def _what(found: Any) -> str:
    if isinstance(found, tuple) and not found:
        return "an empty tuple"
    # A NamedTuple is a tuple as well, and most likely the parameters by themselves.
    return f"of type {type(found).__name__}" + (" alone" if hasattr(found, "_fields") else "")


@contextmanager
def _as_bad_input(loader: "Loader", functions: dict[str, Any]) -> Iterator[None]:
    """Turn any error within into `BadInput`, with the frames that its author needs."""
    from handgrad.commands.complaints import about

    try:
        yield
    except Exception as error:
        raise BadInput(*about(error, functions, loader.named)) from error


@contextmanager
def _working(what: str) -> Iterator[None]:
    """Show a spinner on standard error while something runs, if that is a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status(Text(f"{what} ...")):
        yield


def _show(report: "GradientReport") -> None:
    if not sys.stdout.isatty():
        click.echo(str(report))
        return
    from rich.console import Console

    Console(highlight=False, emoji=False, markup=False).print(report)
