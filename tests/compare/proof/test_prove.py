"""What is proved is true, and what is wrong is not proved."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import manual.article
import manual.network
from compare.proof.formula import Writer
from compare.proof.number import InexactError
from manual.activations import ACTIVATIONS, SIGMOID_DERIVATIVES, Activation, sigmoid
from manual.affine import Layer
from manual.losses import LOSSES, Loss
from tests.compare.proof.proving import article_proved, objects, of_article, of_network, refuted
from tests.tiers import one_of_each, slowly

PROVABLE = [name for name in ACTIVATIONS if name != "gelu"]

#: Each activation and each loss.
QUICK = [
    *(("sigmoid", "bce"), ("tanh", "softmax-ce"), ("relu", "mse"), ("leaky-relu", "huber")),
    *(("softplus", "mse"), ("identity", "huber")),
]


def test_the_article() -> None:
    proof = article_proved()
    assert proof.verdict == "proved"
    assert [partial.name for partial in proof.partials] == list(manual.article.Parameters._fields)
    assert (proof.cases, proof.kinks, proof.refutation) == (1, (), None)
    assert proof.permutes


def test_the_article_with_its_form_of_the_slope() -> None:
    slope = SIGMOID_DERIVATIVES["article"]
    proof = of_article(lambda p, x, y: manual.article.gradient(p, x, y, slope))
    assert proof.verdict == "proved"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("activation", "loss"),
    [
        (activation, loss) if (activation, loss) in QUICK else slowly(activation, loss)
        for activation in PROVABLE
        for loss in LOSSES
    ],
)
def test_every_activation_with_every_loss(activation: str, loss: str) -> None:
    """Two outputs, two examples where there are few cases, and L2."""
    kinked = activation.endswith("relu")
    sizes = (1, 2, 1) if kinked and loss == "huber" else (1, 2, 2)
    examples = 1 if kinked or loss == "huber" else 2
    proof = of_network(sizes, examples, activation=activation, loss=loss, l2=0.1)
    assert proof.verdict == "proved"
    assert proof.permutes
    assert len(proof.kinks) == (2 if kinked else 0)
    assert (proof.cases == 1) == (not kinked and loss != "huber")


@pytest.mark.parametrize("output", ["tanh", *map(slowly, ("relu", "softplus"))])
def test_other_outputs(output: str) -> None:
    assert of_network((2, 2, 2), 1, activation="tanh", output=output).verdict == "proved"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sizes", "kinds"),
    [
        ((2, 2, 2, 1), {}),
        ((3, 3, 2), {"activation": "softplus", "loss": "softmax-ce"}),
        ((3, 3, 2), {"activation": "relu"}),
    ],
)
def test_networks_that_somebody_draws(sizes: tuple[int, ...], kinds: dict[str, Any]) -> None:
    proof = of_network(sizes, 2, **kinds)
    assert proof.verdict == "proved"
    assert proof.permutes


def test_kinks_are_named_and_seams_are_none() -> None:
    relu = of_network((2, 2, 1), 1, activation="relu", loss="huber", output="identity")
    assert Writer(relu).kinks(relu.kinks) == ["z0[0] = 0", "z0[1] = 0"]
    deep = of_network((1, 1, 1, 1), 1, activation="relu")
    assert len(deep.kinks) == 3  # of the second layer two, since the first is on or off
    assert Writer(deep).kinks(deep.kinks) == ["z0[0] = 0", "z1[0] = 0"]
    assert relu.cases == 16
    huber = of_network((1, 1), 1, loss="huber", output="identity")
    assert (huber.cases, huber.kinks) == (4, ())


def test_a_kink_is_none_of_the_seams_where_losses_meet() -> None:
    """On either side of z = 0 the losses differ by a multiple of z, but not of its square."""
    relu = of_network((1, 2, 1), 1, activation="relu", output="identity", loss="mse")
    assert (relu.verdict, relu.cases) == ("proved", 4)
    assert Writer(relu).kinks(relu.kinks) == ["z0[0] = 0", "z0[1] = 0"]


def test_a_border_that_is_no_whole_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loss with its seam at r = 1/2, of z = w x + b: smooth, unless the far side is moved."""

    def loss(shift: float) -> Loss:
        def forward(prediction: Any, y: Any) -> Any:
            r = prediction - y
            far = r - 0.25 + shift
            return objects.sum(objects.where(r > 0.5, far, r * r)), r

        return Loss(forward, lambda dloss, r: dloss * objects.where(r > 0.5, 1 + 0 * r, 2 * r))

    for shift, kinks in ((0.0, 0), (1.0, 1)):
        monkeypatch.setitem(LOSSES, "mse", loss(shift))
        proof = of_network((1, 1), 1, output="identity")
        assert (proof.verdict, proof.cases, len(proof.kinks)) == ("proved", 2, kinks)


Change = Callable[[pytest.MonkeyPatch], None]


def _backward(name: str, wrong: Callable[[Any, Any], Any]) -> Change:
    right = ACTIVATIONS[name]
    return lambda patch: patch.setitem(ACTIVATIONS, name, Activation(right.forward, wrong))


def _loss(name: str, wrong: Callable[[Any, Any], Any]) -> Change:
    return lambda patch: patch.setitem(LOSSES, name, Loss(LOSSES[name].forward, wrong))


def _after(change: Callable[[Any, Any], list[Layer]]) -> Change:
    right = manual.network.backward
    return lambda patch: patch.setattr(
        manual.network, "backward", lambda net, cache: change(cache, right(net, cache))
    )


def _untransposed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(manual.network, "affine_backward_inputs", lambda dz, cache: dz @ cache.w)


def _decay_once(cache: Any, grads: list[Layer]) -> list[Layer]:
    return [
        Layer(dw - 0.25 * kept.w, db) for (dw, db), kept in zip(grads, cache.affine, strict=True)
    ]


FIRST = {"w0[0,0]", "w0[0,1]", "w0[1,0]", "w0[1,1]", "b0[0]", "b0[1]"}
LAST = {"w1[0,0]", "w1[0,1]", "w1[1,0]", "w1[1,1]", "b1[0]", "b1[1]"}
WEIGHTS = {name for name in FIRST | LAST if name[0] == "w"}

#: A change of a backward function, the network where it is wrong, and the derivatives that are.
WRONG: dict[str, tuple[Change, dict[str, Any], set[str]]] = {
    "transposed weight": (_untransposed, {"activation": "tanh"}, FIRST),
    "missing mean": (_loss("mse", lambda dloss, r: dloss * 2 * r), {}, FIRST | LAST),
    "missing minus": (
        _loss("bce", lambda d, c: d / 2 * ((1 - c.y) * sigmoid(c.z) + c.y * sigmoid(-c.z))),
        {"loss": "bce"},
        FIRST | LAST,
    ),
    "slope of tanh at its value": (
        _backward("tanh", lambda da, z: da * (1 - ACTIVATIONS["tanh"].forward(z)[0])),
        {"activation": "tanh"},
        FIRST,
    ),
    "slope of softplus forgotten": (
        _backward("softplus", lambda da, z: da),
        {"activation": "softplus"},
        FIRST,
    ),
    "half the decay": (_after(_decay_once), {"l2": 0.25}, WEIGHTS),
}


@pytest.mark.parametrize("of", one_of_each(WRONG, ["transposed weight", "half the decay"]))
def test_wrong_backward_functions_are_refuted(monkeypatch: pytest.MonkeyPatch, of: str) -> None:
    change, kinds, wrong = WRONG[of]
    change(monkeypatch)
    proof = of_network((2, 2, 2), 2, **kinds)
    assert refuted(proof) == wrong
    assert not proof.permutes


@pytest.mark.parametrize("leak", [0.0, 0.02])
def test_a_mistake_in_one_sign_alone_is_seen(monkeypatch: pytest.MonkeyPatch, leak: float) -> None:
    """The slope of the leaky ReLU below 0: right above."""
    wrong = _backward("leaky-relu", lambda da, z: da * objects.maximum(z >= 0, leak))
    wrong(monkeypatch)
    proof = of_network((1, 1, 1), 1, activation="leaky-relu", output="identity")
    assert refuted(proof) == {"w0[0,0]", "b0[0]"}
    assert proof.refutation
    assert proof.refutation.difference
    point = {name: float(value) for name, value in proof.refutation.difference.point.items()}
    assert point["w0[0,0]"] * point["x[0]"] + point["b0[0]"] < 0


def test_a_mistake_in_one_of_many_cases_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all three units are off, the bias of the output is given nothing."""
    right = manual.network.backward

    def backward(net: Any, cache: Any) -> Any:
        first, (dw, db) = right(net, cache)
        on = (cache.activation[0] > 0).numbers.sum()
        return [first, Layer(dw, db * (on > 0))]

    monkeypatch.setattr(manual.network, "backward", backward)
    proof = of_network((1, 3, 1), 1, activation="relu", output="identity")
    assert proof.cases == 8
    assert refuted(proof) == {"b1[0]"}


@pytest.mark.slow
def test_formulas_that_differ_as_such_alone_are_left_undecided() -> None:
    """e^x is (e^(x/2))²; asked in this order, the field does not know. Then nothing is claimed."""

    def gradient(p: Any, x: Any, y: Any) -> Any:
        right = manual.article.gradient(p, x, y)
        nothing = objects.exp(x[..., 0]) - objects.exp(x[..., 0] / 2) * objects.exp(x[..., 0] / 2)
        return right._replace(w1=right.w1 + nothing)

    proof = of_article(gradient)
    assert proof.verdict == "undecided"
    assert {of.name: of.verdict for of in proof.partials}["w1"] == "undecided"
    assert {of.verdict for of in proof.partials if of.name != "w1"} == {"proved"}
    assert proof.refutation is None


@pytest.mark.slow
def test_a_difference_that_many_digits_show_is_refuted() -> None:
    """By a factor of 1 + 2⁻⁴⁰⁰: of 256 bits, none shows it."""

    def gradient(p: Any, x: Any, y: Any) -> Any:
        right = manual.article.gradient(p, x, y)
        return right._replace(w1=right.w1 + 2.0**-400 * right.w1)

    assert refuted(of_article(gradient)) == {"w1"}


def test_what_divides_by_what_may_be_0_is_not_proved() -> None:
    proof = of_article(
        lambda p, x, y: manual.article.Parameters(
            *(part * p.w1 / p.w1 for part in manual.article.gradient(p, x, y))
        )
    )
    assert {of.verdict for of in proof.partials} == {"undecided"}


#: What is 1 but where a number is 0, or not for every number: a factor of a right derivative.
ONE_BUT_AT_0: dict[str, Callable[[Any], Any]] = {
    "neither above nor below": lambda b: (b > 0) + (b < 0),
    "the other way round": lambda b: (b > 0) + (-3 * b > 0),
    "both at least and at most": lambda b: 1 - (b >= 0) * (b <= 0),
    "size above 0": lambda b: abs(b) > 0,
    "sign squared": lambda b: objects.sign(b) ** 2,
    "is not 0": lambda b: b != 0,
    "less what is 0": lambda b: 1 - (b == 0),
    "where it is not 0": lambda b: objects.where(b, 1, 0),
    "negative power": lambda b: b * b**-1,
    "negative power of a square": lambda b: b**2 * b**-2,
}


@pytest.mark.parametrize("of", one_of_each(ONE_BUT_AT_0, ["less what is 0", "negative power"]))
def test_what_is_wrong_at_0_alone_is_not_proved(of: str) -> None:
    def gradient(p: Any, x: Any, y: Any) -> Any:
        right = manual.article.gradient(p, x, y)
        return right._replace(b3=right.b3 * ONE_BUT_AT_0[of](p.b1))

    proof = of_article(gradient)
    assert {partial.verdict for partial in proof.partials} == {"undecided"}
    assert not proof.permutes


#: What is 1 at 0 as well.
ONE: dict[str, Callable[[Any], Any]] = {
    "above or not": lambda b: (b > 0) + (b <= 0),
    "not below, or below": lambda b: (b >= 0) + (-b > 0),
    "both sizes": lambda b: 1 + abs(b) - objects.maximum(b, -b),
    "equal numbers": lambda b: 1 * (b == b + 0),
    "a power that is a float": lambda b: 1 + b**2.0 - b * b,
}


@pytest.mark.parametrize("of", one_of_each(ONE, ["equal numbers"]))
def test_what_is_right_at_0_as_well_is_proved(of: str) -> None:
    def gradient(p: Any, x: Any, y: Any) -> Any:
        right = manual.article.gradient(p, x, y)
        return right._replace(b3=right.b3 * ONE[of](p.b1))

    proof = of_article(gradient)
    assert {partial.verdict for partial in proof.partials} == {"proved"}


#: What is no formula, and why.
NO_FORMULA: dict[str, tuple[Callable[[Any], Any], str]] = {
    "whole numbers": (lambda w: objects.astype(w, int), "exact numbers turned into int64"),
    "small floats": (lambda w: objects.astype(w, np.float32), "exact numbers turned into float32"),
    "truth values": (lambda w: w * objects.astype(w, bool), "exact numbers turned into bool"),
    "bytes": (lambda w: w * objects.astype(w > 0, np.uint8), "exact numbers turned into uint8"),
    "a root": (lambda w: (w * w) ** 0.5, "a power whose exponent is no whole number"),
    "a power": (lambda w: w**w, "a power whose exponent is no whole number"),
    "an infinite power": (lambda w: w**np.inf, "a power whose exponent is no whole number"),
}


@pytest.mark.parametrize("of", NO_FORMULA)
def test_what_is_no_formula_is_not_proved(of: str) -> None:
    wrong, why = NO_FORMULA[of]

    def gradient(p: Any, x: Any, y: Any) -> Any:
        right = manual.article.gradient(p, x, y)
        return right._replace(w1=wrong(right.w1))

    with pytest.raises(InexactError, match=f"^{why}$"):
        of_article(gradient)


def test_truth_values_may_become_floats() -> None:
    def gradient(p: Any, x: Any, y: Any) -> Any:
        right = manual.article.gradient(p, x, y)
        above, not_above = (
            objects.astype(p.b1 > 0, np.float64),
            objects.astype(p.b1 <= 0, p.b1.dtype),
        )
        return right._replace(b3=right.b3 * (above + not_above))

    assert of_article(gradient).verdict == "proved"


def test_numbers_have_no_hash() -> None:
    """Their == is a number again, so no set could look for them."""
    with pytest.raises(TypeError, match="unhashable"):
        hash(article_proved().run.loss)


def test_what_a_first_call_leaves_behind_is_seen() -> None:
    calls: list[int] = []

    def gradient(p: Any, x: Any, y: Any) -> Any:
        calls.append(1)
        return manual.article.Parameters(
            *(len(calls) * part for part in manual.article.gradient(p, x, y))
        )

    assert len(refuted(of_article(gradient))) == 9


def test_points_are_the_same_every_time() -> None:
    one, other = (of_article(lambda p, x, y: p).partials for _ in range(2))
    assert [of.difference for of in one] == [of.difference for of in other]
    assert np.unique([str(of.difference) for of in one]).size > 1
