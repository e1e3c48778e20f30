"""The public checks of parts of a gradient: a backward step, a custom derivative rule of JAX."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from handgrad.check import report_on, report_on_function, require, with_arguments_of
from handgrad.data.calls import call_line
from handgrad.data.names import INPUTS, argument_names, numbered
from handgrad.judging.custom_cases import custom_case, referenced_case
from handgrad.judging.part_cases import backward_case, points_of_part
from handgrad.judging.trial import rule_names
from handgrad.judging.untraceable import calling
from handgrad.report import GradientReport

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True


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
) -> GradientReport:
    """Rule on the backward pass of one step of a computation.

    For a cotangent c, `backward` must return the gradient of Σ c·output by the inputs; where the
    output is complex, of the real number whose gradient by the output is c.

    Args:
        forward: `forward(*inputs) -> (output, cache)`, in `jax.numpy` or NumPy; in PyTorch if the
            inputs are tensors.
        backward: `backward(cotangent, cache) -> cotangents`, one for each input in a tuple or list
            (or the bare one if there is one input), shaped like it; those of inputs that hold no
            floats are ignored.
        inputs: arrays, or pytrees of arrays.
        cotangent: shaped like the output, and converted to its dtype; random by default.
        points, seed, referee, strict, trust_rules, seconds, computed_in: as for `check_gradient`;
            the points vary the inputs, and each of a list is a tuple of them.
        convention: as for `check_gradient`, of all cotangents: c is the gradient by the output.

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
    trusted = rule_names(trust_rules)
    reproduce = call_line(
        check_backward,
        {"forward": forward, "backward": backward},
        argument_names(forward, len(inputs), numbered(INPUTS, len(inputs))),
        cotangent=cotangent,
        points=points,
        seed=seed,
        referee=referee,
        strict=strict,
        trust_rules=trusted,
        seconds=seconds,
        computed_in=computed_in,
        convention=convention,
    )
    case, given = backward_case(
        forward,
        backward,
        inputs,
        cotangent,
        seed,
        referee,
        trusted,
        computed_in=computed_in,
        convention=convention,
    )
    points = points_of_part(points, given)
    return report_on(case, given, points, strict, reproduce, seconds)


@with_arguments_of(check_backward)
def assert_backward(*args: Any, **options: Any) -> None:
    """Raise unless `check_backward` passes; for tests. The arguments are the same.

    Raises:
        GradientMismatch: as `assert_gradient`.
        Exception: as `check_backward`.

    Example:
        >>> import numpy as np
        >>> def forward(x): return x * x, x
        >>> def backward(d, x): return 2 * d * x
        >>> assert_backward(forward, backward, np.array([0.5, -1.0, 2.0]))
    """
    require(check_backward(*args, **options))


def check_custom(
    f: Callable[..., Any],
    *args: Any,
    reference: Callable[..., Any] | None = None,
    points: int | Sequence[Any] = 8,
    seed: int = 0,
    referee: str = "auto",
    strict: bool = False,
    seconds: float = 20.0,
    computed_in: str | tuple[str, str] | None = None,
) -> GradientReport:
    """Rule on the derivative rule of a `jax.custom_vjp` or `jax.custom_jvp` function.

    "Yours" is `jax.grad` of Σ c·f with the rule, for a random cotangent c; "autodiff" is `jax.grad`
    of the same function without the rule, or `jax.jacfwd` where it has a `while` loop, or NaN where
    JAX can do neither; the reference is the function's own derivative.

    What a kernel computes (Pallas, Triton, CUDA, a callback) cannot be looked into. Then give a
    `reference`: "autodiff" is its `jax.grad`, and its own derivative is the right one. First every
    element of the values of f is held to those of the reference; where one is wrong, the report is
    on the values, with the finding `loss-value`, and the rule is not judged.

    Args:
        f: the decorated function; its result is any pytree of arrays. With a reference, any
            function that JAX can differentiate.
        args: where to judge it; arrays, or pytrees of arrays, at least one of floats. A rule of
            complex numbers is judged in JAX's convention, in which JAX calls it.
        reference: a function of the same arguments in `jax.numpy` or NumPy, with the same arrays of
            floats in its result.
        points, seed, referee, strict, seconds, computed_in: as for `check_gradient`; the points
            vary all floats, and each of a list is a tuple of arguments.

    Raises:
        TypeError: f has no custom rule, or hides what it computes, and there is no reference; the
            reference has another result; or no argument holds floats.
        CheckInterrupted: as `check_gradient`.

    Example:
        >>> import jax, jax.numpy as jnp, numpy as np
        >>> @jax.custom_jvp
        ... def f(x): return jnp.sin(x)
        >>> @f.defjvp
        ... def rule(x, dx): return f(*x), -jnp.cos(*x) * dx[0]
        >>> check_custom(f, np.array([0.5, 1.0])).verdict
        'disagree'
    """
    reproduce = call_line(
        check_custom,
        {"f": f},
        argument_names(f, len(args), numbered("args", len(args))),
        reference=reference,
        points=points,
        seed=seed,
        referee=referee,
        strict=strict,
        seconds=seconds,
        computed_in=computed_in,
    )
    pair = None
    with calling("f"):
        if reference is None:
            case, given = custom_case(f, args, seed, referee, computed_in)
        else:
            case, given, pair = referenced_case(f, reference, args, seed, referee, computed_in)
    points = points_of_part(points, given)
    if pair is None:
        return report_on(case, given, points, strict, reproduce, seconds)
    return report_on_function(pair, case, given, points, strict, reproduce, seconds)


@with_arguments_of(check_custom)
def assert_custom(*args: Any, **options: Any) -> None:
    """Raise unless `check_custom` passes; for tests. The arguments are the same.

    Raises:
        GradientMismatch: as `assert_gradient`.
        Exception: as `check_custom`.

    Example:
        >>> import jax, jax.numpy as jnp, numpy as np
        >>> @jax.custom_jvp
        ... def f(x): return jnp.sin(x)
        >>> @f.defjvp
        ... def rule(x, dx): return f(*x), jnp.cos(*x) * dx[0]
        >>> assert_custom(f, np.array([0.5, 1.0]))
    """
    require(check_custom(*args, **options))
