"""The page's own mathematics against Python's: values, derivatives, trainings, numbers as text.

Each test asks the browser once, for all of its cases. What is drawn at random has fixed seeds.
"""

import math
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

import manual.article
import manual.network
import manual.sgd
from compare.experiment import Settings, hand_path
from compare.people import PEOPLE, raw, shifted, targets
from compare.recording.formula import plain
from compare.trace import Trace
from compare.traced.article import trace_article
from manual.activations import SIGMOID_DERIVATIVES
from manual.article import Parameters, ones_parameters
from tests.study.browser import At
from tests.study.pictures import number
from tests.study.trained import Shuffled

pytestmark = pytest.mark.slow

FORMS = tuple(SIGMOID_DERIVATIVES)

#: Relative; what the page is asked to keep.
CLOSE = 1e-12

#: A relative rounding error of float64.
U = 2.0**-53

XS, YS = shifted(raw(PEOPLE)), targets(PEOPLE)

#: How wide the parameters of a random draw are: from nearly linear units to saturated ones.
WIDTHS = (1.0, 3.0, 10.0, 0.1, 30.0)

EVALUATE = """([told, items]) => {
  const { prepared, byHand, byAutodiff, exactly } = modules["mathematics/mathematics.js"];
  const { decimal } = modules["mathematics/numbers.js"];
  const programs = {};
  for (const [form, program] of Object.entries(told.programs)) programs[form] = prepared(program);
  return items.map(([form, given]) => {
    const sides = [byHand, (...all) => byAutodiff(told, ...all), (...all) => exactly(told, ...all)];
    const [hand, autodiff, exact] = sides.map((side) => side(programs[form], given));
    const names = told.quantities.filter(({ step }) => step > 0).map(({ name }) => name);
    const digits = (pair) => pair && decimal(pair);
    const all = (name) => [name, [hand[name], autodiff[name], digits(exact[name])]];
    return Object.fromEntries(names.map(all));
  });
}"""

Shown = dict[str, tuple[float, float, str | None]]


def draws(count: int) -> list[Parameters]:
    rng = np.random.default_rng(20)
    widths = [WIDTHS[at % len(WIDTHS)] for at in range(count)]
    return [Parameters(*rng.normal(scale=width, size=9)) for width in widths]


def given(of: Trace) -> dict[str, float]:
    return {q.name: q.by_hand for q in of.quantities.values() if q.step == 0}


def evaluated(page: Page, told: dict[str, Any], traces: list[tuple[str, Trace]]) -> list[Shown]:
    return page.evaluate(EVALUATE, [told, [[form, given(trace)] for form, trace in traces]])


def is_close(mine: float, theirs: float, relative: float = CLOSE) -> bool:
    return mine == theirs or abs(mine - theirs) <= relative * max(abs(mine), abs(theirs))


@pytest.fixture
def page(at: At) -> Page:
    return at()


ABOUT = {"whose": "somebody", "parameters": "random"}


@pytest.fixture(scope="module")
def traces() -> list[tuple[str, Trace]]:
    """Passes at random parameters, of two people with each form of σ'."""
    return [
        (form, trace_article(params, XS[who], YS[who], form, about=ABOUT))
        for params in draws(5)[1:]
        for form, people in zip(FORMS, ((0, 1), (2, 3)), strict=True)
        for who in people
    ]


#: So many digits of an exact number the page shows.
SHOWN = 20


def is_certain(digits: str | None, exact: str | None, fewest: int = SHOWN) -> bool:
    """Whether digits, if they say anything, are those of the exact number, to one of the last.

    Args:
        digits: the page's.
        exact: Python's; None where there is no one number.
        fewest: so many of them must be known.
    """
    if digits is None or exact is None:
        return digits is None and (exact is None or fewest == 0)
    mine, truth = Decimal(digits), Decimal(exact)
    last = Decimal(1).scaleb(int(mine.as_tuple().exponent))
    known = len(mine.as_tuple().digits)
    return abs(mine - truth) <= last and (known >= fewest or mine == truth)


def lost_digits(trace: Trace) -> float:
    """The relative error that 1 - f may have in f (1 - f), of all units together.

    f is rounded to U, and where it is close to 1 that is all that 1 - f has.
    """
    units = [Decimal(trace.quantities[name].exact or 0) for name in ("h1", "h2", "ypred")]
    return sum(4 * U / max(float(1 - f), U) for f in units)


def test_every_quantity_is_as_in_the_trace(
    page: Page, content: dict[str, Any], traces: list[tuple[str, Trace]]
) -> None:
    """By hand to 1e-12, by autodiff as far as its rule keeps digits, exactly to all that are shown.

    The autodiff of the page and JAX share a rule, not an exponential: where the rule loses digits
    they lose different ones.
    """
    compared = 0
    for (_, trace), shown in zip(traces, evaluated(page, content, traces), strict=True):
        autodiff = CLOSE + lost_digits(trace)
        z3 = abs(trace.quantities["z3"].by_hand)
        for name, (hand, auto, exact) in shown.items():
            quantity = trace.quantities[name]
            assert is_close(hand, quantity.by_hand), (name, hand, quantity)
            assert quantity.autodiff is not None
            assert quantity.exact is not None
            truth = Decimal(quantity.exact)
            size = max(abs(auto), abs(quantity.autodiff), abs(float(truth)))
            assert abs(auto - quantity.autodiff) <= autodiff * size, (name, auto, quantity)
            # Where 1 - ypred, or a number, is too small for 106 bits, fewer are known, or none.
            fewest = 0 if z3 > 30 or abs(truth) < 1e-280 else SHOWN
            assert is_certain(exact, quantity.exact, fewest), (name, exact, quantity)
            compared += 1
    assert compared == sum(len(t.quantities) - len(given(t)) for _, t in traces)


def test_values_and_gradients_are_those_of_the_lines(page: Page, content: dict[str, Any]) -> None:
    """At many more parameters, without a trace: the hand-written functions themselves."""
    rate = 0.1
    cases = [
        (p, x, y, form) for p in draws(25) for x, y in zip(XS, YS, strict=True) for form in FORMS
    ]
    items = []
    for params, x, y, form in cases:
        at = {name: float(value) for name, value in params._asdict().items()}
        items.append([form, at | {"x1": x[0], "x2": x[1], "y": y, "η": rate}])
    evaluations = page.evaluate(EVALUATE, [content, items])
    for (params, x, y, form), shown in zip(cases, evaluations, strict=True):
        steps = manual.article.forward(params, x)
        grads = manual.article.gradient(params, x, y, SIGMOID_DERIVATIVES[form])
        new = manual.sgd.update(params, grads, rate)
        wanted = steps._asdict() | {"L": manual.article.loss(params, x, y)}
        wanted |= {f"dL_d{name}": value for name, value in grads._asdict().items()}
        wanted |= {f"{name}_new": value for name, value in new._asdict().items()}
        for name, value in wanted.items():
            assert is_close(shown[name][0], float(value)), (name, form, params, shown[name], value)


#: Points at which numbers are subnormal: who, and what differs from all weights 1 and biases 0.
SUBNORMAL: tuple[tuple[int, dict[str, float]], ...] = (
    (0, {"b3": -740.0, "w5": 0.0, "w6": 0.0}),
    (0, {"b3": -709.0, "w5": 0.0, "w6": 0.0}),
    (3, {"b3": -708.3, "w5": 0.5, "w6": -0.5}),
    (1, {"b3": -360.0, "w5": 0.0, "w6": 0.0}),
    (1, {"b1": -738.0}),
    (2, {"b2": -735.0, "w5": 1e-10}),
    (1, {"w5": 1e-308, "w6": 1e-310}),
    (1, {"w1": 1e-310, "w2": 1e-311, "b1": 1e-312}),
)


@pytest.mark.parametrize("form", FORMS)
def test_autodiff_takes_subnormal_numbers_for_zero_as_jax_does(
    page: Page, content: dict[str, Any], form: str
) -> None:
    """Where JAX has zero, so has the page; by hand they are subnormal, and stay so."""
    traces = [
        (form, trace_article(ones_parameters()._replace(**at), XS[who], YS[who], form, about=ABOUT))
        for who, at in SUBNORMAL
    ]
    for (_, trace), shown in zip(traces, evaluated(page, content, traces), strict=True):
        flushed = 0
        autodiff = CLOSE + lost_digits(trace)
        for name, (hand, auto, _exact) in shown.items():
            quantity = trace.quantities[name]
            assert quantity.autodiff is not None
            size = max(abs(auto), abs(quantity.autodiff), abs(float(quantity.exact or 0)))
            assert (auto == 0) == (quantity.autodiff == 0), (name, auto, quantity)
            assert abs(auto - quantity.autodiff) <= autodiff * size, (name, auto, quantity)
            flushed += quantity.autodiff == 0 and 0 < abs(hand) < np.finfo(float).tiny
        assert flushed > 0, given(trace)


#: One after the other on one page, which keeps the last two; they differ in one choice each.
TRAININGS = [
    Settings(seed=44),
    Settings(seed=44, sigmoid_derivative="article"),
    Shuffled(seed=44),
    Settings(seed=44, learning_rate=1.0),
    Settings(init="ones"),
    Shuffled(init="ones", seed=0),
]

TRAIN = """(choices) => {
  const { store } = modules["main.js"];
  const { course } = modules["model/course.js"];
  return choices.map((choice) => {
    const { path, means } = course(store.study, { ...store.state, ...choice });
    return [path.map((params) => store.study.parameters.map((name) => params[name])), means];
  });
}"""


def chosen(settings: Settings) -> dict[str, Any]:
    return {
        "seed": None if settings.init == "ones" else settings.seed,
        "order": "shuffled" if isinstance(settings, Shuffled) else "fixed",
        "eta": settings.learning_rate,
        "form": settings.sigmoid_derivative,
    }


def assert_same_way(path: list[list[float]], theirs: np.ndarray) -> None:
    """Every parameter after each update to 1e-12 of its value.

    One that passes through 0 keeps the rounding of the larger numbers that it was before: of those,
    64 roundings.
    """
    mine = np.array(path).T
    assert mine.shape == theirs.shape
    size = np.maximum(np.abs(mine), np.abs(theirs))
    allowed = np.maximum(CLOSE * size, 64 * U * np.maximum.accumulate(size, axis=1))
    assert np.all(np.abs(mine - theirs) <= allowed)


def test_trainings_of_1000_epochs_go_the_same_way(page: Page) -> None:
    """At the ends and of the losses to 1e-12 without exception."""
    walked = page.evaluate(TRAIN, [chosen(settings) for settings in TRAININGS])
    for settings, (path, means) in zip(TRAININGS, walked, strict=True):
        theirs = hand_path(settings)
        assert_same_way(path, theirs)
        np.testing.assert_allclose(path[-1], theirs[:, -1], rtol=CLOSE, atol=0)
        ends = Parameters(*theirs[:, ::4, None])
        losses = np.mean((YS - manual.article.feedforward(ends, XS)) ** 2, axis=1)
        np.testing.assert_allclose(means, losses, rtol=CLOSE, atol=0)


def test_the_seeds_are_numpys(page: Page) -> None:
    """Every draw to 4 roundings: NumPy's logarithm is not the browser's."""
    seeds = [0, 1, 44, 77, 115, 123456789, 2**31, 2**32 - 1]
    drawn = page.evaluate(
        """(seeds) => seeds.map((seed) => {
          const random = new modules["mathematics/random.js"].RandomState(seed);
          return Array.from({ length: 1500 }, () => random.normal());
        })""",
        seeds,
    )
    for seed, mine in zip(seeds, drawn, strict=True):
        theirs = np.random.RandomState(seed).normal(size=1500)
        np.testing.assert_allclose(mine, theirs, rtol=4 * U, atol=0)


def test_the_shuffled_order_is_numpys(page: Page) -> None:
    cases = [
        (count, epochs, seed)
        for seed in (0, 1, 44, 2**32 - 1)
        for count, epochs in ((1, 3), (2, 40), (4, 1000), (7, 50), (129, 3))
    ]
    drawn = page.evaluate(
        "(cases) => cases.map((of) => modules['mathematics/order.js'].sampleOrder(...of))", cases
    )
    for (count, epochs, seed), order in zip(cases, drawn, strict=True):
        assert order == manual.sgd.sample_order(count, epochs, seed).ravel().tolist(), (count, seed)
    fixed = page.evaluate("modules['mathematics/order.js'].sampleOrder(4, 3, null)")
    assert fixed == manual.sgd.sample_order(4, 3).ravel().tolist()


def numbers() -> list[float]:
    """Of every size and sign: short ones, long ones, whole ones, subnormal ones, the extremes."""
    rng = np.random.default_rng(8)
    long = rng.normal(size=600) * 10.0 ** rng.integers(-320, 307, 600)
    near = rng.normal(size=300) * 10.0 ** rng.integers(-8, 18, 300)
    few = [
        float(f"{value:.3g}") for value in rng.normal(size=300) * 10.0 ** rng.integers(-9, 9, 300)
    ]
    tiny = rng.integers(1, 2**40, 60) * 5e-324
    ends = (
        *(5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 1.0, 0.5, 0.1, 1e-5, 1e-6, 1e-7),
        *(1e16, 1e17, 1e22, 2.0**70, 123456.5, 999999.5, 9.999995),
    )
    found = [*long, *near, *few, *tiny, *ends]
    return [float(value) for value in found] + [-float(value) for value in found]


def test_numbers_are_written_as_python_writes_them(page: Page) -> None:
    values = [*numbers(), 0.0, -0.0]
    shown = page.evaluate(
        """(values) => {
          const { plain, general } = modules["mathematics/numbers.js"];
          return values.map((x) => [plain(x), general(x, 4)]);
        }""",
        values,
    )
    for value, (plainly, shortly) in zip(values, shown, strict=True):
        assert plainly == plain(value), value
        assert shortly == f"{value + 0.0:.4g}", value


def significant(exact: Decimal, digits: int, rounding: str) -> Decimal:
    with localcontext(prec=digits, rounding=rounding):
        return +exact


def test_a_pair_in_decimal_digits(page: Page) -> None:
    """The sum of two float64 to 25 digits, exactly rounded; the second is at most half an ulp."""
    rng = np.random.default_rng(9)
    highs = numbers()
    pairs = [
        [high, float(math.ulp(high) * part)]
        for high, part in zip(highs, rng.uniform(-0.5, 0.5, len(highs)), strict=True)
    ]
    shown = page.evaluate(
        "(pairs) => pairs.map((pair) => modules['mathematics/numbers.js'].decimal(pair))", pairs
    )
    for (high, low), text in zip(pairs, shown, strict=True):
        with localcontext(prec=2000):
            exact = Decimal(high) + Decimal(low)
        assert Decimal(text) == significant(exact, 25, ROUND_HALF_UP), (high, low, text)
    odd = page.evaluate(
        """[[0, 0], [NaN, 0], [Infinity, 0]].map((pair) =>
          modules['mathematics/numbers.js'].decimal(pair))"""
    )
    assert odd == ["0", None, None]


def test_digits_are_cut_by_rounding(page: Page) -> None:
    texts = [str(Decimal(value)) for value in numbers()[:1300]]
    texts += ["9.9999", "-0.00099999", "99.5e10", "0", "12"]
    shown = page.evaluate(
        """(texts) => texts.map((text) => [4, 20].map((n) =>
          modules['mathematics/numbers.js'].cut(text, n)))""",
        texts,
    )
    for text, cuts in zip(texts, shown, strict=True):
        for count, mine in zip((4, 20), cuts, strict=True):
            assert Decimal(mine) == significant(Decimal(text), count, ROUND_HALF_UP), (text, count)
            assert len(Decimal(mine).as_tuple().digits) <= max(count, 17) or "e" not in mine
    assert page.evaluate("modules['mathematics/numbers.js'].cut(null, 4)") is None


def test_lost_digits_are_those_that_differ(page: Page) -> None:
    """Together they are the float64; without the lost ones it is right to one in the last place."""
    rng = np.random.default_rng(10)
    asked, truths = [], []
    for value in numbers():
        with localcontext(prec=40):
            truth = Decimal(value) * (
                1 + Decimal(float(rng.normal() * 10.0 ** -rng.integers(1, 15)))
            )
            ulps = abs(Decimal(value) - truth) / Decimal(math.ulp(float(truth)))
        truths.append(truth)
        asked.append([value, f"{truth:.25g}", float(ulps)])
    shown = page.evaluate(
        "(asked) => asked.map((of) => modules['mathematics/numbers.js'].against(...of))", asked
    )
    lost = 0
    for (value, *_), truth, parts in zip(asked, truths, shown, strict=True):
        assert float(number(parts["right"] + parts["lost"] + parts["rest"])) == value
        if not parts["lost"] or abs(value) < 1e-300:
            continue
        lost += 1
        zeros = "".join("0" if of.isdigit() else of for of in parts["lost"])
        right = number(parts["right"] + zeros + parts["rest"])
        count = sum(map(str.isdigit, parts["right"].lstrip("−0.")))
        unit = Decimal(1).scaleb(truth.adjusted() - count + 1)
        assert abs(right - truth) <= 2 * unit, (value, truth, parts)
        assert abs(Decimal(value) - truth) >= unit / 100, (value, truth, parts)
    assert lost > len(asked) / 2
    within = """(values) => values.map((x) =>
      modules['mathematics/numbers.js'].against(x, String(x), 0.5))"""
    for value, parts in zip(numbers(), page.evaluate(within, numbers()), strict=True):
        assert float(number(parts["right"] + parts["rest"])) == value
        assert not parts["lost"]
