"""The quiz: what it asks for is out of sight, its answers are Python's, and it says why."""

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from compare.trace import Trace
from compare.traced.request import PassRequest
from manual.article import Parameters
from models.planted import MISTAKES, gradient_in
from study.mistakes import mistakes
from tests.study.browser import PHONE, At, Pages, choose, settle, state
from tests.study.pictures import number

pytestmark = pytest.mark.slow

VIEW = "quiz"

#: Of one derivative everything is shown, wherever the page can show it.
EVERYWHERE = "quiz=1&level=value&person=diana&seed=7&parameter=w4&show=gradients&digits=1"

#: Right and wrong lines of the mistakes.
EDITS = {of["slug"]: of["edits"] for of in mistakes()["list"]}

#: The mistake that the question of the wrong line has.
WRONG = """() => {
  const { study, state, point } = modules["main.js"].store;
  return modules["model/question.js"].wrongLine(study, state, point).mistake;
}"""


@pytest.fixture(scope="module")
def diana() -> Trace:
    return PassRequest(person="diana", seed=7).trace()


def exact(trace: Trace, name: str) -> float:
    return float(trace.quantities[name].exact or "nan")


def quiz(page: Page) -> Locator:
    return page.locator("#quiz")


def press(page: Page, name: str) -> None:
    quiz(page).get_by_role("button", name=name).click()
    settle(page)


def live(page: Page) -> str:
    return page.locator("#live").inner_text()


def step_of(trace: Trace, name: str) -> int:
    return trace.quantities[name].step


def sign_of(value: float) -> str:
    return "positive" if value > 0 else "negative" if value < 0 else "zero"


#: All that can be read: text that is seen, and what screen readers are told.
READ = """() => [
  ...[...document.querySelectorAll("[aria-label]")]
    .filter((of) => of.checkVisibility()).map((of) => of.getAttribute("aria-label")),
  document.body.innerText,
  document.querySelector("svg.network").textContent,
].join("\\n")"""


def forms(value: float) -> list[str]:
    """How the page may write a number, from three digits up, without its sign."""
    return [written(f"{abs(value):.{digits}g}") for digits in (3, 4, 6)]


def written(text: str) -> str:
    mantissa, e, power = text.partition("e")
    raised = str(int(power or 0)).translate(str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"))
    return f"{mantissa}·10{raised}" if e else mantissa


#: Numbers as texts and formulas have them: 0.5, 1.6·10⁻¹³, 1.6×10−13.
NUMBERS = re.compile(r"(\d+(?:\.\d+)?)(?:·10([⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)|×10(−?\d+))?")
RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻−", "0123456789--")


def numbers(text: str) -> set[float]:
    """All of a text, without their signs."""
    found = NUMBERS.findall(re.sub(r"\s*×\s*", "×", text))
    return {
        float(f"{mantissa}e{(raised or power or '0').translate(RAISED)}")
        for mantissa, raised, power in found
    }


def close(shown: float, answer: float) -> bool:
    """Whether who copies it would be right, but for the sign: as close as the quiz accepts."""
    size = abs(answer)
    return abs(shown - size) <= size / 100 or shown == float(f"{size:.2g}")


#: What can be read of a pass, whichever view is shown. Losses of a training may be near any number.
READ_OF_THE_PASS = """() => {
  const { store } = modules["main.js"];
  const read = (id) => {
    const of = document.getElementById(id);
    if (!of.checkVisibility()) return [];
    return [
      of.innerText,
      ...[...of.querySelectorAll("[aria-label]")]
        .filter((node) => node.checkVisibility()).map((node) => node.getAttribute("aria-label")),
      ...[...of.querySelectorAll("svg.network")].map((node) => node.textContent),
    ];
  };
  const views = ["pass", "equation", "nudge", "surface", "autodiff", "break", "quiz"];
  return views.flatMap((view) => {
    store.set({ view });
    return ["stage", "live", ...(view === "pass" ? [] : [view])].flatMap(read);
  }).join("\\n");
}"""

#: What is asked at an address: its number, and what else the page gives, inputs say.
ASKED = """() => {
  const { study, state, point } = modules["main.js"].store;
  const { missingFactor, trueValue } = modules["model/question.js"];
  const gradient = study.gradients[state.parameter];
  const asked = state.level === "factor" ? missingFactor(study, state) : gradient;
  return [trueValue(study, point, asked), Object.values(point.given)];
}"""

#: States at which other numbers equal the answer: twins of equal weights, a factor of 1 or −1,
#: Bob's, which are small, and a mistake that shows the right number in a wrong place.
LEAKY = (
    "seed=ones&parameter=w1",
    "seed=ones&parameter=w6&person=charlie",
    "seed=ones&parameter=b2&person=bob",
    "seed=44&parameter=w2",
    "seed=44&parameter=b1&mistake=bias-takes-input",
    "seed=7&parameter=w4&person=diana&edits=b3:1",
)


@pytest.mark.parametrize(("where", "level"), [*product(LEAKY, ("sign", "value", "factor"))])
def test_no_number_of_the_page_is_the_answer(at: At, where: str, level: str) -> None:
    """At no step: not on the network, nor in any view; it would be there without the quiz."""

    def leaks(quiz: str) -> Iterator[float]:
        page = at(f"quiz={quiz}&level={level}&show=gradients&digits=1&{where}")
        answer, known = page.evaluate(ASKED)
        for step in range(19, 7, -1):
            choose(page, step=step)
            given = {
                float(f"{abs(of):.{digits}g}") for of in known for digits in (2, 3, 4, 5, 6, 17)
            }
            found = numbers(page.evaluate(READ_OF_THE_PASS)) - given
            yield from (of for of in found if close(of, answer))

    assert list(leaks("1")) == []
    assert next(leaks("0"), None) is not None


def test_the_missing_factor_is_in_no_formula(at: At) -> None:
    """It is left out of the product in the question, and the product is nowhere else."""
    page = at("quiz=1&level=factor&parameter=w1&seed=44&step=18")
    whole = page.locator('#now [data-quantity="dL_dw1"] .equation')
    expect(whole.locator("math:visible")).to_have_count(1)
    expect(page.locator("#equation .factors")).to_be_hidden()
    expect(page.locator("#now .reason")).to_be_hidden()
    press(page, "∂h1/∂w1")
    expect(whole.locator("math:visible")).to_have_count(3)
    choose(page, view="equation")
    expect(page.locator("#equation .factors")).to_be_visible()


def test_the_wrong_line_is_told_nowhere(at: At) -> None:
    page = at("quiz=1&level=line&parameter=w1&seed=44&step=18")
    slug = page.evaluate(WRONG)["slug"]
    _, wrong = EDITS[slug][0]
    text = page.evaluate(READ)
    assert text.count(wrong) == 1
    assert MISTAKES[slug].says not in text
    expect(page.locator("#break .cards")).to_be_hidden()
    quiz(page).locator(".options button").filter(has_text=wrong).click()
    settle(page)
    choose(page, view="break")
    expect(page.locator("#break .cards")).to_be_visible()


def test_what_is_hidden_comes_back(at: At, diana: Trace) -> None:
    """And another derivative stays all the time."""
    new = f"{diana.quantities['w4_new'].by_hand:.14f}"
    # As the network has it, as the formula of its update, and that one's value.
    value = exact(diana, "dL_dw4")
    hidden = [forms(value)[0], f"{abs(value):.5e}".partition("e")[0], new]
    page = at(EVERYWHERE)
    assert [of for of in hidden if of in page.evaluate(READ)] == []
    assert "hidden while the quiz asks" in page.evaluate(
        "() => getComputedStyle(document.getElementById('nudge'), '::after').content"
    )
    choose(page, view="equation")
    expect(page.locator("#equation .says")).to_have_text("The quiz asks for it.")
    choose(page, step=step_of(diana, "dL_dw3"))
    assert forms(exact(diana, "dL_dw3"))[1] in live(page)
    assert forms(value)[1] not in live(page)
    assert forms(exact(diana, "dL_dw3"))[0] in page.evaluate(READ)
    choose(page, view="quiz")
    press(page, "show it")
    choose(page, step=step_of(diana, "w4_new"))
    after = page.evaluate(READ)
    assert [of for of in hidden if of not in after] == []
    assert not page.locator("body[data-asking=true]").count()


@pytest.mark.parametrize("parameter", ["w1", "w6", "b2"])
def test_the_sign_is_python_s_and_its_reason_holds(at: At, diana: Trace, parameter: str) -> None:
    value = exact(diana, f"dL_d{parameter}")
    page = at(f"quiz=1&person=diana&seed=7&parameter={parameter}")
    press(page, sign_of(value))
    expect(quiz(page)).to_contain_text(f"✓ Right: ∂L/∂{parameter} is {sign_of(value)}.")
    assert live(page).startswith("✓ Right")
    signs = {"+": 1, "−": -1}
    lines = quiz(page).locator(".reasons li").all_inner_texts()
    for line in lines:
        product = re.search(r": ([+− ·]+) gives ([+−])$", line)
        if product:
            total = 1
            for sign in product.group(1).split(" · "):
                total *= signs[sign]
            assert total == signs[product.group(2)], line
    assert lines[0].endswith("gives +" if value > 0 else "gives −")
    factors = diana.quantities[f"dL_d{parameter}"].factors
    assert len(re.findall("∂L/∂ypred", lines[0])) == 1
    assert lines[0].count(" · ") == 2 * (len(factors) - 1)


def test_a_wrong_sign_is_told_right(pages: Pages, study_page: Path, diana: Trace) -> None:
    value = exact(diana, "dL_dw4")
    page = pages.open(study_page, EVERYWHERE.replace("value", "sign"))
    press(page, "zero")
    assert live(page).startswith(f"✗ No: ∂L/∂w4 is {sign_of(value)}.")
    expect(quiz(page)).to_contain_text("signs 0 of 1")
    quiz(page).get_by_role("button", name=sign_of(value)).press("Enter")  # the first one counts
    expect(quiz(page)).to_contain_text("signs 0 of 1")
    marks = (
        quiz(page)
        .locator(".options button")
        .evaluate_all(
            "all => Object.fromEntries(all.map((of) => [of.textContent, of.dataset.mark]))"
        )
    )
    right = "+ positive" if value > 0 else "− negative"
    assert {text: mark for text, mark in marks.items() if mark} == {
        right: "right",
        "0 zero": "wrong",
    }


def test_a_value_is_right_to_one_in_a_hundred(pages: Pages, study_page: Path, diana: Trace) -> None:
    """By the keyboard alone; the first answer counts."""
    value = exact(diana, "dL_dw4")
    page = pages.open(study_page, EVERYWHERE)
    field = quiz(page).locator("#quiz-value")
    field.focus()
    for wrong, says in (
        (2 * value, "nearer to 0"),
        (1.02 * value, "nearer to 0"),
        (0.98 * value, "farther from 0"),
        (-value, "the sign is another one"),
    ):
        page.keyboard.press("Control+A")
        page.keyboard.type(f"{wrong:.10g}")
        page.keyboard.press("Enter")
        settle(page)
        assert says in live(page)
        expect(quiz(page)).to_contain_text("values 0 of 1")
    page.keyboard.press("Control+A")
    page.keyboard.type(f"{1.009 * value:.10g}")
    page.keyboard.press("Enter")
    settle(page)
    assert live(page).startswith("✓ Right: ∂L/∂w4 = ")
    expect(quiz(page)).to_contain_text("values 0 of 1")
    expect(field).to_be_hidden()
    expect(quiz(page).get_by_role("button", name="another question")).to_be_focused()


def test_two_digits_are_enough(at: At) -> None:
    """Though 0.011 is 2 % off 0.0107347676329056."""
    page = at("quiz=1&level=value&person=alice&parameter=w2")
    page.locator("#quiz-value").fill("1,1 · 10⁻²")
    press(page, "check")
    assert live(page).startswith("✓ Right")
    # Zero is an answer, too.
    page = at("quiz=1&edits=w5:0")
    press(page, "zero")
    assert live(page).startswith("✓ Right: ∂L/∂w1 is zero. To first order w1 changes nothing.")


def test_numbers_as_people_type_them(pages: Pages, study_page: Path) -> None:
    typed: dict[str, float | None] = {
        "0.0215": 0.0215,
        "+.5": 0.5,
        "−0,95": -0.95,
        "1.6e-13": 1.6e-13,
        "1.6·10^-13": 1.6e-13,
        "1.6 * 10^(-13)": 1.6e-13,
        "-1.6×10⁻¹³": -1.6e-13,
        "2": 2,
        "": None,
        "abc": None,
        "1.2.3": None,
        "e5": None,
        "1e999": None,
        "--1": None,
    }
    page = pages.open(study_page, "quiz=1&level=value")
    found = page.evaluate(
        "(texts) => texts.map((text) => modules['views/quiz.js'].parsed(text))", list(typed)
    )
    assert found == list(typed.values())
    page.locator("#quiz-value").fill("much")
    press(page, "check")
    assert live(page).startswith("That is no number.")
    expect(quiz(page).get_by_text("That is no number.")).to_be_visible()
    assert "values" not in quiz(page).locator(".score").inner_text()


def test_the_hint_has_the_factors(at: At, diana: Trace) -> None:
    page = at(EVERYWHERE)
    press(page, "hint")
    expect(quiz(page).locator(".hints")).to_be_visible()
    hint = quiz(page).locator(".hints").inner_text()
    product = 1.0
    for name in diana.quantities["dL_dw4"].factors:
        symbol = re.escape(diana.quantities[name].symbol)
        found = re.search(rf"{symbol} = (−?[\d.]+(?:·10[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)?)(?:,|$)", hint)
        assert found, (name, hint)
        product *= float(number(found[1]))
    assert product == pytest.approx(exact(diana, "dL_dw4"), rel=2e-3)  # three factors of 4 digits


FACTOR = "quiz=1&level=factor&person=diana&seed=7"


@pytest.mark.parametrize("parameter", ["w1", "w6", "b2"])
def test_one_of_the_factors_is_missing(at: At, diana: Trace, parameter: str) -> None:
    gradient = diana.quantities[f"dL_d{parameter}"]
    symbols = [diana.quantities[name].symbol for name in gradient.factors]
    page = at(f"{FACTOR}&parameter={parameter}")
    asked = quiz(page).locator(".question").inner_text()
    left = asked.partition(" = ")[2].rstrip("?").split(" · ")
    (missing,) = [symbol for symbol, of in zip(symbols, left, strict=True) if of == "▢"]
    assert [of for of in left if of != "▢"] == [of for of in symbols if of != missing]
    options = quiz(page).locator(".options button").all_inner_texts()
    assert set(options) & set(symbols) == {missing}
    assert len(options) == len(set(options)) == 4
    press(page, missing)
    assert live(page).startswith(f"✓ Right: {gradient.symbol} = {' · '.join(symbols)}. One factor")
    expect(quiz(page)).to_contain_text("factors ")


@pytest.mark.parametrize("parameter", ["w1", "w6", "b2"])
def test_one_of_the_lines_is_wrong(at: At, diana: Trace, parameter: str) -> None:
    """It is a planted mistake's, and what the lines give is what Python's do."""
    page = at(f"quiz=1&level=line&person=diana&seed=7&parameter={parameter}")
    slug = page.evaluate(WRONG)["slug"]
    plant, wrong = MISTAKES[slug], {new for _, new in EDITS[slug]}
    chain = [q for q in diana.before(f"dL_d{parameter}") if q.derivative]
    lines = quiz(page).locator(".options button").all_inner_texts()
    right = [str(q.statement) for q in chain]
    changed = [(old, new) for old, new in zip(right, lines, strict=True) if old != new]
    assert changed
    assert set(changed) <= set(EDITS[slug])
    point = Parameters(*(diana.quantities[name].by_hand for name in Parameters._fields))
    x1, x2, y = (diana.quantities[name].by_hand for name in ("x1", "x2", "y"))
    given = getattr(gradient_in(plant)(point, np.array([x1, x2]), np.array(y)), parameter)
    clue = quiz(page).locator(".clue").inner_text()
    read = re.findall(r"= ([^;]+);|it is (.+)\.$", clue)
    shown = [float(number(a or b)) for a, b in read]
    assert shown == pytest.approx([float(given), exact(diana, f"dL_d{parameter}")], rel=5e-3)
    quiz(page).locator(".options button").filter(has_text=next(iter(wrong & set(lines)))).click()
    settle(page)
    assert live(page).startswith("✓ Right")
    press(page, "plant it")
    expect(page.locator("#planted")).to_be_visible()
    assert MISTAKES[state(page)["mistake"]] == plant
    assert not state(page)["quiz"]


@pytest.mark.parametrize("level", ["sign", "value", "factor", "line"])
def test_a_question_is_drawn_from_the_one_before(at: At, level: str) -> None:
    """Another one each time, and the same ones for all who begin at one address."""
    walks = []
    for _ in range(2):
        page = at(f"quiz=1&level={level}&edits=w1:2")
        asked = []
        for _ in range(4):
            press(page, "another question")
            options = quiz(page).locator(".options button").all_inner_texts()
            asked.append((quiz(page).locator(".question").inner_text(), *options))
            expect(page.locator("body")).to_have_attribute("data-asking", "true")
            assert "no answer" not in asked[-1][0]
        assert state(page)["edits"] == {}
        assert state(page)["seed"] is not None
        walks.append(asked)
    assert walks[0] == walks[1]
    assert len(set(walks[0])) > 2


def test_a_question_is_over_when_the_point_is_another(at: At) -> None:
    """And asks for the parameter that is chosen anywhere else."""
    page = at("quiz=1&level=value")
    press(page, "show it")
    choose(page, view="equation")
    expect(page.locator("#equation .says")).not_to_have_text("The quiz asks for it.")
    page.locator("#equation select").first.select_option("w5")
    expect(page.locator("#equation .says")).to_have_text("The quiz asks for it.")
    choose(page, view="quiz")
    expect(quiz(page).locator(".question")).to_contain_text("∂L/∂w5")
    expect(quiz(page).locator(".answer")).to_be_hidden()
    press(page, "end the quiz")
    expect(quiz(page).locator(".question")).to_be_hidden()
    choose(page, view="equation")
    expect(page.locator("#equation .says")).to_contain_text("as w5 grows, the loss falls")
    page.wait_for_function("() => !location.hash.includes('quiz')")


def test_the_answer_stands_beside_the_question_where_there_is_room(at: At) -> None:
    for size, is_beside in ((1366, 768), True), (PHONE, False):
        at()  # so that it is asked again
        page = at("quiz=1&level=sign&seed=44&parameter=w1", size=size)
        page.locator("#quiz .options button").first.click()
        question, answer = (
            page.locator(f"#quiz .{of}").bounding_box() for of in ("question", "answer")
        )
        assert question
        assert answer
        assert (answer["x"] >= question["x"] + question["width"]) is is_beside
        assert (answer["y"] < question["y"] + question["height"]) is is_beside
