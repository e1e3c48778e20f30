"""The cases that checkers are asked about, in their order: wrong derivatives, then right ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from itertools import product
from typing import Any

import numpy as np

from benchmarks.checkers import subjects
from benchmarks.checkers.question import Question
from benchmarks.checkers.subjects import AT_A_KINK, FORMATS, GRADIENT, RULE, SIZED, Subject

#: What is asked: gradients of losses; Jacobians and other derivatives; functions of torch; right
#: gradients of models that grow, whose checks are timed from the first call in a process on.
GRADIENTS, DERIVATIVES, TORCH, TIMES = QUESTIONS = ("gradients", "derivatives", "torch", "sized")

#: The parts of a comparison.
MISTAKES, ELEMENTS, RIGHT = "mistakes", "elements", "right"

#: Sizes of a parameter, a square matrix, and the number of elements in which each mistake is
#: planted, one at a time. Several, as the element decides what a checker sees; few in the largest
#: matrix, where a check takes up to the whole limit.
SIZES = {100: 8, 10_000: 8, 1_000_000: 2}

#: A derivative as it is in its module, among its rewrites.
AS_WRITTEN = "as-written"

#: The rewrite that is one only where kernels compute in a wider format than they store.
IN_ITS_FORMAT = "in-its-format"

#: First calls, each in a new process, and later ones in one of them; of `--quick`, whose numbers
#: are no medians of many.
CALLS, QUICK_CALLS = (5, 5), (1, 2)

#: Models whose checks are timed by `--quick`.
QUICK_SIZED = ("2-2-1, 4", "20-32-5, 16", "Cholesky")


@dataclass(frozen=True)
class Case:
    """One derivative at one point. It is sent to another process, and built only there."""

    part: str  #: `MISTAKES`, `ELEMENTS` or `RIGHT`
    subject: str  #: the model, or the size of the leaf
    what: str  #: the mistake's slug, or the kind of what is right
    build: Callable[[], Question]
    draw: int = 0  #: the index among several random elements, points or processes
    format: str = ""  #: that of the floating arguments, if not all cases are in float64
    calls: int = 1
    fresh: bool = False  #: whether it is the first that its process is asked

    @property
    def id(self) -> str:
        """The case's name in stored results."""
        named = f"{self.part}/{self.subject}/{self.what}/{self.draw}"
        return f"{named}/{self.format}" if self.format else named


def cases(questions: str, formats: Sequence[str] = FORMATS, few: bool = False) -> list[Case]:
    """Return all cases of a comparison, or a few; formats are those of torch."""
    if questions == TIMES:
        return _sized(few)
    found = _gradients() if questions == GRADIENTS else _others(questions, formats)
    if not few:
        return found
    first: dict[Any, Case] = {}
    for case in found:
        alike = case.what if questions == GRADIENTS else case.subject
        first.setdefault((case.part, alike, case.format), case)
    return [*first.values()]


def _others(questions: str, formats: Sequence[str]) -> list[Case]:
    """Return the mistakes at ordinary points, then all right ways to write the same."""
    torch = questions == TORCH
    found: list[Case] = []
    for part, dtype, of in product(
        (MISTAKES, RIGHT),
        formats if torch else ("",),
        subjects.of_torch() if torch else subjects.DERIVATIVES,
    ):
        mistakes = [(slug, 0) for slug in of.mistakes]
        for what, draw in mistakes if part == MISTAKES else right_ways(of, dtype):
            build = partial(question, questions, of.name, part, what, draw, dtype)
            found.append(Case(part, of.name, what, build, draw, dtype))
    return found


def right_ways(subject: Subject, dtype: str = "") -> list[tuple[str, int]]:
    """Return the slugs of the right ways to write a derivative, each with a draw.

    Rewrites of torch functions are asked about at all points, and are those that differ in a
    format; others at the ordinary one, as they differ from what is written by rounding alone.
    """
    draws = range(len(subject.draws))
    half = dtype not in ("float64", "float32")
    rewrites = [slug for slug in subject.rewrites if half or slug != IN_ITS_FORMAT]
    return [
        *((AS_WRITTEN, draw) for draw in draws),
        *((slug, draw) for slug in rewrites for draw in (draws if dtype else (0,))),
    ]


def _gradients() -> list[Case]:
    of = partial(partial, question, GRADIENTS)
    mistakes = [
        Case(MISTAKES, subject.name, slug, of(subject.name, MISTAKES, slug))
        for subject in subjects.GRADIENTS
        for slug in subject.mistakes
    ]
    single = [
        Case(ELEMENTS, str(size), what, partial(in_one_element, size, what, which), which)
        for size, draws in SIZES.items()
        for what in subjects.IN_ONE_ELEMENT
        for which in range(draws)
    ]
    right = [
        *(("kinked" if AT_A_KINK in s.mistakes else "ordinary", s) for s in subjects.GRADIENTS),
        *((sort, subject) for sort, points in subjects.HARD.items() for subject in points),
    ]
    points = [Case(RIGHT, s.name, sort, of(s.name, RIGHT, AS_WRITTEN)) for sort, s in right]
    return [*mistakes, *single, *points]


def _sized(few: bool) -> list[Case]:
    first, later = QUICK_CALLS if few else CALLS
    return [
        Case(
            *(RIGHT, name, TIMES, partial(of_size, name)),
            draw=process,
            calls=1 if process else 1 + later,
            fresh=True,
        )
        for name in (QUICK_SIZED if few else SIZED)
        for process in range(first)
    ]


def question(
    questions: str, name: str, part: str, what: str = AS_WRITTEN, draw: int = 0, dtype: str = ""
) -> Question:
    """Build the question about a wrong or a right derivative at one of its points."""
    of = named(questions, name)
    if part == MISTAKES:
        by_hand, right = of.model.wrong(what), of.by_hand
    else:
        by_hand, right = of.right("" if what == AS_WRITTEN else what), None
    if of.kind == RULE:
        by_hand, right = by_hand(), right and right()
    return Question(of.kind, of.function, by_hand, of.point(draw, dtype), right)


def named(questions: str, name: str) -> Subject:
    """Return what is asked about, by its name."""
    of = {GRADIENTS: subjects.of_losses, TORCH: subjects.of_torch}
    found = of[questions]() if questions in of else subjects.DERIVATIVES
    (one,) = (subject for subject in found if subject.name == name)
    return one


def in_one_element(size: int, what: str, which: int) -> Question:
    """Build the question about a gradient with a mistake in one element of a parameter."""
    of, wrong = subjects.with_one_element(size, what, which)
    return Question(GRADIENT, of.function, wrong, of.point(), of.by_hand, ("params['w']",))


def of_size(name: str) -> Question:
    """Build the question about a right gradient whose check is timed."""
    model, at = subjects.built(name)
    how = {"options": SIZED[name].options, "draw": partial(subjects.redrawn, name)}
    return Question(GRADIENT, model.loss, model.gradient, at, **how)


def simple(questions: str) -> Question:
    """Return a question that makes a checker load its packages before the first case.

    For some operations (`triu`) torch wakes a thread for each processor, even for 25 numbers. On a
    busy machine they wait for each other: `gradcheck` of attention took sixty times as long. So
    where its functions are asked about, torch has one thread from then on.
    """
    if questions == TORCH:
        import_module("torch").set_num_threads(1)
        return question(TORCH, "softplus", RIGHT, dtype="float64")
    if questions == DERIVATIVES:
        return question(DERIVATIVES, "arm", RIGHT)
    import jax.numpy as jnp

    def loss(params: Any) -> Any:
        return jnp.sum(params["w"] ** 2)

    return Question(GRADIENT, loss, lambda params: {"w": 2 * params["w"]}, ({"w": np.ones(2)},))
