"""How the tolerances of gradients in short formats read."""

import math

from handgrad.data.findings import LeafReport
from handgrad.data.numerals import short


def explained(leaf: LeafReport, off: float) -> str:
    """Say how an error, in sharp tolerances, compares with what rounding explains."""
    rounding = f"rounding in {leaf.arithmetic}"
    if leaf.verdict != "disagree":
        return f"R{rounding[1:]} explains {short(leaf.sharp, 2)}."
    if off > 1:
        return f"That is {short(off, 2)} times what {rounding} explains, {short(leaf.sharp, 2)}."
    return f"R{rounding[1:]} explains that of one element, and not of all in one direction."


def detection(leaves: list[LeafReport], verdict: str) -> str:
    """Say what rounding in short formats explains, and from where on an error is caught."""
    names = list(dict.fromkeys(leaf.arithmetic for leaf in leaves))
    text = ""
    if verdict in ("agree", "imprecise"):
        text = f"Rounding in {' and '.join(names)} explains every error. "
    known = [leaf for leaf in leaves if 0 < leaf.detection_limit < math.inf]
    if not known:
        return text.rstrip()
    worst = max(known, key=lambda leaf: leaf.detection_limit)
    factor = max(leaf.factor_limit for leaf in known)
    error = "One" if text else f"An error in {' and '.join(names)}"
    return (
        f"{text}{error} of {short(worst.detection_limit, 2)} times the root mean square of "
        f"{worst.path} in any element would have been caught, and a factor of "
        f"{_beside_one(factor)} in all of a leaf."
    )


def _beside_one(excess: float) -> str:
    """Write 1 + excess with as many digits as tell it from 1, and two of these."""
    places = -math.floor(math.log10(excess)) if 0 < excess < 1 else 0
    return short(1 + excess, max(3, places + 1))
