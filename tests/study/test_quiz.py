"""The quiz: what it asks for is out of sight, its answers are Python's, and it says why."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from compare.trace import Trace
from compare.traced.request import PassRequest
from tests.study.browser import At, Pages, choose, settle, state
from tests.study.conftest import OWN
from tests.study.pictures import number

pytestmark = pytest.mark.slow

VIEW = "quiz"

#: Of one derivative everything is shown, wherever the page can show it.
EVERYWHERE = "quiz=1&person=diana&seed=7&parameter=w4&show=gradients&digits=1"


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


def test_the_number_is_nowhere_on_the_page_until_it_is_given(at: At, diana: Trace) -> None:
    new = f"{diana.quantities['w4_new'].by_hand:.14f}"
    # As the network has it, as the formula of its update, and that one's value.
    value = exact(diana, "dL_dw4")
    hidden = [forms(value)[0], f"{abs(value):.5e}".partition("e")[0], new]
    shown = at(EVERYWHERE.replace("quiz=1", "quiz=0"))
    before = shown.evaluate(READ)
    assert [of for of in hidden if of not in before] == []
    page = at(EVERYWHERE)
    now = page.evaluate(READ)
    assert [of for of in hidden if of in now] == []
    assert "hidden while the quiz asks" in page.evaluate(
        "() => getComputedStyle(document.getElementById('nudge'), '::after').content"
    )
    expect(page.locator("#equation .says")).to_have_text("The quiz asks for it.")
    choose(page, step=step_of(diana, "dL_dw3"))
    assert forms(exact(diana, "dL_dw3"))[1] in live(page)
    assert forms(value)[1] not in live(page)
    # Another derivative stays.
    assert forms(exact(diana, "dL_dw3"))[0] in now
    press(page, sign_of(exact(diana, "dL_dw4")))
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
    page = pages.open(study_page, EVERYWHERE)
    press(page, "zero")
    assert live(page).startswith(f"✗ No: ∂L/∂w4 is {sign_of(value)}.")
    expect(quiz(page)).to_contain_text("signs 0 of 1")
    for button in quiz(page).locator("[data-sign]").all():
        expect(button).to_be_disabled()


def test_a_value_is_right_to_one_in_a_hundred(pages: Pages, study_page: Path, diana: Trace) -> None:
    """By the keyboard alone; the first answer counts."""
    value = exact(diana, "dL_dw4")
    page = pages.open(study_page, EVERYWHERE)
    quiz(page).get_by_role("button", name=sign_of(value)).press("Enter")
    field = quiz(page).locator("#quiz-value")
    expect(field).to_be_focused()
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
    page = at("quiz=1&person=alice&parameter=w2")
    press(page, "positive")
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
    page = pages.open(study_page, "quiz=1")
    found = page.evaluate(
        "(texts) => texts.map((text) => modules['views/quiz.js'].parsed(text))", list(typed)
    )
    assert found == list(typed.values())
    press(page, "positive")
    page.locator("#quiz-value").fill("much")
    press(page, "check")
    assert live(page).startswith("That is no number.")
    expect(quiz(page).get_by_text("That is no number.")).to_be_visible()
    assert "values" not in quiz(page).locator(".score").inner_text()


def test_the_hint_has_the_factors(at: At, diana: Trace) -> None:
    page = at(EVERYWHERE)
    press(page, sign_of(exact(diana, "dL_dw4")))
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


def test_another_question_is_another_one(at: At) -> None:
    page = at("quiz=1&edits=w1:2")
    asked = set()
    for _ in range(6):
        press(page, "another question")
        asked.add(quiz(page).locator(".question").inner_text())
        expect(page.locator("body")).to_have_attribute("data-asking", "true")
    assert len(asked) > 3
    assert state(page)["edits"] == {}
    assert state(page)["seed"] is not None


def test_a_question_is_over_when_the_point_is_another(at: At) -> None:
    """And asks for the parameter that is chosen anywhere else."""
    page = at("quiz=1")
    press(page, "positive")
    press(page, "show it")
    expect(page.locator("#equation .says")).not_to_have_text("The quiz asks for it.")
    page.locator("#equation select").first.select_option("w5")
    expect(quiz(page).locator(".question")).to_contain_text("∂L/∂w5")
    expect(quiz(page).locator(".reasons")).to_be_hidden()
    expect(page.locator("#equation .says")).to_have_text("The quiz asks for it.")
    press(page, "end the quiz")
    expect(page.locator("#equation .says")).to_contain_text("as w5 grows, the loss falls")
    expect(quiz(page).locator(".question")).to_be_hidden()
    page.wait_for_function("() => !location.hash.includes('quiz')")


@pytest.mark.parametrize("parameter", ["w0[2,1]", "w1[3,0]", "b0[3]"])
def test_a_network_of_one_s_own(at_own: At, parameter: str) -> None:
    trace = OWN.trace()
    gradient = next(q.name for q in trace.quantities.values() if q.derivative == ("L", parameter))
    value = exact(trace, gradient)
    page = at_own(f"quiz=1&show=gradients&parameter={parameter}")
    network = page.locator("svg.network").text_content() or ""
    assert forms(value)[0] not in network
    line = trace.program.at[gradient]
    same = [name for name, at in trace.program.at.items() if at == line]
    # With a penalty on the weights, a weight's derivative is the sum of two terms.
    terms = [f"{gradient}_data"] if parameter.startswith("w") else []
    for name in same + terms:
        choose(page, step=step_of(trace, name))
        cells = page.locator(f'#now [data-quantity="{name}"] td.value').all_text_contents()
        assert cells == ["?", "?", "?"], name
    press(page, sign_of(value))
    assert live(page).startswith(f"✓ Right: {trace.quantities[gradient].symbol}")
    page.locator("#quiz-value").fill(f"{value:.4g}")
    press(page, "check")
    assert live(page).startswith("✓ Right")
