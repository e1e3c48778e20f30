"""The proof, by SymPy, that the hand-written lines compute the derivatives of their loss.

The lines run on SymPy's symbols, and SymPy differentiates the loss that they compute. The
difference must be 0 for all real numbers. For the article's nine that is asked of the lines as they
stand. For any other network the formula of the whole grows too fast, so it is asked of its parts:
the chain through the network with *unknown* functions in place of activations and loss, hence for
any that there are, and each activation and each loss by itself.

A claim is proved by algebra, refuted at a rational point, or undecided. Where lines take |z|, a
minimum or z > 0, each case of signs is a formula of its own, and everything is asked in each. On
the border between two cases the lines have to take one of the two sides throughout, so that what
they compute there is that side's formula.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import islice, pairwise
from math import isfinite, prod
from random import Random
from typing import Any, NamedTuple, Self
from unittest.mock import patch

import numpy as np
import sympy as sp
from sympy.core.sympify import converter

import manual.article
import manual.network
import manual.regression
from manual.activations import ACTIVATIONS, SIGMOID_DERIVATIVES, Activation, sigmoid
from manual.affine import Layer
from manual.article import Parameters
from manual.losses import LOSSES, Loss
from manual.network import Network
from manual.objects import Namespace, ObjectArray

PROVED, REFUTED, UNDECIDED = "proved", "refuted", "undecided"

#: The most cases of signs that are gone through.
MOST_CASES = 64

#: Points that are tried for a refutation, and the digits of the values there.
POINTS, DIGITS = 60, 30

#: Values that differ by more than this, of their size, are not the same: they have 40 digits.
APART = sp.Rational(1, 10**20)

#: How far from a border its sides are looked at: nearer than any other border.
NEAR = sp.Rational(1, 10**9)

#: Factors of the numbers of a point, each drawn from one of these rows.
SCALES = tuple(
    tuple(map(sp.Rational, row.split()))
    for row in ("1", "1", "1 5 20", "1/1000000000 1 10", "1/10 1 100")
)

#: The nine when h1 and h2 change places.
SWAPPED = ("w3", "w4", "w1", "w2", "w6", "w5", "b2", "b1", "b3")

#: How the names in a product follow each other.
ORDER = (*Parameters._fields, "x1", "x2", "h1", "h2", "ypred", "y")

#: The sums of the article's three units.
UNITS = {name: sp.Symbol(name, real=True) for name in ("z1", "z2", "z3")}


class UndecidedError(Exception):
    """Why something is neither proved nor refuted."""


#: What `Above` is at its border where lines are continuous, so that it does not matter.
EITHER = sp.S.Half


class Above(sp.Function):
    """1 where a first number is above a second, 0 where it is below, and where equal the third.

    Whatever has a formula for each sign of a difference is written by it. The first becomes a sum
    without its number and its factor, the second a number: so that one answer is enough for all
    differences that are multiples of each other.
    """

    is_real = True

    @classmethod
    def eval(cls, *args: Any) -> Any:
        """Answer what can be answered, else bring the difference into its form."""
        of, border, at_border = args
        gap = of - border
        if gap.is_positive or gap.is_negative or gap.is_number:
            return sp.Integer(bool(gap.is_positive)) if gap.is_nonzero else at_border
        shift, rest = gap.as_coeff_Add()
        size, rest = rest.as_content_primitive()
        if size.is_negative or rest.could_extract_minus_sign():
            return 1 - cls(-rest, shift / size, 1 - at_border, evaluate=False)
        if (rest, -shift / size) == (of, border):
            return None
        return cls(rest, -shift / size, at_border, evaluate=False)

    def __new__(cls, *args: Any, **options: Any) -> Any:
        """Make one; SymPy types it as a class, not as a term to compute with."""
        return super().__new__(cls, *args, **options)

    def fdiff(self, argindex: int = 1) -> Any:  # noqa: ARG002 (SymPy's signature)
        """0, on both sides."""
        return sp.S.Zero


#: The operations on numbers that have a formula for each sign of a difference.
FORKS: dict[Any, Callable[..., Any]] = {
    np.absolute: lambda a: a * (2 * Above(a, 0, EITHER) - 1),
    np.sign: lambda a: Above(a, 0, 0) - Above(0, a, 0),
    np.minimum: lambda a, b: a * (1 - Above(a, b, EITHER)) + b * Above(a, b, EITHER),
    np.maximum: lambda a, b: a * Above(a, b, EITHER) + b * (1 - Above(a, b, EITHER)),
    np.greater: lambda a, b: Above(a, b, 0),
    np.greater_equal: lambda a, b: Above(a, b, 1),
    np.less: lambda a, b: Above(b, a, 0),
    np.less_equal: lambda a, b: Above(b, a, 1),
    np.equal: lambda a, b: Above(a, b, 1) - Above(a, b, 0),
    np.not_equal: lambda a, b: 1 - Above(a, b, 1) + Above(a, b, 0),
}


class _Functions(Namespace):
    """The functions of arrays of expressions."""

    sign, minimum, maximum = np.sign, np.minimum, np.maximum
    greater, greater_equal = np.greater, np.greater_equal

    def where(self, condition: Any, yes: Any, no: Any) -> Any:
        """Choose where a condition is 1, or a number is not 0."""
        holds = self.array(self.numbers(condition)) != 0
        return holds * yes + (1 - holds) * no

    def log(self, x: Any) -> Any:
        """Take logarithms of what is positive for all real numbers."""
        if not all(sp.sympify(of).is_positive for of in np.ravel(self.numbers(x))):
            raise UndecidedError("a logarithm of what may be 0 or negative")
        return super().log(x)

    def log1p(self, x: Any) -> Any:
        """Take logarithms of 1 + x."""
        return self.log(1 + x)


class Symbols(ObjectArray):
    """An array of expressions of real numbers, of any shape."""

    def __array_namespace__(self, *, api_version: str | None = None) -> Namespace:
        return _Functions(type(self))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Self:
        if fork := FORKS.get(ufunc):
            numbers = map(self.__array_namespace__().numbers, inputs)
            return type(self)(np.frompyfunc(fork, len(inputs), 1)(*numbers))
        if ufunc is np.power and (isinstance(inputs[1], ObjectArray) or inputs[1] % 1):
            raise UndecidedError("a power whose exponent is no whole number")  # of what may be < 0
        if ufunc in (np.divide, np.power):  # SymPy takes x / x for 1, at 0 as well
            below = inputs[1] if ufunc is np.divide else inputs[0]
            inverse = ufunc is np.divide or inputs[1] < 0
            divisors = np.ravel(self.__array_namespace__().numbers(below))
            if inverse and not all(sp.sympify(of).is_nonzero for of in divisors):
                raise UndecidedError("a number that is divided by may be 0")
        return super().__array_ufunc__(ufunc, method, *inputs, **options)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if dtype not in (None, object):
            raise UndecidedError("exact numbers turned into floats")
        return self.numbers.copy() if copy else self.numbers

    def __float__(self) -> float:
        raise UndecidedError("exact numbers turned into floats")

    def __bool__(self) -> bool:
        raise UndecidedError("an if or a Boolean operation on a number that may be anything")


def named(letter: str, *shape: int) -> Symbols:
    """Name the elements of an array: w0[2,1]."""
    places = [",".join(map(str, at)) for at in np.ndindex(shape)]
    numbers = [sp.Symbol(f"{letter}[{place}]", real=True) for place in places]
    return Symbols(np.array(numbers, dtype=object).reshape(shape))


def number(value: Any) -> Any:
    """Return the only expression of an array."""
    return sp.sympify(value.numbers[()] if isinstance(value, ObjectArray) else value)


@contextmanager
def exactly() -> Iterator[None]:
    """Let SymPy take the floats in the lines for the rational numbers that they are."""
    with patch.dict(converter, {float: _exact}):
        yield


def _exact(value: float) -> Any:
    return sp.Rational(*value.as_integer_ratio()) if isfinite(value) else sp.Float(str(value))


class Difference(NamedTuple):
    """A point at which lines are wrong, and both values there, as decimal digits."""

    point: dict[str, Fraction]
    by_hand: str
    exact: str


@dataclass(frozen=True)
class Claim:
    """What is claimed for all real numbers, and what became of it."""

    says: str
    verdict: str
    name: str = ""  #: of the parameter or lemma
    factors: Sequence[Any] = ()  #: of what the lines compute; none if it is no product
    difference: Difference | None = None
    kinks: tuple[str, ...] = ()  #: where there is no derivative, which is excluded
    cases: int = 1  #: of signs


def claim(
    says: str,
    due: Any,
    by_hand: Any,
    at: Sequence[Any] = (),
    instead: Mapping[Any, Any] | None = None,
    **about: Any,
) -> Claim:
    """Decide whether what is written by hand is what is due.

    Args:
        says: the claim.
        due: a formula, which may have forks, as what is written by hand.
        by_hand: what is written by hand.
        at: the symbols that a point gives numbers, in their order; by their names, if none.
        instead: what the algebra has in place of some symbols.
        about: further fields of the claim.
    """
    gap = due - by_hand
    at = at or sorted(gap.free_symbols | by_hand.free_symbols, key=str)
    wanted, found = (
        of.replace(lambda part: hasattr(part, "example"), lambda part: part.example())
        for of in (due, by_hand)
    )
    if wrong := _refutation(wanted, found, at, range(1)):  # most of what is wrong is seen at once
        return Claim(says, REFUTED, difference=wrong, **about)
    try:
        each, _ = cases(gap.xreplace(instead or {}))
        if all(map(vanishes, each)):
            return Claim(says, PROVED, cases=len(each), **about)
    except UndecidedError:
        pass
    wrong = _refutation(wanted, found, at, range(1, POINTS))
    return Claim(says, REFUTED if wrong else UNDECIDED, difference=wrong, **about)


def worst(claims: Sequence[Claim], **about: Any) -> Claim:
    """Join claims to one, which is as certain as the least certain of them."""
    order = (REFUTED, UNDECIDED, PROVED)
    least = min(claims, key=lambda claim: order.index(claim.verdict))
    places = dict.fromkeys(place for claim in claims for place in claim.kinks)
    most = max(claim.cases for claim in claims)
    return replace(least, kinks=(*places,), cases=most, **about)


def cases(asked: Any) -> tuple[list[Any], list[tuple[Any, Any]]]:
    """Return what an expression is in each case of signs, and the borders between the cases.

    Raises:
        UndecidedError: on a border the lines take neither of its sides, or there are more than
            `MOST_CASES`.
    """
    at_borders: dict[Any, set[int]] = defaultdict(lambda: {0, 1})
    found = [*islice(_cases(asked, {}, at_borders), MOST_CASES + 1)]
    if len(found) > MOST_CASES:
        raise UndecidedError(f"more than {MOST_CASES} cases of signs")
    if not all(at_borders.values()):
        raise UndecidedError("where two cases meet, the lines take neither throughout")
    return found, [*at_borders]


def _cases(
    asked: Any, within: Mapping[Any, tuple[Any, Any]], at_borders: dict[Any, set[int]]
) -> Iterator[Any]:
    """Answer a fork that has none in it, and go on; `within` has the interval of each sum."""
    forks = [fork for fork in asked.atoms(Above) if not fork.args[0].has(Above)]
    if not forks:
        yield asked
        return
    of, border = min((fork.args[:2] for fork in forks), key=sp.default_sort_key)
    forks = [fork for fork in forks if fork.args[:2] == (of, border)]
    low, high = within.get(of, (-sp.oo, sp.oo))
    for above, side in ((1, (max(low, border), high)), (0, (low, min(high, border)))):
        if side[0] < side[1]:
            for fork in forks:
                at_border = fork.args[2]
                at_borders[of, border] &= {0, 1} if at_border == EITHER else {int(at_border)}
            answered = asked.xreplace(dict.fromkeys(forks, sp.Integer(above)))
            yield from _cases(answered, {**within, of: side}, at_borders)


def vanishes(formula: Any) -> bool:
    """Whether a formula without forks is 0 for all real numbers, by algebra alone.

    Exponentials are variables of their own, one for each summand in an exponent.
    """
    formula = formula.rewrite(sp.exp) if formula.has(sp.tanh) else formula
    names: dict[Any, Any] = {}

    def variable(power: Any) -> Any:
        pairs = (term.as_coeff_Mul() for term in sp.Add.make_args(sp.expand(power.args[0])))
        whole = [(c, of) if c.is_Integer else (1, c * of) for c, of in pairs]
        return prod(names.setdefault(of, sp.Dummy("e", positive=True)) ** c for c, of in whole)

    formula = formula.xreplace({power: variable(power) for power in formula.atoms(sp.exp)})
    return sp.expand(sp.fraction(sp.together(formula))[0]) == 0


def kinks(function: Any, by: Any) -> tuple[str, ...]:
    """Name the places where a function with forks has no derivative by a variable.

    There is one on a border where both sides have the same value and slope, as at |r| = 1 in
    Huber's loss.

    Args:
        function: a sum, of which the summands with the variable count.
        by: the variable, in which the differences are linear.
    """
    _, function = sp.expand(function).as_independent(by, as_Add=True)
    _, borders = cases(function)
    places = [sp.solve(of - border, by)[0] for of, border in borders]
    return tuple(f"{by} = {place}" for place in places if not _is_smooth(function, by, place))


def _is_smooth(function: Any, by: Any, place: Any) -> bool:
    forks = function.atoms(Above)
    left, right = (
        function.xreplace({fork: fork.subs(by, place + off) for fork in forks})
        for off in (-NEAR, NEAR)
    )
    return all(vanishes(of.subs(by, place)) for of in (left - right, sp.diff(left - right, by)))


@cache
def unknown(name: str, by: int = 0) -> Any:
    """Return a function of which nothing is known, or its derivative by an argument, from 1 up."""

    def slope(self: Any, index: int = 1) -> Any:
        return unknown(name, index)(*self.args)

    def example(self: Any) -> Any:
        """Return what it is at the points of a refutation: some polynomial, or its derivative."""
        if by:
            return 2 * (by + ord(name)) * self.args[by - 1] + 1
        return sum((k + ord(name)) * t**2 + t for k, t in enumerate(self.args, 1))

    return type(f"{name}_{by}", (sp.Function,), {"fdiff": slope, "example": example})


def _refutation(
    due: Any, by_hand: Any, at: Sequence[Any], attempts: Iterable[int]
) -> Difference | None:
    """Find a rational point where two formulas have different values; None if none is found."""
    for attempt in attempts:
        point = _point(attempt, at)
        found, exact = (of.xreplace(point).evalf(DIGITS + 10) for of in (by_hand, due))
        if not exact.is_finite:
            continue
        if found is sp.nan or abs(exact - found) > APART * max(abs(exact), abs(found)):
            shown = {str(symbol): Fraction(str(value)) for symbol, value in point.items()}
            return Difference(shown, *(str(sp.N(value, DIGITS)) for value in (found, exact)))
    return None


def _point(attempt: int, at: Sequence[Any]) -> dict[Any, Any]:
    """Return a point of small rational numbers, some of them tiny or large; always the same."""
    draw, scales = Random(attempt), SCALES[attempt % len(SCALES)]
    point = {}
    for of in at:
        over, under = draw.choice((-3, -2, -1, 1, 2, 3)), draw.choice((1, 2, 3, 4))
        point[of] = sp.Rational(over, under) * draw.choice(scales)
    return point


def article(gradient: Callable[..., Any]) -> tuple[list[Claim], Claim | None]:
    """Ask for the nine partial derivatives of the article's network.

    Its loss has a derivative everywhere, since the lines for σ are 1 / (1 + e^-z) in both cases of
    the sign of z, which `slope_of_sigmoid` asks for. The algebra has z1, z2 and z3 in place of b1,
    b2 and b3.

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
    instead: dict[Any, Any] = {}
    for k in "123":
        b, z = at[f"b{k}"], number(getattr(steps, f"z{k}")).xreplace(instead)
        instead[b] = UNITS[f"z{k}"] - (z - b)
    partials = [
        replace(of, factors=_written(by_hand[of.name].xreplace(instead)))
        for of in derivatives(
            loss, [(at[n], by_hand[n]) for n in by_hand], at=[*at.values()], instead=instead
        )
    ]
    swap = {at[a]: at[b] for a, b in zip(Parameters._fields, SWAPPED, strict=True)}
    return partials, exchanged(loss, [swap])


def derivatives(
    value: Any,
    pairs: Iterable[tuple[Any, Any]],
    says: str = "∂L/∂{}",
    name: str = "{}",
    **how: Any,
) -> list[Claim]:
    """Ask of each variable whether the slope of a value beside it is its derivative."""
    return [
        claim(says.format(of), sp.diff(value, of), slope, name=name.format(of), **how)
        for of, slope in pairs
    ]


def _written(by_hand: Any) -> list[Any]:
    """Return factors of what the lines compute, the number first, by the names of activations.

    The list is empty where the formula asks for other signs than those of z1, z2 and z3, or has
    other names.
    """
    asked = {fork.args[0] for fork in by_hand.atoms(Above)}
    if UNITS["z3"] not in asked or asked - {*UNITS.values()}:
        return []
    formula = next(_cases(by_hand, {}, defaultdict(set)))
    # e^(c z) by σ(z): the odds σ / (1 - σ), to the power of c.
    names = [sp.Symbol(name) for name in ("h1", "h2", "ypred")]
    odds: dict[Any, Any] = {z: a / (1 - a) for z, a in zip(UNITS.values(), names, strict=True)}
    powers = {}
    for power in formula.atoms(sp.exp):
        terms = (term.as_coeff_Mul() for term in sp.Add.make_args(power.args[0].expand()))
        powers[power] = prod(odds.get(z, sp.exp(z)) ** c for c, z in terms)
    found: Any = sp.factor_list(formula.xreplace(powers))
    turned = {a - 1: 1 - a for a in names}
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
    return worst(claims, says=says, name="hidden-units") if claims else None


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
    (found,) = derivatives(da * number(a), pairs, f"{name}: dz = da f′(z)", name, at=[z, da])
    return replace(found, kinks=kinks(number(a), z))


def loss(name: str, examples: int, outputs: int) -> list[Claim]:
    """Ask for the backward step of a loss: its derivative by each output of each example."""
    a, y = (named(letter, examples, outputs) for letter in "ay")
    forward, backward = LOSSES[name]
    value, cache = forward(a, y)
    pairs = [*_pairs([a], [backward(1.0, cache)])]
    at = [*a.numbers.flat, *y.numbers.flat]
    claims = derivatives(number(value), pairs, f"{name}: ∂L/∂{{}}", name, at=at)
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
    says = "σ′(z) = σ(z)(1 - σ(z)) = σ(z)σ(-z)"
    return worst(claims, says=says, name="sigmoid-derivative")


def gradient_of_regression(points: int = 3, features: int = 2) -> Claim:
    """Ask for the gradient of least squares."""
    x, y = named("x", points, features), named("y", points)
    at = manual.regression.Coefficients(named("m", features), Symbols(sp.Symbol("c", real=True)))
    value = number(manual.regression.loss(at, x, y))
    claims = derivatives(value, _pairs(at, manual.regression.gradient(at, x, y)))
    says = (
        f"the gradient of the regression is that of its loss ({features} features, {points} points)"
    )
    return worst(claims, says=says, name="regression-gradient")


class Proof(NamedTuple):
    """What was asked for, and what became of it."""

    about: dict[str, Any]  #: the network, and what else was asked for
    of: str  #: whose derivatives
    partials: list[Claim]
    also: list[Claim]
    reason: str = ""  #: why nothing is proved

    @property
    def worst(self) -> Claim:
        """The first that is least certain, with the cases of the one that has most."""
        return worst([*self.partials, *self.also])

    @property
    def kinks(self) -> tuple[str, ...]:
        """The places that are excluded, since there is no derivative."""
        return tuple(f"{claim.name} at {place}" for claim in self.also for place in claim.kinks)


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
        parts.append(worst(each, says=f"{network.loss}: da = ∂L/∂a", name=network.loss))
        also = [*parts, slope_of_sigmoid(), units, gradient_of_regression()]
    of = f"the mean loss of {examples} examples" if examples > 1 else "the loss of one example"
    return Proof(about, of, partials, [lemma for lemma in also if lemma])
