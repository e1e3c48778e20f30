"""The closing sentences of a report: how sharply was looked, where, and by what."""

import math

from handgrad.data.findings import LeafReport
from handgrad.data.numerals import plural, short
from handgrad.render.content import FEW_LEAVES, Reading


def footing(report: Reading) -> list[str]:
    """Return the closing sentences: the detection limits, the points, the certificate."""
    judged = f"{plural(report.points, 'point') if report.points else 'No point'} judged"
    sampled = [
        f"{leaf.judged:,} of the {leaf.elements:,} elements of {leaf.path}"
        for leaf in report.leaves
        if leaf.judged < leaf.elements
    ]
    if sampled:
        judged += f"; {', '.join(sampled[:FEW_LEAVES])}{' ...' if sampled[FEW_LEAVES:] else ''}"
    certificate = report.certificate if report.points else ""
    # Detection limits only matter if nothing was caught.
    sharp = "" if report.verdict == "disagree" else detection(report.leaves, report.verdict)
    texts = [sharp, _sentences(judged, certificate)]
    return [text for text in texts if text]


def _sentences(*texts: str) -> str:
    """Join sentences, each with a capital letter and a full stop."""
    trimmed = [text.strip().rstrip(".") for text in texts]
    return " ".join(f"{text[0].upper()}{text[1:]}." for text in trimmed if text)


def detection(leaves: tuple[LeafReport, ...], verdict: str) -> str:
    """Say how small an error would have been caught; empty if not known."""
    short_ones = [leaf for leaf in leaves if leaf.arithmetic and leaf.judged]
    if short_ones:
        return _of_rounding(short_ones, verdict)
    known = [leaf for leaf in leaves if 0 < leaf.detection_limit < math.inf]
    if not known:
        return ""
    known.sort(key=lambda leaf: -leaf.detection_limit)
    limits = [short(leaf.detection_limit, 2) for leaf in known]
    start = f"A relative error of {limits[0]} in any element"
    if len(known) == len(leaves) and len(set(limits)) == 1:
        whose = f" of {known[0].path}" if len(known) == 1 else ""
        return f"{start}{whose} would have been caught."
    if len(known) == len(leaves) > FEW_LEAVES:
        finest = f"in {known[-1].path} even one of {limits[-1]}"
        return f"{start} would have been caught, {finest}."
    also = [f"of {limit} in {leaf.path}" for limit, leaf in zip(limits, known, strict=True)]
    rest = " and ".join(also[1:][:FEW_LEAVES])
    return f"{start} of {known[0].path} would have been caught{rest and f', one {rest}'}."


def _of_rounding(leaves: list[LeafReport], verdict: str) -> str:
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
