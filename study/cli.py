"""The command line of the page, `python -m study`: build it and print its path."""

import webbrowser
from pathlib import Path

import click

from compare.commands.options import OVERWRITE, OutFile, refuse_what_is_there
from handgrad.commands.options import SETTINGS, option, version_option


@click.command("study", context_settings=SETTINGS)
@option(
    "--out",
    type=OutFile(".html", ".htm"),
    help="Write the page to this file.",
    otherwise="study/out/index.html",
)
@OVERWRITE
@option("--open", "open_", is_flag=True, help="Open the page in the browser.")
@version_option("study")
def cli(out: Path | None, overwrite: bool, open_: bool) -> None:
    """Build the page that teaches backpropagation, and print its path.

    It is one file, for a browser, that needs no network.
    """
    refuse_what_is_there(out, overwrite)
    path = _built(out).resolve()
    here = Path.cwd()
    click.echo(path.relative_to(here) if path.is_relative_to(here) else path)
    if open_ and not webbrowser.open(path.as_uri()):
        raise click.ClickException("no browser was found; open that file in one yourself.")


def _built(out: Path | None) -> Path:
    from compare.terminal import waiting
    from study import build, content

    out = out or build.OUT
    try:
        with waiting("Passes, and what three witnesses say of every number"):
            return build.build(content.of_article(), out)
    except OSError as error:
        raise click.ClickException(
            f"the page cannot be written to {out}: {error.strerror or error}; expected a "
            "folder that can be written to: name one with --out."
        ) from error
