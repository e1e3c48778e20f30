"""The view of the training: what it draws and says, held against Python's own training."""

import re
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

import manual.article
from compare.experiment import Settings, hand_path
from compare.people import NEWCOMERS, PEOPLE, Person, label, targets
from compare.traced.asked import Asked
from manual.article import Parameters
from study.build import build
from study.content import of_pass
from tests.study.browser import PHONE, Pages, axe
from tests.study.reading import number

pytestmark = pytest.mark.slow

YS = targets(PEOPLE)


@cache
def path(settings: Settings) -> np.ndarray:
    return hand_path(settings)


def losses(settings: Settings, updates: int) -> np.ndarray:
    """Of each of the four after so many updates."""
    params = Parameters(*path(settings)[:, updates, None])
    return (YS - manual.article.feedforward(params, settings.inputs(PEOPLE))) ** 2


def mean(settings: Settings, epochs: int) -> float:
    return float(losses(settings, 4 * epochs).mean())


def says(value: float, text: str, digits: int = 4) -> bool:
    """Whether the text is the value to so many digits."""
    return number(text) == Decimal(f"{value:.{digits}g}")


def opened(pages: Pages, page: Path, fragment: str = "", **how: Any) -> Page:
    """The page, scrolled to the training, drawn."""
    shown = pages.open(page, fragment, still=True, **how)
    shown.locator(".curve-of-losses").scroll_into_view_if_needed()
    expect(shown.locator(".curve-of-losses .plot .curve")).to_have_attribute("d", re.compile("M"))
    return shown


def state(page: Page, key: str) -> Any:
    return page.evaluate("(key) => modules['main.js'].store.state[key]", key)


def title(page: Page) -> Locator:
    return page.locator("#training .title")


def rows(page: Page) -> dict[str, list[str]]:
    read = "(all) => all.map((row) => [...row.children].map((cell) => cell.textContent))"
    found = page.locator("#training .predictions tbody tr").evaluate_all(read)
    return {name: cells for name, *cells in found}


def axes_of(place: Locator) -> tuple[np.ndarray, np.ndarray]:
    """What places across and up mean, read off the ticks of a picture: for `np.polyval`."""
    read = """(all) => all.map((tick) => [tick.getAttribute("text-anchor"), tick.textContent,
        Number(tick.getAttribute("x")), Number(tick.getAttribute("y")) - 4])"""
    ticks = place.locator(".tick").evaluate_all(read)
    lines = []
    for k, anchor in ((2, "middle"), (3, "end")):
        values = [(tick[k], float(number(tick[1]))) for tick in ticks if tick[0] == anchor]
        lines.append(np.polyfit([at for at, _ in values], [value for _, value in values], 1))
    return lines[0], lines[1]


def test_going_to_an_epoch_the_whole_page_stands_there(pages: Pages, study_page: Path) -> None:
    """Parameters, loss and network; changes of the reader are gone."""
    settings = Settings(seed=44)
    page = opened(pages, study_page, "seed=44&edits=w1:3")
    assert "with your changes" in title(page).inner_text()
    page.get_by_label("Epochs done").fill("100")
    assert state(page, "epoch") == 100
    assert state(page, "edits") == {}
    assert says(mean(settings, 100), title(page).inner_text().rpartition(" ")[2])
    given = page.evaluate("modules['main.js'].store.point.given")
    for name, value in zip(Parameters._fields, path(settings)[:, 400], strict=True):
        assert given[name] == pytest.approx(value, rel=1e-12)
    page.get_by_role("button", name="An epoch on").click()
    assert state(page, "epoch") == 101
    page.get_by_role("button", name="After the last epoch").click()
    assert says(mean(settings, 1000), title(page).inner_text().rpartition(" ")[2])
    expect(page.get_by_role("button", name="An epoch on")).to_have_attribute(
        "aria-disabled", "true"
    )
    page.get_by_role("button", name="Before the first epoch").click()
    assert state(page, "epoch") == 0


def test_the_curve_is_the_mean_loss_of_every_epoch(pages: Pages, study_page: Path) -> None:
    """Its points lie where the losses are; and in words for who does not see it."""
    settings = Settings(seed=44)
    page = opened(pages, study_page, "seed=44")
    curve = page.locator(".curve-of-losses .plot .curve")
    points = re.findall(r"[ML]([\d.]+) ([\d.]+)", str(curve.get_attribute("d")))
    means = np.array([mean(settings, epochs) for epochs in range(1001)])
    xs, ys = np.array(points, float).T
    assert len(points) == 1001
    across, up = axes_of(page.locator(".curve-of-losses"))
    np.testing.assert_allclose(np.polyval(across, xs), np.arange(1001), atol=0.3)
    np.testing.assert_allclose(np.polyval(up, ys), means, atol=2e-4)
    words = str(page.locator(".curve-of-losses .plot").get_attribute("aria-label"))
    told = re.findall(r"(\S+) after (\d+) epoch", words)
    assert [int(epochs) for _, epochs in told] == [0, 1, 10, 100, 1000]
    assert all(says(mean(settings, int(epochs)), loss) for loss, epochs in told)


def test_pointing_at_the_curve_reads_it_and_drawing_goes_there(
    pages: Pages, study_page: Path
) -> None:
    settings = Settings(init="ones")
    page = opened(pages, study_page)
    box = page.locator(".curve-of-losses .plot").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 2)
    reading = page.locator("#training .reading").inner_text()
    found = re.fullmatch(r"After (\d+) epochs: mean loss (\S+)\.", reading)
    assert found
    assert 200 < int(found[1]) < 400
    assert says(mean(settings, int(found[1])), found[2], 5)
    page.mouse.down()
    assert state(page, "epoch") == int(found[1])
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    page.mouse.up()
    assert state(page, "epoch") > int(found[1]) + 50
    page.mouse.move(0, 0)
    assert page.locator("#training .reading").inner_text().startswith("Point at")


def test_one_update_lowers_its_own_loss_to_first_order(pages: Pages, study_page: Path) -> None:
    """Both losses before and after, and -η‖∇L‖², for a person whose turn it is."""
    settings = Settings(seed=3, order="shuffled")
    page = opened(pages, study_page, "seed=3&order=shuffled&epoch=7")
    at = int(settings.sample_order()[7, 0])
    text = page.locator("#training .says").nth(0).inner_text()
    name = PEOPLE[at].name
    pattern = (
        rf"The next update is {name}’s\. It takes {name}’s own loss from (\S+) to (\S+), "
        r"a change of (\S+); to first order −η‖∇L‖² = (\S+)\. "
        r"The mean of all goes from (\S+) to (\S+): it (\w+)\."
    )
    found = re.fullmatch(pattern, text)
    assert found, text
    before, after = losses(settings, 28), losses(settings, 29)
    step = path(settings)[:, 29] - path(settings)[:, 28]
    assert says(before[at], found[1])
    assert says(after[at], found[2])
    assert says(after[at] - before[at], found[3].replace("+", ""), 3)
    assert says(float(-(step @ step)) / 0.1, found[4], 3)
    assert says(float(before.mean()), found[5])
    assert says(float(after.mean()), found[6])
    assert found[7] == ("falls" if after.mean() < before.mean() else "rises")
    letters = page.locator(".sawtooth .turns text").all_text_contents()
    order = [PEOPLE[k].name[0] for k in settings.sample_order().ravel()[18:38]]
    assert letters == order


def test_how_often_a_loss_rises(pages: Pages, study_page: Path) -> None:
    settings = Settings(seed=44)
    page = opened(pages, study_page, "seed=44")
    text = page.locator("#training .says").nth(1)
    expect(text).to_contain_text("Of all 4000 updates")
    every = np.array([losses(settings, updates) for updates in range(4001)])
    order = settings.sample_order().ravel()
    own = every[np.arange(1, 4001), order] > every[np.arange(4000), order]
    mean_rises = np.diff(every.mean(axis=1)) > 0
    found = re.search(
        r"(\d+) raised the loss of their own sample, and (\d+) raised the mean loss",
        text.inner_text(),
    )
    assert found
    assert (int(found[1]), int(found[2])) == (own.sum(), mean_rises.sum())
    assert mean_rises.sum() > 0


def test_what_it_says_of_everybody(pages: Pages, study_page: Path) -> None:
    """The article's predictions, and the reader's."""
    settings = Settings(seed=44)
    page = opened(pages, study_page, "seed=44&epoch=1000&you=150;67")
    you = Person("you", 150, 67, None)
    params = Parameters(*path(settings)[:, -1])
    shown = rows(page)
    for person in (*PEOPLE, *NEWCOMERS, you):
        (x,) = settings.inputs((person,))
        chance = float(manual.article.feedforward(params, x))
        assert shown[person.name] == [
            f"{person.weight:g}",
            f"{person.height:g}",
            f"{chance:.3f}",
            label(chance),
            person.gender or "–",
        ]
    assert shown["Emily"][2:4] == ["0.951", "F"]
    assert shown["Frank"][2:4] == ["0.039", "M"]
    page.evaluate("modules['main.js'].store.set({ unit: 'kg' })")
    assert rows(page)["Alice"][:2] == [f"{133 * 0.45359237:.4g}", f"{65 * 2.54:.4g}"]


def test_the_line_of_one_half_is_where_the_network_says_one_half(
    pages: Pages, study_page: Path
) -> None:
    """Read off the picture by its ticks, and given to Python's network."""
    settings = Settings(seed=0)
    page = opened(pages, study_page, "seed=0&epoch=300")
    page.locator(".boundary .picture .plot").scroll_into_view_if_needed()
    level = page.locator(".boundary .level[data-level='0.5']")
    expect(page.locator(".boundary .plot[data-fine=true]")).to_be_visible()
    expect(level).to_have_attribute("d", re.compile("M"))
    across, up = axes_of(page.locator(".boundary"))
    points = np.array(re.findall(r"[ML]([\d.]+) ([\d.]+)", str(level.get_attribute("d"))), float)
    people = tuple(Person("", np.polyval(across, x), np.polyval(up, y), None) for x, y in points)
    params = Parameters(*path(settings)[:, 1200, None])
    chances = manual.article.feedforward(params, settings.inputs(people))
    assert len(points) > 20
    np.testing.assert_allclose(chances, 0.5, atol=0.02)
    words = str(page.locator(".boundary .picture .plot").get_attribute("aria-label"))
    legend = page.locator(".boundary .legend").nth(1).inner_text().split("\n")
    said = ["blue: the network says F", "orange: it says M", "is F", "is M", "not known"]
    assert [of.strip() for of in legend if of.strip()] == said
    assert "At or above 0.5: Alice, Diana, Emily. Below: Bob, Charlie, Frank." in words


def test_a_picture_without_a_line_says_why(pages: Pages, study_page: Path) -> None:
    """From all ones everybody is F; and somebody far away is not drawn."""
    page = opened(pages, study_page, "you=900;66")
    page.locator(".boundary .picture .plot").scroll_into_view_if_needed()
    expect(page.locator(".boundary .note")).to_have_text(
        "Everywhere in this picture the network says F. You are outside this picture."
    )
    page.evaluate("modules['main.js'].store.set({ epoch: 1000, you: [150, 66] })")
    expect(page.locator(".boundary .note")).to_have_text("")


def test_contours_of_a_known_function(pages: Pages, study_page: Path) -> None:
    """A circle: the line is one ring at its radius, the region above has its area; a saddle."""
    page = pages.open(study_page)
    line, region, saddle = page.evaluate(
        """() => {
          const { lineAt, regionAbove } = modules["mathematics/contour.js"];
          const at = (column, row) => [column, row];
          const row = Array.from({ length: 41 }, (_, k) => k - 20);
          const values = row.flatMap((y) => row.map((x) => -Math.hypot(x, y)));
          const cross = lineAt([1, -1, -1, 1], 2, 0.5, at);
          return [lineAt(values, 41, -10, at), regionAbove(values, 41, -10, at), cross];
        }"""
    )
    (ring,) = line.split("M")[1:]
    points = np.array([point.split() for point in ring.split("L")], float)
    assert (points[0] == points[-1]).all()
    np.testing.assert_allclose(np.hypot(*(points - 20).T), 10, atol=0.1)
    area = 0.0
    for polygon in region.split("M")[1:]:
        x, y = np.array([p.split() for p in polygon.rstrip("Z").split("L")], float).T
        area += abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2
    assert area == pytest.approx(np.pi * 100, rel=0.01)
    assert saddle.count("M") == 2


def test_from_all_ones_there_is_one_unit_in_effect(pages: Pages, study_page: Path) -> None:
    """h1 and h2 stay equal, with the numbers of the article; at random they do not."""
    page = opened(pages, study_page, "epoch=1000")
    lesson = page.locator("#training .lesson")
    w1, w2, _, _, w5, *_ = path(Settings(init="ones"))[:, -1]
    expect(lesson).to_contain_text("h1 and h2 are equal for every input")
    found = re.findall(r"(\w+ = \w+) = (−?[\d.]*\d)", lesson.inner_text())
    assert [pair for pair, _ in found] == ["w1 = w3", "w2 = w4", "b1 = b2", "w5 = w6"]
    assert says(w1, found[0][1])
    assert says(w2, found[1][1])
    assert says(w5, found[3][1])
    page.locator("#training [data-choice=start] button[data-value=random]").click()
    expect(lesson).to_be_hidden()
    page.locator("#training [data-choice=start] button[data-value=ones]").click()
    expect(lesson).to_be_visible()
    page.evaluate("modules['main.js'].store.set({ edits: { w1: 2 } })")
    expect(lesson).to_be_hidden()


def test_the_learning_rate_is_chosen_on_a_log_slider_or_typed(
    pages: Pages, study_page: Path
) -> None:
    page = opened(pages, study_page, "seed=44&epoch=1000")
    slider = page.get_by_label("Learning rate η, on a logarithmic scale")
    field = page.get_by_label("Learning rate η", exact=True)
    slider.fill("1")
    assert state(page, "eta") == 10
    assert field.input_value() == "10"
    slider.fill("-3")
    assert state(page, "eta") == 0.001
    field.fill("0.5")
    field.press("Tab")
    assert state(page, "eta") == 0.5
    assert says(
        mean(Settings(seed=44, learning_rate=0.5), 1000),
        title(page).inner_text().rpartition(" ")[2],
    )
    field.fill("-1")
    field.press("Tab")
    assert state(page, "eta") == 0.5
    assert field.input_value() == "0.5"


def test_a_training_that_fails_says_so(pages: Pages, study_page: Path) -> None:
    settings = Settings(seed=44, learning_rate=50)
    page = opened(pages, study_page, "seed=44&eta=50")
    lesson = page.locator("#training .lesson")
    expect(lesson).to_contain_text("With η = 50 the training gets nowhere")
    expect(lesson).to_contain_text("A smaller η helps.")
    found = re.search(r"mean loss of (\S+) and ends at (\S+)\. A", lesson.inner_text())
    assert found
    assert says(mean(settings, 0), found[1])
    assert says(mean(settings, 1000), found[2])
    assert mean(settings, 1000) > 0.4


def test_a_training_that_runs_away_says_where(pages: Pages, tmp_path: Path) -> None:
    """w ← w - η 2 (w x - y) x is -199 times as far from its end each time: 1e100 in 43 updates."""
    trace = Asked(
        sizes=(1, 1), x=(10.0,), y=(0.0,), loss="mse", output="identity", learning_rate=1.0, seed=1
    ).trace()
    page = opened(pages, build(of_pass(trace), tmp_path / "index.html"))
    text = page.locator("#training .lesson")
    expect(text).to_contain_text("With η = 1 the training runs away: after")
    expect(text).to_contain_text("a parameter grows beyond 1·10¹⁰⁰. A smaller η helps.")
    w = [abs(trace.quantities["w0[0,0]"].by_hand)]
    factor = 1 - 2 * (10.0**2 + 1)  # w and b move together
    found = re.search(r"after (\d+) epochs", text.inner_text())
    assert found
    wanted = (100 - np.log10(w[0])) / np.log10(-factor)
    assert abs(int(found[1]) - wanted) <= 1
    page.get_by_role("button", name="After the last epoch").click()
    stopped = f"After {found[1]} of 1000 epochs, where it broke off: "
    assert title(page).inner_text().startswith(stopped)
    assert "NaN" not in page.locator("main").inner_text()


def test_another_network_trains_on_its_example(pages: Pages, own_page: Path) -> None:
    """One curve, no boundary, nobody's letters, and no choice that makes no difference."""
    page = opened(pages, own_page, "epoch=1000")
    assert page.locator("#training .boundary").count() == 0
    assert page.locator("#training .turns text").count() == 0
    assert page.locator("#training [data-choice]").count() == 0
    expect(page.locator("#training .says").nth(1)).to_contain_text("Of all 1000 updates")


def test_two_inputs_and_a_probability_have_a_boundary(pages: Pages, tmp_path: Path) -> None:
    """Of a loss on logits, where σ of the output is one half."""
    trace = Asked(sizes=(2, 3, 1), x=(0.5, -1.0), y=(1.0,), loss="bce", seed=2).trace()
    page = opened(pages, build(of_pass(trace), tmp_path / "index.html"))
    page.locator(".boundary .picture .plot").scroll_into_view_if_needed()
    ((_, *cells),) = page.locator("#training .predictions tbody tr").evaluate_all(
        "(all) => all.map((row) => [...row.children].map((cell) => cell.textContent))"
    )
    (output,) = (q.by_hand for name, q in trace.quantities.items() if name == "a1[0]")
    assert cells == ["0.5", "−1", f"{1 / (1 + np.exp(-output)):.3f}", "1"]


def test_it_is_readable_for_all(pages: Pages, study_page: Path) -> None:
    for dark in (False, True):
        page = opened(pages, study_page, "seed=44&epoch=40&you=140;66", size=PHONE, dark=dark)
        page.locator(".boundary .picture .plot").scroll_into_view_if_needed()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        assert [of for of in axe(page) if "#training" in of or ".boundary" in of] == []


def test_the_plane_of_another_network_follows_an_input_that_is_set(
    pages: Pages, tmp_path: Path
) -> None:
    """The row of its example has the input that the reader has set, and what Python says of it."""
    asked = Asked(sizes=(2, 3, 1), x=(0.5, -1.0), y=(1.0,), seed=3)
    path = build(of_pass(asked.trace()), tmp_path / "two.html")
    page = pages.open(path, "edits=x%5B1%5D:4", still=True)
    page.locator(".boundary").scroll_into_view_if_needed()
    moved = replace(asked, x=(0.5, 4.0)).trace().quantities["a1[0]"].by_hand
    cells = page.locator(".boundary table tbody tr").first.locator("td").all_text_contents()
    assert cells[:3] == ["0.5", "4", f"{moved:.3f}"]


def test_each_form_of_the_slope_has_a_training_of_its_own(pages: Pages, study_page: Path) -> None:
    """With f(1 - f) digits are lost, so the two part; a page that has shown both knows which is."""
    end = """form => {
      const { study, state } = modules["main.js"].store;
      return modules["model/point.js"].path(study, { ...state, form }).at(-1);
    }"""
    both = pages.open(study_page, "seed=44")
    stable, article = both.evaluate(end, "stable"), both.evaluate(end, "article")
    assert stable != article
    assert article == pages.open(study_page, "seed=44").evaluate(end, "article")


def test_another_training_has_another_curve(pages: Pages, study_page: Path) -> None:
    """Drawn anew, in view, when η is another one; and so are the numbers of the sawtooth."""
    page = opened(pages, study_page, "seed=44")
    line = page.locator(".curve-of-losses .plot .curve")
    before = line.get_attribute("d")
    page.evaluate("modules['main.js'].store.set({ eta: 0.5 })")
    points = np.array(re.findall(r"[ML]([\d.]+) ([\d.]+)", str(line.get_attribute("d"))), float)
    assert line.get_attribute("d") != before
    settings = Settings(seed=44, learning_rate=0.5)
    means = np.array([mean(settings, epochs) for epochs in range(1001)])
    _, up = axes_of(page.locator(".curve-of-losses"))
    np.testing.assert_allclose(np.polyval(up, points[:, 1]), means, atol=3e-4)


def test_words_are_those_of_now_out_of_sight_too(pages: Pages, study_page: Path) -> None:
    """A screen reader comes to pictures that nobody has scrolled to; their words are new."""
    page = pages.open(study_page, "seed=44", still=True)
    page.evaluate("modules['main.js'].store.set({ epoch: 300, eta: 0.5 })")
    settings = Settings(seed=44, learning_rate=0.5)
    assert page.locator(".curve-of-losses .plot .curve").get_attribute("d") is None
    curve = str(page.locator(".curve-of-losses .plot").get_attribute("aria-label"))
    assert says(mean(settings, 1000), curve.rpartition(" after ")[0].rpartition(" ")[2])
    saw = str(page.locator(".sawtooth .picture .plot").get_attribute("aria-label"))
    before = losses(settings, 1200)[0]
    assert "Losses of updates 1190 to 1210" in saw
    assert says(before, saw.partition("own loss from ")[2].partition(" to ")[0])
    assert str(page.locator("#training .says").first.text_content()) in saw
    plane = str(page.locator(".boundary .picture .plot").get_attribute("aria-label"))
    above, below = re.findall(r": ([^.]+)\.", plane)
    assert above == "Alice, Diana, Emily"
    assert below == "Bob, Charlie, Frank"
    expect(page.locator("#training .says").nth(1)).to_contain_text("Of all 4000 updates")
    note = page.locator(".boundary .note")
    page.evaluate("modules['main.js'].store.set({ seed: null, epoch: 0 })")
    page.locator(".boundary .picture").scroll_into_view_if_needed()
    expect(note).to_contain_text("the network says F")
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_function(
        "() => document.querySelector('.boundary').getBoundingClientRect().y > innerHeight + 300"
    )
    page.wait_for_timeout(100)
    page.evaluate("modules['main.js'].store.set({ seed: 44, epoch: 300 })")
    expect(note).to_have_text("")
    page.evaluate("modules['main.js'].store.set({ eta: 50 })")
    expect(page.locator("#training .lesson")).to_contain_text(
        "With η = 50 the training gets nowhere"
    )


#: In which of two areas of the plane places of the picture lie.
_SIDES = """
(places) => {
  const [f, m] = ["female", "male"].map((of) =>
    document.querySelector(`.boundary .picture .plot .side.${of}`));
  const on = (area, at) => area.isPointInFill(new DOMPoint(...at));
  return places.map((at) => [on(f, at), on(m, at)]);
}
"""


def test_each_side_of_the_line_is_shaded_as_what_the_network_says(
    pages: Pages, study_page: Path
) -> None:
    """Both sides, at places all over the picture but those at the line itself."""
    settings = Settings(seed=0)
    page = opened(pages, study_page, "seed=0&epoch=300")
    page.locator(".boundary .picture .plot").scroll_into_view_if_needed()
    expect(page.locator(".boundary .plot[data-fine=true]")).to_be_visible()
    across, up = axes_of(page.locator(".boundary"))
    places, chances = [], []
    params = Parameters(*path(settings)[:, 1200])
    for weight in np.linspace(115, 165, 11):
        for height in np.linspace(57, 75, 10):
            (x,) = settings.inputs((Person("", weight, height, None),))
            chance = float(manual.article.feedforward(params, x))
            if abs(chance - 0.5) < 0.05:
                continue
            places.append([(weight - across[1]) / across[0], (height - up[1]) / up[0]])
            chances.append(chance)
    found = page.evaluate(_SIDES, places)
    assert {chance > 0.5 for chance in chances} == {True, False}
    assert found == [[chance > 0.5, chance < 0.5] for chance in chances]


def test_who_is_mistaken_is_marked(pages: Pages, study_page: Path) -> None:
    """Untrained, from all ones, the network says F of everybody."""
    page = opened(pages, study_page)
    marked = page.locator("#training .predictions tr[data-wrong=true]")
    wrong = [person.name.lower() for person in (*PEOPLE, *NEWCOMERS) if person.gender == "M"]
    assert [of.get_attribute("data-person") for of in marked.all()] == wrong
    page.evaluate("modules['main.js'].store.set({ epoch: 1000 })")
    expect(marked).to_have_count(0)


def test_a_training_follows_the_example_that_is_set(pages: Pages, tmp_path: Path) -> None:
    """Its losses, and an epoch gone to, are those of the input that the reader has set."""
    asked = Asked(sizes=(2, 3, 1), x=(0.5, -1.0), y=(1.0,), seed=3)
    page = opened(pages, build(of_pass(asked.trace()), tmp_path / "two.html"), "edits=x%5B1%5D:4")
    moved = replace(asked, x=(0.5, 4.0)).trace()
    assert says(moved.quantities["L"].by_hand, title(page).inner_text().rpartition(" ")[2])
    page.get_by_role("button", name="An epoch on").click()
    assert state(page, "edits") == {"x[1]": 4}
    given = page.evaluate("modules['main.js'].store.point.given")
    for update, of in moved.quantities.items():
        if of.kind == "update":
            assert given[update.removesuffix("_new")] == pytest.approx(of.by_hand, rel=1e-12)
    last = title(page).inner_text()
    page.evaluate("modules['main.js'].store.set({ edits: { 'x[1]': 5 } })")
    assert title(page).inner_text() != last
    again = page.evaluate("modules['main.js'].store.point.given")
    twice = replace(asked, x=(0.5, 5.0)).trace().quantities["w0[1,0]_new"].by_hand
    assert again["w0[1,0]"] == pytest.approx(twice, rel=1e-12)


def test_a_page_keeps_the_learning_rate_that_it_was_built_with(
    pages: Pages, tmp_path: Path
) -> None:
    """However large: the field takes it, and so does an address."""
    asked = Asked(sizes=(1, 1), x=(0.5,), y=(1.0,), learning_rate=1000.0, seed=1)
    path = build(of_pass(asked.trace()), tmp_path / "index.html")
    page = pages.open(path)
    field = page.get_by_label("Learning rate η", exact=True)
    assert field.input_value() == "1000"
    assert field.evaluate("field => field.validity.valid")
    field.fill("900")
    field.press("Tab")
    assert state(page, "eta") == 900
    assert state(pages.open(path, "eta=1000"), "eta") == 1000
    expect(pages.open(path, "eta=1001").get_by_role("alert")).to_contain_text("eta=1001")


@pytest.mark.parametrize(
    ("fragment", "sentence"),
    [
        ("eta=0.001", "With η = 0.001 the training is slow: "),
        ("eta=0.001", "still falling. A larger η helps."),
        ("mistake=ascends&seed=44", "A mistake is planted in its lines."),
        (
            "mistake=not-a-number&seed=44",
            "after 0 epochs a parameter is no number any more. A mistake is planted in its lines.",
        ),
    ],
)
def test_what_helps_is_what_helps(
    pages: Pages, study_page: Path, fragment: str, sentence: str
) -> None:
    lesson = opened(pages, study_page, fragment).locator("#training .lesson")
    expect(lesson).to_contain_text(sentence)
    expect(lesson).not_to_contain_text("A smaller η")


def test_where_no_update_changes_anything_it_says_so(pages: Pages, tmp_path: Path) -> None:
    """A relu that is off has no slope, whatever η is."""
    asked = Asked(
        sizes=(1, 1),
        x=(-1.0,),
        y=(1.0,),
        activation="relu",
        output="relu",
        seed=3,
        learning_rate=0.5,
    )
    trace = asked.trace()
    assert trace.quantities["z0[0]"].by_hand < 0
    page = opened(pages, build(of_pass(trace), tmp_path / "index.html"))
    expect(page.locator("#training .lesson")).to_have_text(
        "The training gets nowhere: no update changes a parameter. Another start helps."
    )


def test_a_mistake_may_part_equal_units(pages: Pages, study_page: Path) -> None:
    """And an update with one promises nothing of its own loss."""
    page = opened(pages, study_page, "mistake=zeroed-element")
    text = page.locator("#training").inner_text()
    assert "are equal for every input" not in text
    assert "Of all 4000 updates" in text
    assert "to first order it lowers" not in text


def test_the_next_update_is_that_of_the_training_itself(pages: Pages, study_page: Path) -> None:
    page = opened(pages, study_page, "seed=44&epoch=100&edits=w1:5")
    expect(page.locator("#training .says").first).to_contain_text(
        "Without your changes the next update"
    )


def test_the_end_of_the_epochs_keeps_the_focus(pages: Pages, study_page: Path) -> None:
    page = opened(pages, study_page, "seed=44")
    button = page.get_by_role("button", name="After the last epoch")
    button.focus()
    page.keyboard.press("Enter")
    assert state(page, "epoch") == 1000
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-disabled", "true")


def test_the_plane_is_fine_after_coming_back(pages: Pages, study_page: Path) -> None:
    """Left before it was drawn finely, it is when it is seen again."""
    page = opened(pages, study_page, "seed=44&epoch=100")
    picture = page.locator(".boundary .picture .plot")
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_attribute("data-fine", "true")
    page.evaluate("modules['main.js'].store.set({ epoch: 200 }); scrollTo(0, 0)")
    page.wait_for_timeout(500)
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_attribute("data-fine", "true")
