"""The article's slips on the page: both forms, what the runs show, and the ways to elsewhere."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from compare.errata.catalogue import ERRATA
from compare.errata.entry import Cell
from study.errata import ELSEWHERE
from tests.compare.errata.runs import shown
from tests.study.browser import DESKTOP, PHONE, At, Pages, choose, into_view, settle, state
from tests.study.pictures import number

pytestmark = pytest.mark.slow

VIEW = "errata"

#: Each is opened once, and copies stay open: of the list itself only one is open at a time.
OPEN_ALL = """() => {
  const { store } = modules["main.js"];
  for (const slip of store.study.errata) store.set({ erratum: slip.number });
  for (const details of document.querySelectorAll("#errata details")) {
    const copy = details.cloneNode(true);
    copy.open = true;
    details.replaceWith(copy);
  }
}"""


def slip(page: Page, entry: int) -> Any:
    return page.locator(f'#errata [data-erratum="{entry}"]')


def test_all_slips_show_both_forms_and_what_the_runs_show(pages: Pages, study_page: Path) -> None:
    page = pages.open(study_page, "printed=1", still=True)
    page.evaluate(OPEN_ALL)
    expect(page.locator("#errata .inside")).to_have_count(len(ERRATA))
    read = page.evaluate(
        """() => [...document.querySelectorAll("#errata .inside")].map((inside) => ({
          why: inside.querySelector("p").textContent,
          says: inside.querySelector(".comes-to").textContent,
          columns: [...inside.querySelector("thead tr").children].map((cell) => cell.textContent),
          rows: [...inside.querySelectorAll("tbody tr")].map((row) =>
            [...row.children].map((cell) => cell.textContent)),
          sides: [...inside.querySelector(".sides").children].map((side) => [
            side.dataset.printed,
            side.querySelector(".tag").textContent,
            side.querySelector(".words")?.textContent ?? null,
            side.querySelectorAll(".one:has(math)").length,
          ]),
        }))"""
    )
    for entry, of in zip(ERRATA, read, strict=True):
        run = shown(entry.number)
        assert (of["why"], of["says"], of["columns"]) == (entry.why, run.says, list(run.columns))
        for found, expected in zip(of["rows"], run.rows, strict=True):
            assert [same(*cells, run.digits) for cells in zip(found, expected, strict=True)]
        printed, right = of["sides"]
        assert printed[:2] == ["true", "✗ printed"]
        assert right[:2] == ["false", "✓ corrected"]
        for (*_, words, formulas), text, latex in (
            (printed, entry.printed, entry.printed_latex),
            (right, entry.right, entry.right_latex),
        ):
            assert words in ({text, None} if latex else {text})
            assert formulas == (latex.count(r"\quad") + 1 if latex else 0)
    # Of the mean over n the formula says all; of the first slip the words say more.
    assert slip(page, 2).locator(".words").count() == 0
    assert slip(page, 1).locator(".words").count() == 1
    assert page.locator("#errata a").count() == 0  # the address is the state
    for width, height in (PHONE, DESKTOP):
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def same(read: str, cell: Cell, digits: int) -> bool:
    if isinstance(cell, str):
        assert read == cell
    else:
        assert float(number(read)) == float(f"{cell:.{digits}g}")
    return True


def test_the_switch_shows_the_one_or_the_other_first(at: At) -> None:
    page = at()
    slip(page, 18).locator("summary").click()
    sides = slip(page, 18).locator(".side")
    corrected, printed = f"✓ corrected{ERRATA[17].right}", f"✗ printed{ERRATA[17].printed}"
    expect(sides).to_have_text([corrected, printed])
    page.get_by_role("button", name="as the article prints it").click()
    expect(sides).to_have_text([printed, corrected])
    expect(page).to_have_url(re.compile("&printed=1&erratum=18$"))
    page.reload()
    expect(sides).to_have_text([printed, corrected])
    page.get_by_role("button", name="corrected", exact=True).click()
    expect(sides).to_have_text([corrected, printed])


def test_one_section_of_the_article(at: At) -> None:
    page = at("erratum=23&section=Nowhere")
    assert page.locator("#errata :is(math, .side):visible").count() == 0  # nothing is open
    found = [of.split("\n") for of in page.locator("#errata summary").all_inner_texts()]
    assert found == [[f"{of.number}. {of.title}", of.section] for of in ERRATA]
    page.locator("#errata select").select_option("Optimizer")
    expected = [entry for entry in ERRATA if entry.section == "Optimizer"]
    titles = page.locator("#errata li:visible .slip-title")
    expect(titles).to_have_text([f"{of.number}. {of.title}" for of in expected])
    count = page.locator("#errata [role=status]")
    expect(count).to_contain_text(f"{len(expected)} of {len(ERRATA)}")
    page.locator("#errata select").select_option("")
    expect(titles).to_have_count(len(ERRATA))


def test_the_address_says_which_is_open(at: At) -> None:
    page = at()
    slip(page, 7).locator("summary").click()
    expect(page).to_have_url(re.compile("&erratum=7$"))
    slip(page, 7).locator("summary").click()
    expect(page).to_have_url(re.compile("&show=values$"))


def test_only_the_one_in_the_address_is_open(at: At) -> None:
    """And what is pressed stays where it is, though one above it closes."""
    page = at("erratum=3", size=PHONE, still=True)
    expect(slip(page, 3).locator(".inside")).to_be_visible()
    title = slip(page, 5).locator("summary")
    into_view(title)
    top = "(of) => of.getBoundingClientRect().top"
    before = title.evaluate(top)
    title.evaluate("(of) => of.click()")
    settle(page)
    expect(page.locator("#errata details[open]")).to_have_count(1)
    expect(slip(page, 5).locator(".inside")).to_be_visible()
    expect(page).to_have_url(re.compile("&erratum=5$"))
    assert abs(title.evaluate(top) - before) <= 1


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_an_address_opens_one_and_brings_it_into_view(
    pages: Pages, study_page: Path, size: tuple[int, int]
) -> None:
    page = pages.open(study_page, "section=Loss&erratum=22", size=size, still=True)
    title = slip(page, 22).locator("summary")
    expect(slip(page, 22).locator(".inside")).to_be_visible()
    expect(title).to_be_in_viewport()
    page.wait_for_function(
        """(title) => {
          const { left, top } = title.getBoundingClientRect();
          return title.contains(document.elementFromPoint(left + 40, top + 12));
        }""",
        arg=title.element_handle(),
    )


def test_buttons_lead_to_where_it_can_be_seen(at: At) -> None:
    page = at("person=bob&step=3", still=True)
    last = len(page.evaluate("modules['main.js'].store.study.steps"))
    for entry, (section, choices, says) in ELSEWHERE.items():
        choose(page, step=3, mistake=None, erratum=entry, view="errata")
        slip(page, entry).get_by_role("button", name=says).press("Enter")
        settle(page)
        found = state(page)
        assert {name: found[name] for name in choices} == choices
        assert found["step"] == last
        assert page.evaluate("document.activeElement.closest('section').id") == section
        expect(page.locator(":focus")).to_be_in_viewport()


def test_what_it_sets_is_known_to_the_page(content: dict[str, Any]) -> None:
    """A slug that no mistake has, or a name that no parameter has, would be set all the same."""
    known = {
        "mistake": [of["slug"] for of in content["mistakes"]["list"]],
        "parameter": content["parameters"],
        "sample": [of["key"] for of in content["samples"]],
        "order": ["fixed", "shuffled"],
    }
    for _, choices, _ in ELSEWHERE.values():
        for name in known.keys() & choices.keys():
            assert choices[name] in known[name]
