"""The command line of the site, `python -m website`: build it and print its path."""

import webbrowser
from pathlib import Path

import click

from handgrad.commands.options import SETTINGS, option, version_option
from website.build import OUT, build


@click.command("website", context_settings=SETTINGS)
@option("--open", "open_", is_flag=True, help="Open the site in the browser.")
@version_option("website")
def cli(open_: bool) -> None:
    """Build the documentation in site/, which is replaced, and print the path of its first page.

    A link to a page, a place on it or a file that is not there is an error.
    """
    path = build(OUT) / "index.html"
    here = Path.cwd()
    click.echo(path.relative_to(here) if path.is_relative_to(here) else path)
    if open_ and not webbrowser.open(path.as_uri()):
        raise click.ClickException("no browser was found; open that file in one yourself.")
