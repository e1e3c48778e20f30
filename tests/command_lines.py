"""Every command of the command lines."""

from collections.abc import Iterator

import click

import benchmarks.cli
import benchmarks.on_gpu
import compare.cli
import evaluation.foreign.cli
import handgrad.cli
import study.cli
import website.cli

ROOTS: dict[str, click.Command] = {
    "handgrad": handgrad.cli.cli,
    "compare": compare.cli.cli,
    "benchmarks": benchmarks.cli.cli,
    "study": study.cli.study,
    "website": website.cli.website,
    "evaluation.foreign": evaluation.foreign.cli.foreign,
    "benchmarks.on_gpu": benchmarks.on_gpu.command,
}


def walk(command: click.Command, context: click.Context) -> Iterator[click.Context]:
    """The context of a command, and of all below it."""
    yield context
    for name, below in getattr(command, "commands", {}).items():
        yield from walk(below, click.Context(below, context, info_name=name))


CONTEXTS = {
    context.command_path: context
    for name, root in ROOTS.items()
    for context in walk(root, click.Context(root, info_name=name))
}
