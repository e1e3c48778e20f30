"""The numbers that lessons and places show, against Python's."""

import math
import re
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

import autodiff.article
import manual.network
from compare.people import NEWCOMERS, PEOPLE, Person, from_metric, raw, shifted, targets
from compare.traced.article import trace_article
from manual.article import (
    Parameters,
    draw_parameters,
    feedforward,
    gradient,
    loss,
    mean_loss,
    ones_parameters,
)
from manual.sgd import update
from study.content import LESSONS
from tests.study.browser import Opened, changed, drawn

#: The lines of the table, and their slopes back, in one arithmetic.
_COMPUTED = """([start, person, arithmetic]) => {
  const { study, run, slopes } = page;
  const given = { η: study.eta, ...study.starts[start], ...study.sample[person].given };
  const results = run(study.program, given, page[arithmetic]);
  const texts = (named) =>
    Object.fromEntries(Object.entries(named).map(([name, value]) => [name, String(value)]));
  const lines = Object.entries(study.program.at).map(([name, at]) => [name, results[at]]);
  const back = slopes(study.program, results, "L", page[arithmetic]);
  return [Object.fromEntries(lines), back].map(texts);
}"""

#: All that an element says, word for word.
_TEXTS = """(place) => {
  const texts = [];
  const walk = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) texts.push(walk.currentNode.textContent);
  return texts.join(" ");
}"""

#: A number as the page writes it.
_NUMBER = r"[+−]?\d+(?:\.\d+)?(?:·10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?"

_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


def number(text: str) -> Decimal:
    """A number as the page writes it, −1.5·10⁻¹³."""
    mantissa, _, power = text.partition("·10")
    return Decimal(mantissa.replace("−", "-").lstrip("+")).scaleb(
        int(power.translate(_RAISED) or 0)
    )


pytestmark = pytest.mark.slow


def test_the_table_gives_pythons_numbers(opened: Opened) -> None:
    """In floats those by hand, and in decimals the exact ones; by its own way back, too."""
    page = opened("")
    starts = {"ones": ones_parameters(), "random": draw_parameters(44), "lessons": LESSONS}
    for (start, params), person in product(starts.items(), PEOPLE):
        agrees(page, start, params, person)


def agrees(page: Page, start: str, params: Any, person: Person) -> None:
    """Hold the page's numbers for a person against the trace of the same pass."""
    x, y = shifted(raw((person,))), targets((person,))
    quantities = trace_article(params, x[0], float(y[0])).quantities
    floats, back = page.evaluate(_COMPUTED, [start, person.name.lower(), "FLOATS"])
    decimals, exact_back = page.evaluate(_COMPUTED, [start, person.name.lower(), "DECIMALS"])
    # exp of another library differs in its last digit, and what is built on it in a few.
    near = partial(pytest.approx, rel=1e-14, abs=0)
    for name, quantity in quantities.items():
        if quantity.step == 0:
            continue
        assert float(floats[name]) == near(quantity.by_hand), name
        if quantity.exact is not None:
            exact = Decimal(quantity.exact)
            # What the trace certifies are 17 digits and more.
            assert abs(Decimal(decimals[name]) - exact) <= abs(exact) * Decimal("1e-30"), name
    for name in params._fields:
        exact = Decimal(quantities[f"dL_d{name}"].exact or "nan")
        assert abs(Decimal(exact_back[name]) - exact) <= abs(exact) * Decimal("1e-30")
        assert float(back[name]) == near(float(exact))


XS, YS = shifted(raw(PEOPLE)), targets(PEOPLE)
ALICE, BOB = ((XS[k], float(YS[k])) for k in (0, 1))


def _mean_slopes() -> list[str]:
    params = LESSONS._replace(w1=0.1)
    slopes = [gradient(params, x, y).w1 for x, y in zip(XS, YS, strict=True)]
    return [f"{mean_loss(params, XS, YS):.3f}", f"{np.mean(slopes):+.3f}"]


def _chain() -> list[str]:
    of = trace_article(LESSONS, *ALICE).quantities
    back = of["dL_dypred"].by_hand
    links = ("dypred_dz3", "dypred_dh1")
    moved = loss(LESSONS._replace(w1=0.1), *ALICE) - loss(LESSONS, *ALICE)
    slopes = [back, *(back * of[name].by_hand for name in links), of["dL_dw1"].by_hand]
    return [*(f"{slope:.3f}" for slope in slopes), f"{moved:+.3f}"]


def _paths() -> list[str]:
    shared = LESSONS._replace(w1=0.05, w3=0.05)
    slopes = gradient(shared, *ALICE)
    moved = loss(shared._replace(w1=0.15, w3=0.15), *ALICE) - loss(shared, *ALICE)
    return [f"{slopes.w1:.3f}", f"{slopes.w3:.3f}", f"{slopes.w1 + slopes.w3:.3f}", f"{moved:+.3f}"]


def _nine() -> list[str]:
    return [f"{slope:.3f}" for slope in gradient(LESSONS, *ALICE)]


def _trained() -> list[str]:
    """And what a network without σ at its end says of Bob after six steps at η = 1/2."""
    open_ = manual.network.Network((2, 2, 1))
    params = [manual.network.Layer(np.ones((2, n)), np.zeros(n)) for n in (2, 1)]
    for _ in range(6):
        slopes = manual.network.gradient(open_, params, XS[1:2], YS[1:2, None])
        params = [
            manual.network.Layer(of.w - by.w / 2, of.b - by.b / 2)
            for of, by in zip(params, slopes, strict=True)
        ]
    bob = manual.network.predict(open_, params, XS[1:2]).item()
    ends = [walked(draw_parameters(44), 0.1, rounds, YS) for rounds in (0, 60)]
    return [*(f"{mean_loss(params, XS, YS):.3f}" for params in ends), f"{bob:.0f}"]


def _saturated() -> list[str]:
    of = trace_article(ones_parameters(), *BOB).quantities
    h1 = of["h1"].by_hand
    exact = [(of["dL_dw1"].exact, 3), (of["dh1_dz1"].exact, 5), (h1 * (1 - h1), 5)]
    return [str(Decimal(f"{float(value or 0):.{digits}g}")) for value, digits in exact]


def _twins() -> list[str]:
    """From both starts, where Alice is the one to be told from the others."""
    ys = np.array([0.0, 1.0, 1.0, 1.0])
    starts = (ones_parameters(), draw_parameters(44))
    return [f"{mean_loss(walked(of, 0.3, 1000, ys), XS, ys):.3f}" for of in starts]


def walked(params: Parameters, rate: float, rounds: int, ys: np.ndarray) -> Parameters:
    """The parameters after so many rounds of one update for each person, by hand."""
    for x, y in zip(np.tile(XS, (rounds, 1)), np.tile(ys, rounds), strict=True):
        params = update(params, gradient(params, x, y), rate)
    return params


def _tape() -> list[str]:
    """What the lines compute, and JAX's slope by a weight in two places; then one path of two."""
    shared = LESSONS._replace(w1=0.05, w3=0.05)
    of = trace_article(shared, *ALICE).quantities
    computed = [of[name].by_hand for name in ("z1", "h1", "z2", "h2", "z3", "ypred", "L")]
    slopes = autodiff.article.gradient(shared, *ALICE)
    return [f"{value:.3f}" for value in (*computed, slopes.w1 + slopes.w3, slopes.w1)]


def _agreeing() -> list[str]:
    """The slope of what is squared, that of the loss, and what a nudge gives."""
    nudged = LESSONS._replace(w1=LESSONS.w1 + 1e-4)
    right, wrong = [], []
    for x, y in zip(XS, YS, strict=True):
        of = trace_article(LESSONS, x, float(y)).quantities
        right.append(gradient(LESSONS, x, y).w1)
        wrong.append(-of["dypred_dh1"].by_hand * of["dh1_dw1"].by_hand)
    moved = (mean_loss(nudged, XS, YS) - mean_loss(LESSONS, XS, YS)) / 1e-4
    return [f"{np.mean(wrong):+.10f}", f"{np.mean(right):+.10f}", f"{moved:+.3f}"]


def _deep() -> list[str]:
    """What arrives at the first of twenty layers, in the page's own draw, by σ and by ReLU."""
    depth, units, state = 20, 32, 1

    def draw(*shape: int) -> np.ndarray:
        nonlocal state
        drawn = []
        for _ in range(math.prod(shape)):
            state = 48271 * state % 2147483647
            drawn.append(2 * state / 2147483647 - 1)
        return np.reshape(drawn, shape)

    x, y = draw(1, units), (draw(1, units) + 1) / 2
    scaled = [1.4 * math.sqrt(3 / units) * draw(units, units) for _ in range(depth)]
    params = [manual.network.Layer(w, np.zeros(units)) for w in scaled]
    arrived = []
    for name in ("sigmoid", "relu"):
        network = manual.network.Network((units,) * (depth + 1), name, name, "mse")
        backs = [np.sqrt(np.mean(of.b**2)) for of in manual.network.gradient(network, params, x, y)]
        arrived.append(backs[0] / backs[-1])
    return [f"{of:.3g}" for of in arrived]


def _nine_in_all_digits() -> list[str]:
    """What is on the edges; and all digits of ∂L/∂w1, certified and computed."""
    given = [ones_parameters(), ones_parameters()._replace(w1=0.3)]
    ones, other = (trace_article(params, *ALICE).quantities for params in given)
    w1 = ones["dL_dw1"]
    exact = [f"{Decimal(of['dL_dw1'].exact or 'nan'):.20g}" for of in (ones, other)]
    nine = [f"{of.by_hand:.3g}" for of in ones.values() if of.kind == "gradient"]
    return [*nine, repr(w1.by_hand), repr(w1.autodiff), f"{w1.ulps_autodiff:.2g}", *exact]


#: Addresses, and what Python computes of what is shown there.
SHOWN: dict[Callable[[], list[str]], list[str]] = {
    _mean_slopes: ["lesson=slope&slope=up&w1=0.1"],
    _chain: ["lesson=chain&chain=more&w1=0.1&sent=1", "lesson=chain&chain=more&w1=0.1"],
    _paths: ["lesson=paths&paths=sum&t=0.15&sent=1"],
    _nine: ["lesson=backwards&backwards=one&sent=1"],
    _trained: [
        "lesson=descent&descent=stuck&power=-1",
        f"lesson=descent&descent=stuck&without=1&power={math.log10(0.5)}",
    ],
    _saturated: ["lesson=saturation&saturation=nothing&w1=1"],
    _twins: [f"lesson=symmetry&symmetry=same&round=1000&random={of}" for of in (0, 1)],
    _tape: [f"lesson=autodiff&autodiff=rows&row=34&forget={of}" for of in (0, 1)],
    _agreeing: [f"lesson=agreement&agreement=open&mended={of}" for of in (0, 2)],
    _deep: [f"lesson=depth&depth=power&scale=1.4&sent={of}" for of in (1, 2)],
    _nine_in_all_digits: [f"place=network&sent=1&open=w1{of}" for of in ("", "&value=0.3")],
}


@pytest.mark.parametrize("numbers", SHOWN)
def test_what_it_shows_is_what_python_computes(
    opened: Opened, numbers: Callable[[], list[str]]
) -> None:
    texts = [opened(fragment).locator("main").evaluate(_TEXTS) for fragment in SHOWN[numbers]]
    found = {number(text) for text in re.findall(_NUMBER, " ".join(texts))}
    assert {Decimal(text) for text in numbers()} <= found


def test_the_network_plays_there_and_back(opened: Opened) -> None:
    """Numbers appear in their order, to L, and back from it into all nine; or at once."""
    for still in (False, True):
        page = opened("place=network", still=still)
        page.clock.install(time=0)
        page.clock.pause_at(3_600_000)
        page.get_by_role("button", name="Play").click()
        known = []
        for ms in (400, 1200, 1200, 3000, 10_000):
            page.clock.run_for(ms)
            known.append([page.locator(of).count() for of in (".unit .forward", ".chip .back")])
        # Inputs, hidden units, ypred, L; then b3, w5 and w6, then b1 and b2, and the others.
        order = [[2, 0], [4, 0], [6, 0], [6, 3], [6, 9]]
        assert known == (order if not still else [[6, 9]] * 5)
        page.close()


def test_each_part_of_the_network_opens_its_equation(opened: Opened) -> None:
    """By the keyboard, which does not go elsewhere; a slope that is pressed lights its link."""
    page = opened("place=network&person=bob&start=random")
    xs, y = XS[1], float(YS[1])
    quantities = trace_article(draw_parameters(44), xs, y).quantities
    for name in (*ones_parameters()._fields, "h1", "h2", "ypred", "L"):
        target = page.get_by_role("button", name=re.compile(f"^{name} is "))
        target.focus()
        page.keyboard.press("Enter")
        page.keyboard.press("ArrowRight")
        expect(target).to_be_focused()
        expect(target).to_have_attribute("aria-pressed", "true")
        quantity = quantities[f"dL_d{name}" if name[0] in "wb" else name]
        expect(page.get_by_text(quantity.reason or "", exact=True)).to_be_visible()
        shown = page.locator(".equation b").all_inner_texts()
        assert float(number(shown[-1])) == pytest.approx(quantity.by_hand, rel=1e-4)
    page.get_by_role("button", name=re.compile("^w1 is ")).press("Enter")
    assert page.locator(".arrow.now").count() == 3
    page.get_by_role("button", name="∂ypred/∂h1").press("Enter")
    assert page.locator(".arrow.now").count() == 1


#: A training in the place for it: what the address says, its start, its rate, and its rounds.
TRAININGS = {
    "round=1000": (draw_parameters(44), 0.1, 1000),
    "start=2&power=-0.5&round=63": (draw_parameters(1), 10**-0.5, 63),
    "start=7&power=2&round=3&shows=surface": (ones_parameters(), 100.0, 3),
}


@pytest.mark.parametrize("fragment", TRAININGS)
def test_a_training_is_pythons(opened: Opened, fragment: str) -> None:
    """The nine numbers, each person's answer and loss, and the mean loss."""
    start, rate, rounds = TRAININGS[fragment]
    params = walked(start, rate, rounds, YS)
    answers = [feedforward(params, x) for x in XS]
    losses = (YS - np.array(answers)) ** 2
    page = opened(f"place=train&{fragment}")
    rows = page.locator("details p").evaluate_all("rows => rows.map((row) => row.textContent)")
    numbers = [number(of) for of in re.findall(rf"w\d|b\d|{_NUMBER}", rows[0])[1::2]]
    assert [float(of) for of in numbers] == pytest.approx(list(params), rel=1e-7)
    told = re.findall(rf"\w+: ({_NUMBER}), should be \d: (\w+); loss ({_NUMBER})\.", rows[1])
    assert [float(number(of)) for of, _, _ in told] == pytest.approx(answers, rel=1e-7, abs=0)
    assert [float(number(of)) for _, _, of in told] == pytest.approx(losses, rel=1e-3, abs=0)
    right = np.round(answers) == YS
    assert [of == "right" for _, of, _ in told] == right.tolist()
    said = re.search(rf"L is ({_NUMBER}), (\d) of 4", page.locator(".words").inner_text())
    assert said is not None
    assert float(number(said[1])) == pytest.approx(losses.mean(), rel=5e-3)
    assert int(said[2]) == right.sum()


#: Of the surface, each with its line.
LEVELS = (0.003, 0.01, 0.03, 0.06, 0.1, 0.2, 0.3, 0.4, 0.55, 0.7, 0.9)


@pytest.mark.parametrize("pair", ["w6 b3", "w1 w2"])
def test_a_level_of_the_surface_is_where_python_has_that_loss(opened: Opened, pair: str) -> None:
    """And the way on it is that of the training."""
    page = opened(f"place=train&shows=surface&round=63&over={pair}")
    levels, way = page.locator(".surface svg").evaluate("""(svg) => {
      const [x, y] = ["x", "y"].map((axis) => svg.scale(axis));
      // Along the edges a level is closed, out of sight.
      const isSeen = ([low, high], at) => low < at && at < high;
      const read = (path, parts) => Array.from({ length: parts + 1 }, (_, k) => {
        const at = path.getPointAtLength((k / parts) * path.getTotalLength());
        return [x.invert(at.x), y.invert(at.y)];
      }).filter(([u, v]) => isSeen(x.domain, u) && isSeen(y.domain, v));
      const levels = [...svg.querySelectorAll(".level path[d]")].map((path) => read(path, 40));
      return [levels.filter((of) => of.length), read(svg.querySelector(".way path"), 1)];
    }""")
    params = walked(draw_parameters(44), 0.1, 63, YS)
    names = pair.split()
    drawn_at = []
    for points in levels:
        there = [params._replace(**dict(zip(names, at, strict=True))) for at in points]
        found = [mean_loss(of, XS, YS) for of in there]
        drawn_at.append(min(LEVELS, key=lambda level: abs(level - found[0])))
        assert found == pytest.approx([drawn_at[-1]] * len(found), rel=0.05, abs=0.001)
    assert drawn_at == sorted(set(drawn_at))
    assert len(levels) >= 2
    ends = [walked(draw_parameters(44), 0.1, rounds, YS) for rounds in (0, 1000)]
    for at, end in zip(way, ends, strict=True):
        assert at == pytest.approx([getattr(end, name) for name in names], abs=0.01)


def test_a_persons_loss_rises_while_the_mean_falls(opened: Opened) -> None:
    """As the place says; and its button trains, by the page's own clock, until one goes away."""

    def losses(rounds: int) -> list[float]:
        page = opened(f"place=train&round={rounds}")
        told = re.findall(rf"loss ({_NUMBER})\.", page.locator("details").text_content() or "")
        return [float(number(of)) for of in told]

    before, after = losses(0), losses(6)
    assert after[1] > before[1]  # Bob's
    assert sum(after) < sum(before)
    page = opened("place=train", still=False)
    page.clock.install(time=0)
    page.clock.pause_at(3_600_000)
    pictures = [drawn(page)]
    page.get_by_role("button", name="Train").click()
    for ms in (800, 800, 10_000):
        page.clock.run_for(ms)
        pictures.append(drawn(page))
    assert all(changed(*of) > 300 for of in pairwise(pictures))
    expect(page.get_by_text("After 1000 rounds")).to_contain_text("4 of 4 are right")
    page.get_by_role("button", name="Train").click()
    page.clock.run_for(800)
    page.evaluate("location.hash = 'lesson=slope'")
    page.clock.run_for(10_000)
    assert set(page.evaluate("page.store.state")) == {"view", "guesses", "w1"}
    assert page.evaluate("location.hash") == "#lesson=slope"
    page.close()


def said_of(weight: float, height: float) -> str:
    """What the trained network says of somebody, by Python."""
    params = walked(draw_parameters(44), 0.1, 1000, YS)
    chance = feedforward(params, shifted(raw((Person("you", weight, height, None),)))[0])
    return f"{100 * max(chance, 1 - chance):.0f} % {'woman' if chance >= 0.5 else 'man'}."


def test_it_says_of_a_reader_what_python_says(opened: Opened) -> None:
    """In both units, of the article's two newcomers, and with a warning where nobody was."""
    page = opened("place=train&round=1000")
    status = page.get_by_role("status")
    weight, height = page.get_by_role("textbox").all()
    for person in NEWCOMERS:
        before = drawn(page)
        page.get_by_role("button", name=person.name).click()
        expect(status).to_contain_text(said_of(person.weight, person.height))
        expect(page.get_by_role("img", name=f"{person.name}: ")).to_be_visible()
        assert changed(before, drawn(page)) > 100
    assert "heavier" not in status.inner_text()
    page.get_by_role("button", name="use kg").click()
    assert [of.input_value() for of in (weight, height)] == ["70.3068", "172.72"]
    expect(status).to_contain_text(said_of(155, 68))
    weight.fill("61,5")
    height.fill("190")
    expect(status).to_contain_text(said_of(*from_metric(61.5, 190)))
    expect(status).to_contain_text("taller than all four")
    weight.fill("453.5")
    page.get_by_role("button", name="use lb").click()
    assert weight.input_value() == "999.796"
    expect(status).to_contain_text("heavier")
    opened_untrained = opened("place=train&weight=61&height=170").get_by_role("status")
    expect(opened_untrained).to_contain_text("not been trained")


@pytest.mark.parametrize("typed", ["heavy", "1e999", "-3", "0", "<img src=x>", "12345678901234567"])
def test_what_is_no_weight_is_said_in_one_line(opened: Opened, typed: str) -> None:
    page = opened("place=train&round=7.5&start=1.5&power=NaN&over=w6&height=170")
    before = drawn(page)
    weight = page.get_by_role("textbox", name="weight")
    wanted = "should be a number above 0, at most 453 kg."
    for text, said in ((typed, f"The weight, “{typed}”, {wanted}"), ("", "")):
        weight.fill(text)
        expect(page.get_by_role("status")).to_have_text(said)
        assert (weight.get_attribute("aria-invalid") == "true") is bool(said)
        assert changed(before, drawn(page)) == 0
