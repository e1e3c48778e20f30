"""The page, a browser, and what opens the one in the other.

Tests that use them are marked slow, but for one. Chromium runs while tests of this folder do, and
not longer: as long as Playwright's synchronous API is in use, no other test of the process can run
an event loop.
"""

from collections.abc import Iterator
from contextlib import closing
from functools import cache, partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from playwright.sync_api import Browser

import study.build
import study.content
from compare.people import PEOPLE
from study.build import lessons, page
from study.chromium import launched
from study.content import of_article, of_lessons
from study.font import embedded
from tests.once import Once
from tests.study.browser import At, Pages, required


@pytest.fixture(autouse=True, scope="package")
def fonts_once() -> Iterator[None]:
    """Cut the font once for each set of signs; tests/study/test_font.py cuts it anew."""
    cut = cache(lambda signs: embedded(set(signs)))
    with patch.object(study.build, "embedded", lambda signs: cut(frozenset(signs))):
        yield


@pytest.fixture(scope="session")
def content(once: Once) -> dict[str, Any]:
    """What the article's page is told."""
    return once("study-content", of_article)


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tell the page of Alice alone, and of no errata, whose runs take most of the time."""
    monkeypatch.setattr(study.content, "PEOPLE", PEOPLE[:1])
    monkeypatch.setattr(study.content, "errata", list)


@pytest.fixture(scope="session")
def article_html(content: dict[str, Any], once: Once) -> str:
    """The page of the article's network as HTML."""
    return once("study-page", lambda: page(content))


@pytest.fixture(scope="session")
def study_page(article_html: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the article's network, in a file."""
    path = tmp_path_factory.mktemp("study") / "index.html"
    path.write_text(article_html, encoding="utf-8")
    return path


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium, one for each worker."""
    with launched(required()) as browser:
        yield browser


@pytest.fixture(scope="package")
def shared_pages(browser: Browser) -> Iterator[Pages]:
    """The pages that tests share."""
    with closing(Pages(browser)) as pages:
        yield pages


@pytest.fixture
def pages(shared_pages: Pages) -> Iterator[Pages]:
    """Opens pages; at the end of the test it fails on what a page did that it must not."""
    yield shared_pages
    shared_pages.finish()


@pytest.fixture
def at(pages: Pages, study_page: Path, its_view: str) -> At:
    """Goes to an address of the article's page, which tests share: the whole worked example."""
    return partial(pages.at, study_page, usual=f"seed=ones&step=19&show=values{its_view}")


@pytest.fixture
def its_view(request: pytest.FixtureRequest) -> str:
    """The part of an address that shows the view that a module of tests is about, its `VIEW`."""
    shown = getattr(request.module, "VIEW", None)
    return f"&view={shown}" if shown else ""


@pytest.fixture(scope="session")
def lessons_page(once: Once, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lessons, in a file."""
    path = tmp_path_factory.mktemp("lessons") / "index.html"
    html = once("study-lessons", lambda: lessons(of_lessons()))
    path.write_text(html, encoding="utf-8")
    return path
