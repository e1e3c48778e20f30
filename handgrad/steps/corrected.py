"""Which wrong steps make a gradient wrong: those without whose mistake more of it is right.

A step may differ from its derivative and do no harm, where what it does differently is multiplied
by 0 later on, say; or it may undo what somebody did elsewhere. So the gradient is run once more
with the right answer in place of the step's own. Only what then becomes right was its fault.
"""

import inspect
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import numpy as np

from handgrad.arithmetic import balls
from handgrad.data.point import copied, vector
from handgrad.data.pytrees import is_real
from handgrad.judging import form
from handgrad.judging.outcome import Trial
from handgrad.judging.ruling import WRONG, Ruling, rule
from handgrad.steps.pair import Pair
from handgrad.steps.rebound import rebound


class NotCorrectedError(Exception):
    """What the right answer of a step would be is not known."""


def guilty(trial: Trial, wrong: Sequence[Pair]) -> dict[Callable[..., Any], bool | None]:
    """Which backward functions are to blame for a wrong gradient.

    Args:
        trial: of the gradient.
        wrong: pairs that it calls at the deciding point whose backward pass is wrong.

    Returns:
        For each backward function, whether a wrong leaf becomes right with its right answer, and no
        right one wrong; None where that could not be tried. Where no function makes a difference
        by itself, those are to blame without which all of them together make less of one.
    """
    pairs = {pair.backward: pair for pair in wrong}
    alone = {function: _made_right(trial, [pair]) for function, pair in pairs.items()}
    found = {function: None if right is None else bool(right) for function, right in alone.items()}
    able = [function for function, right in found.items() if right is not None]
    if len(able) < 2 or any(found.values()):
        return found
    together = _made_right(trial, [pairs[function] for function in able]) or frozenset()
    for function in able if together else []:
        others = _made_right(trial, [pairs[other] for other in able if other is not function])
        found[function] = bool(together - (others or frozenset()))
    return found


def _made_right(trial: Trial, pairs: Sequence[Pair]) -> frozenset[str] | None:
    """The wrong leaves that are right where some pairs answer as they should.

    None where they cannot; nothing where a leaf that was right would be wrong.
    """
    case, ruling = trial.case, trial.outcomes[trial.deciding].ruling
    if ruling is None:
        return None
    corrected = [Corrected(pair) for pair in pairs]
    try:
        with _quietly(), jax.disable_jit(), rebound(list(_instead(corrected))):
            _, leaves, findings = form.taken(case.gradient, ruling.given, case.has_value)
    except Exception:  # a step that cannot be mended, or lines that take no other answer
        return None
    if findings or not all(step.asked for step in corrected):
        return None
    before, after = _off(ruling, ruling.yours.answer), _off(ruling, vector(leaves))
    # What lost digits only may be as far off as what is wrong, and that is nobody's fault.
    wrong = before & _leaves(ruling, ruling.yours.level)
    return frozenset() if after - before else wrong - after


def _quietly() -> Any:
    """The same lines have had their say before, at this point."""
    return warnings.catch_warnings(action="ignore")


def _instead(corrected: Iterable["Corrected"]) -> Iterator[Any]:
    for step in corrected:
        yield step.pair.forward, step.forward
        yield step.pair.backward, step.backward


def _off(ruling: Ruling, answer: np.ndarray) -> frozenset[str]:
    """The leaves in which an answer is farther off than both tolerances allow."""
    # Without a rerun: the lines of the mended gradient are not there to be run at another
    # precision, so those of the caller's are not rerun either.
    measures, second = (ruling.reference, ruling.tolerance), ruling.autodiff.answer
    again = rule(ruling.given, *measures, answer, second, ruling.problem)
    return _leaves(ruling, again.yours.level)


def _leaves(ruling: Ruling, level: np.ndarray) -> frozenset[str]:
    """The leaves some element of which is wrong."""
    parts = zip(ruling.given.paths, ruling.given.parts(), strict=True)
    return frozenset(path for path, part in parts if (level[part] == WRONG).any())


@dataclass(eq=False)
class Corrected:
    """A pair whose backward function gives the right answer."""

    pair: Pair
    #: Caches that were made, and from what. They are kept, so that no other object is taken for one
    #: of them.
    made: list[tuple[Any, tuple[Any, ...]]] = field(default_factory=list)
    asked: bool = False  #: whether the backward function was called

    def forward(self, *args: Any, **named: Any) -> Any:
        """What the pair's own gives."""
        given = copied(_in_order(self.pair.forward, args, named))
        output, cache = self.pair.forward(*args, **named)
        self.made.append((cache, given))
        return output, cache

    def backward(self, *args: Any, **named: Any) -> Any:
        """The right answer, in the form of the one that the pair's own gives."""
        self.asked = True
        *taken, cache = _in_order(self.pair.backward, args, named)
        given, count = self._taken(cache), len(self.pair.inputs)
        own = self.pair.backward(*copied((*taken, cache)))
        call = replace(
            self.pair,
            inputs=given[:count],
            settings=given[count:],
            cotangent=1.0 if self.pair.cache_alone else copied(taken[0]),
        )
        return _filled(own, call.inputs, _right(call))

    def _taken(self, cache: Any) -> tuple[Any, ...]:
        """From what a cache was made; of several, the last, as those that share one are undone."""
        for k in reversed(range(len(self.made))):
            if self.made[k][0] is cache:
                return self.made.pop(k)[1]
        raise NotCorrectedError(f"{self.pair.name}: its cache comes from somewhere else")


def _in_order(function: Any, args: Any, named: Any) -> tuple[Any, ...]:
    """The arguments of a call in the order of the function's parameters, defaults among them."""
    bound = inspect.signature(function).bind(*args, **named)
    bound.apply_defaults()
    if bound.kwargs:
        raise NotCorrectedError(f"{function.__qualname__}: takes arguments by name only")
    return bound.args


def _right(call: Pair) -> list[np.ndarray]:
    """The right cotangents of a call's float inputs; at a kink, the nearest to those given."""
    # The gradient runs with `jit` taken out, the judge does not.
    with jax.disable_jit(False):
        judgement = call.judged(points=0, seed=0)
    ruling = judgement.trial.outcomes[0].ruling
    if ruling is None:
        raise NotCorrectedError(f"{call.name}: {judgement.headline}")
    # Of the largest arrays not every element is judged; of the others, JAX's own is as good.
    known = ruling.reference.known
    right = np.where(known, balls.midpoints(ruling.yours.reference), ruling.autodiff.answer)
    pieces = zip(ruling.given.parts(), ruling.given.leaves, strict=True)
    return [right[part].reshape(leaf.shape).astype(leaf.dtype) for part, leaf in pieces]


def _filled(own: Any, inputs: tuple[Any, ...], right: Iterable[np.ndarray]) -> Any:
    """An answer of the form of its own with the right cotangents in it; what is no float stays."""
    several = isinstance(own, tuple | list)
    left, answer = iter(right), []
    for given, got in zip(inputs, own if several else [own], strict=True):
        leaves, tree = jax.tree_util.tree_flatten(given)
        real = [isinstance(leaf, float) or is_real(leaf) for leaf in leaves]
        parts = tree.flatten_up_to(got) if any(real) else []
        chosen = [next(left)[()] if r else part for r, part in zip(real, parts, strict=False)]
        answer.append(jax.tree_util.tree_unflatten(tree, chosen) if any(real) else got)
    if not several:
        return answer[0]
    return type(own)(*answer) if hasattr(own, "_fields") else type(own)(answer)
