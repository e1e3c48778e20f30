"""The command line of the attacks."""

import click

from tests.attack.foreign.command import foreign


@click.group()
def main() -> None:
    """Attacks on the judge; each stores what it found."""


main.add_command(foreign)

if __name__ == "__main__":
    main()
