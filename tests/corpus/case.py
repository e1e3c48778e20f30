"""A case: an answer that is judged, what it is of, where, and what is due.

A verdict that is not stated is decided by `tests.corpus.truth`, which knows nothing of the judge.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from importlib import import_module
from typing import Any

import jax
import numpy as np

import handgrad

#: What stands in place of the verdict of a check that raised.
RAISED = "raised"


class Anew:
    """What is made anew for each check: a function that keeps something, or an array of JAX's.

    Importing rows computes nothing by JAX, so that who has imported them may be forked.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make

    def __call__(self, *args: Any) -> Any:
        """Call one that no check has called."""
        return self.make()(*args)


def anew(given: Any) -> Any:
    """Return what no check has used, if it is made anew."""
    return given.make() if isinstance(given, Anew) else given


@dataclass(frozen=True)
class Case:
    """A check and what is due of its report."""

    name: str
    verb: str  #: of `handgrad`, without `check_`; `function` is that of `handgrad.torch`
    function: Any  #: None if the answer has it: a rule, or steps
    given: tuple[Any, ...]  #: its arguments; one that is JAX's own is made by `Anew`
    answer: Any  #: of a call of SciPy's the derivatives by their names, else one function
    options: Mapping[str, Any]
    says: tuple[str, ...] = ()  #: what the report must say, but for capitals and line breaks
    verdict: str | None = None  #: None: the truth decides
    never: tuple[str, ...] = ()  #: what it must not say
    certified: bool | None = None  #: whether its truth is certified; None: either
    blame: str | None = "anyone"  #: who is off; None: nobody; "anyone": not looked at
    kinds: tuple[str, ...] = ()  #: some of them are named, or `unknown`, and no other
    tie: bool = False  #: whether several answers are right
    compiled: Any = None  #: the function, compiled, where differences of it would take long

    @property
    def at(self) -> tuple[Any, ...]:
        """Return its arguments."""
        return tuple(map(anew, self.given))

    def check(self, **options: Any) -> Any:
        """Make the check, some options of which may be others."""
        given, made = self.arguments()
        room = import_module("handgrad.torch") if self.verb == "function" else handgrad
        return getattr(room, f"check_{self.verb}")(*given, **{**made, **options})

    def arguments(self) -> tuple[list[Any], dict[str, Any]]:
        """Return what the check is called with."""
        function, answer = anew(self.function), anew(self.answer)
        match self.verb:
            case _ if function is None:
                functions = [answer]
            case "backward":
                functions = [function, answer]
            case "scipy":
                return [function, *self.at], {**self.options, **answer}
            case _:
                functions = [answer, function]
        return [*functions, *self.at], {**self.options}

    def changed(self, change: Callable[[Any], Any]) -> "Case":
        """Return the case of another answer, made of the results of this one."""
        before = self.answer["jac"] if self.verb == "scipy" else self.answer
        after = wraps(before)(lambda *args: change(before(*args)))
        return replace(self, answer={"jac": after} if self.verb == "scipy" else after)


class Row:
    """An answer to a question that several answers have in common."""

    def __init__(self, said: str, answer: Any, *says: str, **due: Any) -> None:
        self.said, self.answer, self.says, self.due = said, answer, says, due


def cases(
    name: str, verb: Callable[..., Any], function: Any, *at: Any, **options: Any
) -> Callable[..., list[Case]]:
    """Return what makes a case of each row: an answer to what is asked here.

    Args:
        name: of the question; a row says what is right or wrong in its answer.
        verb: a public check of `handgrad`.
        function: what the answers are derivatives of; None for rules and steps, which have it.
        at: its arguments.
        options: those of the check.
    """
    verb_name = verb.__name__.removeprefix("check_")

    def made(*rows: Row) -> list[Case]:
        return [
            Case(
                f"{name}: {row.said}",
                verb_name,
                function,
                at,
                row.answer,
                options,
                row.says,
                **row.due,
            )
            for row in rows
        ]

    return made


def verdict_of(check: Callable[[], Any]) -> tuple[str, Any]:
    """Make a check; return its verdict and report, or RAISED and a line that says what."""
    try:
        report = check()
    except Exception as error:  # a refusal is one line, which a case may expect
        return RAISED, f"{type(error).__name__}: {error}"
    return report.verdict, report


def scaled(result: Any, factor: float) -> Any:
    """Multiply all floats of a result, whatever its form; a list of numbers becomes an array."""
    leaves = jax.tree.leaves(result)
    numbers = isinstance(result, list) and all(isinstance(leaf, float) for leaf in leaves)
    return jax.tree.map(lambda leaf: factor * leaf, np.array(result) if numbers else result)
