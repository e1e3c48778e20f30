"""Print the result of a sweep on a terminal."""

from typing import Any

from rich.console import Console

from compare.sweep.run import SweepResult
from compare.sweep.tally import ENDS
from compare.terminal import console, show_verdict, table, ulps

#: Characters of the longest bar of the histogram.
_LONGEST = 40


def show_swept(swept: SweepResult, suspects: list[dict[str, Any]], verdict: str) -> None:
    """Print the whole result, from the settings to the verdict."""
    out = console()
    out.print(_title(swept))
    out.print("\nHow far apart, in ulps of the larger of the two:\n")
    _show_histogram(out, swept)
    out.print()
    _show_largest(out, swept)
    out.print("\nThe most suspicious cases, before handgrad's judge:\n")
    for suspect in suspects:
        ratio = suspect["bound_ratio"]
        out.print(
            f"case {suspect['case']}, {ratio:.3g} times what rounding explains: {suspect['says']}"
        )
    out.print(f"\n{_speed(swept)}")
    show_verdict(out, verdict, _because(swept, verdict))


def _title(swept: SweepResult) -> str:
    settings = swept.settings
    planted = f", with {settings.plant} planted" if settings.plant else ""
    return (
        f"Network {swept.network}, {settings.dtype}{planted}: weights {settings.weights}, inputs "
        f"{settings.inputs}, seed {settings.seed}; {_count(swept.devices, 'device')}, "
        f"{_count(swept.processes, 'process', 'es')}."
    )


def _count(count: int, what: str, plural: str = "s") -> str:
    return f"{count} {what}{'' if count == 1 else plural}"


def _show_histogram(out: Console, swept: SweepResult) -> None:
    rows = table("ulps", "elements", "")
    most = max(1, int(swept.histogram.max()))
    last = max((k for k, count in enumerate(swept.histogram) if count), default=0)
    for k, count in enumerate(swept.histogram[: last + 1]):
        rows.add_row(_bin(k), f"{count:>14,}", "█" * round(_LONGEST * int(count) / most))
    out.print(rows)


def _bin(k: int) -> str:
    if k == 0:
        return "0"
    if k + 1 == len(ENDS):
        return f"{ENDS[k]:.3g} and more"
    return f"{ENDS[k]:.3g} to {ENDS[k + 1]:.3g}"


def _show_largest(out: Console, swept: SweepResult) -> None:
    rows = table("parameter", "most ulps apart", "elements judged")
    for name, distance in swept.max_ulps.items():
        rows.add_row(name, ulps(distance), _share(swept.judged[name], swept.cases))
    out.print(rows)


def _share(count: int, of: int) -> str:
    """Format a share: never 0 % of something, nor 100 % of less than all."""
    share = 100 * count / max(of, 1)
    if 0 < share < 0.01:
        return "below 0.01 %"
    return f"{min(share, 99.99) if count < of else share:.4g} %"


def _speed(swept: SweepResult) -> str:
    rate = swept.cases / max(swept.seconds, 1e-9) / 1e6
    says = f"{swept.cases:,} cases in {swept.seconds:.3g} s, {rate:.3g} million a second."
    if swept.floor:
        part = rate * 1e6 / swept.floor
        says += f" Drawing and the loss alone: {swept.floor / 1e6:.3g} million; that is {part:.2f}."
    return says if swept.is_whole else f"{says} Stopped before {swept.requested:,}."


def _because(swept: SweepResult, verdict: str) -> str:
    found = f"{swept.disagreements:,}" if swept.disagreements else "none"
    are = "is" if swept.disagreements in (0, 1) else "are"
    says = f"{found} of {swept.cases:,} cases {are} further apart than rounding explains"
    if verdict == "disagree" and not swept.disagreements:
        says += ", but the judge finds the gradient by hand wrong"
    if swept.overflowed:
        says += f"; {swept.overflowed:,} overflow, and prove nothing"
    silent = [name for name, count in swept.judged.items() if not count]
    least = min(swept.judged, key=swept.judged.__getitem__)
    if silent:
        says += (
            f"; of {_some(silent)} no element is larger than what rounding explains, and nothing "
            "is known"
        )
    elif swept.judged[least] < swept.cases / 2:
        share = _share(swept.judged[least], swept.cases)
        says += f"; of {least} only {share} of the elements are larger than that"
    return says


def _some(names: list[str]) -> str:
    most = 9
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
