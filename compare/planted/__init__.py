"""Mistakes that people really make in backpropagation, each of which a check must see.

A slug names a mistake; that of the catalogue of kinds, where it has the mistake.
"""

from compare.planted.answers import ANSWERS
from compare.planted.links import LINKS
from compare.planted.loops import LOOPS
from compare.planted.plant import Plant
from compare.wording import InputError, near_miss, quoted

#: Wrong gradients, by slug.
PLANTS: dict[str, Plant] = LINKS | ANSWERS

#: Those, and right gradients that are trained with wrongly.
MISTAKES: dict[str, Plant] = PLANTS | LOOPS

__all__ = ["LOOPS", "MISTAKES", "PLANTS", "Plant", "slug_of"]


def slug_of(typed: str, option: str, among: dict[str, Plant] = PLANTS) -> str:
    """The slug that somebody typed, in lower case.

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
