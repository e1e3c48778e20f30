"""How the judge's own power reads: of each kind of mistake how many would have been caught."""

from collections.abc import Sequence
from textwrap import TextWrapper
from typing import TYPE_CHECKING

from handgrad.render.numbers import plural, short
from handgrad.render.text import WIDTH

if TYPE_CHECKING:
    from handgrad.power import Planted, Power

#: Missed mistakes to name of each kind.
MOST_MISSED = 3


def as_text(power: "Power") -> str:
    """A table by kinds, and what was missed by name."""
    if not power.planted:
        return "No mistake was planted: no point was judged."
    kinds = list(dict.fromkeys(p.mistake for p in power.planted))
    width = max(map(len, kinds))
    rows = [f"{'planted':{width}}  caught"]
    for kind in kinds:
        some = [p for p in power.planted if p.mistake == kind]
        rows.append(f"{kind:{width}}  {sum(p.caught for p in some)} of {len(some)}")
        rows += _missed([p for p in some if not p.caught])
    if power.not_planted:
        rows += ["", f"None was planted {power.not_planted}."]
    return "\n".join([_headline(power), "", *rows])


def _headline(power: "Power") -> str:
    caught = len(power.planted) - len(power.missed)
    return (
        f"Of {plural(len(power.planted), 'planted mistake')} {caught:,} would have been caught at "
        f"{plural(power.points, 'point')}."
    )


def _missed(missed: Sequence["Planted"]) -> list[str]:
    wrapper = TextWrapper(WIDTH, initial_indent="  missed: ", subsequent_indent="    ")
    lines = [line for p in missed[:MOST_MISSED] for line in wrapper.wrap(_said(p))]
    more = len(missed) - MOST_MISSED
    return [*lines, f"  ... and {more} more"] if more > 0 else lines


def _said(planted: "Planted") -> str:
    if planted.change == 0:
        return f"{planted.where}: makes no difference at these points"
    return f"{planted.where}: changes {short(planted.change, 2)} of an element, within rounding"
