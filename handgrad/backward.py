"""The public check of a part of a gradient: the backward pass of a step."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from handgrad.check import asserting, report_on
from handgrad.clock import Clock
from handgrad.data.names import INPUTS, argument_names, numbered
from handgrad.judging.options import How, options_and_how
from handgrad.judging.part_cases import backward_case, points_of_part, without_cotangent
from handgrad.judging.pytorch.random import keeping_drawn_numbers
from handgrad.report import GradientReport

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True

#: The part of the seconds that the look for None may take besides, and that the judge has at least.
LOOK = 0.1


@keeping_drawn_numbers
def check_backward(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    *inputs: Any,
    cotangent: Any = None,
    points: int | Sequence[Any] = 8,
    seed: int = 0,
    referee: str = "auto",
    strict: bool = False,
    trust_rules: Collection[Any] = (),
    seconds: float = 20.0,
    computed_in: str | tuple[str, str] | None = None,
    convention: str | None = None,
    domain: Any = None,
) -> GradientReport:
    """Rule on the backward pass of one step of a computation.

    For a cotangent c, `backward` must return the gradient of Σ c·output by the inputs; where the
    output is complex, of the real number whose gradient by the output is c.

    Args:
        forward: `forward(*inputs)`, which returns (output, cache) or the output alone, in
            `jax.numpy` or NumPy; in PyTorch if the inputs are tensors.
        backward: `backward(cotangent, cache)` or `backward(*inputs, cotangent)`, which returns
            cotangents, one for each input in a tuple or list (or the bare one if there is one
            input), shaped like it; those of inputs that hold no floats are ignored. What it
            returns None for is not judged, and a warning says so.
        inputs: arrays, or pytrees of arrays.
        cotangent: shaped like the output, and converted to its dtype; random by default. Of parts
            of the output that hold no floats (a mask, an index), it is None.
        points, seed, referee, strict, trust_rules, seconds, computed_in: as for `check_gradient`;
            the points vary the inputs, and each of a list is a tuple of them.
        convention: as for `check_gradient`, of all cotangents: c is the gradient by the output.
        domain: as for `check_gradient`: one for all inputs, or a tuple with one for each.

    Returns:
        The report; leaves are called by the names of `forward`'s arguments.

    Raises:
        TypeError: no input holds floats, the output is no array of floats, or the cotangent is
            not shaped like it.
        CheckInterrupted: as `check_gradient`.
        Exception: whatever `forward` or `backward` raise.

    Example:
        >>> import jax.numpy as jnp, numpy as np
        >>> def forward(z):
        ...     a = jnp.tanh(z)
        ...     return a, a
        >>> def backward(da, a): return da * (1 - a * a)
        >>> check_backward(forward, backward, np.array([0.5, -1.0, 2.0])).verdict
        'agree'
    """
    names = argument_names(forward, len(inputs), numbered(INPUTS, len(inputs)))
    options, how = options_and_how(check_backward, ("forward", "backward"), names, locals())
    return report_on_step((forward, backward, inputs, cotangent, options), how)


def report_on_step(step: tuple[Any, ...], how: How) -> GradientReport:
    """Judge a backward step, as `check_backward` does; raises as that.

    The step is forward, backward, inputs, cotangent and options, as `backward_case` takes them.
    """
    clock = Clock(how.seconds)
    case, given = backward_case(*step)
    if none := without_cotangent(case, given, how.seconds):
        case, given = backward_case(*step, without=none)
    if clock.spent > LOOK * how.seconds:
        how = how.within(max(clock.left, LOOK * how.seconds))
    return report_on(case, given, how.at(points_of_part(how.points, given, without=none)))


@asserting(check_backward)
def assert_backward() -> None:
    """Raise unless `check_backward` passes; for tests. The arguments are the same.

    Raises:
        GradientMismatch, UserWarning: as `assert_gradient`.
        Exception: as `check_backward`.
    """
