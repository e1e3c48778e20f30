"""The public checks of derivatives that are no gradients of scalars: Jacobians and Hessians."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from handgrad.check import asserting
from handgrad.derivative_reports import WORDING, names_in, report_on_derivative
from handgrad.judging.options import options_and_how
from handgrad.judging.pytorch.random import keeping_drawn_numbers
from handgrad.report import GradientReport

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True


def _ruled(
    kind: str, check: Callable[..., Any], functions: tuple[str, str], given: dict[str, Any]
) -> GradientReport:
    """Judge a derivative by the arguments of its check, by their names; raises as that."""
    derivative, function = (given[name] for name in functions)
    names = names_in(function, given["args"]).of_all(len(given["args"]))
    options, how = options_and_how(check, functions, names, given)
    at = given["x"], given["args"], WORDING[kind], options, how, given.get("v")
    return report_on_derivative(kind, derivative, function, *at)


@keeping_drawn_numbers
def check_jacobian(
    jac: Callable[..., Any],
    fun: Callable[..., Any],
    x: Any,
    *args: Any,
    points: int | Sequence[Any] = 8,
    seed: int = 0,
    strict: bool = False,
    trust_rules: Collection[Any] = (),
    seconds: float = 20.0,
    computed_in: str | tuple[str, str] | None = None,
    domain: Any = None,
) -> GradientReport:
    """Rule on a hand-written Jacobian by a certified reference.

    Args:
        jac: `jac(x, *args)`, the derivatives of each result (a row) by each element of x (a
            column), shape (m, n): an array, a sparse matrix of `scipy.sparse` or JAX, or a
            `LinearOperator`, of which `matvec` is judged. Of arrays with more axes, as
            `jax.jacobian` returns it. Of pytrees, the pytree of `fun` with one of x in each place.
        fun: `fun(x, *args)`, an array or a pytree of arrays, in `jax.numpy` or NumPy; what can
            only be called is judged by differences, and nothing certified.
        x: shape (n,), or any array of floats, or a pytree of them; a list of numbers is an array,
            as SciPy takes it. Of complex numbers give the real and the imaginary parts.
        args: further arguments of both: arrays, pytrees, settings; sparse matrices of SciPy, with
            which a function can only be called.
        points, seed, strict, trust_rules, seconds, computed_in: as for `check_gradient`; the
            points vary x, and each of a list is a tuple (x, *args).
        domain: of x, as for `check_gradient`. A Jacobian J takes tangents of it to changes of the
            results, so J·P is judged, the projection of each row on the tangent space.

    Returns:
        The report. Its leaf `jac` is the matrix; an index is (row, column).

    Raises:
        TypeError: x holds no floats, or `fun` returns no real numbers.
        ValueError: a point is not in its domain, or an option has no such value.
        CheckInterrupted: as `check_gradient`.
        Exception: whatever `jac` or `fun` raise at the given point.

    Example:
        >>> import numpy as np
        >>> def fun(x): return np.array([x[0] * x[1], np.sin(x[0])])
        >>> def jac(x): return np.array([[x[1], x[0]], [np.cos(x[0]), 0.0]])
        >>> check_jacobian(jac, fun, np.array([0.5, 2.0])).verdict
        'agree'
    """
    return _ruled("jacobian", check_jacobian, ("jac", "fun"), locals())


@asserting(check_jacobian)
def assert_jacobian() -> None:
    """Raise unless `check_jacobian` passes; for tests. The arguments are the same.

    Raises:
        GradientMismatch, UserWarning: as `assert_gradient`.
        Exception: as `check_jacobian`.
    """


@keeping_drawn_numbers
def check_hessian(
    hess: Callable[..., Any],
    loss: Callable[..., Any],
    x: Any,
    *args: Any,
    points: int | Sequence[Any] = 8,
    seed: int = 0,
    strict: bool = False,
    trust_rules: Collection[Any] = (),
    seconds: float = 20.0,
    computed_in: str | tuple[str, str] | None = None,
    domain: Any = None,
) -> GradientReport:
    """Rule on a hand-written Hessian by a certified reference, and on its symmetry.

    Args:
        hess: `hess(x, *args)`, shape (n, n), in the forms that `check_jacobian` takes.
        loss: `loss(x, *args)`, one real number, in `jax.numpy` or NumPy; there may be complex
            numbers inside.
        x, args: as for `check_jacobian`.
        points, seed, strict, trust_rules, seconds, computed_in: as for `check_jacobian`.
        domain: of x, as for `check_gradient`, of these: positive, an interval or a mask, by which
            the derivatives by two elements that may vary are judged.

    Returns:
        The report. Its leaf `hess` is the matrix.

    Raises:
        TypeError: as `check_jacobian`, or the loss is not a scalar.
        ValueError: as `check_jacobian`.
        CheckInterrupted: as `check_gradient`.
        Exception: whatever `hess` or `loss` raise at the given point.

    Example:
        >>> import numpy as np
        >>> def loss(x): return x[0] ** 2 * x[1]
        >>> def hess(x): return np.array([[2 * x[1], 2 * x[0]], [2 * x[0], 0.0]])
        >>> check_hessian(hess, loss, np.array([0.5, 2.0])).verdict
        'agree'
    """
    return _ruled("hessian", check_hessian, ("hess", "loss"), locals())


@asserting(check_hessian)
def assert_hessian() -> None:
    """Raise unless `check_hessian` passes; for tests. The arguments are the same.

    Raises:
        GradientMismatch, UserWarning: as `assert_gradient`.
        Exception: as `check_hessian`.
    """


@keeping_drawn_numbers
def check_hvp(
    hessp: Callable[..., Any],
    loss: Callable[..., Any],
    x: Any,
    *args: Any,
    v: Any = None,
    points: int | Sequence[Any] = 8,
    seed: int = 0,
    strict: bool = False,
    trust_rules: Collection[Any] = (),
    seconds: float = 20.0,
    computed_in: str | tuple[str, str] | None = None,
    domain: Any = None,
) -> GradientReport:
    """Rule on a hand-written product of a Hessian with a vector.

    Args:
        hessp: `hessp(x, v, *args)`, shaped like x.
        loss, args: as for `check_hessian`.
        x: as for `check_jacobian`.
        v: shaped like x; random by default, so that every element of it counts.
        points, seed, strict, trust_rules, seconds, computed_in: as for `check_jacobian`; each point
            of a list is a tuple (x, v, *args).
        domain: of x, as for `check_hessian`. `hessp` gets v with 0 where a mask is False, and
            is judged where it is True.

    Returns:
        The report. Its leaf is x: element i is Σ ∂²loss/∂xᵢ∂xⱼ · vⱼ.

    Raises:
        TypeError: as `check_jacobian`, or the loss is not a scalar.
        ValueError: as `check_jacobian`.
        CheckInterrupted: as `check_gradient`.
        Exception: whatever `hessp` or `loss` raise at the given point.

    Example:
        >>> import numpy as np
        >>> def hessp(x, v): return 6 * x * v
        >>> check_hvp(hessp, lambda x: (x**3).sum(), np.array([0.5, 2.0])).verdict
        'agree'
    """
    return _ruled("hvp", check_hvp, ("hessp", "loss"), locals())


@asserting(check_hvp)
def assert_hvp() -> None:
    """Raise unless `check_hvp` passes; for tests. The arguments are the same.

    Raises:
        GradientMismatch, UserWarning: as `assert_gradient`.
        Exception: as `check_hvp`.
    """
