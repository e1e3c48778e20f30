"""The page, a browser, and what opens the one in the other.

Tests that use them are marked slow. Chromium runs while tests of this folder do, and
not longer: as long as Playwright's synchronous API is in use, no other test of the process can run
an event loop.
"""

from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from playwright.sync_api import Browser, Page

import study.build
from study.build import page
from study.chromium import launched
from study.content import of_article
from study.font import embedded
from tests.once import Once
from tests.study.browser import Opened, Pages, required, settle


@pytest.fixture(autouse=True, scope="package")
def fonts_once() -> Iterator[None]:
    """Cut the font once for each set of signs; tests/study/test_font.py cuts it anew."""
    cut = cache(lambda signs: embedded(set(signs)))
    with patch.object(study.build, "embedded", lambda signs: cut(frozenset(signs))):
        yield


@pytest.fixture(scope="session")
def content(once: Once) -> dict[str, Any]:
    """What the page is told."""
    return once("study-content", of_article)


@pytest.fixture(scope="session")
def html(content: dict[str, Any], once: Once) -> str:
    """The page as HTML."""
    return once("study-page", lambda: page(content))


@pytest.fixture(scope="session")
def built(html: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page, in a file."""
    path = tmp_path_factory.mktemp("study") / "index.html"
    path.write_text(html, encoding="utf-8")
    return path


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium, one for each worker."""
    with launched(required()) as browser:
        yield browser


@pytest.fixture
def pages(browser: Browser) -> Iterator[Pages]:
    """Opens pages; at the end of the test it fails on what a page did that it must not."""
    with closing(Pages(browser)) as pages:
        yield pages


@pytest.fixture
def opened(pages: Pages, built: Path) -> Opened:
    """Opens a lesson by its address, still but where a test says otherwise."""

    def open_(fragment: str, **options: Any) -> Page:
        page = pages.open(built, fragment, **{"still": True, **options})
        settle(page)
        return page

    return open_
