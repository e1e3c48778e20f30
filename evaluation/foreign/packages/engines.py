"""Packages that differentiate array programs: a hand-written rule for each operation."""

# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from evaluation.foreign.operations import rules
from evaluation.foreign.subject import Subject
from evaluation.formulas import Namespace


def _autograd() -> Iterator[Subject]:
    import autograd.numpy as anp
    import autograd.scipy.special as special
    from autograd import make_vjp

    def pullback(f: Any, cotangent: Any, *args: Any) -> Any:
        return tuple(
            make_vjp(f, place)(*args)[0](cotangent[()] if cotangent.shape == () else cotangent)
            for place in range(len(args))
        )

    yield from rules(Namespace(anp, special), pullback)


def _mygrad() -> Iterator[Subject]:
    import mygrad

    def pullback(f: Any, cotangent: Any, *args: Any) -> Any:
        tensors = [mygrad.tensor(arg) for arg in args]
        f(*tensors).backward(cotangent)
        return tuple(tensor.grad for tensor in tensors)

    yield from rules(Namespace(mygrad, mygrad.nnet), pullback)


def _pytensor() -> Iterator[Subject]:
    os.environ.setdefault("PYTENSOR_FLAGS", "cxx=,mode=FAST_COMPILE")
    import pytensor
    import pytensor.tensor as pt

    def pullback(f: Any, cotangent: Any, *args: Any) -> Any:
        variables = [pt.as_tensor(arg).type() for arg in args]
        loss = pt.sum(f(*variables) * cotangent)
        return tuple(pytensor.function(variables, pytensor.grad(loss, variables))(*args))

    yield from rules(Namespace(pt), pullback)


def _tinygrad() -> Iterator[Subject]:
    os.environ.setdefault("DEV", "PYTHON")
    from tinygrad import Tensor

    names = "expit sigmoid arcsin asin arccos acos arctan atan arcsinh asinh arccosh acosh "
    names += "arctanh atanh negative neg absolute abs power pow transpose permute"
    pairs = zip(*[iter(names.split())] * 2, strict=True)
    xp = Namespace(
        Tensor,
        **{name: getattr(Tensor, theirs) for name, theirs in pairs},
        var=lambda x, axis, ddof=0: x.var(axis, correction=ddof),
        std=lambda x, axis, ddof=0: x.std(axis, correction=ddof),
        concatenate=lambda parts, axis: parts[0].cat(*parts[1:], dim=axis),
    )

    def pullback(f: Any, cotangent: Any, *args: Any) -> Any:
        tensors = [Tensor(arg) for arg in args]
        loss = (f(*tensors) * Tensor(cotangent)).sum()
        return tuple(slope.numpy() for slope in loss.gradient(*tensors))

    yield from rules(xp, pullback)


def _dezero() -> Iterator[Subject]:
    vars(np).setdefault("int", int)  # it still uses the name that NumPy 1.24 dropped
    from dezero import Variable, functions

    def pullback(f: Any, cotangent: Any, *args: Any) -> Any:
        variables = [Variable(arg) for arg in args]
        out = f(*variables)
        out.grad = Variable(np.array(cotangent))
        out.backward()
        return tuple(variable.grad.data for variable in variables)

    xp = Namespace(functions, expit=functions.sigmoid)
    yield from rules(xp, pullback)


def _micrograd() -> Iterator[Subject]:
    from micrograd.engine import Value

    def pullback(f: Any, cotangent: Any, *args: Any) -> Any:
        boxes = [np.frompyfunc(lambda x: Value(float(x)), 1, 1)(arg) for arg in args]
        np.sum(f(*boxes) * cotangent).backward()
        return tuple(np.vectorize(lambda box: float(box.grad))(box) for box in boxes)

    xp = Namespace(np, maximum=lambda x, _: np.frompyfunc(lambda box: box.relu(), 1, 1)(x))
    yield from rules(xp, pullback, only="relu / sum mean matmul @ outer einsum norm silu")


def _uncertainties() -> Iterator[Subject]:
    from uncertainties import ufloat, umath, unumpy

    theirs = {name: name for name in ("erf", "erfc", "gamma", "hypot")}
    theirs |= {"gammaln": "lgamma", "arctan2": "atan2"}
    own: dict[str, Any] = {"abs": abs, "linalg": unumpy.ulinalg}
    for name, function in theirs.items():
        own[name] = np.frompyfunc(getattr(umath, function), 1 + (name in ("hypot", "arctan2")), 1)
    for name in ("sum", "mean", "prod", "power", "divide", "einsum"):
        own[name] = getattr(np, name)

    def pullback(f: Any, cotangent: Any, *args: Any) -> Any:
        boxes = [np.frompyfunc(lambda x: ufloat(x, 1.0), 1, 1)(arg) for arg in args]
        total = np.sum(np.asarray(f(*boxes)) * cotangent)
        slopes = {id(box): slope for box, slope in total.derivatives.items()}
        return tuple(np.vectorize(lambda box: slopes.get(id(box), 0.0))(box) for box in boxes)

    yield from rules(Namespace(unumpy, **own), pullback)


PACKAGES = {
    "autograd": _autograd,
    "mygrad": _mygrad,
    "pytensor": _pytensor,
    "tinygrad": _tinygrad,
    "dezero": _dezero,
    "micrograd": _micrograd,
    "uncertainties": _uncertainties,
}
