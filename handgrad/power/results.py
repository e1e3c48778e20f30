"""What a planted mistake was, whether it was caught, and how all of them read in a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from handgrad.data.numerals import plural, short
from handgrad.judging.judgement import as_json
from handgrad.render import Document, Renderable, Table

#: The most missed mistakes of each kind to name.
MOST_MISSED = 3


@dataclass(frozen=True)
class Planted:
    """A mistake that was planted."""

    mistake: str  #: its kind: `sign`, `zero`, `factor`, ...
    where: str  #: a leaf, an element, or a place in the loss
    caught: bool  #: whether some point shows it
    change: float  #: the largest relative change of an element; 0 if there is none


@dataclass(frozen=True, repr=False)
class Power(Renderable):
    """The planted mistakes of each kind, caught and missed."""

    planted: tuple[Planted, ...]
    points: int  #: the number of points
    not_planted: str = ""  #: what was not planted, and why; empty if all was
    rtol: float | None = None  #: that of a test, if that is asked of; None of the check itself

    @property
    def missed(self) -> tuple[Planted, ...]:
        """The mistakes that no point shows."""
        return tuple(p for p in self.planted if not p.caught)

    def of_tolerance(self, rtol: float) -> "Power":
        """Tell what a test at these points would catch that compares elements with right ones.

        Args:
            rtol: the test's relative tolerance of every element; it has no absolute one.
        """
        planted = tuple(replace(p, caught=p.change > rtol) for p in self.planted)
        return replace(self, planted=planted, rtol=rtol)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as data for JSON; an infinite change is the string "inf"."""
        return as_json(self)

    def __repr__(self) -> str:
        caught = f"{len(self.planted) - len(self.missed):,} of {len(self.planted):,} caught"
        return f"<Power: {caught}, {plural(self.points, 'point')}>"

    def _content(self) -> Document:
        return _document(self)


def together(powers: Mapping[str, Power]) -> Power:
    """Return several powers as one, each mistake with the name of that which it is of."""
    planted = [
        replace(one, where=f"{name}, {one.where}")
        for name, power in powers.items()
        for one in power.planted
    ]
    left = [f"{p.not_planted} ({name})" for name, p in powers.items() if p.not_planted]
    return Power(tuple(planted), sum(p.points for p in powers.values()), "; ".join(left))


def _document(power: Power) -> Document:
    """Return a table by kinds, with the missed mistakes by name."""
    if not power.planted:
        return Document(("No mistake was planted: no point was judged.",))
    rows: list[tuple[str, ...] | str] = []
    for kind in dict.fromkeys(p.mistake for p in power.planted):
        some = [p for p in power.planted if p.mistake == kind]
        rows.append((kind, f"{sum(p.caught for p in some)} of {len(some)}"))
        rows += _missed_rows([p for p in some if not p.caught], power.rtol)
    left = (f"None was planted {power.not_planted}.",) if power.not_planted else ()
    return Document((_sum_up(power), Table(tuple(rows), ("planted", "caught")), *left))


def _sum_up(power: Power) -> str:
    caught = len(power.planted) - len(power.missed)
    return (
        f"Of {plural(len(power.planted), 'planted mistake')} {caught:,} would have been caught at "
        f"{plural(power.points, 'point')}"
        + ("." if power.rtol is None else f" by a test with rtol={power.rtol:g}.")
    )


def _missed_rows(missed: Sequence[Planted], rtol: float | None) -> list[str]:
    lines = [f"  missed: {_described(p, rtol)}" for p in missed[:MOST_MISSED]]
    more = len(missed) - MOST_MISSED
    return [*lines, f"  ... and {more} more"] if more > 0 else lines


def _described(planted: Planted, rtol: float | None) -> str:
    if planted.change == 0:
        return f"{planted.where}: makes no difference at these points"
    within = "rounding" if rtol is None else "the tolerance"
    return f"{planted.where}: changes {short(planted.change, 2)} of an element, within {within}"
