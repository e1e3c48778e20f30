"""Rules of `torch.autograd.Function`: right and wrong ones, and their reports."""

from typing import Any

import pytest

from handgrad.judging.pytorch.functions import cotangents_of, function_case
from handgrad.judging.pytorch.subjects import subject_of
from handgrad.program.aten.installed import torch
from handgrad.torch import assert_function, check_function
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
        (rules.Clips, "x", {"nonlinear"}),
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


def test_a_module_is_left_as_it_was() -> None:
    module = torch.nn.BatchNorm1d(5).double()
    report = check_function(module, X, points=0)
    assert report.verdict == "agree"
    assert report.warnings == (
        "parameters of BatchNorm1d are not judged; handgrad.check_gradient judges them",
    )
    assert [leaf.path for leaf in report.leaves] == ["input"]
    assert not module.num_batches_tracked
