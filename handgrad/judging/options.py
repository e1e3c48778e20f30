"""The options that say how a gradient is judged: one table for all checks.

A check writes those it has into its signature, in whose docstring they are explained. From there
`options_and_how` takes them, and what a case is made of hands them on as a whole: to the judge, to
"Again:", to the case at other points, and to the counterexample as code. So a new option of all
checks is one line here, one in each signature, and what is done with it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np

from handgrad.clock import SECONDS
from handgrad.data.calls import call_line, written
from handgrad.data.complex_pairs import check_convention
from handgrad.data.computed_in import arithmetic
from handgrad.data.point import shortly

#: Where the reference gradient comes from; see `handgrad.check_gradient`.
REFEREES = ("auto", "series", "program")


def rule_names(trusted: Collection[Any]) -> frozenset[str]:
    """Return the names of the functions whose custom rules are trusted."""
    if isinstance(trusted, str) or not isinstance(trusted, Collection):
        raise TypeError(f"trust_rules: got {trusted!r}, expected a list of functions or names")
    names = [rule if isinstance(rule, str) else getattr(rule, "__name__", None) for rule in trusted]
    for rule, name in zip(trusted, names, strict=True):
        if name is None:
            raise TypeError(f"trust_rules: got {shortly(rule)}, expected functions or their names")
    return frozenset(name for name in names if name)


def check_seed(seed: Any) -> None:
    """Raise ValueError if something cannot seed random draws."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(f"seed: got {shortly(seed)}, expected a whole number from 0")


def check_referee(name: str) -> None:
    """Raise ValueError if there is no referee of that name."""
    if name not in REFEREES:
        raise ValueError(f"referee: got {name!r}, expected one of {', '.join(REFEREES)}")


def check_seconds(seconds: Any) -> None:
    """Raise TypeError or ValueError unless these are more than 0 seconds."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float | np.number):
        raise TypeError(f"seconds: got {shortly(seconds)}, expected a number")
    if not seconds > 0:
        raise ValueError(f"seconds: got {seconds}, expected more than 0")


def check_order(order: Any) -> None:
    """Raise ValueError unless this is the order of a derivative that can be judged."""
    if isinstance(order, bool) or order not in (1, 2):
        raise ValueError(f"order: got {shortly(order)}, expected 1 or 2")


@dataclass(frozen=True, eq=False, kw_only=True)
class Options:
    """How a gradient is judged, as the caller of a check says it; see `handgrad.check_gradient`.

    Raises:
        TypeError, ValueError: an option has no such value.
    """

    seed: int = 0
    referee: str = "auto"
    has_value: bool = False
    trust_rules: frozenset[str] = frozenset()  #: the names of the functions
    computed_in: Any = None
    convention: str | None = None
    domain: Any = None

    def __post_init__(self) -> None:
        check_seed(self.seed)
        check_referee(self.referee)
        arithmetic(self.computed_in)
        check_convention(self.convention)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Options":
        """Return the options that are among arguments of a check, and the default of the others."""
        found = {name: given[name] for name in NAMES if name in given}
        if "trust_rules" in found:
            found["trust_rules"] = rule_names(found["trust_rules"])
        return Options(**found)

    def handed_on(self, **instead: Any) -> dict[str, Any]:
        """Return every option by its name, for `Case(gradient, loss, **options.handed_on())`."""
        return {name: getattr(self, name) for name in NAMES} | instead

    def written(self) -> dict[str, str]:
        """Write the options that are not the default."""
        mine, default = (
            {name: written(name, value) for name, value in options.handed_on().items()}
            for options in (self, DEFAULT)
        )
        return {name: text for name, text in mine.items() if text != default[name]}


class How(NamedTuple):
    """At which points, how strictly and how long something is judged."""

    points: int | Sequence[Any] = 0
    strict: bool = False
    reproduce: str = ""  #: the call that gives the judgement again
    seconds: float = SECONDS

    def at(self, points: Any) -> "How":
        """Return the same at other points."""
        return self._replace(points=points)

    def within(self, seconds: float) -> "How":
        """Return the same in another time."""
        return self._replace(seconds=seconds)


def by_name(option: str, given: Any, names: Iterable[str]) -> dict[str, Any]:
    """Return the value of an option for each name, or of those that a mapping has.

    Raises:
        ValueError: the mapping has another name.
    """
    names = dict.fromkeys(names, given)
    if not isinstance(given, Mapping):
        return names
    for name in given:
        if name not in names:
            known = ", ".join(map(repr, names))
            raise ValueError(f"{option}: got the name {name!r}, expected one of {known}")
    return dict(given)


#: The names of all options.
NAMES = tuple(option.name for option in fields(Options))

#: The options of a check that was told none.
DEFAULT = Options()


def options_and_how(
    check: Callable[..., Any],
    functions: Sequence[str],
    names: Sequence[str],
    given: dict[str, Any],
    **instead: Any,
) -> tuple[Options, How]:
    """Return the options of a call, and how it judges.

    Args:
        check: the function that was called.
        functions: its parameters that are the caller's functions.
        names: the names of the other positional arguments.
        given: what these are, and the options, by their names: `locals()` in the check.
        instead: values in place of given ones that are none of a single case; the line that makes
            the call again has these.

    Raises:
        TypeError, ValueError: an option, `seconds` or `order` has no such value.
    """
    check_seconds(given["seconds"])
    check_order(given.get("order", 1))
    options = Options.of(given | instead)
    called = {name: given[name] for name in functions}
    named = given | options.handed_on() | {name: given[name] for name in instead}
    reproduce = call_line(check, called, names, named)
    return options, How(given["points"], given["strict"], reproduce, given["seconds"])
