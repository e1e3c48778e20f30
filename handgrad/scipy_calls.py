"""The public check of a whole call of `scipy.optimize`, before it is run: `check_scipy`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

import jax
import numpy as np

from handgrad.call_report import CallReport
from handgrad.check import asserting, check_gradient
from handgrad.compared import Version
from handgrad.data.point import copied, shortly
from handgrad.derivatives import check_hessian, check_hvp, check_jacobian
from handgrad.judging.options import options_and_how
from handgrad.judging.pytorch.random import keeping_drawn_numbers
from handgrad.judging.untraceable import calling
from handgrad.judging.vectors.answers import dense
from handgrad.report import GradientReport

#: How `jac` and `hess` ask SciPy for finite differences.
DIFFERENCES = ("2-point", "3-point", "cs")

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True


@keeping_drawn_numbers
def check_scipy(
    fun: Callable[..., Any],
    x0: Any,
    *,
    jac: Any = None,
    hess: Any = None,
    hessp: Any = None,
    args: Any = (),
    xdata: Any = None,
    points: int | Sequence[Any] = 8,
    seed: int = 0,
    strict: bool = False,
    seconds: float = 20.0,
    convention: str | None = None,
    domain: Any = None,
) -> CallReport:
    """Rule on all derivatives that a call of `scipy.optimize` is given, before it is run.

    Args:
        fun: what `minimize`, `least_squares` or `root` take: `fun(x, *args)`, of which one number
            or an array is returned. With `xdata`, what `curve_fit` takes: `fun(xdata, *params)`.
        x0: where they start; integers are taken as floats, and one number as an array, as SciPy
            does it.
        jac: the gradient, or where fun returns an array the Jacobian, with the arguments of fun;
            True if fun returns (value, derivatives). None, and strings as '2-point', which ask for
            finite differences, are not judged.
        hess: the Hessian, `hess(x, *args)`; strings and strategies that update one are not judged.
        hessp: its product with a vector, `hessp(x, v, *args)`.
        args: the further arguments, a tuple, or the only one.
        xdata: the data of `curve_fit`; a list is taken as an array, as it does.
        points, seed, strict, seconds: as for `check_gradient`; the points vary x, and each of a
            list is an x, as `x0` takes it, with the same args, or a tuple (x, *args). The
            derivatives share the seconds.
        convention: how a gradient by complex numbers is written, as for `check_gradient`.
        domain: a set that x stays in, as for `check_gradient`, `check_jacobian` and
            `check_hessian`: "positive", or ("interval", low, high), the bounds, of numbers or
            of arrays shaped like x.

    Returns:
        The report, with a report for each derivative: `report["jac"]`. Its verdict is the worst of
        theirs.

    Raises:
        TypeError: there is no derivative to judge, or a Hessian of a function that returns an
            array; also as `check_gradient`.
        ValueError: a point has no x of the shape of x0; also as `check_gradient`.
        CheckInterrupted: as `check_gradient`.
        Exception: whatever the functions raise at x0.

    Example:
        >>> from scipy.optimize import rosen, rosen_der, rosen_hess
        >>> check_scipy(rosen, [1.3, 0.7, 0.8], jac=rosen_der, hess=rosen_hess).verdict
        'agree'
    """
    _, how = options_and_how(check_scipy, ("fun",), ("x0",), locals())
    given = {"jac": jac, "hess": hess, "hessp": hessp}
    for name, one in given.items():
        _check_derivative(name, one)
    judged = {name: one for name, one in given.items() if one is True or callable(one)}
    if not judged:
        what = "expected a function for jac, hess or hessp, or jac=True"
        raise TypeError(f"check_scipy: got no derivative, {what}")
    call = _call(fun, x0, args, xdata, jac is True)
    options = {
        "points": call.at_points(points),
        "seed": seed,
        "strict": strict,
        "seconds": seconds / len(judged),
        "domain": domain,
    }
    found = [Version(k, call.report(k, one, options, convention)) for k, one in judged.items()]
    return CallReport(tuple(found), (), how.reproduce)


@asserting(check_scipy)
def assert_scipy() -> None:
    """Raise unless `check_scipy` passes; for tests. The arguments are the same.

    Raises:
        GradientMismatch, UserWarning: as `assert_gradient`.
        Exception: as `check_scipy`.
    """


@dataclass(frozen=True)
class _Call:
    """A call: a function of (x, *args), and where it starts."""

    fun: Callable[..., Any]  #: the caller's; it returns (value, derivatives) if `both`
    x: np.ndarray
    args: tuple[Any, ...]
    both: bool
    with_xdata: bool
    shape: tuple[int, ...]  #: of the value

    @property
    def is_scalar(self) -> bool:
        """Whether the derivatives are a gradient and a Hessian: SciPy takes (1,) for a number."""
        return self.shape in ((), (1,)) and not self.with_xdata

    def report(
        self, name: str, given: Any, options: dict[str, Any], convention: str | None
    ) -> GradientReport:
        """Return the report on one derivative: `jac`, `hess` or `hessp`."""
        arguments = (self.x, *self.args)
        fun = _result(self.fun, 0) if self.both else self.fun
        if not self.is_scalar:
            if name != "jac":
                what = f"got one, but fun returns an array of shape {self.shape}"
                raise TypeError(f"{name}: {what}, expected one real number")
            jac = _result(self.fun, 1) if given is True else self._of_params(given)
            return check_jacobian(jac, fun, *arguments, **options)
        loss = _number(fun) if self.both or self.shape else fun
        if name == "hess":
            return check_hessian(given, loss, *arguments, **options)
        if name == "hessp":
            options = options | {"points": self._with_vectors(options["points"], options["seed"])}
            return check_hvp(_array(given, self.x.shape), loss, *arguments, **options)
        options = options | {"convention": convention}
        if given is True and not self.shape:
            return check_gradient(self.fun, loss, *arguments, has_value=True, **options)
        gradient = _result(self.fun, 1) if given is True else given
        return check_gradient(_array(gradient, self.x.shape), loss, *arguments, **options)

    def at_points(self, points: Any) -> Any:
        """Return points of a list, each x or (x, *args), as tuples (x, *args); else unchanged.

        Raises:
            ValueError: x is not shaped like x0, or there are more args, or fewer.
        """
        if not isinstance(points, list | tuple | np.ndarray):
            return points
        return [self._at(i, point) for i, point in enumerate(points)]

    def _at(self, i: int, point: Any) -> tuple[Any, ...]:
        x, args = _numbers(point), self.args
        if (x is None or x.shape != self.x.shape) and isinstance(point, tuple) and point:
            x, args = _numbers(point[0]), point[1:]
        real_x = self.x.dtype.kind != "c"
        if x is None or x.shape != self.x.shape or (real_x and x.dtype.kind == "c"):
            what = f"expected x as x0, {self.x.dtype} of shape {self.x.shape}, or (x, *args)"
            raise ValueError(f"points[{i}]: got {shortly(point)}, {what}")
        if len(args) != len(self.args):
            what = f"expected {len(self.args)} after x, as in the call, or x alone"
            raise ValueError(f"points[{i}]: got {len(args)} args, {what}")
        return x.astype(self.x.dtype), *args

    def _with_vectors(self, points: Any, seed: int) -> Any:
        """Return points of a list, (x, *args), with the vector that `hessp` takes beside x."""
        if not isinstance(points, list | tuple):
            return points
        rng = np.random.default_rng(seed)
        v = rng.standard_normal(self.x.shape).astype(self.x.dtype)
        return [(*at[:1], v, *at[1:]) if isinstance(at, list | tuple) else at for at in points]

    def _of_params(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return _of_params(function) if self.with_xdata else function


def _call(fun: Any, x0: Any, args: Any, xdata: Any, both: bool) -> _Call:
    """Describe a call as SciPy understands it.

    Raises:
        TypeError: fun is no function, or there are args beside xdata.
        Exception: what fun raises at x0.
    """
    if not callable(fun):
        raise TypeError(f"fun: got {shortly(fun)}, expected a function")
    x = _numbers(x0)
    if x is None:
        raise TypeError(f"x0: got {shortly(x0)}, expected numbers to start from")
    args = args if isinstance(args, tuple) else (args,)
    if xdata is not None:
        if args:
            raise TypeError(f"args: got {shortly(args)} beside xdata, expected one of the two")
        found = _numbers(xdata) if isinstance(xdata, list | tuple | np.ndarray) else None
        if found is not None and found.dtype.kind != "c":
            xdata = found.astype(np.float64)
        fun, args = _of_params(fun), (xdata,)
    x = x.astype(np.float64) if x.dtype.kind in "iub" else x
    with calling("fun"), jax.enable_x64(x.dtype == np.float64):
        value: Any = fun(x.copy(), *copied(args))
        value = value[0] if both else value
    return _Call(fun, x, args, both, xdata is not None, np.shape(value))


def _numbers(given: Any) -> np.ndarray | None:
    """Return numbers as an array of one axis or more; None if it is none, or has no element."""
    try:
        found = np.atleast_1d(np.asarray(given))
    except (TypeError, ValueError):  # rows of other lengths
        return None
    return found if found.size and found.dtype.kind in "fiubc" else None


def _check_derivative(name: str, given: Any) -> None:
    """Raise TypeError for what SciPy does not take as `jac`, `hess` or `hessp` either.

    A strategy that updates a Hessian has `initialize`.
    """
    by_scipy = given in DIFFERENCES if isinstance(given, str) else hasattr(given, "initialize")
    if not (by_scipy or given is None or isinstance(given, bool) or callable(given)):
        raise TypeError(f"{name}: got {shortly(given)}, expected a function")


def _of_params(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return curve_fit's function(xdata, *params) as one of (params, xdata)."""

    def of_params(params: Any, xdata: Any) -> Any:
        return function(xdata, *params)

    return of_params


def _then(function: Any, change: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return a function whose results are changed."""

    @wraps(function)
    def changed(x: Any, *args: Any) -> Any:
        return change(function(x, *args))

    return changed


def _result(function: Any, i: int) -> Callable[..., Any]:
    """Return one of the results of a function."""
    return _then(function, lambda found: found[i])


def _number(function: Any) -> Callable[..., Any]:
    """Return a function of shape (1,) as one of a number."""
    return _then(function, lambda value: value[0] if np.shape(value) else value)


def _array(function: Any, shape: tuple[int, ...]) -> Callable[..., Any]:
    """Return what is a list, or a row, as an array shaped like x if it has as many elements."""
    size = int(np.prod(shape, dtype=int))

    def array(found: Any) -> Any:
        if not isinstance(found, list | tuple) and np.shape(found) != (1, size):
            return found
        found = dense(found)
        return found.reshape(shape) if found.size == size else found

    return _then(function, array)
