"""The browser that tests the page can fail: tiny pages, each of which does one thing wrong."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from study.chromium import MISSING
from tests.study.browser import PHONE, Pages, axe, required

pytestmark = pytest.mark.slow

STRICT = """<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'unsafe-inline'">"""


def written(folder: Path, body: str, head: str = "") -> Path:
    page = folder / "page.html"
    page.write_text(
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>A page</title>'
        f"{head}</head><body><main><h1>A page</h1>{body}</main></body></html>",
        encoding="utf-8",
    )
    return page


def faults(browser: Browser, page: Path) -> str:
    pages = Pages(browser)
    pages.open(page)
    with pytest.raises(AssertionError, match="must not") as caught:
        pages.close()
    return str(caught.value)


#: What a page does that it must not, and what is told of it.
WRONG = {
    "<img alt='' src='http://example.org/i.png'>": "request: http://example.org/i.png",
    "<script src='beside.js'></script>": "request: {}/beside.js",
    "<script>new WebSocket('ws://example.org/')</script>": "request: ws://example.org/",
    "<script>console.warn('so')</script>": "console warning: so",
    "<script>throw new Error('at once')</script>": "uncaught: at once",
    "<script>Promise.reject(new Error('rejected'))</script>": "uncaught: rejected",
    "<script>setTimeout(() => { throw new Error('later') }, 5000)</script>": "uncaught: later",
}


def test_what_a_page_must_not_do_is_seen(browser: Browser, tmp_path: Path) -> None:
    """A request though it gets nowhere, what is put off until later, and what a policy blocks."""
    (tmp_path / "beside.js").write_text("")
    seen = faults(browser, written(tmp_path, "".join(WRONG))).splitlines()
    assert {fault.format(tmp_path.as_uri()) for fault in WRONG.values()} <= set(seen)
    blocked = faults(browser, written(tmp_path, "<script>var one</script>", STRICT))
    assert "console error: Executing inline script violates" in blocked


def test_a_page_that_hangs_is_seen(browser: Browser, tmp_path: Path) -> None:
    pages = Pages(browser)
    page = pages.open(written(tmp_path, ""))
    page.set_default_timeout(1000)
    page.evaluate("() => { setTimeout(() => { for (;;); }) }")
    with pytest.raises(AssertionError, match="hangs: no frame comes any more"):
        pages.close()


def test_axe_sees_what_is_wrong(pages: Pages, tmp_path: Path) -> None:
    """Under a policy that allows no script, too."""
    small = "<button style='display: block; width: 9px; height: 9px' aria-label='{}'></button>"
    faint = "<p style='color: #ccc; background: #fff'>faint</p>"
    body = "<img width='9' height='9'>" + faint + small.format("a") + small.format("b")
    found = axe(pages.open(written(tmp_path, body, STRICT)))
    assert found.startswith("Found 3 accessibility violations")
    for wrong in ("color-contrast", "image-alt", "target-size", 'button[aria-label="a"]'):
        assert wrong in found


def test_pages_are_opened_as_their_reader_has_them(pages: Pages, tmp_path: Path) -> None:
    address = written(tmp_path, "")
    state = """() => [innerWidth, innerHeight, location.hash, localStorage.getItem("seen"),
        matchMedia("(prefers-color-scheme: dark)").matches,
        matchMedia("(prefers-reduced-motion: reduce)").matches]"""
    first = pages.open(address)
    first.evaluate("localStorage.setItem('seen', 'yes')")
    assert first.evaluate(state) == [1280, 800, "", "yes", False, False]
    second = pages.open(address, "step=3", size=PHONE, dark=True, still=True)
    assert second.evaluate(state) == [*PHONE, "#step=3", None, True, True]


def test_without_a_browser_it_says_so_and_ci_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("HANDGRAD_BROWSER", raising=False)
    with pytest.raises(pytest.skip.Exception, match=MISSING):
        required()
    monkeypatch.setenv("HANDGRAD_BROWSER", "required")
    with pytest.raises(pytest.fail.Exception, match=MISSING):
        required()
