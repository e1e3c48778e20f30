"""Rules of `torch.autograd.Function`: right and wrong ones, and their reports."""

import ctypes
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import handgrad.torch
from handgrad import GradientMismatch, check, check_gradient
from handgrad.judging.pytorch.autograd import not_contiguous
from handgrad.judging.pytorch.functions import cotangents_of, function_case
from handgrad.judging.pytorch.subjects import Subject, subject_of
from handgrad.program.aten.installed import torch
from handgrad.torch import assert_function, check_function, gradcheck
from tests.handgrad.torch import rules

torch.manual_seed(0)
X = torch.randn(3, 5, dtype=torch.float64)
WEIGHT, BIAS = torch.randn(5, dtype=torch.float64), torch.randn(5, dtype=torch.float64)
NORM = (X, WEIGHT, BIAS, 1e-5)
KEPT = torch.tensor([[1.0, 0, 1, 1, 0]]).double().expand(3, 5)
POSITIVE = X[0].abs() + 0.5


@pytest.mark.parametrize(
    ("rule", "args"),
    [
        (rules.LayerNorm, NORM),
        (rules.Unsummed, NORM),
        (rules.Frees, NORM),
        (rules.Polar, (POSITIVE, X[1])),
        (rules.TopTwo, (X,)),
        (rules.TimesInPlace, (X, 3.0)),
        (rules.Squared, (X[0], 0.5)),
    ],
)
def test_a_right_rule_passes(rule: Any, args: Any) -> None:
    report = check_function(rule, *args, points=3)
    assert (report.verdict, report.blame, report.warnings) == ("agree", None, ())
    assert report.points == 4


@pytest.mark.parametrize(
    ("rule", "leaf", "kinds"),
    [
        (rules.WithoutProjection, "x", {"unknown"}),
        (rules.MeanOverBatch, "bias", {"factor"}),
        (rules.Exchanged, "weight", {"exchanged"}),
        (rules.NoneForBias, "bias", {"zero"}),
        (rules.TooFew, None, {"structure"}),
        (rules.ForEps, "eps", {"structure"}),
        (rules.NumberForBias, "bias", {"structure"}),
        (rules.WrongShape, "x", {"shape"}),
        (rules.WritesToCotangent, "cotangent", {"mutation"}),
        (rules.Accumulates, "bias", {"not-repeatable"}),
    ],
)
def test_a_wrong_rule_of_layer_norm_is_named(rule: Any, leaf: Any, kinds: set[str]) -> None:
    report = check_function(rule, *NORM, points=1)
    assert report.verdict == "disagree"
    found = next(f for f in report.findings if f.leaf == leaf)
    assert found.kind in kinds


def test_names_are_those_of_forward() -> None:
    report = check_function(rules.LayerNorm, *NORM, points=0)
    assert [leaf.path for leaf in report.leaves] == ["x", "weight", "bias"]
    assert report.reproduce == "check_function(LayerNorm, x, weight, bias, eps, points=0)"
    by_apply = check_function(rules.LayerNorm.apply, *NORM, points=0)
    assert [leaf.path for leaf in by_apply.leaves] == ["x", "weight", "bias"]


def test_what_is_said_of_a_form() -> None:
    def said(rule: Any) -> str:
        return check_function(rule, *NORM, points=0).headline

    assert said(rules.TooFew) == (
        "disagree: backward returned 3 gradients, expected 4, one for each argument of forward: "
        "x, weight, bias, eps"
    )
    assert said(rules.ForEps).endswith("a gradient for eps, which is no tensor; expected None")
    assert said(rules.NumberForBias) == "disagree: bias: got list, expected a tensor or None"
    assert said(rules.WrongShape) == "disagree: x: got shape (2, 5), expected (3, 5)"
    assert "backward returned None for bias; if that is meant" in said(rules.NoneForBias)


def test_a_shorter_gradient_is_converted_and_said() -> None:
    report = check_function(rules.InFloat32, *NORM, points=0)
    assert report.verdict == "imprecise"
    assert report.warnings[0].startswith("backward returned float32 for x, which is float64")


def test_a_run_in_a_longer_format_says_nothing_of_dtypes() -> None:
    class Half(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return (2 * ctx.saved_tensors[0] * dy).half()

    def notes(x: Any, of: Any) -> tuple[str, ...]:
        subject = subject_of(Half, (x,))
        case, _ = function_case(subject, cotangents_of(subject, None, 0))
        case.gradient([of.numpy()], of.numpy())
        return case.notes

    assert notes(X.half(), of=X.half()) == notes(X.half(), of=X) == ()
    assert notes(X, of=X)[0].startswith("backward returned float16 for x, which is float64")


@pytest.mark.parametrize(
    ("rule", "condition", "what"),
    [
        (rules.Views, "where the cotangent is not contiguous", "backward raised RuntimeError"),
        (rules.Asserts, "where the cotangent is not contiguous", "raised AssertionError (tests"),
        (rules.Memory, "where the cotangent is not contiguous", "bias: 5 of 5 elements"),
        (rules.IgnoresExpansion, "where the cotangent is expanded", "bias: 5 of 5 elements"),
        (rules.WritesToSaved, "in a second pass through the same graph", "x: "),
        (rules.OnClass, "where it is called again, at other values", "x: "),
        (rules.NeedsExchanged, "where weight alone requires grad", "returned None for weight"),
    ],
)
def test_a_rule_that_is_right_as_it_is_usually_called(rule: Any, condition: str, what: str) -> None:
    report = check_function(rule, *NORM, points=1)
    assert report.verdict == "disagree"
    assert report.headline.startswith(f"disagree {condition}")
    assert what in report.headline


@pytest.mark.parametrize(
    ("rule", "headline"),
    [
        (rules.NeedsBoth, r"disagree where output\[0\] alone is used: backward raised TypeError"),
        (rules.NothingAlone, r"disagree where output\[1\] alone is used: . of 5 elements"),
    ],
)
def test_an_output_that_is_not_used(rule: Any, headline: str) -> None:
    with pytest.raises(GradientMismatch, match="^" + headline[:30]):
        assert_function(rule, POSITIVE, X[1], points=0)


def test_all_calls_share_one_time(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []

    def report_on(*args: Any) -> Any:
        given.append(args[-1])
        return check.report_on(*args)

    monkeypatch.setattr(handgrad.torch, "report_on", report_on)
    left = SimpleNamespace(over=False, left=7.0)
    monkeypatch.setattr(handgrad.torch, "Clock", lambda _: left)
    report = check_function(rules.Memory, *NORM, points=0, seconds=40.0)
    assert report.headline.startswith("disagree where the cotangent is not contiguous")
    assert given == [30.0, 7.0]
    left.over = True
    report = check_function(rules.Memory, *NORM, points=0, seconds=40.0)
    assert report.verdict == "agree"
    assert report.warnings[-1] == (
        "no time was left to judge it where the cotangent is not contiguous"
    )


def test_arguments_without_gradient_are_left_out_by_name_or_position() -> None:
    assert "None for kept" in check_function(rules.Dropout, X, KEPT, 0.25, points=0).headline
    for wrt in ("x", 0, ["x"], [0]):
        assert check_function(rules.Dropout, X, KEPT, 0.25, wrt=wrt, points=0).verdict == "agree"
    twice = check_function(rules.ScaledTwice, X, KEPT, 0.25, wrt="x", points=0)
    assert {f.kind for f in twice.findings} == {"factor"}
    with pytest.raises(ValueError, match=r"wrt: got 'z', expected names or positions among x, kep"):
        check_function(rules.Dropout, X, KEPT, 0.25, wrt="z")
    with pytest.raises(ValueError, match=r"wrt: got 2, expected"):
        check_function(rules.Dropout, X, KEPT, 0.25, wrt=2)


def test_outputs_that_have_no_gradient() -> None:
    report = check_function(rules.WithoutScatter, X, points=0)
    assert report.verdict == "disagree"

    class Nothing(rules.TopTwo):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x.argmax(-1)

    with pytest.raises(TypeError, match=r"no output of Nothing requires grad, expected .* x"):
        check_function(Nothing, X)


def test_writes_of_forward() -> None:
    report = check_function(rules.NotDirty, X, 3.0, points=0)
    assert [(f.kind, f.leaf) for f in report.findings] == [("mutation", "x")]
    assert "ctx.mark_dirty" in report.headline
    assert torch.equal(X, NORM[0])


@pytest.mark.parametrize(
    ("rule", "leaf"), [(rules.WritesToInput, "x"), (rules.WritesToOutput, "output")]
)
def test_writes_of_backward(rule: Any, leaf: str) -> None:
    report = check_function(rule, X, points=0)
    assert [(f.kind, f.leaf) for f in report.findings] == [("mutation", leaf)]
    assert "backward wrote to it" in report.headline


def test_short_formats_are_judged_by_their_own_rounding() -> None:
    short = [x.bfloat16() for x in (X, WEIGHT, BIAS)]
    assert check_function(rules.LayerNorm, *short, 1e-5, points=0).verdict == "agree"
    wrong = check_function(rules.WithoutProjection, *short, 1e-5, points=0)
    assert {f.leaf for f in wrong.findings} == {"x"}
    stated = check_function(rules.Squared, X[0], 0.5, points=0, computed_in="bfloat16")
    assert stated.reproduce.endswith("points=0, computed_in='bfloat16')")


def test_a_context_that_is_set_up_apart() -> None:
    report = check_function(rules.SquaredHalf, X[0], 0.5, points=0)
    assert [(f.kind, f.leaf) for f in report.findings] == [("factor", "x")]


def test_digits_lost_in_backward_are_no_mistake() -> None:
    saturated = torch.tensor([0.5, 31.0], dtype=torch.float64)
    report = check_function(rules.Sigmoid, saturated, points=0)
    assert report.verdict == "imprecise"
    assert "the formula is right" in report.headline


def test_any_function_of_torch_and_any_nesting() -> None:
    def f(pair: dict[str, Any], more: Any) -> dict[str, Any]:
        y = rules.LayerNorm.apply(pair["x"], pair["w"], more[0], 1e-5)
        return {"y": y, "sum": y.sum()}

    args = {"x": X, "w": WEIGHT}, [BIAS]
    report = check_function(f, *args, points=0)
    assert report.verdict == "agree"
    assert [leaf.path for leaf in report.leaves] == ["pair['w']", "pair['x']", "more[0]"]

    class OfList(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, parts: Any) -> Any:
            return parts[0] * 2

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return None

    with pytest.raises(TypeError, match="no output of OfList requires grad"):
        check_function(OfList, [X])


REFERENCES = {
    "torch": lambda x, w: x.pow(2) + torch.mul(x, w),
    "jax": lambda x, w: jnp.square(x) + jnp.multiply(x, w),
    "numpy": lambda x, w: np.square(x) + np.multiply(x, w),
}


@pytest.mark.parametrize("reference", REFERENCES.values(), ids=REFERENCES)
def test_a_reference_stands_for_what_cannot_be_traced(reference: Any) -> None:
    args = X[0], WEIGHT
    assert check_function(rules.OutOfSight, *args, reference=reference, points=1).verdict == "agree"
    wrong = check_function(rules.OutOfSightWrong, *args, reference=reference, points=0)
    assert [f.leaf for f in wrong.findings] == ["x"]


def test_values_are_held_to_the_reference_first() -> None:
    report = check_function(
        rules.OutOfSight, X[0], WEIGHT, reference=lambda x, w: x**2 + x * w * (x > 1), points=0
    )
    assert report.verdict == "disagree"
    (found,) = report.findings
    assert (found.kind, found.leaf) == ("loss-value", "output")
    with pytest.raises(TypeError, match=r"reference: got shape .*, expected"):
        check_function(rules.OutOfSight, X[0], WEIGHT, reference=lambda x, w: (x + w).sum())
    with pytest.raises(TypeError, match="reference: got 2 outputs, expected 1"):
        check_function(rules.OutOfSight, X[0], WEIGHT, reference=lambda x, w: (x, w))


def test_what_cannot_be_traced_is_named_with_what_helps() -> None:
    with pytest.raises((TypeError, NotImplementedError), match=r"rules.py, line \d+: .*reference="):
        check_function(rules.OutOfSight, X[0], WEIGHT)


def test_an_operation_that_is_not_covered_is_named_with_the_reference() -> None:
    def sampled(x: Any) -> Any:
        return x * torch.multinomial(x.abs(), 2).sum()

    says = "is not covered; write this with other operations of PyTorch or give reference=, a "
    with pytest.raises(NotImplementedError, match=says + "function .* in PyTorch, JAX or NumPy$"):
        check_function(sampled, X[0])

    def branches(x: Any) -> Any:
        return 2 * x if x.sum() > 0 else x

    with pytest.raises(TypeError, match=r"^forward: .*torch.where.*; give reference=, a "):
        check_function(branches, X[0])


def test_bad_input() -> None:
    with pytest.raises(TypeError, match=r"F: got 3, expected a torch.autograd.Function"):
        check_function(3, X)
    with pytest.raises(TypeError, match=r"F: missing a required argument: 'bias'"):
        check_function(rules.LayerNorm, X, WEIGHT)
    by_keyword: dict[str, Any] = {"times": 0.5}
    with pytest.raises(TypeError, match=r"^times: no option of check_function; if it is an arg"):
        assert_function(rules.Squared, X[0], **by_keyword)
    with pytest.raises(TypeError, match="got no tensor of floats"):
        check_function(rules.Squared, torch.arange(3), 1)
    with pytest.raises(TypeError, match=r"cotangent: got \(3,\), expected \(5,\)"):
        check_function(rules.Squared, X[0], 0.5, cotangent=torch.ones(3))
    with pytest.raises(TypeError, match=r"points\[0\]: got .*, expected a tuple of x, times"):
        check_function(rules.Squared, X[0], 0.5, points=[X[0]])


def test_points_and_cotangents_of_the_callers_own() -> None:
    ones = torch.ones(5)
    report = check_function(rules.Squared, X[0], 0.5, cotangent=ones, points=[(X[1], 0.5)])
    assert (report.verdict, report.points) == ("agree", 2)


def test_a_generator_is_drawn_from_anew_at_each_call() -> None:
    class Masked(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, generator: Any) -> Any:
            kept = (torch.rand(x.shape, generator=generator) > 0.5).to(x.dtype)
            ctx.save_for_backward(kept)
            return x * kept

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy * ctx.saved_tensors[0], None

    generator = torch.Generator().manual_seed(0)
    before = generator.get_state()
    assert check_function(Masked, X, generator, points=1).verdict == "agree"
    assert torch.equal(generator.get_state(), before)


def test_random_numbers_of_its_own_are_no_mistake_of_the_rule() -> None:
    class Masked(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            kept = (torch.rand(x.shape) > 0.5).to(x.dtype)
            ctx.save_for_backward(kept)
            return x * kept

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy * ctx.saved_tensors[0]

    report = check_function(Masked, X)
    assert report.verdict == "undecidable"
    assert "forward is not a function of its arguments" in report.headline


def test_numbers_that_are_drawn_are_those_without_a_check() -> None:
    def seeded(x: Any) -> Any:
        torch.manual_seed(5)
        return x * torch.rand(5, dtype=x.dtype)

    before = torch.get_rng_state()
    check_function(seeded, X[0], points=0)
    assert torch.equal(torch.get_rng_state(), before)
    assert gradcheck(seeded, X[0].clone().requires_grad_())
    assert torch.equal(torch.get_rng_state(), before)
    check_gradient(lambda x: seeded(x / x), lambda x: seeded(x).sum(), X[0], points=0)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_module_is_left_as_it_was() -> None:
    module = torch.nn.BatchNorm1d(5).double()
    report = check_function(module, X, points=0)
    assert report.verdict == "agree"
    assert report.warnings == (
        "parameters of BatchNorm1d are not judged; handgrad.check_gradient judges them",
    )
    assert [leaf.path for leaf in report.leaves] == ["input"]
    assert not module.num_batches_tracked


def test_code_that_takes_addresses_is_not_traced() -> None:
    class Copy(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            y = torch.empty_like(x)
            ctypes.memmove(y.data_ptr(), x.data_ptr(), x.numel() * x.element_size())
            return y

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy

    with pytest.raises(NotImplementedError, match=r"test_function.py, line \d+: .*data_ptr.*refer"):
        check_function(Copy, X)
    assert check_function(Copy, X, reference=lambda x: x.clone(), points=0).verdict == "agree"


def test_values_that_depend_on_a_tensor_without_gradient() -> None:
    class Power(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, n: Any) -> Any:
            ctx.save_for_backward(x)
            ctx.n = n.item()
            return x**ctx.n if ctx.n else x

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            (x,) = ctx.saved_tensors
            return dy * ctx.n * x ** (ctx.n - 1), None

    assert check_function(Power, X, torch.tensor(3), points=0).verdict == "agree"


def test_a_rerun_in_exact_arithmetic_has_no_memory() -> None:
    subject = subject_of(rules.Squared, (X[0], 0.5))
    cotangents = [np.ones(5)]
    assert subject.gradient_in_jax(subject.arrays, cotangents)[0].shape == (5,)
    for other in ({"layout": not_contiguous}, {"passes": 2}, {"called_again": True}):
        with pytest.raises(TypeError, match="has no memory"):
            replace(subject, **other).gradient_in_jax(subject.arrays, cotangents)


def test_what_is_another_function_when_it_is_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    forward = Subject.forward
    by = np.array([1.0, 1.0, 1.0 + 1e-9, 1.0, 1.0])
    monkeypatch.setattr(
        Subject, "forward", lambda self, arrays: [by * out for out in forward(self, arrays)]
    )
    says = r"forward: output\[2\]: its value is .* in PyTorch and .* when JAX traces it"
    with pytest.raises(TypeError, match=says):
        check_function(rules.Squared, X[0], 0.5, points=0)
