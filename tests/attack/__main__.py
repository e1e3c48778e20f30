"""The attacks on the judge, one part each: `python -m tests.attack programs`."""

import click

from tests.attack.document import DOCUMENT, document
from tests.attack.parts import PARTS


@click.group()
def main() -> None:
    """Attack the judge, and store what it says; every part goes on where it was broken off."""


@main.command(name="all")
@click.pass_context
def everything(context: click.Context) -> None:
    """Run every part, with the options that it has by default."""
    for part in PARTS:
        click.echo(f"{part.name}:")
        context.invoke(part.command)


@main.command(name="document")
def write() -> None:
    """Write docs/reliability.md anew from the stored results."""
    DOCUMENT.write_text(document(), encoding="utf-8")
    click.echo(str(DOCUMENT))


for part in PARTS:
    main.add_command(part.command)

if __name__ == "__main__":
    main()
