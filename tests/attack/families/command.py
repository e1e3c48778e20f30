"""All families before the judge: the tables, and as many as are wanted of what is drawn."""

import secrets
from collections.abc import Callable, Iterator

import click

from tests.attack.families.attempt import Attempt
from tests.attack.stored import Row

#: How many functions of parts a run is for.
COUNT = 200

OPTIONS = (
    click.Option(["--count"], default=COUNT, show_default=True, help="Functions that are drawn."),
    click.Option(
        ["--seed"],
        default=lambda: secrets.randbelow(10**6),
        show_default="another one in every run",
        type=int,
    ),
)


def attempts(seed: int, count: int) -> Iterator[Attempt]:
    """Yield every attempt: the tables, and then what is drawn."""
    from tests.attack.families import in_place  # which imports JAX

    yield from in_place.minimal()
    yield from (in_place.drawn(seed, number) for number in range(count))


def rows(wanted: Callable[[str], bool], count: int, seed: int) -> Iterator[list[Row]]:
    """Put what is wanted before the judge."""
    for attempt in attempts(seed, count):
        if found := [*attempt.rows(wanted)]:
            yield found
