"""The page, a browser, and what opens the one in the other.

Tests that use them are marked slow, but for one. Chromium runs while tests of this folder do, and
not longer: as long as Playwright's synchronous API is in use, no other test of the process can run
an event loop.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from playwright.sync_api import Browser

import study.build
from compare.trace import Trace
from study.build import build, page
from study.chromium import launched
from study.content import of_article, of_pass
from study.font import embedded
from tests.once import Once
from tests.passes import NETWORKS
from tests.study.browser import Pages, required

#: A network and an example that are not the article's.
OWN = NETWORKS["identity output"]


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


@pytest.fixture(scope="session")
def own() -> Trace:
    """The pass of a network and an example that are not the article's."""
    return OWN.trace()


@pytest.fixture(scope="session")
def own_page(own: Trace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of another network, built."""
    return build(of_pass(own), tmp_path_factory.mktemp("own") / "index.html")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium, one for each worker."""
    with launched(required()) as browser:
        yield browser


@pytest.fixture
def pages(browser: Browser) -> Iterator[Pages]:
    """Opens pages; at the end of the test it fails on what a page did that it must not."""
    with Pages(browser) as pages:
        yield pages
