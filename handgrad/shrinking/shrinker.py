"""The smallest point at which a mistake still shows: first short arrays, then simple numbers.

Hypothesis finds the numbers. What it has to choose are whole numbers, and less is simpler: which of
the simple numbers each element is.
"""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from hypothesis import Phase, Verbosity, find, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException

from handgrad.data.point import Point
from handgrad.shrinking.choices import Choices, choices, free_choices
from handgrad.shrinking.descent import Numbers, descended
from handgrad.shrinking.dimensions import Dimensions
from handgrad.shrinking.layout import Layout
from handgrad.shrinking.shapes import Probes
from handgrad.shrinking.still_fails import Mistake

#: Lengths at which JAX may be made to compile the loss anew, which takes it a fifth of a second.
MOST_LENGTHS = 24

#: Of arrays of some lengths, so many are tried: the caller's cut short, and some at random.
FILLINGS = 12

#: Choices of numbers that are tried at the final lengths; each takes a millisecond or two.
MOST_NUMBERS = 1000

#: Choices that are drawn until one of them shows the mistake.
DRAWS = 200

#: After so many seconds of work no other lengths are tried, and after as many again no other
#: numbers. Only slow losses take as long; what is found for them depends on the machine.
SECONDS = 5.0

Arrays = Sequence[np.ndarray]


def smaller_points(loss: Callable[..., Any], given: Point, mistake: Mistake) -> Iterator[Point]:
    """Points at which a mistake shows, the smallest first, the caller's own last.

    Args:
        loss: loss(params, *inputs), for what shapes it takes.
        given: where the mistake was found.
        mistake: what must show.
    """
    search = _Search(loss, given, mistake)
    lengths, shown = search.shortest()
    yield from search.simplest(lengths, shown)
    yield search.layout.arguments(shown)
    yield given


class _Search:
    """One search from one point."""

    def __init__(self, loss: Callable[..., Any], given: Point, mistake: Mistake) -> None:
        self.layout, self._mistake = Layout(given), mistake
        self._dimensions = Dimensions(Probes(loss, mistake.answer, self.layout), self.layout)
        self._ends = time.process_time() + SECONDS

    def shortest(self) -> tuple[Numbers, Arrays]:
        """The least lengths at which the mistake shows, and arrays that show it."""
        full = tuple(self._dimensions.lengths)
        shown: dict[Numbers, list[Arrays]] = {full: [list(self.layout.arrays)]}
        room = MOST_LENGTHS

        def seems(lengths: Numbers) -> bool:
            nonlocal room
            if lengths not in shown:
                fillings = self._fillings(lengths)
                may = bool(fillings) and room > 0 and self._answers(fillings[0])
                room -= may
                shown[lengths] = list(filter(self._seems, fillings)) if may else []
            return bool(shown[lengths])

        # The judge takes long at new lengths, so it is asked about the least ones only.
        while (found := descended(full, seems)) != full:
            # What was found in time may be judged after it.
            certain = next(filter(self._certain, shown[found]), None)
            if certain:
                return found, certain
            shown[found] = []
        return full, list(self.layout.arrays)

    def simplest(self, lengths: Numbers, shown: Arrays) -> Iterator[Point]:
        """The point of the simplest numbers at these lengths, if any are found."""
        self._ends = time.process_time() + SECONDS
        plain = self._plain_start(lengths, shown)
        if plain:
            self._mistake = self._mistake.beside_a_number()
        options = self._options(lengths, plain or shown)
        known: dict[Numbers, bool] = {}

        def shows(which: Numbers) -> bool:
            if which not in known:
                known[which] = len(known) < MOST_NUMBERS and self._shows(_chosen(options, which))
            return known[which]

        ranges = [(0, len(o.arrays) - 1) for o in options for _ in range(o.count)]
        found = _least(ranges, shows)
        if found is not None:
            yield self.layout.arguments(_chosen(options, found))

    def _plain_start(self, lengths: Numbers, shown: Arrays) -> Arrays | None:
        """Arrays of these lengths that show it with neither number 0, if some are soon found.

        With a 0 one mistake looks like another: a term that is missing like a gradient of 0.
        """
        plainer, until = self._mistake.beside_a_number(), self._ends - SECONDS / 2
        tries = itertools.chain([shown], self._drawn(self._options(lengths, shown), DRAWS))
        points = ((arrays, self.layout.arguments(arrays)) for arrays in tries)
        seem = (pair for pair in points if time.process_time() < until and plainer.seems(pair[1]))
        # The judge takes longer, and is asked as often as about lengths.
        likely = itertools.islice(seem, FILLINGS)
        return next((arrays for arrays, given in likely if plainer.shows(given)), None)

    def _certain(self, arrays: Arrays) -> bool:
        return self._mistake.shows(self.layout.arguments(arrays))

    def _shows(self, arrays: Arrays) -> bool:
        return self._in_time() and self._certain(arrays)

    def _seems(self, arrays: Arrays) -> bool:
        return self._in_time() and self._mistake.seems(self.layout.arguments(arrays))

    def _in_time(self) -> bool:
        return time.process_time() < self._ends

    def _answers(self, arrays: Arrays) -> bool:
        return self._mistake.may_show(self.layout.arguments(arrays))

    def _options(self, lengths: Numbers, arrays: Arrays | None) -> list[Choices]:
        """What may stand in place of each array; none if there are no such lengths."""
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
        """Arrays of random choices, the same ones whenever asked."""
        for seed in range(count):
            rng = np.random.default_rng(seed)
            which = [rng.integers(0, len(o.arrays), size=o.count).tolist() for o in options]
            yield [o.chosen(numbers) for o, numbers in zip(options, which, strict=True)]


def _chosen(options: Sequence[Choices], which: Numbers) -> Arrays:
    ends = np.cumsum([option.count for option in options]).tolist()
    starts = [0, *ends[:-1]]
    return [o.chosen(which[a:b]) for o, a, b in zip(options, starts, ends, strict=True)]


def _least(ranges: Sequence[tuple[int, int]], shows: Callable[[Numbers], bool]) -> Numbers | None:
    """The least whole numbers in these ranges for which something shows, as Hypothesis finds them.

    Half of all draws are the upper end, where the point is as it was: a mistake may show at few.
    """
    up_to = [
        st.integers(low, 2 * high - low + 1).map(lambda number, high=high: min(number, high))
        for low, high in ranges
    ]
    try:
        return find(st.tuples(*up_to), shows, settings=_SETTINGS)
    except HypothesisException:  # none was found
        return None


#: Nothing is written to a database or printed; every run draws the same.
_SETTINGS = settings(
    max_examples=DRAWS,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.generate, Phase.shrink),
    verbosity=Verbosity.quiet,
)
