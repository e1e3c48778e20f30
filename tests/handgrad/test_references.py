"""Functions that hide what they compute, judged by a reference: first the values, then the rule."""

import math
import re
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flint import arb
from jax.experimental import pallas
from jax.experimental import pallas as pl
from jax.extend import core as jex

from handgrad import CheckInterrupted, GradientMismatch, assert_custom, check_custom
from handgrad.judging import trial
from handgrad.judging.custom_cases import _opaque, custom_function
from handgrad.judging.forward_values import values_case
from handgrad.judging.losses import prepare
from handgrad.judging.numpy_loss import NumpyLoss
from handgrad.program.programs import Program

X = np.random.default_rng(0).standard_normal((3, 5)).astype(np.float32)


def kernel(body: Callable[..., Any], x: Any, *more: Any) -> Any:
    def of_refs(*refs: Any) -> None:
        *given, out = refs
        out[...] = body(*(ref[...] for ref in given))

    shape = jax.ShapeDtypeStruct(x.shape, x.dtype)
    return pl.pallas_call(of_refs, out_shape=shape, interpret=True)(x, *more)


def softmax(x: Any) -> Any:
    e = jnp.exp(x - jnp.max(x, axis=-1, keepdims=True))
    return e / jnp.sum(e, axis=-1, keepdims=True)


def of_softmax(y: Any, g: Any) -> Any:
    return y * (g - jnp.sum(y * g, axis=-1, keepdims=True))


def diagonal_alone(y: Any, g: Any) -> Any:
    return y * (1 - y) * g


def in_pallas(backward: Callable[..., Any], forward: Callable[..., Any] = softmax) -> Any:
    @jax.jit
    def opaque(x: Any) -> Any:
        return kernel(forward, x)

    rule = jax.custom_vjp(opaque)
    rule.defvjp(lambda x: (opaque(x),) * 2, jax.jit(lambda y, g: (kernel(backward, y, g),)))
    return rule


RIGHT, WRONG = in_pallas(of_softmax), in_pallas(diagonal_alone)


def in_numpy(x: Any) -> Any:
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("f", [RIGHT, lambda x: kernel(softmax, x)])
def test_what_cannot_be_looked_into_needs_a_reference(f: Any) -> None:
    with pytest.raises(TypeError, match=r"what `pallas_call` computes .* expected reference=,"):
        check_custom(f, X)


@pytest.mark.slow
@pytest.mark.parametrize("reference", [softmax, in_numpy, jax.nn.softmax])
def test_a_kernel_is_held_to_a_reference(reference: Any) -> None:
    right = check_custom(RIGHT, X, reference=reference, points=2)
    assert (right.verdict, right.points) == ("agree", 3)
    wrong = check_custom(WRONG, X, reference=reference, points=1)
    assert (wrong.verdict, wrong.blame) == ("disagree", "yours")
    assert {finding.leaf for finding in wrong.observed} == {"x"}


@pytest.mark.slow
def test_a_wrong_rule_and_what_kind_it_is() -> None:
    report = check_custom(WRONG, X[:1, :3], reference=softmax, points=1)
    assert report.verdict == "disagree"
    assert report.reproduce == "check_custom(f, x, reference=softmax, points=1)"
    with pytest.raises(GradientMismatch):
        assert_custom(WRONG, X[:1, :3], reference=softmax, points=0)


@pytest.mark.slow
def test_the_diagnosis_and_the_counterexample_of_a_kernel() -> None:
    report = check_custom(WRONG, X[:1, :3], reference=softmax, points=1)
    assert [d.kind for d in report.diagnoses] == ["activation-derivative"]
    code = report.counterexample.as_code()
    assert re.search(r"assert_custom\(\w+, x, reference=softmax, points=0\)", code)


def test_wrong_values_end_the_check_and_are_no_fault_of_the_rule() -> None:
    report = check_custom(RIGHT, X[:1, :3], reference=lambda x: softmax(x) / 2, points=1)
    (finding,) = report.findings
    assert (report.verdict, report.points) == ("disagree", 2)
    assert (finding.kind, finding.leaf, finding.confidence) == ("loss-value", "output", 1.0)
    assert report.headline.endswith(
        "; opaque and the reference differ, so the derivative was not judged"
    )
    assert [d.kind for d in report.diagnoses] == ["factor"]
    assert report.counterexample is None
    with pytest.raises(ValueError, match="power: got a report on values"):
        report.power()


@pytest.mark.slow
def test_one_wrong_value_among_right_ones_is_found_at_its_place() -> None:
    def off(x: Any) -> dict[str, Any]:
        return {"y": softmax(x), "largest": jnp.max(x) + jnp.where(jnp.arange(4) == 2, 1e-5, 0)}

    def reference(x: Any) -> dict[str, Any]:
        return {"y": softmax(x), "largest": jnp.max(x) + jnp.zeros(4)}

    report = check_custom(off, X[:1], reference=reference, points=0)
    finding = report.observed[0]
    assert (finding.kind, finding.leaf, finding.index) == ("loss-value", "output['largest']", (2,))
    assert [leaf.verdict for leaf in report.leaves] == ["disagree", "agree"]


@pytest.mark.slow
def test_values_are_judged_at_the_points_of_the_derivative() -> None:
    def off(x: Any) -> Any:
        return jnp.where(x[0] > 0.31, 0.01, 0.0) + x**2  # the derivative is right

    x = np.array([0.3, -0.7])
    report = check_custom(off, x, reference=lambda x: x**2, points=4)
    assert (report.verdict, report.point > 0) == ("disagree", True)
    assert [leaf.path for leaf in report.leaves] == ["output"]
    assert report.params[0][0] > 0.31
    listed = check_custom(off, x, reference=lambda x: x**2, points=[(x,), (x + 1,)])
    assert (listed.point, listed.observed[0].kind) == (2, "loss-value")


@pytest.mark.slow
def test_a_callback_with_a_rule() -> None:
    """A kernel in C or CUDA is called like this."""

    @jax.custom_vjp
    def sine(x: Any) -> Any:
        return jax.pure_callback(np.sin, jax.ShapeDtypeStruct(x.shape, x.dtype), x)

    sine.defvjp(lambda x: (sine(x), x), lambda x, g: (g * jnp.cos(x),))
    x = np.array([0.5, -1.0, 2.0])
    with pytest.raises(TypeError, match="what `pure_callback` computes cannot be looked into"):
        check_custom(sine, x)
    assert check_custom(sine, x, reference=jnp.sin, points=1).verdict == "agree"
    assert check_custom(sine, x, reference=np.sin, points=1).verdict == "agree"
    assert check_custom(sine, x, reference=jnp.cos, points=0).observed[0].kind == "loss-value"


@pytest.mark.slow
def test_a_function_that_jax_differentiates_and_results_that_are_no_floats() -> None:
    def both(x: Any) -> Any:
        return jnp.sum(x * x), jnp.argmax(x), None

    x = np.array([0.5, -1.0, 2.0])
    assert check_custom(both, x, reference=both, points=1).verdict == "agree"
    with pytest.raises(TypeError, match="f: got a result without floats"):
        check_custom(jnp.argmax, x, reference=jnp.argmax)


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        (3, "reference: got 3, expected a function"),
        (lambda: 0.0, "reference: too many positional arguments; it is called as reference"),
        (lambda x: x[:2], r"reference: got shape \(2, 5\) for output, expected \(3, 5\) as of f"),
        (lambda x: (x, x), r"reference: got 2 arrays of floats \(output\[0\], output\[1\]\)"),
        (lambda x: jnp.asarray(np.asarray(x)), r"reference: .*JAX cannot trace np\.asarray\(x\)"),
    ],
)
def test_what_is_no_reference(reference: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        check_custom(RIGHT, X, reference=reference, points=0)


@pytest.mark.slow
def test_a_kernel_without_a_rule_is_told_what_it_needs() -> None:
    with pytest.raises(TypeError, match="JAX cannot differentiate an operation of this"):
        check_custom(lambda x: kernel(softmax, x), X, reference=softmax, points=0)


@pytest.mark.slow
def test_lost_digits_of_values_are_a_warning() -> None:
    def cancels(x: Any) -> Any:
        return (1 - jnp.cos(x)) / 1

    x = np.array([1e-5])
    report = check_custom(cancels, x, reference=lambda x: 2 * jnp.sin(x / 2) ** 2, points=0)
    assert report.verdict == "agree"
    assert report.warnings[0].startswith("the values of cancels: imprecise: output: ")
    strict = check_custom(cancels, x, reference=lambda x: 2 * jnp.sin(x / 2) ** 2, strict=True)
    assert strict.verdict == "imprecise"
    assert strict.leaves[0].path == "output"


def test_an_interrupt_while_the_values_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(trial, "_moved_point", interrupted)
    with pytest.raises(KeyboardInterrupt, match="before a derivative was judged") as caught:
        check_custom(jnp.sin, np.array([1.0]), reference=jnp.sin)
    assert not isinstance(caught.value, CheckInterrupted)


def test_a_reference_in_numpy_is_run_on_series_and_not_in_floats() -> None:
    """JAX would trace it with the arguments as constants, and have rounded values as the truth."""
    function = custom_function(jnp.sin, (np.array([0.5, -1.0]),), np.sin)
    assert function.pair is not None
    values, at = values_case(function.pair, function.given)
    loss = prepare(values, at)
    assert isinstance(loss, NumpyLoss)
    assert loss.real_inputs
    (exact, _) = loss.reference(at).gradient
    assert exact.rad() < 1e-30
    assert abs(exact - arb(0.5).sin()) < 1e-15


def test_a_mistake_in_values_is_confirmed_at_other_arguments() -> None:
    """At 3 the square is 3 times the number, and nowhere else."""
    report = check_custom(lambda x: x * x, np.array([3.0]), reference=lambda x: x + 0.0, points=0)
    assert report.observed[0].kind == "loss-value"
    assert report.diagnoses == ()
    assert re.findall(r"Kind: .*", str(report)) == ["Kind: loss-value."]


def test_a_call_with_its_program_inside_hides_nothing_and_a_kernel_does() -> None:
    def doubled(x: Any) -> Any:
        return 2 * x

    def into(x: Any, y: Any) -> None:
        y[...] = 2 * x[...]

    call = jex.Primitive("inner_call")
    call.def_abstract_eval(lambda x, jaxpr: x)
    x = np.ones(3, np.float32)
    inner = jax.make_jaxpr(doubled)(x)
    like = jax.ShapeDtypeStruct(x.shape, x.dtype)
    for function, hidden in (
        (lambda x: call.bind(x, jaxpr=inner), None),
        (pallas.pallas_call(into, out_shape=like, interpret=True), "pallas_call"),
        (lambda x: jax.pure_callback(doubled, like, x), "pure_callback"),
    ):
        assert _opaque(Program(jax.make_jaxpr(function)(x))) == hidden


def one_and_tanh(x: Any) -> Any:
    return 1 + jnp.tanh(x)  # far below 0 a difference of nearly equal numbers


def unrolled(x: Any) -> Any:
    """Halve a number, and go halfway to it, 60 times: more operations than XLA compiles quickly."""
    y = x
    for _ in range(60):
        y = (y + x / 2) / 2
    return y


@pytest.mark.parametrize(
    ("f", "at"), [(one_and_tanh, -9.0), (unrolled, 0.3)], ids=["lost digits", "long"]
)
def test_a_reference_that_is_run_in_floats_beside_the_oracle_is_one(f: Any, at: float) -> None:
    """Reruns, and autodiff, of a case of values get plain numbers for the arguments."""
    x = np.array([at, 0.3], np.float32)
    function = custom_function(lambda x: np.asarray(f(x)), (x,), f)
    assert function.pair is not None
    case, at_values = values_case(function.pair, function.given)
    made = trial.judge(case, at_values, 0, strict=False, reproduce="", seconds=10)
    assert made.verdict in ("agree", "undecidable")
    assert made.trial.outcomes[0].ruling is not None
    assert made.trial.outcomes[0].ruling.reference.certified


@pytest.mark.parametrize(
    "reference",
    [
        lambda x: jnp.sin(np.asarray(x, np.float64)),  # JAX could trace it with x as a constant
        lambda x: np.array([math.sin(v) for v in x]),  # which runs beside series, not on them
    ],
    ids=["in JAX", "in NumPy"],
)
def test_a_reference_that_uses_the_values_of_its_arguments_is_none(reference: Any) -> None:
    """What it computes is as rounded as what is judged."""
    function = custom_function(np.sin, (np.array([0.3, -0.7]),), reference)
    assert function.pair is not None
    case, at = values_case(function.pair, function.given)
    with pytest.raises(TypeError, match=r"reference: .* JAX cannot trace"):
        prepare(case, at)
