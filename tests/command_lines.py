"""Every command of the command lines."""

from collections.abc import Iterator

import click

import benchmarks.cli
import compare.cli
import evaluation.foreign.cli
import handgrad.cli
import study.cli
import website.cli

ROOTS: dict[str, click.Command] = {
    "handgrad": handgrad.cli.cli,
    "compare": compare.cli.cli,
    "benchmarks": benchmarks.cli.cli,
    "study": study.cli.cli,
    "website": website.cli.cli,
    "evaluation.foreign": evaluation.foreign.cli.cli,
}


def _context(
    command: click.Command, name: str, around: click.Context | None = None
) -> click.Context:
    # With its settings: a command keeps the option for help that it is first asked for.
    return click.Context(command, around, info_name=name, **command.context_settings)


def walk(command: click.Command, context: click.Context) -> Iterator[click.Context]:
    """The context of a command, and of all below it."""
    yield context
    for name, below in getattr(command, "commands", {}).items():
        yield from walk(below, _context(below, name, context))


CONTEXTS = {
    context.command_path: context
    for name, root in ROOTS.items()
    for context in walk(root, _context(root, name))
}
