"""Run the checkers of JAX, SciPy and numdifftools on derivatives as their documentation describes.

What they compare the derivative with is always right: the function compiled by `jax.jit`, and for
second derivatives its gradient by `jax.grad`, compiled. All settings are their defaults, which are
meant for float64.
"""

import importlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from benchmarks.checkers import peers
from benchmarks.checkers.derivatives.question import DerivativeQuestion, place
from benchmarks.checkers.question import RIGHT, WRONG, Answer
from models.model import COMPLEX, HESSIAN, JACOBIAN, PRODUCT, RULE

#: numdifftools returns a derivative and an estimate of its error, and compares nothing. Here an
#: element is wrong that is off by more than so many times the estimate, which is what its own tests
#: allow, and by more than `NOISE` times the largest element (or 1). For the estimate is the spread
#: of several extrapolations, and may be 0 where these agree by chance; they are differences over
#: steps down to some 1e-4 of x, which lose four of sixteen digits.
NUMDIFF_ROOM, NOISE = 100.0, 1e-12


class Mapping(NamedTuple):
    """A function of one real vector, and the matrix of its derivatives that is to be checked."""

    fun: Callable[[np.ndarray], np.ndarray]
    matrix: Callable[[np.ndarray], np.ndarray]
    x: np.ndarray
    loss: Callable[[np.ndarray], float] | None = None  #: whose gradient `fun` is, if it is one


def mappings(question: DerivativeQuestion) -> Iterator[Mapping]:
    """Yield what SciPy and numdifftools can be asked about: one, of a rule one for each mode."""
    yield from _OF[question.kind](question)


def _of_jacobian(question: DerivativeQuestion) -> Iterator[Mapping]:
    fun = _compiled(question.fun, question)
    yield Mapping(fun, lambda _: question.found, question.point()[0])


def _of_hessian(question: DerivativeQuestion) -> Iterator[Mapping]:
    import jax

    fun, loss = _compiled(jax.grad(question.fun), question), _compiled(question.fun, question)
    yield Mapping(fun, lambda _: question.found, question.point()[0], lambda x: float(loss(x)))


def _of_product(question: DerivativeQuestion) -> Iterator[Mapping]:
    """By the gradient along v, as a function of one number."""
    import jax

    x, v, *_ = question.point()
    gradient = _compiled(jax.grad(question.fun), question)
    yield Mapping(lambda t: gradient(x + t[0] * v), lambda _: question.found[:, None], np.zeros(1))


def _of_complex(question: DerivativeQuestion) -> Iterator[Mapping]:
    """By pairs of real numbers, as these two have no complex ones."""
    z: Any = question.point()[0]
    loss = _compiled(question.fun, question)

    def fun(pair: np.ndarray) -> np.ndarray:
        return loss(pair[: z.size] + 1j * pair[z.size :])

    def matrix(_: np.ndarray) -> np.ndarray:
        found: Any = question.found
        return np.concatenate([found.real, -found.imag])[None, :]

    yield Mapping(fun, matrix, np.concatenate([z.real, z.imag]))


def _of_rule(question: DerivativeQuestion) -> Iterator[Mapping]:
    """By JAX's Jacobians with the rule, in its modes, and its Hessian of a sum with weights."""
    import jax
    from jax.flatten_util import ravel_pytree

    start, unflatten = ravel_pytree(question.point())
    by_rule, plain = (
        lambda vector, f=f: ravel_pytree(f(*unflatten(vector)))[0]
        for f in (question.derivative, question.fun)
    )
    x, fun = np.asarray(start), jax.jit(plain)
    for jacobian in [jax.jacfwd] * ("fwd" in modes(question)) + [jax.jacrev]:
        yield Mapping(_array(fun), _array(jacobian(by_rule)), x)
    weights = np.random.default_rng(0).standard_normal(np.shape(fun(x)))
    gradient = jax.jit(jax.grad(lambda vector: weights @ plain(vector)))
    hessian = jax.jacrev(jax.grad(lambda vector: weights @ by_rule(vector)))
    yield Mapping(_array(gradient), _array(hessian), x)


_OF = {
    JACOBIAN: _of_jacobian,
    HESSIAN: _of_hessian,
    PRODUCT: _of_product,
    COMPLEX: _of_complex,
    RULE: _of_rule,
}


def modes(question: DerivativeQuestion) -> tuple[str, ...]:
    """Return the modes that a rule defines."""
    return ("fwd", "rev") if hasattr(question.derivative, "defjvp") else ("rev",)


def check_grad(question: DerivativeQuestion) -> Answer:
    """Run `scipy.optimize.check_grad`, which takes functions of several results as well.

    Forward differences along every element of x; the verdict is that of the other comparison.
    """
    from scipy.optimize import check_grad

    said = []
    try:
        for one in mappings(question):
            error = check_grad(one.fun, one.matrix, one.x)
            limit = peers.scipy_limit(one.matrix(one.x))
            said.append(f"{error:.3g}; our limit {limit:.3g}")
            if not error <= limit:  # NaN, too
                return Answer(WRONG, message=said[-1])
    except Exception as error:  # of a checker, or of a derivative that it called
        return peers.stopped(question.paths, error)
    return Answer(RIGHT, message="; ".join(said))


def numdifftools(question: DerivativeQuestion) -> Answer:
    """Run numdifftools: `Hessian` of a loss, `Jacobian` of whatever else.

    Central differences with several steps, extrapolated; the verdict is ours, see `NUMDIFF_ROOM`.
    """
    nd = importlib.import_module("numdifftools")
    try:
        for one in mappings(question):
            asked = nd.Jacobian(one.fun, full_output=True)
            if one.loss is not None:
                asked = nd.Hessian(one.loss, full_output=True)
            found = asked(one.x)
            ours = one.matrix(one.x)
            estimate, error = (np.reshape(each, ours.shape) for each in found[:2])
            noise = NOISE * max(1.0, float(np.max(np.abs(estimate))))
            gap, allowed = np.abs(ours - estimate), NUMDIFF_ROOM * error + noise
            if not (gap <= allowed).all():  # NaN, too
                at = np.unravel_index(int(np.argmax(gap / allowed)), ours.shape)
                said = f"{gap[at]:.3g}; our limit {allowed[at]:.3g}"
                return Answer(WRONG, leaves=_named(question, at), message=said)
    except Exception as error:  # of a checker, or of a derivative that it called
        return peers.stopped(question.paths, error)
    return Answer(RIGHT)


def test_util(question: DerivativeQuestion) -> Answer:
    """Run `jax.test_util`: `check_grads` on a rule, in its modes, at order 2.

    Of other derivatives `check_jvp` and `check_vjp`, which take what multiplies a vector by the
    matrix; one random direction, central differences.
    """
    return peers.passes((), lambda: _test_util(question))


def _test_util(question: DerivativeQuestion) -> None:
    import jax
    from jax.test_util import check_grads, check_jvp, check_vjp

    x, *_ = question.point()
    if question.kind == RULE:
        return check_grads(question.derivative, question.point(), order=2, modes=modes(question))
    if question.kind in (HESSIAN, PRODUCT):
        fun = _compiled(jax.grad(question.fun), question)
    else:
        fun = _compiled(question.fun, question)
    if question.kind == COMPLEX:
        return check_vjp(fun, lambda z: (fun(z), lambda c: (c * question.found,)), (x,))

    def along(v: Any) -> Any:
        return question.derivative(x, np.asarray(v), *question.args)

    if question.kind == PRODUCT:  # the matrix is symmetric
        forwards, backwards = along, along
    else:
        forwards, backwards = question.found.__matmul__, question.found.T.__matmul__
    check_jvp(fun, lambda at, v: (fun(*at), forwards(v[0])), (x,))
    return check_vjp(fun, lambda x: (fun(x), lambda c: (backwards(c),)), (x,))


def _compiled(f: Callable[..., Any], question: DerivativeQuestion) -> Callable[..., Any]:
    """Return a function of x alone, compiled, of arrays of NumPy."""
    import jax

    args = question.args
    return _array(jax.jit(lambda x: f(x, *args)))


def _array(f: Callable[..., Any]) -> Callable[..., np.ndarray]:
    return lambda *args: np.asarray(f(*args))


def _named(question: DerivativeQuestion, at: tuple[Any, ...]) -> tuple[str, ...]:
    """Return the place of an element of a mapping's matrix."""
    row, column = (int(i) for i in at)
    if question.kind == RULE:
        return ()
    if question.kind == PRODUCT:
        return (place("", (row,)),)
    if question.kind == COMPLEX:
        part, index = divmod(column, question.found.size)
        return (place(("real", "imag")[part], (index,)),)
    return (place("", (row, column)),)
