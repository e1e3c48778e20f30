"""The documentation site: its links, its reference, its formulas, and that it needs no network."""

import ast
import inspect
import re
from collections.abc import Iterator
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest
from click.testing import CliRunner

import handgrad
import handgrad.strategies
from handgrad.shrinking.counterexample import Counterexample
from study.chromium import launched
from tests.study.browser import PATIENCE_MS, required
from website import cli, sources
from website.build import build

pytestmark = pytest.mark.slow

#: Attributes that are public for the other modules of the package, as zensical.toml has them.
INTERNAL = {"of", "observed", "trial", "case", "reading"}


class Read(NamedTuple):
    """The identifiers of a page, its links, and what it loads."""

    ids: set[str]
    links: list[str]
    loads: list[str]


@cache
def read(page: Path) -> Read:
    text = page.read_text(encoding="utf-8")

    def found(tags: str, names: str) -> list[str]:
        return list(map(unescape, re.findall(rf'<(?:{tags})\b[^>]*?\s(?:{names})="(.*?)"', text)))

    loads = found("script|img|iframe", "src") + found("link", "href") + found("source", "srcset")
    return Read({*found(r"\w+", "id"), *found(r"\w+", "name")}, found("a", "href"), loads)


#: The search keeps its elements to itself, unless this runs before.
OPEN = """(() => {
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (options) {
    return attach.call(this, { ...options, mode: "open" });
  };
})()"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("website") / "site")


def pages(site: Path) -> Iterator[Path]:
    """All pages but the study's, which has tests of its own, and the server's for errors."""
    return (page for page in site.rglob("*.html") if page.name not in ("page.html", "404.html"))


def html_of(site: Path, document: Path) -> Path:
    return (site / sources.place(document)).with_suffix(".html")


def test_every_link_leads_somewhere_and_none_to_a_network_is_loaded(site: Path) -> None:
    broken = []
    for page in pages(site):
        assert [url for url in read(page).loads if re.match(r"(?:https?:)?//", url)] == []
        for link in (*read(page).links, *read(page).loads):
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            if re.match(r"[a-z]+:", link):
                continue
            if not target.is_file() or (
                anchor and target.suffix == ".html" and anchor not in read(target).ids
            ):
                broken.append(f"{page.name}: {link}")
    assert broken == []
    for style in site.rglob("*.css"):
        assert re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", style.read_text()) == []


def test_every_document_is_in_the_navigation_and_its_formulas_are_mathml(site: Path) -> None:
    page = site / "changelog.html"  # which links to no document otherwise
    linked = {(site / link.partition("#")[0]).resolve() for link in read(page).links}
    blocks = re.compile(r"^```(\w*)\n.*?^```$", re.M | re.S)
    for source in sources.DOCS.rglob("*.md"):
        assert html_of(site, source) in linked
        text = source.read_text(encoding="utf-8")
        formulas = blocks.findall(text).count("math") + blocks.sub("", text).count("$`")
        shown = html_of(site, source).read_text(encoding="utf-8")
        assert len(re.findall(r"<math\b", shown)) == formulas, source
        assert "$`" not in shown
        assert "$<code>" not in shown


def public() -> Iterator[str]:
    """Every name that the reference owes its reader, attributes included."""
    for name, function in inspect.getmembers(handgrad.strategies, inspect.isfunction):
        if function.__module__ == handgrad.strategies.__name__ and not name.startswith("_"):
            yield f"handgrad.strategies.{name}"
    # Read, not imported: torch is an extra.
    source = Path(handgrad.__file__).with_name("torch.py").read_text(encoding="utf-8")
    (names,) = re.findall(r"^__all__ = (\[.*?\])", source, re.M | re.S)
    yield from (f"handgrad.torch.{name}" for name in ast.literal_eval(names))
    things = {f"handgrad.{name}": getattr(handgrad, name) for name in handgrad.__all__}
    yield from things
    things[f"{Counterexample.__module__}.Counterexample"] = Counterexample
    for name, thing in things.items():
        own = [p for p in getattr(thing, "__mro__", ()) if p.__module__.startswith("handgrad.")]
        attributes = {name for part in own for name in (*vars(part), *part.__annotations__)}
        yield from (f"{name}.{of}" for of in attributes - INTERNAL if not of.startswith("_"))


def test_the_reference_has_every_public_name_and_what_it_is(site: Path) -> None:
    pages = [page.read_text(encoding="utf-8") for page in site.glob("reference/*.html")]
    missing = [name for name in public() if not any(_is_described(name, page) for page in pages)]
    assert missing == []
    # A comment is shown as it is written.
    of_blame = "<p>which gradient is off: <code>yours</code>, <code>autodiff</code> or "
    assert any(of_blame in page for page in pages)


def _is_described(name: str, page: str) -> bool:
    """Whether a page has a heading for a name, and below it a sentence."""
    found = re.search(rf'<h[2-6] id="{re.escape(name)}".*?</h', page, re.S)
    below, _, _ = page[found.end() :].partition("<h") if found else ("", "", "")
    contents = re.search(r'class="doc doc-contents[^"]*">(.*)', below, re.S)
    return bool(contents and re.search(r"\w{2}", re.sub(r"<[^>]*>", "", contents[1])))


def test_the_reference_has_the_signatures_that_help_shows(site: Path) -> None:
    page = (site / "reference" / "checks.html").read_text(encoding="utf-8")
    text = re.sub("^ +", "", unescape(re.sub(r"<[^>]*>", "", page)), flags=re.M)
    for name, thing in inspect.getmembers(handgrad, inspect.isfunction):
        if name in handgrad.__all__:
            shown = re.search(rf"^{name}\(.*?\) -> .*?$", text, re.M | re.S)
            assert shown, name
            made: dict[str, Any] = {}
            exec(f"from __future__ import annotations\ndef {shown[0]}: ...", made)
            here, there = (
                [(p.name, p.kind, p.default) for p in inspect.signature(of).parameters.values()]
                for of in (made[name], thing)
            )
            assert here == there


@pytest.mark.parametrize(
    ("file", "document", "count"),
    [("model.py", "tutorial.md", 3), ("model_checks.py", "howto/pytest.md", 2)],
)
def test_a_document_shows_its_file(file: str, document: str, count: int) -> None:
    code, text = ((sources.DOCS / name).read_text(encoding="utf-8") for name in (file, document))
    _, *definitions = code.split("\n\n\n")
    assert [part.strip() in text for part in definitions] == [True] * count


def test_the_command_prints_where_the_site_is_and_opens_it(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(cli, "build", lambda out: out)
    # There is a browser the first time only.
    monkeypatch.setattr(
        cli.webbrowser, "open", lambda address: opened.append(address) or len(opened) == 1
    )
    monkeypatch.chdir(sources.ROOT)
    plain, shown, refused = (
        CliRunner().invoke(cli.cli, words) for words in ([], ["--open"], ["--open"])
    )
    assert (plain.output, shown.exit_code, refused.exit_code) == ("site/index.html\n", 0, 1)
    assert opened == 2 * [(sources.ROOT / "site" / "index.html").as_uri()]
    assert "open that file in one yourself" in refused.output


@pytest.fixture
def another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The first page of another repository's documents."""
    monkeypatch.setattr(sources, "ROOT", tmp_path)
    monkeypatch.setattr(sources, "DOCS", tmp_path / "docs")
    monkeypatch.setattr(sources, "PLACES", {})
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "other.md").write_text("# There\n")
    return tmp_path / "docs" / "index.md"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("`[no](nowhere.py)`, [a](../nowhere.py)", r"^docs/index\.md: .* \.\./nowhere\.py"),
        ("# Here\n\n[a](other.md#nowhere), [b](#here)", "(?s)anchor does not exist.*index.md:3"),
        ("# Here\n\n[a](#nowhere), [b](#here)", "(?s)anchor does not exist.*index.md:3"),
    ],
)
def test_a_link_that_leads_nowhere_is_an_error(
    another: Path, tmp_path: Path, text: str, says: str
) -> None:
    another.write_text(f"{text}\n")
    with pytest.raises(click.ClickException, match=says) as error:
        build(tmp_path / "site")
    assert "\x1b" not in str(error.value)


def test_files_and_folders_are_shown(another: Path, tmp_path: Path) -> None:
    another.write_text("[a file](../code/one.py) and [its folder](../code)\n")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "one.py").write_text('"""One thing.\n\nAnd more."""\n')
    sources.write(tmp_path / "out")
    shown = tmp_path / "out" / "repository" / "code"
    assert "One thing.\n\nAnd more." in (shown / "one.py.md").read_text()
    assert "[`one.py`](one.py.md): One thing.\n" in (shown / "index.md").read_text()
    links = re.findall(r"\((.*?)\)", (tmp_path / "out" / "index.md").read_text())
    assert links == ["repository/code/one.py.md", "repository/code/index.md"]


def test_search_works_from_disk_and_offline(site: Path) -> None:
    with launched(required()) as browser:
        page = browser.new_context(offline=True).new_page()
        page.set_default_timeout(PATIENCE_MS)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        faults: list[str] = []
        page.add_init_script(OPEN)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto((site / "derivation.html").as_uri())
        page.keyboard.press("Control+k")
        page.get_by_role("combobox").fill("straight-through")
        page.get_by_role("option").filter(has_text="check_gradient").click()
        page.wait_for_url(re.compile(r"/reference/checks\.html.*#handgrad\.check_gradient"))
    assert faults == []
    assert {url.partition(":")[0] for url in asked} <= {"file", "data", "blob"}
