"""Shrink a point at which a mistake shows: first to short arrays, then to simple numbers.

Hypothesis finds the numbers. It draws one integer for each element, an index into a list of numbers
with the simplest first.
"""

import itertools
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import numpy as np
from hypothesis import Phase, Verbosity, configuration, find, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException

from handgrad.clock import Clock
from handgrad.data.point import Point
from handgrad.shrinking.choices import Choices, choices, free_choices
from handgrad.shrinking.descent import Numbers, descended
from handgrad.shrinking.dimensions import Dimensions
from handgrad.shrinking.layout import Layout
from handgrad.shrinking.still_fails import Mistake

#: The most lengths to try, at each of which JAX compiles the loss, for a fifth of a second.
MOST_LENGTHS = 24

#: The number of arrays to try at each lengths: the caller's, cut, and some at random.
FILLINGS = 12

#: The most choices of numbers to try at the final lengths; each takes a millisecond or two.
MOST_NUMBERS = 1000

#: The most choices to draw until one of them shows the mistake.
DRAWS = 200

#: The CPU time to spend on lengths, and again on numbers. Only slow losses take that long; their
#: counterexamples depend on the machine.
SECONDS = 5.0

Arrays = Sequence[np.ndarray]


def smaller_points(given: Point, mistake: Mistake) -> Iterator[Point]:
    """Yield points at which a mistake shows, the smallest first, the caller's own last."""
    search = _Search(given, mistake)
    lengths, shown = search.shortest()
    yield from search.simplest(lengths, shown)
    yield search.at(shown)
    yield given


class _Search:
    """One search from one point."""

    def __init__(self, given: Point, mistake: Mistake) -> None:
        self.layout, self._mistake = Layout(given), mistake
        self._dimensions = Dimensions(mistake.subject.scalar, mistake.answer, self.layout)
        self._clock = Clock(SECONDS)

    def at(self, arrays: Arrays) -> Point:
        """Return the point with other arrays, its parameters moved into their domains."""
        given, case = self.layout.arguments(arrays), self._mistake.subject.case
        return case.moved(given, given.leaves) if case.domains else given

    def shortest(self) -> tuple[Numbers, Arrays]:
        """Return the least lengths at which the mistake shows, and arrays that show it."""
        full = tuple(self._dimensions.lengths)
        shown: dict[Numbers, list[Arrays]] = {full: [list(self.layout.arrays)]}
        room = MOST_LENGTHS

        def seems(lengths: Numbers) -> bool:
            nonlocal room
            if lengths not in shown:
                fillings = self._fillings(lengths)
                may = bool(fillings) and room > 0 and self._mistake.may_show(self.at(fillings[0]))
                room -= may
                shown[lengths] = list(filter(self._seems, fillings)) if may else []
            return bool(shown[lengths])

        # Judging takes long at new lengths, so it is done for the least ones only.
        while (found := descended(full, seems)) != full:
            # No time limit here: what was found in time may be judged later.
            certain = next(filter(self._certain, shown[found]), None)
            if certain:
                return found, certain
            shown[found] = []
        return full, list(self.layout.arrays)

    def simplest(self, lengths: Numbers, shown: Arrays) -> Iterator[Point]:
        """Yield the point with the simplest numbers at these lengths, if one is found."""
        self._clock = Clock(SECONDS)
        plain = self._plain_start(lengths, shown)
        if plain:
            self._mistake = self._mistake.beside_a_number()
        options = self._options(lengths, plain or shown)
        known: dict[Numbers, bool] = {}

        def shows(which: Numbers) -> bool:
            if which not in known:
                if len(known) == MOST_NUMBERS or self._clock.over:
                    raise _EnoughError
                known[which] = self._certain(_chosen(options, which))
            return known[which]

        _shrink([len(o.arrays) - 1 for o in options for _ in range(o.count)], shows)
        if found := [which for which, does in known.items() if does]:
            yield self.at(_chosen(options, min(found)))

    def _plain_start(self, lengths: Numbers, shown: Arrays) -> Arrays | None:
        """Find arrays of these lengths where neither yours nor exact is 0, if that is quick.

        With a 0 different mistakes look alike: a missing term and a gradient of 0.
        """
        plainer, clock = self._mistake.beside_a_number(), Clock(SECONDS / 2)
        tries = itertools.chain([shown], self._drawn(self._options(lengths, shown), DRAWS))
        points = ((arrays, self.at(arrays)) for arrays in tries)
        seem = (pair for pair in points if not clock.over and plainer.seems(pair[1]))
        # Judging takes longer, so it is done no more often than for lengths.
        likely = itertools.islice(seem, FILLINGS)
        return next((arrays for arrays, given in likely if plainer.shows(given)), None)

    def _certain(self, arrays: Arrays) -> bool:
        return self._mistake.shows(self.at(arrays))

    def _seems(self, arrays: Arrays) -> bool:
        return not self._clock.over and self._mistake.seems(self.at(arrays))

    def _options(self, lengths: Numbers, arrays: Arrays | None) -> list[Choices]:
        """Return the replacements of each array; none if there are no such lengths."""
        shapes = self._dimensions.shapes(lengths) or []
        options = []
        for leaf, shape in enumerate(shapes):
            given = self.layout.arrays[leaf]
            cut = arrays[leaf] if arrays else given[tuple(map(slice, shape))]
            if self.layout.is_input(leaf):
                options.append(choices(given, cut, self._dimensions.bound(leaf, shapes)))
            else:
                options.append(free_choices(cut))
        return options

    def _fillings(self, lengths: Numbers) -> Sequence[Arrays]:
        options = self._options(lengths, None)
        if not options:
            return []
        cut = [option.arrays[-1] for option in options]
        return [cut, *self._drawn(options, FILLINGS - 1)]

    @staticmethod
    def _drawn(options: Sequence[Choices], count: int) -> Iterator[Arrays]:
        """Yield arrays of random choices, the same ones at every call."""
        for seed in range(count):
            rng = np.random.default_rng(seed)
            which = [rng.integers(0, len(o.arrays), size=o.count).tolist() for o in options]
            yield [o.chosen(numbers) for o, numbers in zip(options, which, strict=True)]


def _chosen(options: Sequence[Choices], which: Numbers) -> Arrays:
    ends = np.cumsum([option.count for option in options]).tolist()
    starts = [0, *ends[:-1]]
    return [o.chosen(which[a:b]) for o, a, b in zip(options, starts, ends, strict=True)]


class _EnoughError(BaseException):
    """No more is tried; not an `Exception`, which Hypothesis would take for a failing test.

    It would go on for half a minute with what it need not try, each time told that nothing shows.
    """


def _shrink(highest: Sequence[int], shows: Callable[[Numbers], bool]) -> None:
    """Let Hypothesis look for the least integers, from 0 to these, for which `shows` holds.

    Half of all draws are the upper end, which keeps the original number: the mistake may show at
    few others.
    """
    up_to = [
        st.integers(0, 2 * high + 1).map(lambda number, high=high: min(number, high))
        for high in highest
    ]
    # None may be found, or no more be tried.
    with nothing_left(), suppress(HypothesisException, _EnoughError):
        find(st.tuples(*up_to), shows, settings=_SETTINGS)


@contextmanager
def nothing_left() -> Iterator[None]:
    """Let Hypothesis store what it reads in modules elsewhere than in the working directory."""
    # Hypothesis has no function that tells what was set; None is its own default.
    before = getattr(configuration, "__hypothesis_home_directory", None)
    with tempfile.TemporaryDirectory() as folder:
        configuration.set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            configuration.set_hypothesis_home_dir(before)


#: Without a database or output, and with the same draws in every run.
_SETTINGS = settings(
    max_examples=DRAWS,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.generate, Phase.shrink),
    verbosity=Verbosity.quiet,
)
