"""The documentation site: its links, its reference, its formulas, and that it needs no network."""

import ast
import inspect
import re
from collections.abc import Iterator
from functools import cache
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

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

#: Elements that load what they name, and the attribute that names it.
LOADING = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "srcset"}


class Reader(HTMLParser):
    """The identifiers of a page, its links, and what it loads."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        self.ids |= {named[name] for name in ("id", "name") if name in named}
        if tag == "a" and "href" in named:
            self.links.append(named["href"])
        if LOADING.get(tag) in named:
            self.loads.append(named[LOADING[tag]])


read = cache(Reader)

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


def test_every_link_leads_somewhere(site: Path) -> None:
    broken = []
    for page in pages(site):
        for link in (*read(page).links, *read(page).loads):
            if re.match(r"[a-z]+:", link):
                continue
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            if not target.is_file():
                broken.append(f"{page.name}: {link}")
            elif anchor and target.suffix == ".html" and anchor not in read(target).ids:
                broken.append(f"{page.name}: {link}, no such place")
    assert broken == []


def test_every_document_is_in_the_navigation(site: Path) -> None:
    page = site / "changelog.html"  # which links to no document otherwise
    linked = {(site / link.partition("#")[0]).resolve() for link in read(page).links}
    for source in sources.DOCS.rglob("*.md"):
        assert (site / sources.place(source)).with_suffix(".html") in linked


def test_nothing_is_loaded_from_a_network(site: Path) -> None:
    for page in pages(site):
        assert [url for url in read(page).loads if re.match(r"(?:https?:)?//", url)] == []
    for style in site.rglob("*.css"):
        assert re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", style.read_text()) == []


@pytest.mark.parametrize("source", sorted(sources.DOCS.rglob("*.md")), ids=lambda path: path.stem)
def test_formulas_are_mathml(site: Path, source: Path) -> None:
    blocks = r"^```(\w*)\n.*?^```$"
    text = source.read_text(encoding="utf-8")
    formulas = [kind for kind in re.findall(blocks, text, re.M | re.S) if kind == "math"]
    formulas += re.findall(r"\$`", re.sub(blocks, "", text, flags=re.M | re.S))
    page = (site / sources.place(source)).with_suffix(".html").read_text(encoding="utf-8")
    assert len(re.findall(r"<math\b", page)) == len(formulas)
    assert "$`" not in page
    assert "$<code>" not in page


def public() -> Iterator[str]:
    """Every name that the reference owes its reader, attributes included."""
    yield "handgrad.strategies.points"
    for name in handgrad.__all__:
        yield f"handgrad.{name}"
        thing = getattr(handgrad, name)
        if inspect.isclass(thing):
            yield from (f"handgrad.{name}.{attribute}" for attribute in attributes(thing))
    # Read, not imported: torch is an extra.
    source = Path(handgrad.__file__).with_name("torch.py").read_text(encoding="utf-8")
    (names,) = re.findall(r"^__all__ = (\[.*?\])", source, re.M | re.S)
    yield from (f"handgrad.torch.{name}" for name in ast.literal_eval(names))
    for attribute in attributes(Counterexample):
        yield f"{Counterexample.__module__}.Counterexample.{attribute}"


def attributes(of: type[Any]) -> set[str]:
    own = [part for part in of.__mro__ if part.__module__.startswith("handgrad.")]
    names = {name for part in own for name in (*vars(part), *part.__annotations__)}
    return {name for name in names if not name.startswith("_")} - INTERNAL


def test_the_reference_has_every_public_name_and_what_it_is(site: Path) -> None:
    pages = [page.read_text(encoding="utf-8") for page in site.glob("reference/*.html")]
    missing = [name for name in public() if not any(_is_described(name, page) for page in pages)]
    assert missing == []


def test_the_reference_has_the_signatures_that_help_shows(site: Path) -> None:
    text = as_text(site / "reference" / "checks.html")
    for name in handgrad.__all__:
        thing = getattr(handgrad, name)
        if not inspect.isfunction(thing):
            continue
        shown = re.search(rf"^{name}\(.*?\) -> .*?$", text, re.M | re.S)
        assert shown, name
        made: dict[str, Any] = {}
        exec(f"from __future__ import annotations\ndef {shown[0]}: ...", made)
        assert arguments(made[name]) == arguments(thing)


def arguments(function: Any) -> list[tuple[Any, ...]]:
    """The parameters of a function: name, kind and default of each."""
    return [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()]


def test_a_comment_is_shown_as_it_is_written(site: Path) -> None:
    page = (site / "reference" / "reports.html").read_text(encoding="utf-8")
    assert "<p>which gradient is off: <code>yours</code>, <code>autodiff</code> or " in page


def as_text(page: Path) -> str:
    lines = unescape(re.sub(r"<[^>]*>", "", page.read_text(encoding="utf-8"))).splitlines()
    return "\n".join(line.strip() for line in lines)


def _is_described(name: str, page: str) -> bool:
    """Whether a page has a heading for a name, and below it a sentence."""
    found = re.search(rf'<h[2-6] id="{re.escape(name)}".*?</h', page, re.S)
    below, _, _ = page[found.end() :].partition("<h") if found else ("", "", "")
    contents = re.search(r'class="doc doc-contents[^"]*">(.*)', below, re.S)
    return bool(contents and re.search(r"\w{2}", re.sub(r"<[^>]*>", "", contents[1])))


def test_the_strategies_are_all_there() -> None:
    own = inspect.getmembers(handgrad.strategies, inspect.isfunction)
    here = handgrad.strategies.__name__
    assert [n for n, f in own if f.__module__ == here and not n.startswith("_")] == ["points"]


def test_the_tutorial_shows_its_file() -> None:
    _, *definitions = (sources.DOCS / "model.py").read_text(encoding="utf-8").split("\n\n\n")
    tutorial = (sources.DOCS / "tutorial.md").read_text(encoding="utf-8")
    assert len(definitions) == 3
    assert all(definition.strip() in tutorial for definition in definitions)


def test_the_recipe_shows_its_file() -> None:
    _, *definitions = (sources.DOCS / "model_checks.py").read_text(encoding="utf-8").split("\n\n\n")
    recipe = (sources.DOCS / "howto" / "pytest.md").read_text(encoding="utf-8")
    assert len(definitions) == 2
    assert all(definition.strip() in recipe for definition in definitions)


def test_the_command_builds_it_prints_where_it_is_and_opens_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(cli, "build", lambda out: out)
    monkeypatch.setattr(cli.webbrowser, "open", lambda address: not opened.append(address))
    monkeypatch.chdir(sources.ROOT)
    assert CliRunner().invoke(cli.website, []).output == "site/index.html\n"
    assert opened == []
    assert CliRunner().invoke(cli.website, ["--open"]).exit_code == 0
    assert opened == [(sources.ROOT / "site" / "index.html").as_uri()]
    monkeypatch.setattr(cli.webbrowser, "open", lambda _: False)
    refused = CliRunner().invoke(cli.website, ["--open"])
    assert refused.exit_code == 1
    assert "open that file in one yourself" in refused.output


@pytest.fixture
def another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The first page of another repository's documents."""
    monkeypatch.setattr(sources, "ROOT", tmp_path)
    monkeypatch.setattr(sources, "DOCS", tmp_path / "docs")
    monkeypatch.setattr(sources, "PLACES", {})
    (tmp_path / "docs").mkdir()
    return tmp_path / "docs" / "index.md"


def test_a_link_to_a_missing_file_is_an_error(another: Path, tmp_path: Path) -> None:
    another.write_text("`[no link](nowhere.py)`, [a link](../nowhere.py)\n")
    with pytest.raises(sources.BrokenLinkError, match=r"docs/index\.md: .* \.\./nowhere\.py"):
        sources.write(tmp_path / "out")


@pytest.mark.parametrize("link", ["other.md#nowhere", "#nowhere"])
def test_a_link_to_a_missing_place_is_an_error(another: Path, tmp_path: Path, link: str) -> None:
    another.write_text(f"# Here\n\n[a link]({link}), [another](#here)\n")
    (another.parent / "other.md").write_text("# There\n")
    with pytest.raises(click.ClickException, match="anchor does not exist") as error:
        build(tmp_path / "site")
    assert "index.md:3" in str(error.value)
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
