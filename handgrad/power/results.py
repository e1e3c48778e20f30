"""What a planted mistake was, whether it was caught, and how all of them read in a table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan
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
    caught: bool  #: whether some point shows it, or a test notices it
    #: The largest relative change of an element; 0 if there is none, NaN if no number was seen.
    change: float


@dataclass(frozen=True, repr=False)
class Power(Renderable):
    """The planted mistakes of each kind, caught and missed."""

    planted: tuple[Planted, ...]
    points: int  #: the number of points; 0 of a test, which has its own
    not_planted: str = ""  #: what was not planted, and why; empty if all was
    rtol: float | None = None  #: that of a test, if that is asked of; None of the check itself
    tests: str = ""  #: what the tests are called that were run; empty if none was
    not_run: str = ""  #: the tests that do not pass even with no mistake
    of: tuple[str, ...] = ()  #: in what mistakes were planted, if in several

    @property
    def missed(self) -> tuple[Planted, ...]:
        """The mistakes that no point shows, or that the tests miss."""
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
        where = self.tests or plural(self.points, "point")
        return f"<Power: {caught}, {where}>"

    def _content(self) -> Document:
        return _document(self)


def together(powers: Mapping[str, Power], tests: str = "", not_run: str = "") -> Power:
    """Return several powers as one, each mistake with the name of that which it is of.

    Args:
        powers: by name.
        tests, not_run: as of a `Power`, if these are of tests.
    """
    planted = [
        replace(one, where=f"{name}, {one.where}")
        for name, power in powers.items()
        for one in power.planted
    ]
    why: dict[str, list[str]] = {}
    for name, power in powers.items():
        if power.not_planted:
            why.setdefault(power.not_planted, []).append(name)
    left = "; ".join(f"{reason} ({', '.join(names)})" for reason, names in why.items())
    points = sum(power.points for power in powers.values())
    of = tuple(name for name, power in powers.items() if power.planted)
    return Power(tuple(planted), points, left, tests=tests, not_run=not_run, of=of)


def _document(power: Power) -> Document:
    """Return a table by kinds, with the missed mistakes by name."""
    left = (f"None was planted {power.not_planted}.",) if power.not_planted else ()
    if power.not_run:
        left += (f"Not run, since they do not pass even with no mistake planted: {power.not_run}.",)
    if not power.planted:
        return Document(left or ("No mistake was planted: no point was judged.",))
    rows: list[tuple[str, ...] | str] = []
    for kind in dict.fromkeys(p.mistake for p in power.planted):
        some = [p for p in power.planted if p.mistake == kind]
        rows.append((kind, f"{sum(p.caught for p in some)} of {len(some)}"))
        rows += _missed_rows([p for p in some if not p.caught], power)
    blocks: list[str | Table] = [_sum_up(power)]
    if power.tests and len(power.of) > 1:
        blocks.append(Table(tuple(_of_each(power)), ("planted in", "caught")))
    blocks.append(Table(tuple(rows), ("planted", "caught")))
    return Document((*blocks, *left))


def _of_each(power: Power) -> Iterator[tuple[str, str]]:
    """Yield how many mistakes in each derivative are caught."""
    for name in power.of:
        some = [p for p in power.planted if p.where.startswith(f"{name}, ")]
        yield name, f"{sum(p.caught for p in some)} of {len(some)}"


def _sum_up(power: Power) -> str:
    planted = plural(len(power.planted), "planted mistake")
    caught = f"Of {planted} {len(power.planted) - len(power.missed):,}"
    if power.tests:
        return f"{caught} were caught by {power.tests}."
    return f"{caught} would have been caught at {plural(power.points, 'point')}" + (
        "." if power.rtol is None else f" by a test with rtol={power.rtol:g}."
    )


def _missed_rows(missed: Sequence[Planted], power: Power) -> list[str]:
    lines = [f"  missed: {p.where}{_described(p, power)}" for p in missed[:MOST_MISSED]]
    more = len(missed) - MOST_MISSED
    return [*lines, f"  ... and {more} more"] if more > 0 else lines


def _described(planted: Planted, power: Power) -> str:
    if planted.change == 0:
        return f": makes no difference {'in these tests' if power.tests else 'at these points'}"
    if isnan(planted.change):
        return ""
    says = f": changes {short(planted.change, 2)} of an element"
    if power.tests:
        return says
    return f"{says}, within {'rounding' if power.rtol is None else 'the tolerance'}"
