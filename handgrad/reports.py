"""Several reports by their names: on versions, the derivatives of a call, steps, an audit."""

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from handgrad.render import Renderable
from handgrad.render.content import WORST_FIRST

#: What stands in place of the verdict of what raised.
RAISED = "raised"


class Named:
    """What was judged under a name; true exactly if it passes."""

    name: str
    report: Any
    raised: str | None = None  #: what it raised, in one line

    def __bool__(self) -> bool:
        return self.report is not None and bool(self.report)

    @property
    def verdict(self) -> str:
        """The verdict of its report, or `raised`."""
        return RAISED if self.report is None else self.report.verdict


class Reports(Renderable):
    """Reports by their names; true exactly if there is one, and all pass."""

    _noun: ClassVar[str]  # what there is one of for each name
    _field: ClassVar[str]  # where these are, in the order given

    @property
    def _named(self) -> Sequence[Any]:
        return getattr(self, self._field)

    def __bool__(self) -> bool:
        return self.passes

    def __repr__(self) -> str:
        each = ", ".join(f"{one.name} {one.verdict}" for one in self._named)
        return f"<{type(self).__name__}: {self.verdict}, {each}>"

    def __getitem__(self, name: str) -> Any:
        one = next((one for one in self._named if one.name == name), None)
        if one is None:
            known = ", ".join(repr(one.name) for one in self._named)
            raise KeyError(f"no {self._noun} {name!r}; expected one of {known}")
        if one.report is None:
            raise KeyError(f"{name!r} has no report, since it raised {one.raised}")
        return one.report

    def __iter__(self) -> Iterator[str]:
        return iter(one.name for one in self._named)

    @property
    def reports(self) -> tuple[Any, ...]:
        """The report on each that did not raise."""
        return tuple(one.report for one in self._named if one.report is not None)

    @property
    def verdict(self) -> str:
        """The worst verdict; one that raised counts as `disagree`, no report as `undecidable`."""
        found = {one.verdict if one.report is not None else "disagree" for one in self._named}
        return next((verdict for verdict in WORST_FIRST if verdict in found), "undecidable")

    @property
    def passes(self) -> bool:
        """Whether every one passes, and there is one."""
        return bool(self._named) and all(self._named)

    @property
    def failing(self) -> tuple[str, ...]:
        """The names of those that do not pass."""
        return tuple(one.name for one in self._named if not one)
