"""The page, a browser, and what opens the one in the other.

Tests that use them are marked slow, but for one. Chromium runs while tests of this folder do, and
not longer: as long as Playwright's synchronous API is in use, no other test of the process can run
an event loop.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache, partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from playwright.sync_api import Browser

import study.build
from compare.trace import Trace
from compare.traced.request import PassRequest
from study.build import build, page
from study.chromium import launched
from study.content import of_article, of_pass
from study.font import embedded
from tests.compare.passes import NETWORKS
from tests.once import Once
from tests.study.browser import At, PageOf, Pages, required

#: A network and an example that are not the article's.
OWN = NETWORKS["identity output"]

#: One with two inputs, whose plane is drawn, and a layer that is higher than others.
TWO_INPUTS = PassRequest(sizes=(2, 8, 1), x=(0.5, -1.0), y=(1.0,), seed=3)


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
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[PassRequest], Path]:
    """The page of a network and an example of anybody's, built when it is first asked for."""

    @cache
    def made(asked: PassRequest) -> Path:
        return build(of_pass(traced(asked)), tmp_path_factory.mktemp("page") / "index.html")

    return made


@cache
def traced(asked: PassRequest) -> Trace:
    """The pass of a network and an example."""
    return asked.trace()


@pytest.fixture
def at_page_of(pages: Pages, built: Callable[[PassRequest], Path], its_view: str) -> PageOf:
    """For a network: goes to an address of its page, which tests share: the whole pass."""
    return lambda asked: partial(
        pages.at, built(asked), usual=f"step={len(traced(asked).steps)}&show=values{its_view}"
    )


@pytest.fixture
def at_own(at_page_of: PageOf) -> At:
    """Goes to an address of the page of another network, which tests share."""
    return at_page_of(OWN)
