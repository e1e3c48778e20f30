"""The slug of a planted mistake, as a user types it."""

from compare.wording import near_miss, quoted, refused
from models.model import Slip
from models.planted import MISTAKES, PLANTS


def slug_of(typed: str, option: str, among: dict[str, Slip] = PLANTS) -> str:
    """Return a slug that a user typed, in lower case, after checking it.

    Raises:
        InputError: `among` has no such mistake.
    """
    slug = typed.lower()
    if slug in among:
        return slug
    if slug in MISTAKES:
        found = "a mistake of the training loop, around a right gradient"
        raise refused(f"{option} {slug}", found, "one of a gradient")
    found = f"{quoted(typed)}, no such mistake{near_miss(slug, among)}"
    raise refused(option, found, "one of those that `python -m compare break` lists")
