"""All families before the judge: the tables, and as many as are wanted of what is drawn."""

import secrets
from collections.abc import Callable, Iterator

import click

from evaluation.rows import Row
from tests.attack.families.attempt import Attempt

#: How many functions of parts a run is for.
COUNT = 200

#: Of each other family, one in so many.
RARER = 10

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
    """Yield every attempt: the table of short ones, and what is drawn of each family."""
    from tests.attack.families import in_place, others  # which import JAX
    from tests.attack.families.made import drawn

    yield from map(in_place.short, in_place.SHORT)
    for number in range(count):
        yield drawn(in_place.FAMILY, in_place.draw, seed, number)
        if number % RARER == 0:
            yield others.linear_pass(seed, number)
            for family, draw in others.DRAWN.items():
                yield drawn(family, draw, seed, number)


def rows(wanted: Callable[[str], bool], count: int, seed: int) -> Iterator[list[Row]]:
    """Put what is wanted before the judge."""
    for attempt in attempts(seed, count):
        if found := [*attempt.rows(wanted)]:
            yield found
