"""The network that is always in view, and the slider below it."""

import math
import re
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from compare.traced.article import trace_article
from compare.traced.request import PassRequest
from tests.study.browser import DESKTOP, PHONE, At, choose, settle, state
from tests.study.pictures import number

pytestmark = pytest.mark.slow


def edge(page: Page, parameter: str) -> str:
    """What stands on an edge or below a unit."""
    texts = page.locator(f'#network [role=button][data-parameter="{parameter}"] text')
    return " ".join(text or "" for text in texts.all_text_contents())


def line(page: Page, parameter: str, attribute: str) -> str | None:
    return page.locator(f'#network line.edge[data-parameter="{parameter}"]').get_attribute(
        attribute
    )


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_edges_show_values_or_gradients_with_their_signs(at: At, size: tuple[int, int]) -> None:
    """While another view is read, on a desktop; alone it is larger, with a digit more."""
    trace = PassRequest(person="alice", seed=44).trace()
    view = "pass" if size == PHONE else "equation"
    page = at(f"person=alice&seed=44&view={view}", size=size)
    digits = 2 if size == PHONE else 3
    for show, of in (("values", lambda name: name), ("gradients", lambda name: f"dL_d{name}")):
        page.locator("#settings").evaluate("(of) => (of.open = true)")
        page.locator(f'[data-choice="show"] [data-value="{show}"]').click()
        for name in trace.parameters()[:6]:
            value = trace.quantities[of(name)].by_hand
            read = edge(page, name)
            sign = "+" if value > 0 else "−"
            assert f" {sign}" in read
            assert float(number(read.split()[-1])) == float(f"{value:.{digits}g}")
            assert line(page, name, "data-sign") == ("positive" if value > 0 else "negative")


def test_numbers_are_as_large_as_the_screen_has_room_for(at: At) -> None:
    for size, view, pixels in (
        (DESKTOP, "pass", "16px"),
        (DESKTOP, "equation", "13px"),
        ((360, 800), "pass", "11px"),
    ):
        label = at(f"view={view}", size=size).locator("#network text.label").first
        expect(label).to_have_css("font-size", pixels)


def test_what_comes_back_is_called_what_it_is(at: At) -> None:
    """∂L/∂z is ∂L/∂b by the article's lines; a mistake in the one is none in the other."""
    trace = PassRequest(person="alice", seed=44).trace()
    page = at("seed=44")
    above = page.locator("#network .gradient").first
    for mistake, factor in ((None, 1), ("bias-takes-input", 1), ("half-mse", 0.5)):
        choose(page, mistake=mistake)
        name, value = str(above.text_content()).split()
        assert name == "∂L/∂z1"
        right = factor * trace.quantities["dL_db1"].by_hand
        assert float(number(value)) == pytest.approx(right, rel=5e-3)


#: By unit: the factors whose product comes back to its sum, and the step that adds the last.
SO_FAR = {
    "z3": (("dL_dypred", "dypred_dz3"), 9),
    "z2": (("dL_dypred", "dypred_dh2", "dh2_dz2"), 13),
    "z1": (("dL_dypred", "dypred_dh1", "dh1_dz1"), 16),
}


@pytest.mark.parametrize("z", SO_FAR)
def test_no_number_stands_there_that_no_step_has_made(at: At, z: str) -> None:
    """∂L/∂z comes with its last factor, and the step says of what it is the product."""
    trace = PassRequest(person="bob", seed=44).trace()
    factors, step = SO_FAR[z]
    product = math.prod(trace.quantities[of].by_hand for of in factors)
    shown, note = f'#network [data-unit="{z}"] .gradient', "#now .so-far:last-of-type"
    page = at(f"person=bob&seed=44&step={step - 1}")
    expect(page.locator(shown)).to_have_text(f"∂L/∂{z} ?")
    expect(page.locator(note)).not_to_contain_text(f"∂L/∂{z}")
    choose(page, step=step)
    above = str(page.locator(shown).text_content())
    assert float(number(above.split()[1])) == pytest.approx(product, rel=5e-3)
    said = re.sub(r"\s", "", str(page.locator(note).text_content()))
    *numbers, end = said.removesuffix(".").replace("·10", "e10").replace("=", "·").split("·")
    read = [
        float(number(re.sub("[()]", "", of).replace("e10", "·10")))
        for of in [*numbers[-len(factors) :], end]
    ]
    expected = [*(trace.quantities[of].by_hand for of in factors), product]
    assert read == pytest.approx(expected, rel=5e-3)
    # Nor does it tell what the quiz asks for.
    choose(page, quiz=True, parameter=f"b{z[1]}")
    expect(page.locator(shown)).to_have_text(f"∂L/∂{z} ?")


def test_an_edge_says_why_it_has_no_number(at: At) -> None:
    w1 = '#network [role=button][data-parameter="w1"]'
    for fragment, says in (("step=3", "not yet computed"), ("quiz=1", "hidden by the quiz")):
        assert says in str(at(fragment).locator(w1).get_attribute("aria-label"))


def test_a_negative_edge_is_dashed_as_well_as_coloured(at: At) -> None:
    page = at("seed=44")
    for sign, dashes in (("positive", "none"), ("negative", "9px, 3px")):
        edges = page.locator(f'#network line.edge[data-sign="{sign}"]')
        expect(edges.first).to_have_css("stroke-dasharray", dashes)


def test_larger_gradients_are_thicker_over_twelve_powers_of_ten(at: At) -> None:
    trace = PassRequest(person="bob", seed=44).trace()
    page = at("person=bob&seed=44&show=gradients")
    sizes = {name: abs(trace.gradient_of(name).by_hand) for name in trace.parameters()[:6]}
    widths = {name: float(line(page, name, "stroke-width") or 0) for name in sizes}
    by_size = sorted(sizes, key=lambda name: sizes[name])
    assert [widths[name] for name in by_size] == sorted(widths.values())
    assert len(set(widths.values())) > 3


def test_what_is_not_yet_computed_is_not_shown(at: At) -> None:
    page = at("person=bob&step=2&show=gradients")
    expect(page.locator('#network [data-unit="z1"]')).to_contain_text("z1 31")
    expect(page.locator('#network [data-unit="z2"]')).to_contain_text("z2 ?")
    assert edge(page, "w1") == "∂L/∂w1 ?"


#: By step: the units and the parameters that it is about.
ABOUT: dict[int, tuple[set[str], set[str]]] = {
    1: ({"z1"}, set()),
    8: ({"L", "z3"}, set()),  # ∂L/∂ypred
    12: ({"z1", "z2", "z3"}, set()),  # ∂ypred/∂h1, ∂ypred/∂h2
    18: ({"L"}, {"w1", "w2", "b1"}),
    19: (set(), {"w1", "w2", "w3", "w4", "w5", "w6", "b1", "b2", "b3"}),
}


def test_what_a_step_is_about_is_marked(at: At) -> None:
    for step, marked in ABOUT.items():
        found = at(f"step={step}").evaluate(
            """() => [
              [...document.querySelectorAll('#network .unit[data-now="true"]')].map(
                (node) => node.parentNode.dataset.unit),
              [...document.querySelectorAll('#network .handle[data-now="true"]')].map(
                (node) => node.dataset.parameter),
            ]"""
        )
        assert tuple(map(set, found)) == marked, step


def test_pointing_at_an_edge_lights_its_path(at: At) -> None:
    page = at()
    page.locator('#network [role=button][data-parameter="w4"]').hover()
    settle(page)
    on_path = page.locator("#network line.edge[data-path=true]")
    names = on_path.evaluate_all("all => all.map((of) => of.dataset.parameter)")
    assert names == ["w4", "w6"]
    expect(page.locator('#network circle[data-path="true"]')).to_have_count(2)  # h2, the output


def test_an_edge_is_chosen_by_the_keyboard(at: At) -> None:
    page = at()
    handle = page.locator('#network [role=button][data-parameter="w6"]')
    handle.press("Enter")
    expect(handle).to_have_attribute("aria-pressed", "true")
    assert state(page)["parameter"] == "w6"
    label = handle.get_attribute("aria-label") or ""
    assert label.startswith("w6 1, derivative −0.0113")


def test_drawing_an_edge_moves_its_weight(at: At) -> None:
    """By the first button of a mouse, and until that is let go."""
    page = at("person=alice")
    box = page.locator('#network [role=button][data-parameter="w5"] rect').bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    tried: tuple[tuple[Literal["left", "right"], dict[str, float]], ...]
    tried = ("right", {}), ("left", {"w5": 0.5})
    for button, edits in tried:
        page.mouse.move(x, y)
        page.mouse.down(button=button)
        page.mouse.move(x - 40, y, steps=4)
        page.mouse.up(button=button)
        page.mouse.move(x, y + 200)
        settle(page)
        assert state(page)["edits"] == edits


def test_the_slider_and_the_number_move_the_chosen_parameter(at: At) -> None:
    page = at("parameter=b2")
    page.get_by_label("b2, from −5 to 5").fill("-1.25")
    assert state(page)["edits"] == {"b2": -1.25}
    page.get_by_label("b2, any number").fill("7.5")
    page.get_by_label("b2, any number").blur()
    assert state(page)["edits"] == {"b2": 7.5}
    page.get_by_role("button", name="undo changes").click()
    settle(page)
    assert state(page)["edits"] == {}


def test_what_is_edited_is_computed_anew_and_says_so(at: At) -> None:
    """Against Python's trace of the very same parameters."""
    page = at("person=bob&edits=w1:0.5;b3:-2&step=18")
    trace = trace_article([0.5, 1, 1, 1, 1, 1, 0, 0, -2], (25.0, 6.0), 0.0)
    row = page.locator('#now [data-quantity="dL_dw1"]')
    exact = number(row.locator('[data-side="exact"].value').inner_text())
    assert f"{exact:.18e}" == f"{number(trace.quantities['dL_dw1'].exact or ''):.18e}"
    assert "106 bits" in row.inner_text()


#: Texts of the network that meet each other or another's node, or that stand outside it.
_MEETING = """() => {
  const picture = document.querySelector("#network svg");
  const { left, right, top, bottom } = picture.getBoundingClientRect();
  const found = [];
  const meet = ([one, a], [other, b], beyond) => {
    const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (wide > 1 && high > beyond) found.push(`${one} | ${other}`);
  };
  const isSeen = (node) => node.checkVisibility({ visibilityProperty: true });
  const seen = [...picture.querySelectorAll("text")].filter((text) =>
    text.textContent.trim() && isSeen(text));
  const boxes = seen.map((text) => [text.textContent, text.getBoundingClientRect(), text]);
  for (const [text, box] of boxes) {
    const isOut = box.left < left - 1 || box.right > right + 1 ||
      box.top < top - 1 || box.bottom > bottom + 1;
    if (isOut) found.push(text);
  }
  boxes.forEach((one, k) => boxes.slice(k + 1).forEach((other) => meet(one, other, 4)));
  const grounds = [...picture.querySelectorAll(".label-back")].filter((of) => isSeen(of));
  const labels = grounds.map((of) =>
    [of.parentNode.textContent, of.getBoundingClientRect(), of]);
  for (const node of picture.querySelectorAll(".unit")) {
    const name = node.parentNode.querySelector(".name").textContent;
    const own = ([, , of]) => node.parentNode.contains(of);
    const others = [...boxes, ...labels].filter((of) => !own(of));
    others.forEach((of) => meet(of, [`node ${name}`, node.getBoundingClientRect()], 1));
  }
  return found;
}"""

_WIDTHS = ((1366, 768), (1024, 768), PHONE, (320, 640))


@pytest.mark.parametrize("seed", ["ones", "44"])
def test_no_label_of_the_articles_network_meets_another(at: At, seed: str) -> None:
    """Alice's on all screens; Bob's powers of ten have no room in 320 pixels."""
    for size in _WIDTHS:
        for person in ("alice", "bob")[: 1 if size[0] < PHONE[0] else 2]:
            for step in (1, 18):
                where = f"person={person}&seed={seed}&step={step}&show=auto&view=pass"
                assert at(where, size=size).evaluate(_MEETING) == [], (size, where)


def test_the_way_to_a_loss_below_its_output_is_clear_of_numbers(at: At) -> None:
    """And points down, and on the way back up."""
    boxes = """(all) => all.map((of) => of.getBoundingClientRect())
      .map(({ left, right, top, bottom }) => [left, right, top, bottom])"""
    for step, down in ((7, True), (8, False)):
        page = at(f"seed=44&step={step}&show=auto&view=pass", size=PHONE)
        arrow, line, numbers = (
            page.locator(f"#network {of}").evaluate_all(boxes)
            for of in (".arrow", ".out", ".number")
        )
        for left, right, top, bottom in (arrow[-1], line[-1]):
            assert 5 < bottom - top < 20
            assert not [
                of for of in numbers
                if of[0] < right and left < of[1] and of[2] + 2 < bottom and top + 2 < of[3]
            ]  # fmt: skip
        turned = page.locator("#network .arrow").last.evaluate(
            "(of) => new DOMMatrix(of.style.transform).b"
        )
        assert (turned > 0) == down


@pytest.mark.parametrize("view", ["pass", "nudge"])
def test_a_name_stands_inside_its_node(at: At, view: str) -> None:
    page = at(f"view={view}", size=PHONE)
    room = page.locator("#network [data-unit]").evaluate_all(
        """(all) => all.map((of) => ["circle, rect.unit", ".name"]
          .map((part) => of.querySelector(part).getBoundingClientRect().width))"""
    )
    assert len(room) == 4
    assert all(name < node - 2 for node, name in room)


def test_labels_that_meet_are_seen(at: At) -> None:
    page = at("view=pass")
    name = page.locator("#network .name").last
    place = name.get_attribute("x")
    name.evaluate("(of) => of.setAttribute('x', '-3')")
    assert page.evaluate(_MEETING) != []
    name.evaluate("(of, x) => of.setAttribute('x', x)", place)
    assert page.evaluate(_MEETING) == []
    label = page.locator("#network text.label").first
    place = label.get_attribute("x")
    label.evaluate("(of) => of.setAttribute('x', '60')")
    assert "w1 | node x1" in page.evaluate(_MEETING)
    label.evaluate("(of, x) => of.setAttribute('x', x)", place)
