"""`python -m study`: build the page, and say where it is.

Exit codes: 0 built, 2 bad input.
"""

import sys
import webbrowser
from pathlib import Path
from typing import Any

import click

from compare.commands.passes import pass_options, traced

#: Options that lead to another network, or another example, than the article's.
_OWN = ("x", "y", "params", "model", "sizes")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@pass_options
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write the page; study/out/index.html unless given.",
)
@click.option("--open", "open_", is_flag=True, help="Open it in the browser.")
def study(out: Path | None, open_: bool, **asked: Any) -> None:
    """Build the page on which to step through backpropagation, and print its path.

    Without options it shows the article's network and its four people; with --model, or with
    --network, --params, --x and --y, a network and an example of your own.
    """
    from study.build import OUT, build
    from study.content import of_article, of_pass

    own = any(asked[name] is not None for name in _OWN)
    content = of_pass(traced(asked)) if own else of_article()
    path = build(content, out or OUT).resolve()
    click.echo(path)
    if open_:
        webbrowser.open(path.as_uri())


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    study.main(arguments, prog_name="python -m study")


if __name__ == "__main__":
    sys.exit(main())
