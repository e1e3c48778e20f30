"""How PyTorch may call a backward pass, other than as usual, and whether that changes its result.

The usual call has a cotangent of each output, contiguous, and all arguments require grad. A rule
that is right there may be wrong or raise where one output is not used, one argument requires no
grad, it was called again before, or a cotangent is not contiguous. Each of these results is known
from the usual call; only if it is another one does it need to be judged.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from handgrad.data.attempts import best_effort
from handgrad.judging.pytorch.autograd import expanded, not_contiguous
from handgrad.judging.pytorch.subjects import Subject

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True


@dataclass(frozen=True, eq=False)
class OtherCall:
    """Another call of a backward pass, and the usual one that has the same result."""

    subject: Subject
    cotangents: list[np.ndarray]
    usual: list[np.ndarray]  #: the cotangents, for all outputs, with which the usual call has it

    def differs(self, of: Subject) -> bool:
        """Tell whether its result is not that of the usual call, bit by bit, or it raises."""
        expected = dict(zip(of.judged, _answer(of, self.usual), strict=True))
        with best_effort():
            found = zip(self.subject.judged, _answer(self.subject, self.cotangents), strict=True)
            return not all(np.array_equal(a, expected[k], equal_nan=True) for k, a in found)
        # Judging it says what the caller's function raises. A rule may free what it has kept, and
        # then raise, which nobody overlooks.
        return self.subject.passes == 1


def other_calls(
    subject: Subject, cotangents: Sequence[np.ndarray], undefined: bool = True
) -> Iterator[OtherCall]:
    """Yield the calls whose results are other than they should be, if the usual one is right.

    Args:
        subject: the usual call.
        cotangents: those of the outputs.
        undefined: whether to leave cotangents undefined.
    """
    found = _all_of(subject, list(cotangents), undefined)
    return (call for call in found if call.differs(subject))


def _all_of(subject: Subject, cotangents: list[np.ndarray], undefined: bool) -> Iterator[OtherCall]:
    def call(condition: str, *given: list[np.ndarray], **changes: Any) -> OtherCall:
        own, usual = given or (cotangents, cotangents)
        return OtherCall(replace(subject, condition=condition, **changes), own, usual)

    names = list(subject.outputs)
    if undefined and len(subject.used) > 1:
        pairs = list(zip(subject.used, cotangents, strict=True))
        for i, c in pairs:
            zeros = [c if i == j else np.zeros_like(o) for j, o in pairs]
            yield call(f"where {names[i]} alone is used", [c], zeros, used=(i,))
    if len(subject.judged) > 1:
        for k in subject.judged:
            name = subject.arguments.names[k]
            yield call(f"where {name} alone requires grad", judged=(k,))
    yield call("in a second pass through the same graph (retain_graph=True)", passes=2)
    again = "where it is called again, at other values, before the backward pass"
    yield call(again, called_again=True)
    several = "cotangent is" if len(cotangents) == 1 else "cotangents are"
    if any(c.size > 1 for c in cotangents):
        yield call(f"where the {several} not contiguous", layout=not_contiguous)
        ones = [np.ones_like(c) for c in cotangents]
        of_sum = f"where the {several} expanded, as of output.sum()"
        yield call(of_sum, ones, ones, layout=expanded)


def _answer(subject: Subject, cotangents: Sequence[np.ndarray]) -> list[np.ndarray]:
    arrays = subject.arrays
    found = subject.gradient(arrays, cotangents)
    pairs = zip(subject.judged, found, strict=True)
    return [np.zeros_like(arrays[k]) if g is None else g for k, g in pairs]
