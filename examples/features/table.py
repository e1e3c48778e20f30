"""Features and their rows: what was planted, what is expected of the report, and what came."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from handgrad.render import Document, Renderable, Table

#: What stands in place of the verdict of a check that raised.
RAISED = "raised"

#: The longest verdict, so that the tables of all features are as wide.
LONGEST = "undecidable"

HEADINGS = ("expected", "came", "CPU s", "", "planted")


class Row(NamedTuple):
    """One check and its expectation."""

    planted: str  #: the mistake, in words; or that it is right
    expected: str  #: the verdict, or `raised`
    names: tuple[str, ...]  #: what the report must say, but for capitals
    check: Callable[[], Any]


@dataclass(frozen=True)
class Feature:
    """A feature of handgrad with its rows."""

    about: str
    rows: tuple[Row, ...]

    def __init__(self, about: str, *rows: Row) -> None:
        object.__setattr__(self, "about", about)
        object.__setattr__(self, "rows", rows)


def right(check: Callable[[], Any], *names: str, planted: str = "right") -> Row:
    """Return a row of a check that has to agree."""
    return Row(planted, "agree", names, check)


def wrong(planted: str, check: Callable[[], Any], *names: str, verdict: str = "disagree") -> Row:
    """Return a row of a planted mistake, whose report has to contain `names`."""
    return Row(planted, verdict, names, check)


@dataclass(frozen=True)
class Came:
    """The result of a row; true exactly if it is as expected."""

    feature: str
    row: Row
    verdict: str
    text: str  #: the report, or what was raised, without its line breaks
    report: Any = field(compare=False)  #: None if it raised
    seconds: float = field(compare=False)  #: of CPU

    @property
    def not_said(self) -> tuple[str, ...]:
        """What the report had to say, and does not."""
        text = self.text.casefold()  # a sentence begins with a capital
        return tuple(name for name in self.row.names if name.casefold() not in text)

    def __bool__(self) -> bool:
        return self.verdict == self.row.expected and not self.not_said

    def to_dict(self) -> dict[str, Any]:
        """Return it as data for JSON."""
        return {
            "feature": self.feature,
            "planted": self.row.planted,
            "expected": self.row.expected,
            "names": list(self.row.names),
            "came": self.verdict,
            "headline": getattr(self.report, "headline", self.text),
            "not_said": list(self.not_said),
            "cpu_seconds": round(self.seconds, 3),
            "as_expected": bool(self),
        }


def judged(feature: str, row: Row) -> Came:
    """Make the check of a row, and hold what came to its expectation."""
    start = time.process_time()
    try:
        report = row.check()
        verdict, text = _verdict(report), str(report)
    except Exception as error:  # a refusal is one line, which the row expects
        report, verdict, text = None, RAISED, f"{type(error).__name__}: {error}"
    seconds = time.process_time() - start
    return Came(feature, row, verdict, " ".join(text.split()), report, seconds)


def _verdict(report: Any) -> str:
    """Return a report's verdict; an audit has many, and passes or fails."""
    return getattr(report, "verdict", "passes" if report else "fails")


@dataclass(frozen=True, repr=False)
class Gallery(Renderable):
    """All that came; true exactly if every row is as expected."""

    came: tuple[Came, ...]
    about: dict[str, str]  #: what each feature is

    def __bool__(self) -> bool:
        return bool(self.came) and all(self.came)

    @property
    def headline(self) -> str:
        """How many rows are as expected, in one line."""
        off, count = sum(not one for one in self.came), len(self.came)
        cpu = sum(one.seconds for one in self.came)
        told = f"{off} of {count} rows are not" if off else f"all {count} rows are"
        return f"{told} as expected, {cpu:.0f} s of CPU"

    def to_dict(self) -> dict[str, Any]:
        """Return everything as data for JSON."""
        rows = [one.to_dict() for one in self.came]
        return {"schema": 1, "passes": bool(self), "headline": self.headline, "rows": rows}

    def _content(self) -> Document:
        blocks: list[str | Table] = []
        for name, about in self.about.items():
            of_it = [one for one in self.came if one.feature == name]
            rows = tuple(line for one in of_it for line in _lines(one))
            blocks += [f"{name}: {about}", Table(rows, HEADINGS, (2,), "  ")]
        return Document((*blocks, f"{self.headline[0].upper()}{self.headline[1:]}."))


def _lines(one: Came) -> Iterator[tuple[str, ...] | str]:
    """Yield a row of the table, and below it what the report has to say."""
    came, seconds = one.verdict.ljust(len(LONGEST)), f"{one.seconds:.1f}"
    mark = "ok" if one else "NOT as expected"
    yield one.row.expected.ljust(len(LONGEST)), came, seconds, mark, one.row.planted
    for name in one.row.names:
        yield f"    {'does not say' if name in one.not_said else 'says'}: {name}"
    if not one:
        yield f"    it says: {getattr(one.report, 'headline', one.text)}"


def gallery(features: dict[str, Feature], shown: Callable[[list[Any]], Iterable[Any]]) -> Gallery:
    """Judge all rows of some features.

    Args:
        features: by their names.
        shown: iterates over a list of (feature, row), and shows how far it is.
    """
    rows = [(name, row) for name, feature in features.items() for row in feature.rows]
    came = tuple(judged(name, row) for name, row in shown(rows))
    return Gallery(came, {name: feature.about for name, feature in features.items()})
