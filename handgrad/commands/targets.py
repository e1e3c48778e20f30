"""What the commands judge: functions and examples that a user names, and errors in them."""

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from handgrad.commands.process import command_line, started
from handgrad.data.attempts import PASSED
from handgrad.data.harmless import harmless

if TYPE_CHECKING:
    from handgrad.commands.loading import Loader, Location
    from handgrad.report import GradientReport

#: Exit codes by verdict where a gradient does not pass; 1 for all others.
NOT_PASSED = {"undecidable": 3, "raised": 2}


class BadInput(click.ClickException):
    """Bad input, which ends the command with 2: one line, and details printed below it."""

    exit_code = 2

    def __init__(self, line: str, *details: str):
        super().__init__(line)
        self.details = details


def judged(
    kind: str,
    derivative: Any,
    function: Any,
    point: tuple[Any, ...],
    options: dict[str, Any],
    command: str,
) -> "GradientReport":
    """Judge a derivative as `handgrad check` does, whose words the report has.

    Args:
        kind: one of `handgrad.marks.OPTIONS`.
        derivative, function: the caller's.
        point: (params, *inputs).
        options: of the command, by the names that the check has for them.
        command: what gives the judgement again; empty if nothing on a command line does.
    """
    from handgrad import derivative_reports
    from handgrad.check import report_on_gradient
    from handgrad.judging.case import OF_COMMAND, Case
    from handgrad.judging.options import How, Options
    from handgrad.judging.pytorch.random import drawn_numbers_kept

    how = How(options["points"], options["strict"], command, options["seconds"])
    stated = Options.of(options)
    with drawn_numbers_kept():
        if kind == "gradient":
            case = Case(derivative, function, **stated.handed_on(), wording=OF_COMMAND)
            return report_on_gradient(case, point, how, options.get("directions"))
        wording = derivative_reports.WORDING[kind]._replace(**_of_command(OF_COMMAND))
        of = derivative, function, point[0], point[1:]
        return derivative_reports.report_on_derivative(kind, *of, wording, stated, how)


def _of_command(words: Any) -> dict[str, str]:
    """Return what the command calls the options that every check has."""
    options = ("trust_rules", "elsewhere", "computed_in", "domain")
    same = {name: getattr(words, name) for name in options}
    return same | {"more_time": words.more_seconds}


def again(gradient: str, loss: str, like: str, options: dict[str, Any]) -> str:
    """Return the command that gives the judgement again, with the options that are not default.

    Empty if an option is none of the running command, or a domain cannot be written there.
    """
    context = click.get_current_context()
    words, known = [*started(), "check", gradient, "--loss", loss, "--like", like], set[str]()
    if (domain := options.get("domain")) is not None:
        if not (written := _domain_in_words(domain)):
            return ""
        options = options | {"domain": written}
    for param in context.command.params:
        known.add(str(param.name))
        value = options.get(param.name or "")
        if value is None or value == param.get_default(context):
            continue
        if isinstance(value, bool):
            words.append(param.opts[0])
        else:
            several = value if param.multiple else (value,)
            if isinstance(value, tuple | list) and not param.multiple:
                several = (",".join(value),)
            words += [word for one in several for word in (param.opts[0], str(one))]
    return command_line(words) if known >= set(options) else ""


def _domain_in_words(domain: Any) -> str:
    """Write a domain as --domain takes it; empty for one of several leaves, or of arrays."""
    if isinstance(domain, str):
        return domain
    interval = isinstance(domain, tuple | list) and len(domain) == 3 and domain[0] == "interval"
    interval = interval and not any(hasattr(end, "__len__") for end in domain[1:])
    return "interval {:g} {:g}".format(*map(float, domain[1:])) if interval else ""


def ending(report: Any) -> int:
    """Return the exit code of a command that has made a report on a gradient."""
    return 0 if report else NOT_PASSED.get(report.verdict, 1)


def function_at(loader: "Loader", location: "Location", form: str) -> Any:
    """Load a function; raise `BadInput` if it is none, saying what it is expected to be."""
    found = loader.load(location)
    if not callable(found):
        raise BadInput(f"{location} is {_what(found)}; expected a function {form}")
    return found


def example_of(found: Any, location: str) -> tuple[Any, ...]:
    """Return an example, from a tuple or from a function that returns it.

    Raises:
        BadInput: it is neither.
        Exception: whatever the function raises.
    """
    if callable(found):
        if names := needed(found):
            raise BadInput(
                f"{location} is a function of {', '.join(names)}; expected a tuple "
                "(params, *inputs), or a function without arguments that returns one"
            )
        found = found()
    if isinstance(found, tuple) and found and not hasattr(found, "_fields"):
        return found
    raise BadInput(f"{location} is {_what(found)}; expected a tuple (params, *inputs)")


def needed(function: Any) -> list[str]:
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
def as_bad_input(loader: "Loader", functions: dict[str, Any]) -> Iterator[None]:
    """Turn any error within into `BadInput`, with the frames that its author needs."""
    from handgrad.commands.complaints import about

    try:
        yield
    except (BadInput, *PASSED):
        raise
    except BaseException as error:  # the caller's functions may raise anything
        raise BadInput(*about(error, functions, loader.named)) from error


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show a spinner on standard error while something runs, if that is a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status(Text(harmless(f"{what} ..."))):
        yield


def show(report: Any) -> None:
    """Print a report, with colours if standard output is a terminal."""
    if not sys.stdout.isatty():
        click.echo(str(report))
        return
    from rich.console import Console

    Console(highlight=False, emoji=False, markup=False).print(report)
