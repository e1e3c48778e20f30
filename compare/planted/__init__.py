"""Planted mistakes in the article's gradient and training; those of other models: `models/`.

They are mistakes that people really make. A mistake in a factor of the chain rule belongs into
`links`, one in the arguments or the result into `answers`, one in the training loop into `loops`.
"""

from compare.planted.answers import ANSWERS
from compare.planted.links import LINKS
from compare.planted.loops import LOOPS
from compare.planted.plant import Plant
from compare.wording import InputError, near_miss, quoted

#: Wrong gradients, by slug.
PLANTS: dict[str, Plant] = LINKS | ANSWERS

#: The wrong gradients and the wrong training loops, by slug.
MISTAKES: dict[str, Plant] = PLANTS | LOOPS

__all__ = ["LOOPS", "MISTAKES", "PLANTS", "Plant", "slug_of"]


def slug_of(typed: str, option: str, among: dict[str, Plant] = PLANTS) -> str:
    """Return a slug that a user typed, in lower case, after checking it.

    Raises:
        InputError: `among` has no such mistake.
    """
    slug = typed.lower()
    if slug in among:
        return slug
    if slug in MISTAKES:
        raise InputError(
            f"{option} {slug}: a mistake of the training loop, around a right gradient; expected "
            "one of a gradient"
        )
    raise InputError(
        f"{option}: {quoted(typed)}, no such mistake{near_miss(slug, among)}; expected one of "
        "those that `python -m compare break` lists"
    )
