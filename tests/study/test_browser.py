"""The browser that tests the page can fail: tiny pages, each of which does one thing wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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


def script(code: str) -> str:
    return f"<script>{code}</script>"


def faults(browser: Browser, page: Path) -> str:
    pages = Pages(browser)
    pages.open(page)
    with pytest.raises(AssertionError, match="must not") as caught:
        pages.close()
    return str(caught.value)


@pytest.mark.parametrize(
    ("body", "address"),
    [
        (script("fetch('http://example.org/').catch(() => 0)"), "http://example.org/"),
        (script("navigator.sendBeacon('https://example.org/b')"), "https://example.org/b"),
        (script("new WebSocket('ws://example.org/')"), "ws://example.org/"),
        ("<img alt='' src='http://example.org/i.png'>", "http://example.org/i.png"),
        ("<style>@import 'http://example.org/a.css'</style>", "http://example.org/a.css"),
        ("<link rel='prefetch' href='http://example.org/p'>", "http://example.org/p"),
    ],
)
def test_a_request_is_seen_though_it_gets_nowhere(
    browser: Browser, tmp_path: Path, body: str, address: str
) -> None:
    assert f"\nrequest: {address}\n" in faults(browser, written(tmp_path, body)) + "\n"


def test_so_is_one_for_a_file_beside_the_page(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "beside.js").write_text("")
    seen = faults(browser, written(tmp_path, "<script src='beside.js'></script>"))
    assert f"\nrequest: {(tmp_path / 'beside.js').as_uri()}" in seen


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("console.error('so', 5)", "console error: so 5"),
        ("console.warn('so')", "console warning: so"),
        ("console.assert(1 === 2, 'so')", "console assert: so"),
        ("throw new Error('so')", "uncaught: so"),
        ("throw 'so'", "uncaught: so"),
        ("Promise.reject(new Error('so'))", "uncaught: so"),
        ("setTimeout(() => { throw new Error('so') })", "uncaught: so"),
        ("requestAnimationFrame(() => { throw new Error('so') })", "uncaught: so"),
    ],
)
def test_an_error_is_seen(browser: Browser, tmp_path: Path, code: str, fault: str) -> None:
    assert fault in faults(browser, written(tmp_path, script(code))).splitlines()


@pytest.mark.parametrize(
    ("body", "blocked"),
    [
        (script("document.title = 'Blocked'"), "Executing inline script violates"),
        ("<img alt='' src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>", "Loading the image"),
    ],
)
def test_what_the_pages_own_policy_blocks_is_seen(
    browser: Browser, tmp_path: Path, body: str, blocked: str
) -> None:
    assert f"console error: {blocked}" in faults(browser, written(tmp_path, body, STRICT))


def test_a_page_that_hangs_is_seen(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.study.browser.PATIENCE_MS", 3000)
    pages = Pages(browser)
    pages.open(written(tmp_path, "")).evaluate("() => { setTimeout(() => { for (;;); }) }")
    with pytest.raises(AssertionError, match="hangs: no frame comes any more"):
        pages.close()


def test_axe_sees_what_is_wrong(pages: Pages, tmp_path: Path) -> None:
    """Under a policy that allows no script, too."""
    small = "<button style='display: block; width: 9px; height: 9px' aria-label='{}'></button>"
    faint = "<p style='color: #ccc; background: #fff'>faint</p>"
    body = "<img width='9' height='9'>" + faint + small.format("a") + small.format("b")
    found = axe(pages.open(written(tmp_path, body, STRICT)))
    assert [line.split()[0] for line in found] == ["color-contrast", "image-alt", "target-size"]
    assert "insufficient color contrast of 1.6 (foreground color: #cccccc" in found[0]
    assert '\n  button[aria-label="a"]\n' in found[2]


def test_a_clean_page_passes(pages: Pages, tmp_path: Path) -> None:
    body = "<p>Fine. <img alt='' src='data:image/gif;base64,R0lGODlhAQABAAAAACw='></p>"
    page = pages.open(written(tmp_path, body + script("console.log(1)")))
    assert axe(page) == []


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
    second.reload()
    assert pages.faults == []


def test_a_page_without_javascript(pages: Pages, tmp_path: Path) -> None:
    page = written(tmp_path, "<noscript>None</noscript>" + script("throw 1"))
    assert "None" in pages.open(page, java_script_enabled=False).inner_text("main")


def test_hypothesis_drives_it(browser: Browser, tmp_path: Path) -> None:
    """A number comes back as an int where its digits are one's; as a float it is the same."""
    with Pages(browser) as pages:
        page = pages.open(written(tmp_path, ""))

        @settings(max_examples=50)
        @given(st.floats(allow_nan=False))
        def there_and_back(value: float) -> None:
            assert float(page.evaluate("x => Number(String(x))", value)) == value

        there_and_back()


A_TEST = """
import pytest
from pathlib import Path
from tests.study.conftest import browser, pages, shared_pages


@pytest.mark.parametrize("code", ["", "console.error('so')"])
def test_page(pages, tmp_path, code):
    page = tmp_path / "page.html"
    page.write_text(f"<!DOCTYPE html><title>A page</title><script>{code}</script>")
    pages.open(page)
"""


def test_the_test_fails_that_opened_the_page(tmp_path: Path) -> None:
    """Of two, of which the second opens a page with a fault."""
    (tmp_path / "test_page.py").write_text(A_TEST)
    command = [sys.executable, "-m", "pytest", "-q", "-ra", "-W", "error", "--rootdir", "."]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", "test_page.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": os.environ["PATH"]},
    )
    says = done.stdout + done.stderr
    assert done.returncode == 1, says
    assert "2 passed, 1 error" in says
    assert "ERROR test_page.py::test_page[console.error('so')] - AssertionError" in says
    assert "console error: so" in says


def test_without_a_browser_it_says_so_and_ci_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("HANDGRAD_BROWSER", raising=False)
    with pytest.raises(pytest.skip.Exception, match=MISSING):
        required()
    monkeypatch.setenv("HANDGRAD_BROWSER", "required")
    with pytest.raises(pytest.fail.Exception, match=MISSING):
        required()
