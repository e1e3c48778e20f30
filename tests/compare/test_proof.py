"""What is proved is true, and what is wrong is refuted at a rational point or undecided."""

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy as sp

import manual.article
import manual.losses
import manual.network
import manual.regression
from compare.proof import (
    EITHER,
    PROVED,
    REFUTED,
    UNDECIDED,
    Above,
    Claim,
    Proof,
    Symbols,
    UndecidedError,
    activation,
    chain,
    claim,
    exactly,
    gradient_of_regression,
    kinks,
    loss,
    number,
    prove_article,
    prove_network,
    worst,
)
from manual.activations import ACTIVATIONS, sigmoid
from manual.affine import Layer
from manual.article import Parameters, gradient
from manual.losses import LOSSES
from manual.network import Network
from models.planted import PLANTS, gradient_in
from tests.tiers import one_of_each, slowly

#: The functions of the symbols.
objects = Symbols(0).__array_namespace__()

PROVABLE = [name for name in ACTIVATIONS if name != "gelu"]

#: What is no formula over the real numbers.
FLOATS = "float32"

#: The planted mistakes of which one of each kind is tried by `make test`.
QUICK = ("missing-square", "everything-through-h1")

#: Of clipped derivatives many cases of signs are gone through before a point is found.
TRIED = [
    *one_of_each([slug for slug in PLANTS if slug not in (FLOATS, "clipped")], QUICK),
    pytest.param("clipped", marks=[pytest.mark.slow, pytest.mark.night]),
]


def of_article(nine: Callable[..., Any]) -> Proof:
    return prove_article(nine, {}, lemmas=False)


def verdicts(claims: list[Claim], verdict: str) -> set[str]:
    return {claim.name for claim in claims if claim.verdict == verdict}


@pytest.mark.parametrize("slug", TRIED)
def test_a_planted_mistake_is_refuted(slug: str) -> None:
    """Exactly the derivatives that are wrong, with the values that mpmath and the lines have."""
    plant = PLANTS[slug]
    proof = of_article(gradient_in(plant, "stable"))
    assert verdicts(proof.partials, REFUTED) == {*plant.leaves}
    assert verdicts(proof.partials, UNDECIDED) == set()
    found = proof.worst.difference
    assert found
    with mpmath.workdps(50):
        exact = slope_of_article(found.point, proof.worst.name)
        assert abs(mpmath.mpf(found.exact) - exact) < mpmath.mpf("1e-25") * abs(exact)
    assert found.by_hand != found.exact
    if slug != "not-a-number":
        said = in_floats(slug, found.point, proof.worst.name)
        assert np.isclose(float(found.by_hand), said, rtol=1e-7)


def slope_of_article(point: dict[str, Any], name: str) -> Any:
    """∂L/∂ a parameter of the article's network, by mpmath's differences."""
    at = {of: mpmath.mpf(value.numerator) / value.denominator for of, value in point.items()}

    def squared_error(moved: Any) -> Any:
        p = at | {name: moved}
        z1, z2 = (
            p[a] * p["x1"] + p[b] * p["x2"] + p[c]
            for a, b, c in (["w1", "w2", "b1"], ["w3", "w4", "b2"])
        )
        h1, h2 = (1 / (1 + mpmath.exp(-z)) for z in (z1, z2))
        return (p["y"] - 1 / (1 + mpmath.exp(-(p["w5"] * h1 + p["w6"] * h2 + p["b3"])))) ** 2

    with mpmath.workdps(80):
        return mpmath.diff(squared_error, at[name], h=mpmath.mpf(10) ** -30)


def in_floats(slug: str, point: dict[str, Any], name: str) -> float:
    """What the planted lines say in float64, when called a second time."""
    at = {of: float(value) for of, value in point.items()}
    nine = gradient_in(PLANTS[slug], "stable")
    params = Parameters(*(np.float64(at[of]) for of in Parameters._fields))
    given = params, np.array([at["x1"], at["x2"]]), np.float64(at["y"])
    nine(*given)
    return float(getattr(nine(*given), name))


@pytest.mark.parametrize("name", PROVABLE)
def test_an_activation(name: str) -> None:
    with exactly():
        found = activation(name)
    assert found.verdict == PROVED
    assert found.kinks == (("z = 0",) if name.endswith("relu") else ())


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss(name: str) -> None:
    """Also where Huber's two formulas meet, smoothly."""
    with exactly():
        claims = loss(name, 2, 2)
    assert {(claim.verdict, claim.kinks) for claim in claims} == {(PROVED, ())}
    assert len(claims) == 4


@pytest.mark.parametrize(
    ("sizes", "examples"), [((2, 2, 1), 2), ((1, 3, 2), 1), slowly((2, 2, 2, 1), 2)]
)
def test_the_chain_for_any_activations_and_any_loss(sizes: Any, examples: int) -> None:
    with exactly():
        partials, units = chain(Network(sizes, l2=0.1), examples)
    assert {claim.verdict for claim in partials} == {PROVED}
    assert units
    assert units.verdict == PROVED


def test_a_network_is_proved_by_its_parts() -> None:
    proof = prove_network(Network((2, 2, 1), "relu", "identity", "huber"), 1, {})
    assert (proof.worst.verdict, proof.kinks) == (PROVED, ("relu at z = 0",))
    names = ["relu", "identity", "huber", "sigmoid-derivative", "hidden-units"]
    assert [claim.name for claim in proof.also] == [*names, "regression-gradient"]
    none = prove_network(Network((1, 1, 1)), 1, {})
    assert "hidden-units" not in [claim.name for claim in none.also]


right = manual.network.backward


def decay_once(network: Any, cache: Any) -> Any:
    return [
        Layer(dw - 0.25 * kept.w, db)
        for (dw, db), kept in zip(right(network, cache), cache.affine, strict=True)
    ]


#: Wrong backward steps: where they stand, and the lines.
WRONG: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "tanh at its value": (
        *(ACTIVATIONS, "tanh"),
        lambda da, z: da * (1 - ACTIVATIONS["tanh"].forward(z)[0]),
    ),
    "softplus forgotten": (ACTIVATIONS, "softplus", lambda da, z: da),
    "a leak of 0": (ACTIVATIONS, "leaky-relu", lambda da, z: da * objects.maximum(z >= 0, 0)),
    "a leak of 0.02": (ACTIVATIONS, "leaky-relu", lambda da, z: da * objects.maximum(z >= 0, 0.02)),
    "half a slope": (ACTIVATIONS, "identity", lambda da, _: da / 2),
    "no mean": (LOSSES, "mse", lambda dloss, r: dloss * 2 * r),
    "a sign of bce": (
        *(LOSSES, "bce"),
        lambda d, c: d / 2 * ((1 - c.y) * sigmoid(c.z) + c.y * sigmoid(-c.z)),
    ),
    "softmax's other targets": (
        *(LOSSES, "softmax-ce"),
        lambda d, c: d / 2 * (manual.losses.softmax(c.z) - 2 * c.y),
    ),
    "Huber beyond 2": (
        *(LOSSES, "huber"),
        lambda d, r: d / 2 * objects.maximum(objects.minimum(r, 2), -2),
    ),
    "transposed": (manual.network, "affine_backward_inputs", lambda dz, cache: dz @ cache.w),
    "bias of one example": (
        *(manual.network, "affine_backward_parameters"),
        lambda dz, cache: (cache.x.T @ dz, dz[0]),
    ),
    "half the decay": (manual.network, "backward", decay_once),
}


@pytest.mark.parametrize("of", WRONG)
def test_a_wrong_backward_step_is_refuted(of: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where, name, lines = WRONG[of]
    if where is manual.network:
        monkeypatch.setattr(where, name, lines)
    else:
        monkeypatch.setitem(where, name, where[name]._replace(backward=lines))
    with exactly():
        if where is ACTIVATIONS:
            found = activation(name)
        elif where is LOSSES:
            found = worst(loss(name, 2, 2))
        else:
            found = worst(chain(Network((2, 2, 2), l2=0.25), 2)[0])
    assert found.verdict == REFUTED
    assert found.difference
    assert found.difference.by_hand != found.difference.exact
    assert found.difference.point


def test_a_wrong_gradient_of_the_regression(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = manual.regression.gradient
    monkeypatch.setattr(
        manual.regression, "gradient", lambda *at: lines(*at)._replace(intercept=0 * at[2][0])
    )
    with exactly():
        assert gradient_of_regression().verdict == REFUTED


@pytest.mark.slow
def test_units_that_are_not_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loss with a term of b1 alone, and its right gradient."""
    lines = manual.article.loss
    monkeypatch.setattr(manual.article, "loss", lambda p, x, y: lines(p, x, y) + p.b1 * p.b1)

    def nine(p: Any, x: Any, y: Any) -> Any:
        grads = gradient(p, x, y)
        return grads._replace(b1=grads.b1 + 2 * p.b1)

    proof = prove_article(nine, {}, lemmas=True)
    assert {claim.verdict for claim in proof.partials} == {PROVED}
    assert (proof.worst.verdict, verdicts(proof.also, REFUTED)) == (REFUTED, {"hidden-units"})


def decided(change: Callable[[Any], Any]) -> str:
    """Whether a function of a number is 1."""
    with exactly():
        try:
            return claim(
                "", sp.Integer(1), number(change(Symbols(sp.Symbol("b", real=True))))
            ).verdict
        except UndecidedError:
            return UNDECIDED


#: What is 1 but where a number is 0: a factor of a right derivative.
ONE_BUT_AT_0: dict[str, Callable[[Any], Any]] = {
    "neither above nor below": lambda b: (b > 0) + (b < 0),
    "the other way round": lambda b: (b > 0) + (-3 * b > 0),
    "both at least and at most": lambda b: 1 - (b >= 0) * (b <= 0),
    "size above 0": lambda b: abs(b) > 0,
    "sign squared": lambda b: objects.sign(b) ** 2,
    "is not 0": lambda b: b != 0,
    "less what is 0": lambda b: 1 - (b == 0),
    "where it is not 0": lambda b: objects.where(b, 1, 0),
    "a quotient": lambda b: b / b,
    "negative power": lambda b: b * b**-1,
    "of a logarithm": lambda b: 1 + objects.log(b) - objects.log(b) * (1 + b - b),
    "negative power of a square": lambda b: b**2 * b**-2,
}


@pytest.mark.parametrize("of", ONE_BUT_AT_0)
def test_what_is_wrong_at_0_alone_is_not_proved(of: str) -> None:
    assert decided(ONE_BUT_AT_0[of]) == UNDECIDED


#: What is 1 at 0 as well.
ONE: dict[str, Callable[[Any], Any]] = {
    "above or not": lambda b: (b > 0) + (b <= 0),
    "not below, or below": lambda b: (b >= 0) + (-b > 0),
    "both sizes": lambda b: 1 + abs(b) - objects.maximum(b, -b),
    "equal numbers": lambda b: 1 * (b == b + 0),
    "a power that is a float": lambda b: 1 + b**2.0 - b * b,
    "divided by what is positive": lambda b: (1 + b * b) / (1 + b**2),
}


@pytest.mark.parametrize("of", ONE)
def test_what_is_right_at_0_as_well_is_proved(of: str) -> None:
    assert decided(ONE[of]) == PROVED


#: What is no formula over the real numbers, and why.
NO_FORMULA: dict[str, tuple[Callable[[Any], Any], str]] = {
    "small floats": (lambda b: np.asarray(b, np.float32), "exact numbers turned into floats"),
    "a float": (float, "exact numbers turned into floats"),
    "an if": (lambda b: b if b > 0 else -b, "an if or a Boolean operation"),
    "a root": (lambda b: b**0.5 * b**0.5, "a power whose exponent is no whole number"),
    "a power": (lambda b: b * b**b * b**-b, "a power whose exponent is no whole number"),
    "a division": (lambda b: b / (b - 1), "a number that is divided by may be 0"),
}


@pytest.mark.parametrize("of", NO_FORMULA)
def test_what_is_no_formula_is_not_proved(of: str) -> None:
    wrong, why = NO_FORMULA[of]
    proof = of_article(lambda p, x, y: (nine := gradient(p, x, y))._replace(b3=wrong(nine.b3)))
    assert {claim.verdict for claim in proof.partials} == {UNDECIDED}
    assert proof.reason.startswith(why)


def test_floats_are_the_rational_numbers_that_they_are() -> None:
    """A tenth is none, so what is right with 1/10 is wrong with 0.1, by 2⁻⁵⁸ of it."""
    assert decided(lambda b: 1 + b * 10 * 0.1 - b) == REFUTED
    assert decided(lambda b: 1 + b * (8 * 0.125) - b) == PROVED
    assert decided(lambda b: 1 + 2.0**-300 * b**2) == UNDECIDED  # of 40 digits none shows it


def test_a_border_that_is_no_whole_number() -> None:
    r = sp.Symbol("r", real=True)
    for shift, places in ((0, ()), (1, ("r = 1/2",))):
        far, above = r - sp.Rational(1, 4) + shift, Above(r, sp.Rational(1, 2), EITHER)
        assert kinks(far * above + r**2 * (1 - above), r) == places


def test_what_a_first_call_leaves_behind_is_seen() -> None:
    calls: list[int] = []

    def nine(*given: Any) -> Any:
        calls.append(1)
        return Parameters(*(len(calls) * part for part in gradient(*given)))

    assert len(verdicts(of_article(nine).partials, REFUTED)) == 9
