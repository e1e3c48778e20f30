"""What is proved: the article's nine, the chain through a network, activations, losses, lemmas."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from math import prod
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
import sympy as sp

import manual.article
import manual.network
import manual.regression
from compare.proof.claims import REFUTED, UNDECIDED, Claim, cases, claim, kinks, unknown, worst
from compare.proof.symbols import Symbols, UndecidedError, exactly, named, number
from manual.activations import ACTIVATIONS, SIGMOID_DERIVATIVES, Activation, sigmoid
from manual.affine import Layer
from manual.article import Parameters
from manual.losses import LOSSES, Loss
from manual.network import Network

#: The nine when h1 and h2 change places.
SWAPPED = ("w3", "w4", "w1", "w2", "w6", "w5", "b2", "b1", "b3")

#: How the names in a product follow each other.
ORDER = (*Parameters._fields, "x1", "x2", "h1", "h2", "ypred", "y")


def article(gradient: Callable[..., Any]) -> tuple[list[Claim], Claim | None]:
    """Ask for the nine partial derivatives of the article's network.

    Its loss has a derivative everywhere, since the lines for σ are 1 / (1 + e^-z) in both cases of
    the sign of z, which `slope_of_sigmoid` asks for.

    Args:
        gradient: (params, x, y) -> the nine by hand. It is called twice, and the second result
            counts: a call must not change the next one.

    Returns:
        A claim for each, and that of `exchanged`.

    Raises:
        UndecidedError: the lines do not compute a formula.
    """
    at = {name: sp.Symbol(name, real=True) for name in (*Parameters._fields, "x1", "x2", "y")}
    *weights, x1, x2, y = at.values()
    given = Parameters(*map(Symbols, weights)), Symbols([x1, x2]), Symbols(y)
    loss = number(manual.article.loss(*given))
    gradient(*given)
    by_hand = dict(zip(Parameters._fields, map(number, gradient(*given)), strict=True))
    steps = manual.article.forward(*given[:2])
    hidden = {number(steps.z1): "h1", number(steps.z2): "h2"}
    partials = [
        replace(of, factors=_written(by_hand[of.name], hidden))
        for of in derivatives(loss, [(at[n], by_hand[n]) for n in by_hand], at=[*at.values()])
    ]
    swap = {at[a]: at[b] for a, b in zip(Parameters._fields, SWAPPED, strict=True)}
    return partials, exchanged(loss, [swap])


def derivatives(
    value: Any,
    pairs: Iterable[tuple[Any, Any]],
    says: str = "∂L/∂{}",
    name: str = "{}",
    at: Sequence[Any] = (),
) -> list[Claim]:
    """Ask of each variable whether the slope of a value beside it is its derivative."""
    return [
        claim(says.format(of), sp.diff(value, of), slope, at, name=name.format(of))
        for of, slope in pairs
    ]


def _written(by_hand: Any, hidden: Mapping[Any, str]) -> list[Any]:
    """Return factors of what the lines compute, the number first, by the names of activations.

    The list is empty where the formula asks for other signs than those of z1, z2 and z3, or has
    other names.
    """
    sides, formula = next(cases(by_hand))
    names = {side.name: sp.Symbol(hidden.get(side.difference, "ypred")) for side in sides}
    if len(names) != 3 or len({*names.values()}) != 3:
        return []
    # e^(c z) by σ(z): the odds σ / (1 - σ), to the power of c.
    powers = {}
    for power in formula.atoms(sp.exp):
        terms = (term.as_coeff_Mul() for term in sp.Add.make_args(power.args[0].expand()))
        powers[power] = prod((names[z] / (1 - names[z])) ** c for c, z in terms if z in names)
    found: Any = sp.factor_list(formula.xreplace(powers))
    turned = {a - 1: 1 - a for a in names.values()}
    size: Any = found[0] * prod((-1) ** times for of, times in found[1] if of in turned)
    written: list[tuple[Any, int]] = [(turned.get(of, of), times) for of, times in found[1]]
    if any(symbol.name not in ORDER for of, _ in written for symbol in of.free_symbols):
        return []

    def place(factor: tuple[Any, int]) -> Any:
        of, _ = factor
        return max(ORDER.index(symbol.name) for symbol in of.free_symbols), not of.is_Symbol

    return [size, *(of**times for of, times in sorted(written, key=place))]


def chain(network: Network, examples: int) -> tuple[list[Claim], Claim | None]:
    """Ask for all partial derivatives of a network with any activations and any loss.

    Args:
        network: its sizes and λ count.
        examples: how many the loss is of.

    Returns:
        A claim for each, and that of `exchanged`.
    """
    sizes = network.sizes
    activations = {name: _activation(unknown(name)) for name in ("f", "g")}
    with patch.dict(ACTIVATIONS, activations), patch.dict(LOSSES, L=_loss(unknown("L"))):
        whole = Network(sizes, "f", "g", "L", network.l2)
        params = [
            Layer(named(f"w{at}", *shape), named(f"b{at}", shape[1]))
            for at, shape in enumerate(pairwise(sizes))
        ]
        given = named("x", examples, sizes[0]), named("y", examples, sizes[-1])
        loss, cache = manual.network.forward(whole, params, *given)
        grads = manual.network.backward(whole, cache)
    slopes = zip(params, grads, strict=True)
    partials = derivatives(number(loss), (pair for of in slopes for pair in _pairs(*of)))
    swaps = []
    for at, units in enumerate(sizes[1:-1]):
        first, after = params[at], params[at + 1]
        for new in ([1, 0, *range(2, units)], [*range(1, units), 0])[: units - 1]:
            old = [first.w.numbers.T, first.b.numbers, after.w.numbers]
            swaps.append(
                {a: b for rows in old for a, b in zip(rows.flat, rows[new].flat, strict=True)}
            )
    return partials, exchanged(number(loss), swaps)


def _pairs(given: Any, slopes: Any) -> Iterable[tuple[Any, Any]]:
    """Pair all elements of the arrays in two tuples."""
    for of, by in zip(given, slopes, strict=True):
        yield from zip(of.numbers.flat, by.numbers.flat, strict=True)


def exchanged(loss: Any, swaps: Sequence[Mapping[Any, Any]]) -> Claim | None:
    """Ask whether the loss stays as it is when hidden units change places.

    Then its gradient is permuted as they are. The exchange of the first two units of a layer and
    the cycle of all make every permutation.
    """
    says = "hidden units that change places permute the gradient"
    claims = [claim("", loss.xreplace(dict(swap)), loss) for swap in swaps]
    return worst(says, claims, "hidden-units") if claims else None


def _activation(function: Any) -> Activation:
    values, slopes = (np.frompyfunc(of, 1, 1) for of in (function, lambda z: function(z).fdiff()))
    return Activation(
        lambda z: (Symbols(values(z.numbers)), z), lambda da, z: da * Symbols(slopes(z.numbers))
    )


def _loss(function: Any) -> Loss:
    def value(a: Any, y: Any) -> Any:
        return function(*a.numbers.flat, *y.numbers.flat)

    def backward(dloss: Any, cache: Any) -> Any:
        slopes = [value(*cache).fdiff(k + 1) for k in range(cache[0].numbers.size)]
        return dloss * Symbols(np.array(slopes, dtype=object).reshape(cache[0].shape))

    return Loss(lambda a, y: (Symbols(value(a, y)), (a, y)), backward)


def activation(name: str) -> Claim:
    """Ask for the backward step of an activation."""
    z, da = sp.symbols("z da", real=True)
    forward, backward, _ = ACTIVATIONS[name]
    a, cache = forward(Symbols(z))
    pairs = [(z, number(backward(Symbols(da), cache)))]
    (found,) = derivatives(da * number(a), pairs, f"{name}: dz = da f′(z)", name, [z, da])
    return replace(found, kinks=kinks(number(a), z))


def loss(name: str, examples: int, outputs: int) -> list[Claim]:
    """Ask for the backward step of a loss: its derivative by each output of each example."""
    a, y = (named(letter, examples, outputs) for letter in "ay")
    forward, backward = LOSSES[name]
    value, cache = forward(a, y)
    pairs = [*_pairs([a], [backward(1.0, cache)])]
    at = [*a.numbers.flat, *y.numbers.flat]
    claims = derivatives(number(value), pairs, f"{name}: ∂L/∂{{}}", name, at)
    return [
        replace(found, kinks=kinks(number(value), of))
        for found, (of, _) in zip(claims, pairs, strict=True)
    ]


def slope_of_sigmoid() -> Claim:
    """Ask for σ = 1 / (1 + e^-z) of the lines, and for σ′ of both forms."""
    z = sp.Symbol("z", real=True)
    at = Symbols(z)
    right = 1 / (1 + sp.exp(-z))
    forms = [form(at) for form in SIGMOID_DERIVATIVES.values()]
    forms += [sigmoid(at) * (1 - sigmoid(at)), sigmoid(at) * sigmoid(-at)]
    claims = [claim("", right, number(sigmoid(at)), [z])]
    claims += [claim("", sp.diff(right, z), number(form), [z]) for form in forms]
    return worst("σ′(z) = σ(z)(1 - σ(z)) = σ(z)σ(-z)", claims, "sigmoid-derivative")


def gradient_of_regression(points: int = 3, features: int = 2) -> Claim:
    """Ask for the gradient of least squares."""
    x, y = named("x", points, features), named("y", points)
    at = manual.regression.Coefficients(named("m", features), Symbols(sp.Symbol("c", real=True)))
    value = number(manual.regression.loss(at, x, y))
    claims = derivatives(value, _pairs(at, manual.regression.gradient(at, x, y)))
    says = (
        f"the gradient of the regression is that of its loss ({features} features, {points} points)"
    )
    return worst(says, claims, "regression-gradient")


class Proof(NamedTuple):
    """What was asked for, and what became of it."""

    about: dict[str, Any]  #: the network, and what else was asked for
    of: str  #: whose derivatives
    partials: list[Claim]
    also: list[Claim]
    reason: str = ""  #: why nothing is proved

    @property
    def verdict(self) -> str:
        """The worst of all."""
        return worst("", [*self.partials, *self.also], "").verdict

    @property
    def kinks(self) -> tuple[str, ...]:
        """The places that are excluded, since there is no derivative."""
        return tuple(f"{claim.name} at {place}" for claim in self.also for place in claim.kinks)

    @property
    def refutation(self) -> Claim | None:
        """The first that is wrong."""
        return next((c for c in (*self.partials, *self.also) if c.verdict == REFUTED), None)


def prove_article(gradient: Callable[..., Any], about: dict[str, Any], lemmas: bool) -> Proof:
    """Prove the article's nine, and the lemmas that go with them."""
    of = "the loss"
    with exactly():
        try:
            partials, units = article(gradient)
        except UndecidedError as error:
            reason = (
                f"{error}, so the lines are no formula over the real numbers; what is wrong with "
                "them, if anything, is in floating point"
            )
            return Proof(
                about, of, [Claim(f"∂L/∂{n}", UNDECIDED, n) for n in Parameters._fields], [], reason
            )
        also = [slope_of_sigmoid(), units, gradient_of_regression()] if lemmas else []
    return Proof(about, of, partials, [lemma for lemma in also if lemma])


def prove_network(network: Network, examples: int, about: dict[str, Any]) -> Proof:
    """Prove the chain through a network, its activations and its loss, and the lemmas."""
    with exactly():
        partials, units = chain(network, examples)
        each = loss(network.loss, examples, network.sizes[-1])
        parts = [activation(name) for name in dict.fromkeys(network.activations)]
        parts.append(worst(f"{network.loss}: da = ∂L/∂a", each, network.loss))
        also = [*parts, slope_of_sigmoid(), units, gradient_of_regression()]
    of = f"the mean loss of {examples} examples" if examples > 1 else "the loss of one example"
    return Proof(about, of, partials, [lemma for lemma in also if lemma])
