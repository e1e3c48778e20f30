"""Find the wrong steps that make a gradient wrong, by correcting them.

A wrong step may do no harm, if its error is multiplied by 0 later, for example, or undoes another
error. So the gradient is rerun with the step's right result in place of its own. The leaves that
then become right were its fault.
"""

import inspect
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jax
import numpy as np

from handgrad.arithmetic import balls
from handgrad.data.attempts import best_effort
from handgrad.data.point import copied, signature, vector
from handgrad.data.pytrees import is_real
from handgrad.judging import form
from handgrad.judging.judgement import Judgement
from handgrad.judging.outcome import Trial
from handgrad.judging.pytorch.leaves import arrays_of
from handgrad.judging.ruling import Ruling, rule
from handgrad.judging.witness import DOUBTFUL, WRONG
from handgrad.program.aten.tensors import is_tensor, to_tensor
from handgrad.steps.pair import Pair
from handgrad.steps.rebound import rebound


class NotCorrectedError(Exception):
    """The right result of a step is not known."""


#: Judgements of calls, by `_key`; with the call, since the key may hold the id of an argument.
Judged = dict[Any, tuple[Pair, Judgement]]


def guilty(
    trial: Trial, wrong: Sequence[tuple[Pair, Judgement]]
) -> dict[Callable[..., Any], bool | None]:
    """Tell which backward functions are to blame for a wrong gradient.

    Args:
        trial: of the gradient.
        wrong: the pairs it calls at the deciding point whose backward pass is wrong, as judged.

    Returns:
        For each backward function, whether correcting it makes a wrong leaf right and no right one
        wrong; None if that could not be tried. If no function does so by itself, all are corrected
        together, and those are to blame without which fewer leaves become right.
    """
    pairs = {pair.backward: pair for pair, _ in wrong}
    # The reruns have most calls in common, with each other and with the gradient itself.
    judged = {_key(pair): (pair, judgement) for pair, judgement in wrong}
    alone = {function: _made_right(trial, [pair], judged) for function, pair in pairs.items()}
    found = {function: None if right is None else bool(right) for function, right in alone.items()}
    able = [function for function, right in found.items() if right is not None]
    if len(able) < 2 or any(found.values()):
        return found
    together = _made_right(trial, [pairs[function] for function in able], judged) or frozenset()
    for function in able if together else []:
        but = [pairs[other] for other in able if other is not function]
        others = _made_right(trial, but, judged)
        found[function] = bool(together - (others or frozenset()))
    return found


def _made_right(trial: Trial, pairs: Sequence[Pair], judged: Judged) -> frozenset[str] | None:
    """Return the wrong leaves that become right if some pairs are corrected.

    None if they cannot be corrected; empty if a right leaf becomes wrong.
    """
    case, ruling = trial.case, trial.outcomes[trial.deciding].ruling
    if ruling is None:
        return None
    corrected = [Corrected(pair, judged) for pair in pairs]
    instead: list[Any] = [(step.pair.forward, step.forward) for step in corrected]
    instead += [(step.pair.backward, step.backward) for step in corrected]
    # Without warnings: the same code has run before at this point.
    quiet = warnings.catch_warnings(action="ignore")
    called = None
    with best_effort(), quiet, jax.disable_jit(), rebound(instead):
        called = form.call_gradient(case, ruling.given)
    if called is None:  # a step that cannot be corrected, or code that does not take the result
        return None
    _, leaves, findings = called
    if findings or not all(step.was_called for step in corrected):
        return None
    before, after = _off(ruling, ruling.yours.answer), _off(ruling, vector(leaves))
    # Leaves that only lost digits may be as far off as wrong ones, but no step is to blame.
    wrong = before & _leaves(ruling, ruling.yours.level)
    return frozenset() if after - before else wrong - after


def _off(ruling: Ruling, answer: np.ndarray) -> frozenset[str]:
    """Return the leaves in which a gradient exceeds both tolerances."""
    # Without a rerun at another precision, which the corrected gradient does not allow; so the
    # caller's gradient is not rerun either.
    again = rule(ruling.given, ruling.reference, ruling.tolerances, answer, None, ruling.problem)
    level = again.yours.level
    if not ruling.reference.known.all():
        # What rounding costs a sample may not be known, and then only a rerun shows what is wrong.
        unexplained = (level == DOUBTFUL) & ~again.yours.explained
        level = np.where(unexplained & np.isinf(again.tolerance.jump), WRONG, level)
    return _leaves(ruling, level)


def _leaves(ruling: Ruling, level: np.ndarray) -> frozenset[str]:
    """Return the leaves with a wrong element."""
    parts = zip(ruling.given.paths, ruling.given.parts(), strict=True)
    return frozenset(path for path, part in parts if (level[part] == WRONG).any())


@dataclass(eq=False)
class Corrected:
    """A pair whose backward function returns the right result."""

    pair: Pair
    judged: Judged
    #: The caches that were made, with the arguments. They are kept alive, since they are identified
    #: by their ids.
    made: list[tuple[Any, tuple[Any, ...]]] = field(default_factory=list)
    was_called: bool = False  #: whether the backward function was called

    def forward(self, *args: Any, **named: Any) -> Any:
        """Run the pair's own forward function, and remember its arguments."""
        given = copied(_in_order(self.pair.forward, args, named))
        output, cache = self.pair.forward(*args, **named)
        self.made.append((cache, given))
        return output, cache

    def backward(self, *args: Any, **named: Any) -> Any:
        """Return the right result, in the form of the result of the pair's own function."""
        self.was_called = True
        *taken, cache = _in_order(self.pair.backward, args, named)
        given, count = self._taken(cache), len(self.pair.inputs)
        own = self.pair.backward(*copied((*taken, cache)))
        call = replace(
            self.pair,
            inputs=given[:count],
            settings=given[count:],
            cotangent=1.0 if self.pair.cache_alone else copied(taken[0]),
        )
        return _filled(own, call.inputs, _right(call, self.judged))

    def _taken(self, cache: Any) -> tuple[Any, ...]:
        """Return the arguments that a cache was made from; the last, if several share one."""
        for k in reversed(range(len(self.made))):
            if self.made[k][0] is cache:
                return self.made.pop(k)[1]
        raise NotCorrectedError(f"{self.pair.name}: its cache comes from somewhere else")


def _in_order(function: Any, args: Any, named: Any) -> tuple[Any, ...]:
    """Return the arguments of a call in the order of the parameters, with defaults."""
    bound = inspect.signature(function).bind(*args, **named)
    bound.apply_defaults()
    if bound.kwargs:
        raise NotCorrectedError(f"{function.__qualname__}: takes arguments by name only")
    return bound.args


def _right(call: Pair, judged: Judged) -> list[np.ndarray]:
    """Return the right cotangents of a call's float inputs; at a kink, the nearest right ones."""
    key = _key(call)
    if key not in judged:
        # The gradient runs without `jit`, the judge with it.
        with jax.disable_jit(False):
            judged[key] = call, call.judged(points=0)
    judgement = judged[key][1]
    ruling = judgement.trial.outcomes[0].ruling
    if ruling is None:
        raise NotCorrectedError(f"{call.name}: {judgement.headline}")
    # Elements of large arrays that were not judged are taken from autodiff.
    known = ruling.reference.known
    right = np.where(known, balls.midpoints(ruling.yours.reference), ruling.autodiff.answer)
    pieces = zip(ruling.given.parts(), ruling.given.leaves, strict=True)
    return [right[part].reshape(leaf.shape).astype(leaf.dtype) for part, leaf in pieces]


def _key(call: Pair) -> Any:
    """Return a key that calls of one function have in common if all their arguments are equal."""
    given = arrays_of((call.inputs, call.settings, call.cotangent))
    leaves, tree = jax.tree_util.tree_flatten(given)
    floats = (isinstance(leaf, float) or is_real(leaf) for leaf in leaves)
    numbers = [
        np.asarray(leaf).tobytes() if f else b"" for leaf, f in zip(leaves, floats, strict=True)
    ]
    return call.backward, str(tree), *map(type, leaves), *map(signature, leaves), *numbers


def _like(leaf: Any, right: np.ndarray) -> Any:
    """Return a cotangent as a tensor if it is one of a tensor."""
    return to_tensor(right) if is_tensor(leaf) else right[()]


def _filled(own: Any, inputs: tuple[Any, ...], right: Iterable[np.ndarray]) -> Any:
    """Return a result in the form of `own` with the right cotangents; other leaves are kept."""
    several = isinstance(own, tuple | list)
    left, answer = iter(right), []
    for given, got in zip(inputs, own if several else [own], strict=True):
        leaves, tree = jax.tree_util.tree_flatten(given)
        real = [isinstance(leaf, float) or is_real(arrays_of(leaf)) for leaf in leaves]
        parts = tree.flatten_up_to(got) if any(real) else []
        pairs = zip(leaves, real, parts, strict=False)
        chosen = [_like(leaf, next(left)) if r else part for leaf, r, part in pairs]
        answer.append(jax.tree_util.tree_unflatten(tree, chosen) if any(real) else got)
    if not several:
        return answer[0]
    return type(own)(*answer) if hasattr(own, "_fields") else type(own)(answer)
