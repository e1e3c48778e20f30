"""Jacobians inside a loss, as JAX, NumPy on floats, and the oracle on power series evaluate them.

As a loss in JAX they are one operation of its program, see `handgrad.program.jacobians`. Code in
NumPy runs on power series in any case: a derivative in floats has no other source, and is what
these say, rounded.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from handgrad.arithmetic import balls
from handgrad.arithmetic.comparisons import Comparisons
from handgrad.arithmetic.dual import Dual
from handgrad.data.attempts import raise_internal
from handgrad.data.pytrees import is_traced
from handgrad.oracle.numpy_losses.dispatch import NumpyRun
from handgrad.oracle.numpy_losses.series import Number, Series
from handgrad.oracle.reference import ANOTHER_VALUE, BITS, UndecidableError
from handgrad.program import jacobians
from handgrad.program.rules.jacobians import by_series


def jacobian(f: Callable[..., Any], x: Any, *others: Any) -> Any:
    """Return the Jacobian of a function by its first argument, shape (m, n).

    Args:
        f: in `jax.numpy` or NumPy, with a result of shape (m,).
        x: shape (n,); floats, what JAX traces, or numbers of a run on power series.
        others: the further arguments of f.

    Raises:
        Exception: what f raises.
    """
    given = (x, *others)
    session = next((a.session for a in given if isinstance(a, Series | Number)), None)
    if session is not None:
        return _in_run(session, f, *given)
    if any(map(is_traced, given)):
        return jacobians.jacobian(f, *given)
    try:
        return jacobians.jacobian(f, *given)
    except Exception as by_jax:  # whatever code in NumPy raises on tracers
        raise_internal(by_jax, TypeError)
        return _in_floats(f, given, by_jax)


def _in_run(session: Any, f: Callable[..., Any], x: Any, *others: Any) -> Any:
    """Return the Jacobian of a function in a run of NumPy code on series, a `NumpyRun`."""
    bare = [isinstance(other, Number | float | np.generic) for other in others]
    run = session.run

    def evaluate(how: Comparisons, operands: Sequence[Any]) -> Dual:
        same = how is run.comparisons
        there = session if same else NumpyRun(how, run.memory, session.perturbation)
        x, *others = map(there.unpacked, operands)
        # An array without axes is not a bare number.
        pairs = zip(others, bare, strict=True)
        others = [o if one else there.series(balls.array(o)) for o, one in pairs]
        return there.packed(f(x, *others))

    return session.unpacked(
        by_series(evaluate, run.comparisons, *map(session.packed, (x, *others)))
    )


def _in_floats(f: Callable[..., Any], given: tuple[Any, ...], by_jax: Exception) -> np.ndarray:
    value = np.asarray(f(*given), dtype=np.float64)
    with balls.precision(BITS[0]):
        run = NumpyRun(Comparisons(final=True, undefined=True), {})
        try:
            series = [run.unpacked(run.packed(np.asarray(a))) for a in given]
            exact = balls.midpoints(run.packed(f(*series)).value)
            found = run.packed(_in_run(run, f, *series))
        except Exception as error:  # the caller's function, on numbers that it need not take
            raise by_jax from error
    allowed = ANOTHER_VALUE * np.maximum(np.abs(exact), np.max(np.abs(exact), initial=0.0))
    if (np.abs(value - exact) > allowed).any():
        i = int(np.argmax(np.abs(value - exact)))
        raise UndecidableError(
            f"the function is {value[i]!r} in floats and {exact[i]!r} on power series"
        )
    return balls.midpoints(found.value)
