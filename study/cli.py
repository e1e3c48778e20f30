"""The command line of the page, `python -m study`: build it and print its path."""

import webbrowser
from pathlib import Path
from typing import Any

import click

from compare import exit_codes
from compare.commands.options import OutFile
from compare.commands.passes import pass_options
from handgrad.commands.options import SETTINGS, option, version_option

#: Options that select another network, or another example, than the article's.
_OWN = ("x", "y", "params", "model", "sizes")


@click.command(context_settings=SETTINGS)
@pass_options
@option(
    "--out",
    type=OutFile(".html", ".htm"),
    help="Write the page to this file.",
    otherwise="study/out/index.html",
)
@option("--open", "open_", is_flag=True, help="Open the page in the browser.")
@version_option("study")
def study(out: Path | None, open_: bool, **options: Any) -> None:
    """Build the page on which to step through backpropagation, and print its path.

    It shows the article's network and its four people, and begins with whom and what the options
    say; with --model, or with --network, --params, --x and --y, it shows a network and an example
    of your own.
    """
    path = _built(out, options).resolve()
    here = Path.cwd()
    click.echo(path.relative_to(here) if path.is_relative_to(here) else path)
    if open_ and not webbrowser.open(path.as_uri()):
        raise click.ClickException("no browser was found; open that file in one yourself.")


def _built(out: Path | None, options: dict[str, Any]) -> Path:
    from compare.terminal import waiting
    from compare.traced.request import PassRequest
    from study.build import OUT, build
    from study.content import of_article, of_pass

    own = any(options[name] is not None for name in _OWN)
    try:
        with waiting("Passes, and what three witnesses say of every number"):
            content = (
                of_pass(PassRequest(**options).trace())
                if own
                else of_article(PassRequest(**options))
            )
        return build(content, out or OUT)
    except OSError as error:
        raise click.ClickException(
            f"the page cannot be written to {out or OUT}: {error.strerror or error}; expected a "
            "folder that can be written to: name one with --out."
        ) from error


def main() -> None:
    """Run the command line and end the process with its exit code."""
    exit_codes.run(study, "python -m study")
