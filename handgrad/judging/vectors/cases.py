"""Cases of Jacobians, Hessians, and products of Hessians with vectors.

A Jacobian J(x) of a function is judged as the gradient of L(U) = Σ U·J(x) by U, as the values of a
function are (`handgrad.judging.forward_values`): so every element is certified, has its tolerance
and its diagnosis as an element of any gradient has. A Hessian is the Jacobian of the gradient. A
product with v is the gradient of the slope of the loss along v. The oracle knows J by power series
of the function, and a Hessian by series whose numbers are series; both without a derivative rule of
JAX's.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from handgrad.data.findings import Finding
from handgrad.data.names import Names
from handgrad.data.point import Point, point_at
from handgrad.judging.case import Case, Wording, check_function
from handgrad.judging.judgement import Judgement
from handgrad.judging.matrix_parts import HessianProduct, Matrix, Rewriting
from handgrad.judging.options import Options
from handgrad.judging.untraceable import calling
from handgrad.judging.vectors import answers
from handgrad.judging.vectors.blocks import Blocks
from handgrad.judging.vectors.functions import VectorFunction

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True

_OF_MATRIX = Wording(single="", two="", more_time="seconds= gives it more")

#: Of `check_jacobian`, `check_hessian` and `check_hvp`.
OF_JACOBIAN = _OF_MATRIX._replace(gradient="jac", loss="fun")
OF_HESSIAN = _OF_MATRIX._replace(gradient="hess")
OF_PRODUCT = _OF_MATRIX._replace(gradient="hessp")


def without_elements(
    jac: Callable[..., Any], fun: Callable[..., Any], given: Point, reproduce: str, strict: bool
) -> Judgement | None:
    """Judge the form of a Jacobian of a function without results; None if it has some.

    Raises as `jacobian_case`.
    """
    with calling("fun"):
        f = VectorFunction.of(fun, given, "fun")
    if f.result.size:
        return None
    answer, _ = given.call(jac)
    shape, expected = np.shape(answers.dense(answer)), (0, f.x.size)
    right = shape in (expected, f.result.shapes[0] + f.x.shapes[0])
    what = f"got shape {shape}, expected {expected}"
    found = () if right else (Finding.of_form("shape", "jac", what),)
    verdict = "agree" if right else "disagree"
    said = "there are no results, and so no derivatives" if right else f"jac: {what}"
    blame, judged = None if right else "yours", int(right)
    return Judgement(
        verdict,
        blame,
        f"{verdict}: {said}",
        found,
        (),
        "by its shape",
        reproduce,
        judged,
        0,
        strict=strict,
    )


def jacobian_case(
    jac: Callable[..., Any],
    fun: Callable[..., Any],
    given: Point,
    wording: Wording,
    options: Options,
) -> tuple[Case, Point]:
    """Build the case of a Jacobian, and its point.

    Args:
        jac, fun: the caller's, functions of (x, *args).
        given: x and args.
        wording: what messages call them.
        options: of the check.

    Raises:
        TypeError: they are no such functions, or the result of fun has no floats.
    """
    name = wording.loss.removeprefix("the ")
    with calling(name):
        f = VectorFunction.of(fun, given, name)

    def again(given: Point) -> tuple[Case, Point]:
        return jacobian_case(jac, fun, given, wording, options)

    blocks, exact = Blocks(f.result, f.x), VectorFunction.jacobian
    return _case(jac, f, blocks, exact, given, wording, options, again)


def hessian_case(
    hess: Callable[..., Any],
    loss: Callable[..., Any],
    given: Point,
    wording: Wording,
    options: Options,
) -> tuple[Case, Point]:
    """Build the case of a Hessian, and its point; the arguments are those of `jacobian_case`."""
    f = _scalar(loss, given, wording)

    def again(given: Point) -> tuple[Case, Point]:
        return hessian_case(hess, loss, given, wording, options)

    blocks, exact = Blocks(f.x, f.x), VectorFunction.hessian
    return _case(hess, f, blocks, exact, given, wording, options, again, symmetric=True)


def product_case(
    hessp: Callable[..., Any],
    loss: Callable[..., Any],
    given: Point,
    v: Any,
    wording: Wording,
    options: Options,
) -> tuple[Case, Point]:
    """Build the case of a product of the Hessian with v, shaped like x, and its point."""
    f = _scalar(loss, given, wording)
    check_function(wording.gradient, hessp, (given.params, v, *given.inputs), "hessp(x, v, *args)")

    names = replace(given.names, inputs=("v", *given.names.inputs))
    case = _product(hessp, loss, f, given, wording, options)
    return case, point_at(given.params, (v, *given.inputs), names)


def _product(
    hessp: Callable[..., Any],
    loss: Callable[..., Any],
    f: VectorFunction,
    given: Point,
    wording: Wording,
    options: Options,
) -> Case:
    def slope(x: Any, v: Any, *args: Any) -> Any:
        return f.slope(x, v, args)

    def rewritten(how: Rewriting) -> Case:
        there = replace(f, f=how(f.f))
        return _product(hessp, there.f, there, given, wording, options)

    part = HessianProduct(loss, f.hessian, rewritten)
    return Case(hessp, slope, part=part, wording=wording, **options.handed_on())


def _scalar(loss: Callable[..., Any], given: Point, wording: Wording) -> VectorFunction:
    name = wording.loss.removeprefix("the ")
    with calling(name):
        f = VectorFunction.of(loss, given, name)
    if f.result.size != 1:
        got = ", ".join(map(str, f.result.shapes))
        raise TypeError(f"{name}: got a result of shape {got}, expected one real scalar")
    return f


def _case(
    derivative: Callable[..., Any],
    f: VectorFunction,
    blocks: Blocks,
    exact: Callable[[VectorFunction, Any, Sequence[Any]], Any],
    given: Point,
    wording: Wording,
    options: Options,
    again: Callable[[Point], tuple[Case, Point]],
    symmetric: bool = False,
) -> tuple[Case, Point]:
    name = wording.gradient
    check_function(name, derivative, (given.params, *given.inputs), f"{name}(x, *args)")

    def loss(u: Any, x: Any, *args: Any) -> Any:
        return part.with_matrix(u, x, *args)[0]

    def gradient(_: Any, x: Any, *args: Any) -> Any:
        answer = derivative(x, *args)
        found = None if answer is None else blocks.of_answer(answer)
        return answer if found is None else found

    weights = np.random.default_rng(0).uniform(1, 2, f.result.size)

    def value(x: Any, args: Sequence[Any]) -> Any:
        return (weights * f.value(x, args)).sum()

    def matrix(x: Any, args: Sequence[Any]) -> list[Any]:
        return blocks.split(exact(f, x, args))

    def values(x: Any, args: Sequence[Any]) -> tuple[Any, list[Any]]:
        return value(x, args), matrix(x, args)

    def rewritten(how: Rewriting) -> Case:
        there, rest = replace(f, f=how(f.f)), (given, wording, options, again, symmetric)
        return _case(derivative, there, blocks, exact, *rest)[0]

    part = Matrix(
        function=f.f,
        given=given,
        values=values,
        value=value,
        matrix=matrix,
        split=blocks.split,
        symmetric=symmetric,
        derivative=derivative,
        again=again,
        rewritten=rewritten,
    )
    case = Case(gradient, loss, part=part, wording=wording, **options.handed_on())
    paths = blocks.paths(name)
    shapes = [(m, n) for m in blocks.rows.sizes for n in blocks.columns.sizes]
    rng = np.random.default_rng(options.seed)
    pairs = zip(shapes, blocks.dtypes(), strict=True)
    u = [rng.standard_normal(shape).astype(dtype) for shape, dtype in pairs]
    inputs = (given.names.params, *given.names.inputs)
    at = point_at(u, (given.params, *given.inputs), Names(name, inputs, paths))
    return case, at


def with_matrix(points: Iterator[Point], at: Point) -> Iterator[Point]:
    """Yield points x as points of the case of a matrix, as `at`."""
    for given in points:
        yield at.at(at.params, (given.params, *given.inputs))
