"""The call of handgrad that a case came from, to judge other points and to write it as code."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from handgrad.data.domains.named import written
from handgrad.data.names import argument_names, numbered
from handgrad.data.point import Point
from handgrad.judging.case import BackwardStep, Case, CustomRule, TorchRule
from handgrad.judging.custom_cases import custom_function
from handgrad.judging.judgement import Judgement
from handgrad.judging.matrix_parts import HessianProduct, Matrix
from handgrad.judging.part_cases import backward_case
from handgrad.judging.second_order import derivative_case
from handgrad.judging.trial import judge
from handgrad.shrinking.literals import Group, laid_out


@dataclass(frozen=True)
class Check:
    """A check of a gradient and a loss, a backward step, or a custom rule."""

    public_name: str  #: the function of handgrad
    functions: tuple[tuple[Any, str], ...]  #: the caller's functions, with general names
    options: dict[str, str]
    values: Callable[[Any, tuple[Any, ...]], tuple[Any, ...]]  #: (params, inputs) -> arguments
    judge: Callable[[Case, Point], Judgement]  #: judges one point
    like: Any  #: a function whose parameters name the arguments
    home: str = "handgrad"  #: the module of the function of handgrad
    #: More of the caller's functions, which are given by name after the arguments.
    by_name: tuple[tuple[Any, str], ...] = ()
    #: The keywords of arguments that are given by name, by their places among the values.
    keywords: Mapping[int, str] = field(default_factory=dict)

    def names(self, count: int) -> tuple[str, ...]:
        """Return names for the arguments: those of the function's parameters, if known."""
        names = argument_names(self.like, count, numbered("x", count))
        return tuple(name if name.isidentifier() else f"x{i}" for i, name in enumerate(names))

    def call(self, arguments: Sequence[str]) -> list[str]:
        """Write the lines that make the check."""
        options = [f"{name}={value}" for name, value in self.options.items()]
        return laid_out("", Group(f"{self.public_name}(", (*arguments, *options), ")"))

    def given(self, names: Sequence[str]) -> list[str]:
        """Write the arguments of these names, with keywords where they have some."""
        by_place = [n for i, n in enumerate(names) if i not in self.keywords]
        return by_place + [f"{key}={names[i]}" for i, key in self.keywords.items()]


def check_of(case: Case) -> Check:
    """Return the check that a case came from."""
    if isinstance(case.part, BackwardStep):
        return _of_step(case, case.part)
    if isinstance(case.part, CustomRule):
        return _of_rule(case, case.part)
    if isinstance(case.part, TorchRule):
        return _of_torch(case, case.part)
    if isinstance(case.part, HessianProduct):
        return _of_product(case, case.part)
    if isinstance(case.part, Matrix):
        return _of_matrix(case, case.part)
    gradient, loss = case.own.functions if case.own else (case.gradient, case.loss)
    return Check(
        "assert_gradient",
        ((gradient, "gradient"), (loss, "loss")),
        _options(case),
        lambda params, inputs: _own(case, params, *inputs),
        lambda case, given: judge(case, given, 0, False, ""),
        case.loss,
    )


def _of_step(case: Case, part: BackwardStep) -> Check:
    forward, together = part.forward, part.together

    def answer(_: Case, given: Point) -> Judgement:
        step = forward, part.backward, together(given.params)
        part_case, point = backward_case(*step, None, case, without=part.without)
        return judge(part_case, point, 0, False, "")

    own = case.own.functions if case.own else (forward, part.backward)
    functions = ((own[0], "forward"), (own[1], "backward"))
    options = _options(case)

    def values(params: Any, _: Any) -> tuple[Any, ...]:
        return _own(case, *together(params))

    return Check("assert_backward", functions, options, values, answer, forward)


def _of_rule(case: Case, part: CustomRule) -> Check:
    f, together, reference = part.f, part.together, part.reference

    def answer(_: Case, given: Point) -> Judgement:
        function = custom_function(f, together(given.params), reference, case)
        part_case = derivative_case(function, part.mode, part.order)
        return judge(part_case, function.given, 0, False, "")

    options = _options(case)
    if part.mode == "fwd":
        options["modes"] = '("fwd",)'
    if part.order == 2:
        options["order"] = "2"
    by_name = () if reference is None else ((reference, "reference"),)
    return Check(
        "assert_custom",
        ((f, "f"),),
        options,
        lambda p, _: together(p),
        answer,
        f,
        by_name=by_name,
    )


def _of_torch(case: Case, part: TorchRule) -> Check:
    def answer(_: Case, given: Point) -> Judgement:
        part_case, point = part.again(given.params, given.inputs)
        return judge(part_case, point, 0, False, "")

    options = _options(case)
    if part.wrt:
        options["wrt"] = repr(list(part.wrt)).replace("'", '"')
    (f,) = case.own.functions if case.own else (None,)
    return Check(
        "assert_function",
        ((f, "F"),),
        options,
        lambda params, inputs: _own(case, params, *inputs),
        answer,
        part.signature,
        "handgrad.torch",
        () if part.reference is None else ((part.reference, "reference"),),
    )


def _of_product(case: Case, part: HessianProduct) -> Check:
    hessp, loss = case.gradient, part.loss
    return Check(
        "assert_hvp",
        ((hessp, "hessp"), (loss, "loss")),
        _options(case),
        lambda x, inputs: _own(case, x, *inputs),
        lambda case, given: judge(case, given, 0, False, ""),
        hessp,
        keywords={1: "v"},
    )


def _of_matrix(case: Case, part: Matrix) -> Check:
    check, functions = (
        ("hessian", ("hess", "loss")) if part.symmetric else ("jacobian", ("jac", "fun"))
    )
    return Check(
        f"assert_{check}",
        tuple(zip((part.derivative, part.function), functions, strict=True)),
        _options(case),
        lambda x, inputs: (x, *inputs),
        lambda _, given: judge(*part.again(given), 0, False, ""),
        part.function,
    )


def _own(case: Case, *args: Any) -> tuple[Any, ...]:
    """Return arguments as the caller's functions take them: arrays, or tensors in their place."""
    return case.own.arguments(*args) if case.own and case.own.arguments else args


def _options(case: Case) -> dict[str, str]:
    """Write the options of the case that are not the default."""
    texts = case.written()
    if case.domain is not None:
        texts["domain"] = written(case.domain)  # masks as arrays
    return {"points": "0"} | {name: text.replace("'", '"') for name, text in texts.items()}
