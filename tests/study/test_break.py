"""Break it: the planted mistake runs, every check says what it sees, and it is taken back whole."""

import re
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

import manual.article
import manual.sgd
from compare.agreement import NAMES, compare_gradients
from compare.breaking import Check, before_the_judge, loss_curve, outcome
from compare.experiment import Settings
from compare.people import PEOPLE
from compare.reference import STABLE, article_gradient
from handgrad import GradientReport
from manual.article import Parameters
from models.planted import MISTAKES, PLANTS, gradient_in, train_in
from study.mistakes import ELSEWHERE, GROUPS, mistakes
from tests.compare.calls import progress_at
from tests.reference import XS, YS
from tests.strategies import drawn_points
from tests.study.browser import At, choose, follow, into_view, settle, state

pytestmark = pytest.mark.slow

VIEW = "break"

RUNNABLE = sorted(set(MISTAKES) - set(ELSEWHERE))
SEED = 44

#: What a mistake is at points, on the page: (slug, form, [given, ...]) -> by name, for each.
RUN = """([slug, form, points]) => {
  const { study } = modules["main.js"].store;
  const program = study.mistakes.find((of) => of.slug === slug).program(form);
  return points.map((given) => modules["mathematics/mathematics.js"].byHand(program, given));
}"""

#: What the checks of the point find: for each mistake by person, check and parameter.
JUDGED = """(seed) => {
  const { study, state } = modules["main.js"].store;
  const found = {};
  for (const mistake of study.mistakes.filter((of) => of.changes)) {
    const now = { ...state, seed, mistake: mistake.slug };
    const point = modules["model/point.js"].evaluate(study, now);
    const people = modules["model/breaking.js"].judged(study, now, point, mistake);
    found[mistake.slug] = Object.fromEntries(people.map(({ sample, rows }) => [sample.name, rows]));
  }
  return found;
}"""

#: The parameters with which a training with a mistake ends.
TRAINED = """([slug, form, seed]) => {
  const { study, state } = modules["main.js"].store;
  const now = { ...state, mistake: slug, form, seed };
  return modules["model/point.js"].path(study, now).at(-1);
}"""


@pytest.fixture
def page(at: At) -> Page:
    return at()


def verdicts(page: Page) -> dict[str, str]:
    rows = page.locator("#break [data-check]").all()
    return {r.get_attribute("data-check") or "": r.locator(".verdict").inner_text() for r in rows}


def test_the_page_runs_every_mistake_as_python_does(page: Page) -> None:
    """exp may differ by an ulp between machines; a central difference makes 1/2ε of that."""
    params, x, y = points = drawn_points(12, seed=9)
    given = [
        dict(zip([*NAMES, "x1", "x2", "y", "η"], map(float, (*p, *xs, t, 0.1)), strict=True))
        for p, xs, t in zip(np.stack(params).T, x, y, strict=True)
    ]
    for slug in RUNNABLE:
        for form in ("stable", "article"):
            with np.errstate(all="ignore"):
                wanted = np.stack(list(gradient_in(MISTAKES[slug], form)(*points))).T
            runs = page.evaluate(RUN, [slug, form, given])
            found = [[run[f"dL_d{name}"] for name in NAMES] for run in runs]
            near = 1e-9 if slug == "central-difference" else 1e-12
            np.testing.assert_allclose(found, wanted, rtol=near, atol=near, err_msg=slug)


@pytest.mark.parametrize(
    ("slug", "seed"),
    [("missing-square", None), ("inputs-swapped", SEED), ("update-before-use", SEED)],
)
def test_a_training_with_a_mistake_ends_where_python_s_does(
    page: Page, slug: str, seed: int | None
) -> None:
    settings = Settings(init="ones") if seed is None else Settings(seed=seed)
    plant = MISTAKES[slug]
    end = ended(train_in(plant, "stable"), gradient_in(plant, "stable"), settings)
    found = page.evaluate(TRAINED, [slug, "stable", seed])
    np.testing.assert_allclose([found[name] for name in NAMES], end, rtol=1e-9)


def test_the_exact_check_rules_as_python_s_comparison(page: Page) -> None:
    """The same derivatives of the same people disagree, of every mistake."""
    found = page.evaluate(JUDGED, SEED)
    start = manual.article.draw_parameters(SEED)
    for slug in sorted(set(PLANTS) & set(RUNNABLE)):
        gradient = gradient_in(PLANTS[slug], "stable")
        for person, x, y in zip(PEOPLE[:2], XS[:2], YS[:2], strict=True):
            with np.errstate(all="ignore"):
                rows = compare_gradients(start, x, y, "stable", gradient)
            wrong = {row.name for row in rows if row.verdict == "disagree"}
            said = found[slug][person.name]
            assert {of["parameter"] for of in said if of["seen"]["exact"]} == wrong, slug
            # Autodiff has no digits that the exact one lacks.
            assert {of["parameter"] for of in said if of["seen"]["autodiff"]} <= wrong, slug


def test_what_rounding_explains_is_about_what_python_charges(page: Page) -> None:
    """Up to a factor: Python charges its own rounding as well, and σ as a whole."""
    start = manual.article.draw_parameters(SEED)
    people = page.evaluate(JUDGED, SEED)["wrong-input"]
    for person, x, y in zip(PEOPLE, XS, YS, strict=True):
        bounds = article_gradient(start, x, y)[STABLE]._asdict()
        for row in people[person.name]:
            of, exact = bounds[row["parameter"]], row["exact"][0]
            bound = row["allowed"] * np.spacing(abs(exact))
            assert 0.2 * of.error < bound < 2 * of.error, (person.name, row["parameter"])


def test_right_lines_are_within_what_rounding_explains(page: Page) -> None:
    """At many points, with either form: no check of gradients finds fault with them."""
    wrong = page.evaluate(
        """() => {
      const { study, state } = modules["main.js"].store;
      const wrong = [];
      for (const form of ["stable", "article"]) {
        const right = { program: () => study.programs[form] };
        for (let seed = 0; seed < 60; seed += 1) {
          const now = { ...state, seed, form };
          const point = modules["model/point.js"].evaluate(study, now);
          for (const { rows } of modules["model/breaking.js"].judged(study, now, point, right)) {
            for (const { parameter, seen } of rows) {
              if (Object.values(seen).some(Boolean)) wrong.push([form, seed, parameter, seen]);
            }
          }
        }
      }
      return wrong;
    }"""
    )
    assert wrong == []


def by_python(slug: str, settings: Settings) -> dict[str, Check]:
    """Python's checks of the training; the right one by hand stands for autodiff's."""
    plant = MISTAKES[slug]
    wrong = ended(train_in(plant, "stable"), gradient_in(plant, "stable"), settings)
    right = ended(manual.sgd.train, manual.article.gradient, settings)
    losses = np.array([[manual.article.mean_loss(of, XS, YS) for of in (wrong, right)]])
    trained = progress_at(losses, wrong, right)
    return {"outcome": outcome(trained), "training": loss_curve(settings, trained)}


def ended(loop: Any, gradient: Any, settings: Settings) -> Parameters:
    order, rate = settings.sample_order(), settings.learning_rate
    *_, end = loop(settings.start(), XS, YS, gradient, rate, order)
    return end


@pytest.mark.parametrize("slug", ["missing-square", "half-mse", "clipped", "update-before-use"])
def test_the_checks_of_the_training_say_what_python_s_say(at: At, slug: str) -> None:
    page = at(f"mistake={slug}")
    seen = verdicts(page)
    for name, check in by_python(slug, Settings(init="ones")).items():
        assert seen[name] == ("✓ sees it" if check.sees else "○ blind")
        said = page.locator(f"#break [data-check={name}] .found").inner_text()
        assert said.lower() == f"{check.says}.".lower()


def test_an_address_plants_and_the_sign_takes_it_back(at: At) -> None:
    page = at("mistake=missing-square")
    sign = page.locator("#stage #planted")
    expect(sign).to_be_visible()
    expect(sign).to_contain_text("the square of the loss is forgotten")
    choose(page, view="equation")
    whole = page.locator('#equation [data-quantity="dL_dw1"]')
    factor = page.locator('#equation [data-quantity="dL_dypred"]')
    expect(factor.locator('[data-side="by_hand"].value')).to_have_text("−1")
    expect(factor.locator("tr[data-side=by_hand] .ulps")).to_have_text("4.3·10¹⁴ ulps")
    expect(whole.locator("tr[data-side=by_hand] .lost")).to_be_visible()
    expect(factor.locator("tr[data-side=autodiff] .lost")).to_be_hidden()
    # What the list says already is not said again.
    expect(page.locator("#break .mistake")).to_have_text("That can make all 9 derivatives wrong.")
    sign.get_by_role("button", name="remove").click()
    expect(sign).to_be_hidden()
    expect(factor.locator('[data-side="by_hand"].value')).to_have_text("−0.9526096518320006")
    expect(page.locator("#break .checks")).to_be_hidden()
    expect(page.locator("#break [aria-pressed=true].plant")).to_have_count(0)
    page.wait_for_function("() => !location.hash.includes('mistake')")


def card(page: Page, slug: str) -> Locator:
    return page.locator(f'#break .card[data-slug="{slug}"]')


def test_cards_are_grouped_and_chosen_by_key(page: Page) -> None:
    for group, (title, slugs) in GROUPS.items():
        page.get_by_role("button", name=f"{title} ({len(slugs)})").press("Enter")
        assert state(page)["group"] == group
        found = page.locator("#break .card:visible").evaluate_all(
            "all => all.map((of) => of.dataset.slug)"
        )
        assert sorted(found) == sorted(slugs)
    page.get_by_role("button", name=f"All ({len(MISTAKES)})").press("Enter")
    expect(page.locator("#break .card:visible")).to_have_count(len(MISTAKES))
    plant = card(page, "half-mse").locator(".plant")
    plant.focus()
    page.keyboard.press("Enter")
    expect(plant).to_be_focused()
    expect(plant).to_have_attribute("aria-pressed", "true")
    page.wait_for_function("() => location.hash.includes('mistake=half-mse')")
    expect(page.locator("#live")).to_contain_text("Planted: The 2 of the square")
    assert set(verdicts(page).values()) == {"✓ sees it", "○ blind"}
    # What opens is in its card; the same key takes it back.
    expect(card(page, "half-mse").locator(".checks")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#break .checks")).to_be_hidden()
    # Without a choice the group is that of the mistake, which is there whatever is chosen.
    for address, count in (
        ("mistake=ascends", len(GROUPS["sign"][1])),
        ("mistake=ascends&group=order", len(GROUPS["order"][1]) + 1),
    ):
        found = follow_cards(page, address)
        assert "ascends" in found
        assert len(found) == count


def follow_cards(page: Page, address: str) -> list[str]:
    follow(page, address)
    return page.locator("#break .card:visible").evaluate_all(
        "all => all.map((of) => of.dataset.slug)"
    )


def test_a_card_has_the_line_that_is_changed(page: Page, content: dict[str, Any]) -> None:
    choose(page, group="all")
    for mistake in content["mistakes"]["list"]:
        shown = card(page, mistake["slug"]).locator(".edit dd").all_text_contents()
        assert shown == [line for edit in mistake["edits"] for line in edit if line]


#: For each runnable mistake what the cards' marks say: planted, and looked at alone.
ALONE = """() => {
  const { study, state } = modules["main.js"].store;
  const { checksOfTraining, checksOfPoint, judged } = modules["model/breaking.js"];
  return Object.fromEntries(study.mistakes.filter((of) => of.changes).map((mistake) => {
    const now = { ...state, mistake: mistake.slug };
    const point = modules["model/point.js"].evaluate(study, now);
    const people = judged(study, now, point, mistake);
    const found = { ...checksOfTraining(study, now), ...checksOfPoint(study, people) };
    const glyphs = { true: "✓", false: "○", null: "?" };
    return [mistake.slug, Object.values(found).map(({ sees }) => glyphs[sees])];
  }));
}"""

MARKS = """() => {
  const cards = [...document.querySelectorAll("#break .card:has(.marks)")];
  const glyphs = (of) => [...of.querySelectorAll(".marks b")].map((mark) => mark.textContent);
  return Object.fromEntries(cards.map((of) => [of.dataset.slug, glyphs(of)]));
}"""


def test_the_marks_are_those_of_the_point_that_is_shown(at: At) -> None:
    """Those of another one are gone at once."""
    page = at("seed=44&group=all&blind=autodiff")
    into_view(page.locator("#break .cards"))
    marks = page.evaluate(MARKS)
    assert marks == page.evaluate(ALONE)
    assert set(marks) == set(RUNNABLE)
    blind = {slug for slug, sees in marks.items() if sees[3] == "○"}
    found = page.locator("#break .card:visible").evaluate_all(
        "all => all.map((of) => of.dataset.slug)"
    )
    assert set(found) == blind
    status = page.locator("#break [role=status]")
    expect(status).to_have_text(
        f"{len(blind)} mistakes that autodiff does not see. "
        "The marks hold at seed 44, η = 0.1, for all people."
    )
    # Glyph and words say what the colour does.
    mark = card(page, "update-before-use").locator(".marks li").nth(5)
    assert mark.evaluate("of => of.textContent") == "✓update sees it"
    page.evaluate("modules['main.js'].store.set({ edits: { w5: 0.5 }, epoch: 40 })")
    assert {of for sees in page.evaluate(MARKS).values() for of in sees} == {"…"}
    settle(page)
    assert page.evaluate(MARKS) == page.evaluate(ALONE)
    expect(status).to_contain_text("at seed 44, after 40 epochs, with your changes, η = 0.1")


#: What the page says of the judge, of every mistake.
JUDGEMENTS = """(seed) => {
  const { study, state } = modules["main.js"].store;
  const { judgement } = modules["model/breaking.js"];
  return Object.fromEntries(study.mistakes.map((mistake) =>
    [mistake.slug, judgement(study, { ...state, seed }, mistake).verdict]));
}"""


@pytest.mark.parametrize("seed", [None, pytest.param(SEED, marks=pytest.mark.night)])
def test_what_is_said_of_the_judge_is_what_the_judge_says(
    page: Page, monkeypatch: pytest.MonkeyPatch, seed: int | None
) -> None:
    """Its verdict, of every mistake; what it names besides is not said here."""
    monkeypatch.setattr(GradientReport, "diagnoses", ())
    settings = Settings(init="ones") if seed is None else Settings(seed=seed)
    wanted = {
        slug: re.split("[ :]", before_the_judge(plant, settings).says)[0]
        for slug, plant in MISTAKES.items()
    }
    assert page.evaluate(JUDGEMENTS, seed) == wanted


def test_the_judge_agrees_with_a_right_gradient_and_it_is_said_why(at: At) -> None:
    """Wherever the page stands: it looks at the start."""
    page = at("mistake=update-before-use&seed=44&epoch=3&edits=w1:5")
    said = page.locator("#break .judge")
    expect(said).to_contain_text("handgrad’s judge agrees: it judges gradients, and this one is")
    at("mistake=half-mse&seed=44")
    expect(said).to_contain_text("handgrad’s judge disagrees: it holds every derivative")
    at("mistake=float32&seed=44")
    expect(said).to_contain_text("handgrad’s judge calls it imprecise: nothing is derived wrongly")


@pytest.mark.parametrize("slug", ["absolute-error", "dx-untransposed", "exchanged", "ascends"])
def test_the_wrong_line_is_shown_where_it_stands(at: At, slug: str) -> None:
    page = at(f"mistake={slug}&seed=44&step=1")
    page.locator("#break").get_by_role("button", name="see it at step").click()
    settle(page)
    expect(page.locator("#now")).to_be_focused()
    lines = page.locator("#now .planted-line:visible")
    assert lines.count()
    (edits,) = (of["edits"] for of in mistakes()["list"] if of["slug"] == slug)
    wrong = [new.split("\n")[-1] for _, new in edits]
    shown = " ".join(lines.locator(".wrong").all_text_contents())
    assert any(line in shown or shown in line for line in wrong)
    # At no step before it, nor where only its numbers are wrong.
    step = state(page)["step"]
    for number in range(1, step):
        choose(page, step=number)
        expect(lines).to_have_count(0)


#: By quantity: what is by hand and exactly, and whether the page marks them as one.
FINE = """() => [...document.querySelectorAll("#now .quantity")].map((of) => {
  const { point } = modules["main.js"].store;
  const name = of.dataset.quantity;
  return [point.by_hand[name], Number(point.exact(name)), of.dataset.fine === "true",
    of.querySelector(".mark").textContent, of.querySelector(".witnesses").checkVisibility()];
})"""


@pytest.mark.parametrize("slug", ["absolute-error", "half-mse", "off-by-1e-12", "not-a-number"])
def test_what_is_wrong_by_hand_is_marked(at: At, slug: str) -> None:
    """As where the one digit of −1 is also the first of the right number; on the way, too."""
    page = at(f"mistake={slug}&seed=44")
    scrubber = page.get_by_label("Micro-step")
    seen = 0
    for step in range(1, 20):
        choose(page, step=step)
        found = page.evaluate(FINE)
        for hand, exact, is_fine, mark, is_open in found:
            # 1e-12 of a derivative is less in an updated parameter.
            is_right = hand is not None and abs(hand - exact) <= 1e-14 * abs(exact)
            assert (is_fine, mark, is_open) == (is_right, "✓" if is_right else "≠", not is_right)
            seen += not is_right
        # Written so that NaN is off.
        off = [not abs(hand - exact) <= 1e-14 * abs(exact) for hand, exact, *_ in found]
        assert page.locator(f'#steps .off[data-step="{step}"]').count() == any(off)
        assert ("by hand is off" in str(scrubber.get_attribute("aria-valuetext"))) == any(off)
    assert seen > 1
    choose(page, mistake=None)
    expect(page.locator("#steps .off")).to_have_count(0)


@pytest.mark.parametrize("slug", ELSEWHERE)
def test_a_card_that_the_page_cannot_run_says_what_to_do_instead(at: At, slug: str) -> None:
    """Chosen or not: why, and the command."""
    page = at("group=all&seed=44&form=article")
    note = page.locator(f'#break [data-slug="{slug}"] > .note')
    for mistake in (None, slug):
        choose(page, mistake=mistake)
        expect(note).to_contain_text(f"This page cannot run it. {ELSEWHERE[slug]} In the terminal")
        command = f".venv/bin/python -m compare break {slug} --seed 44"
        expect(note.locator("code")).to_have_text(f"{command} --sigmoid-derivative article")
    part = page.locator("#break")
    expect(part.locator(".checks")).to_be_hidden()
    expect(part.locator(".judge")).to_contain_text("handgrad’s judge")
    expect(part.locator(".judge code")).to_be_hidden()
    expect(page.locator("#planted")).to_be_hidden()
    expect(page.locator("#steps .off")).to_have_count(0)


LESSONS = {
    ("missing-square", ""): "Every check sees it",
    ("half-mse", ""): "Blind: outcome, loss curve. Right answers and a falling loss are weak",
    ("small-elements-zeroed", ""): "The difference quotient is too coarse",
    # From all weights 1 both hidden units are the same.
    ("dx-untransposed", ""): "No check sees it here",
    ("dx-untransposed", "seed=44"): "Right answers",
    ("update-before-use", ""): "The gradient is right at every point",
    ("bias-forgotten-in-forward", ""): "At this point the gradient is right",
    # σ(1 - σ) is off by 2e-4 for Bob: a millionth is lost in that.
    ("off-by-a-millionth", "seed=44&edits=b3:30"): "Autodiff has lost the digits",
}


def test_the_lesson(at: At) -> None:
    for (slug, where), lesson in LESSONS.items():
        page = at(f"mistake={slug}&{where}".rstrip("&"))
        expect(page.locator("#break .lesson")).to_contain_text(lesson)


def test_the_checks_follow_the_point(at: At) -> None:
    """At once, and where nobody has scrolled to them: who listens or searches reads them there."""
    page = at("mistake=zeroed-element", size=(390, 60))  # the view begins higher than others do
    part, row = page.locator("#break"), page.locator("#break tr[data-parameter=w1]")

    def cells() -> list[str]:
        return [row.locator(f"[data-of={of}]").inner_text() for of in ("hand", "exact", "off")]

    assert part.evaluate("(part) => part.getBoundingClientRect().y > innerHeight + 200")
    assert cells()[1] == "+0.0215"
    assert "? cannot tell" not in verdicts(page).values()
    choose(page, sample="bob")
    assert cells()[:2] == ["0", "+1.59·10⁻¹³"]
    assert "✗" in cells()[2]
    assert part.locator("caption").inner_text() == "Bob's derivatives"
    # The published bug: the gradient is right everywhere, and Emily is off by a millionth.
    choose(page, sample="alice", mistake="update-before-use")
    assert list(verdicts(page).values()) == ["○ blind"] * 5 + ["✓ sees it"]
    said = page.locator("#break [data-check=outcome] .found")
    expect(said).to_contain_text("Emily 0.94678911 (right: 0.94678839)")


@pytest.mark.parametrize(
    "fragment",
    ["mistake=missing-square&edits=b3:1e308", "mistake=off-by-a-millionth&edits=w1:1e308"],
)
def test_where_nothing_can_be_checked_nothing_is_claimed(at: At, fragment: str) -> None:
    """Neither that a check is blind, nor that the gradient is right."""
    page = at(fragment)
    seen = verdicts(page)
    for name in ("difference", "autodiff", "exact", "update"):
        assert seen[name] == "? cannot tell"
    expect(page.locator("#break .lesson")).to_have_text(
        "At this point no gradient can be checked: take other parameters."
    )
