"""The command line of the page, `python -m study`: build it and print its path."""

import webbrowser
from pathlib import Path
from typing import Any

import click

from compare import exit_codes
from compare.commands.options import (
    SEED,
    OutFile,
    form_option,
    init_option,
    learning_rate_option,
    person_option,
)
from handgrad.commands.options import SETTINGS, option, seed_option, version_option


@click.command(context_settings=SETTINGS)
@person_option(otherwise="alice")
@init_option(otherwise="normal")
@seed_option("parameters at random", type=SEED, otherwise="44")
@learning_rate_option(default=0.1)
@form_option(otherwise="stable")
@option(
    "--out",
    type=OutFile(".html", ".htm"),
    help="Write the page to this file.",
    otherwise="study/out/index.html",
)
@option("--lessons", is_flag=True, help="Build the lessons, which are a page of their own.")
@option("--open", "open_", is_flag=True, help="Open the page in the browser.")
@version_option("study")
def study(out: Path | None, lessons: bool, open_: bool, **options: Any) -> None:
    """Build the page on which to step through backpropagation, and print its path.

    It shows the article's network and its four people, and begins with whom and what the options
    say.
    """
    path = _built(out, lessons, options).resolve()
    here = Path.cwd()
    click.echo(path.relative_to(here) if path.is_relative_to(here) else path)
    if open_ and not webbrowser.open(path.as_uri()):
        raise click.ClickException("no browser was found; open that file in one yourself.")


def _built(out: Path | None, lessons: bool, options: dict[str, Any]) -> Path:
    from compare.terminal import waiting
    from compare.traced.request import PassRequest
    from study import build as building
    from study.content import of_article, of_lessons

    out = out or (building.LESSONS_OUT if lessons else building.OUT)
    try:
        if lessons:
            return building.build(of_lessons(), out, building.lessons)
        with waiting("Passes, and what three witnesses say of every number"):
            content = of_article(PassRequest(**options))
        return building.build(content, out)
    except OSError as error:
        raise click.ClickException(
            f"the page cannot be written to {out}: {error.strerror or error}; expected a "
            "folder that can be written to: name one with --out."
        ) from error


def main() -> None:
    """Run the command line and end the process with its exit code."""
    exit_codes.run(study, "python -m study")
