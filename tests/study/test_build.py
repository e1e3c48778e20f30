"""The built page: one file that asks nobody for anything, written whole or not at all."""

import contextlib
import io
import json
import os
import re
import subprocess
import sys
from base64 import b64encode
from copy import deepcopy
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from unittest.mock import patch

import jax
import pytest
from playwright.sync_api import Page

import study.build
from study.build import PAGE, build, page
from study.cli import main
from study.content import of_article
from tests.study.browser import At, Pages
from tests.tiers import slowly


class Elements(HTMLParser):
    """The elements of a page in order: tag, attributes, and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], str]] = []
        self._is_open = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), ""))
        self._is_open = True

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 (the parser's)
        self._is_open = False

    def handle_data(self, data: str) -> None:
        if self._is_open:
            tag, attributes, text = self.found[-1]
            self.found[-1] = (tag, attributes, text + data)

    def of(self, tag: str) -> list[tuple[dict[str, str | None], str]]:
        return [(attributes, text) for found, attributes, text in self.found if found == tag]


@pytest.fixture
def small(little: None) -> dict[str, Any]:  # noqa: ARG001 (it is there for what it does)
    """The content of a small page."""
    return of_article()


@pytest.fixture(params=["small", slowly("content")])
def html(request: pytest.FixtureRequest) -> str:
    """A page: a small one, and the whole."""
    return page(request.getfixturevalue(request.param))


def hashed(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


@pytest.mark.slow
def test_it_is_one_file_whose_policy_allows_what_is_inline_and_nothing_else(html: str) -> None:
    assert len(html.encode()) <= 900_000
    assert not re.search(r"\{\{\w+\}\}|FONT_URL", html)  # every part has found its place
    elements = Elements(html)
    (policy,) = (
        attributes["content"]
        for attributes, _ in elements.of("meta")
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    (_, style), = elements.of("style")  # fmt: skip
    (_, data), (_, script) = elements.of("script")
    assert policy is not None
    allowed = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert allowed == {
        "default-src": "'none'",
        "script-src": hashed(script),
        "style-src": hashed(style),
        "font-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert json.loads(data)["steps"]


def test_it_needs_nothing_from_anywhere(html: str) -> None:
    elements = Elements(html)
    for tag, attributes, text in elements.found:
        assert tag not in {"link", "iframe", "object", "embed", "base", "img"}
        assert not {"src", "srcset", "href", "action", "style"} & attributes.keys()
        if tag == "style":
            assert set(re.findall(r"url\(.{6}", text)) <= {'url("data:'}
            assert "@import" not in text
        if tag == "script" and "type" not in attributes:
            # Names of two vocabularies, which nobody fetches.
            found = set(re.findall(r"\w+://[^\"'`\s)]*", text))
            assert found <= {
                "http://www.w3.org/2000/svg",
                "http://www.w3.org/1998/Math/MathML",
            }
            asking = r"\b(fetch|XMLHttpRequest|WebSocket|EventSource|sendBeacon|importScripts)\b"
            assert not re.search(asking, text)
            assert not re.search(r"\b(eval|localStorage|sessionStorage|indexedDB)\b|cookie", text)


@pytest.mark.slow
def test_no_text_gets_out_of_its_element(small: dict[str, Any]) -> None:
    text = "</script><b> <!--<script> <!-- </SCRIPT > {{script}} a\u2028b"
    changed = {**small, "about": {**small["about"], "parameters": text}}
    before, after = Elements(page(small)), Elements(page(changed))
    assert [tag for tag, *_ in after.found] == [tag for tag, *_ in before.found]
    (_, data), _ = after.of("script")
    assert json.loads(data) == json.loads(json.dumps(changed))
    assert "<!--" not in data  # after which a script could contain another one


@pytest.mark.slow
def test_what_json_cannot_say_is_refused(small: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        page({**small, "eta": float("nan")})


@pytest.mark.slow
def test_it_is_written_whole_or_not_at_all(
    small: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "page.html"
    assert build(small, out) == out
    before = out.read_text("utf-8")
    assert before == page(small)

    def fails(path: Path, text: str, **_: Any) -> None:
        path.write_bytes(text[:100].encode())
        raise OSError("no space")

    monkeypatch.setattr(Path, "write_text", fails)
    with pytest.raises(OSError, match="no space"):
        build({**small, "eta": 1}, out)
    assert out.read_text("utf-8") == before
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def run(*words: object) -> tuple[int, str, str]:
    """Run the command line in this process, without a terminal."""
    out, err = io.StringIO(), io.StringIO()
    with (
        jax.numpy_dtype_promotion("standard"),
        patch.object(sys, "argv", ["study", *map(str, words)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as ending,
    ):
        main()
    return int(ending.value.code or 0), out.getvalue(), err.getvalue()


@pytest.mark.usefixtures("little")
def test_the_command_builds_it_and_prints_where(tmp_path: Path) -> None:
    out = tmp_path / "a page.html"
    assert run("--seed", 3, "--out", out) == (0, f"{out}\n", "")
    told = json.loads(Elements(out.read_text("utf-8")).of("script")[0][1])
    assert told["begin"] == {"sample": "alice", "seed": 3, "form": "stable"}


@pytest.mark.slow
@pytest.mark.usefixtures("little")
def test_without_out_it_goes_where_the_others_went(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study.build, "OUT", tmp_path / "out" / "index.html")
    monkeypatch.chdir(tmp_path)
    assert run() == (0, f"{Path('out/index.html')}\n", "")
    assert (tmp_path / "out" / "index.html").is_file()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--out", "{}/missing/page.html"), "there is no directory '{}/missing'"),
        (("--out", "{}/folder.html"), "'{}/folder.html': is a directory"),
        (("--out", "{}/page.txt"), "'{}/page.txt'; expected a file that ends in .html or .htm."),
        (("--init", "ones", "--seed", "3"), "--seed beside --init ones"),
        (("extra",), "extra"),
    ],
)
def test_bad_input_is_one_line_and_2(tmp_path: Path, words: tuple[str, ...], says: str) -> None:
    (tmp_path / "folder.html").mkdir()
    code, out, err = run(*(word.format(tmp_path) for word in words))
    assert (code, out) == (2, "")
    assert re.fullmatch(r"Error: .+\n", err)
    assert says.format(tmp_path) in err


@pytest.mark.slow
@pytest.mark.usefixtures("little")
def test_a_page_that_cannot_be_written_is_one_line_and_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was writable when it was looked at need not be so at the end."""

    def fails(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(study.build, "write_whole", fails)
    code, out, err = run("--out", tmp_path / "page.html")
    assert (code, out) == (2, "")
    assert f"the page cannot be written to {tmp_path / 'page.html'}: No space left" in err
    assert err.count("\n") == 1


@pytest.mark.usefixtures("little")
def test_without_a_browser_open_says_so(tmp_path: Path) -> None:
    with patch("webbrowser.open", return_value=False) as opened:
        code, out, err = run("--out", tmp_path / "page.html", "--open")
    opened.assert_called_once_with((tmp_path / "page.html").as_uri())
    assert code != 0
    assert out == f"{tmp_path / 'page.html'}\n"
    assert "no browser was found" in err


def test_there_is_one_scale_of_sizes() -> None:
    """Text is as large as a step of it; a formula, as the text around it asks."""
    for path in (PAGE / "style").glob("*.css"):
        rules = re.sub(r"html \{[^}]*\}|@page \{[^}]*\{[^}]*\}", "", path.read_text("utf-8"))
        sizes = re.findall(r"font(?:-size)?: ([^;}]+)", rules)
        steps = r"var\(--(?:tiny|small|text|large|title)\)|inherit|1\.1em"
        odd = [size for size in sizes if not re.fullmatch(steps, size.strip())]
        assert odd == [], path.name


#: All of the page but the errata, whose runs take most of the time.
BUILD = """
import sys
from pathlib import Path
import study.content
from study.build import build

study.content.errata = list
build(study.content.of_article(), Path(sys.argv[1]))
"""


@pytest.mark.slow
def test_two_builds_are_the_same_bytes(tmp_path: Path) -> None:
    """Whatever the seed of Python's hashes, and whenever."""
    for seed in ("1", "2"):
        subprocess.run(
            [sys.executable, "-c", BUILD, tmp_path / f"{seed}.html"],
            cwd=study.build.HERE.parent,
            env=os.environ | {"PYTHONHASHSEED": seed},
            check=True,
        )
    assert (tmp_path / "1.html").read_bytes() == (tmp_path / "2.html").read_bytes()


def difference(page: Page) -> float:
    return float(page.locator("#difference").get_attribute("data-difference") or "nan")


@pytest.mark.slow
@pytest.mark.usefixtures("little")
def test_it_opens_and_says_how_far_it_is_from_python(pages: Pages, tmp_path: Path) -> None:
    """In a browser, once among the quick tests; the others of this folder look at every view."""
    page = pages.open(build(of_article(), tmp_path / "page.html"))
    assert 0 <= difference(page) < 1e-12
    assert "4 passes" in page.locator("#check").inner_text()


@pytest.mark.slow
def test_the_articles_page_is_held_to_all_its_passes(
    at: At, pages: Pages, content: dict[str, Any], tmp_path: Path
) -> None:
    """And one number of Python's, changed in its tenth digit, is seen."""
    assert 0 <= difference(at()) < 1e-12
    assert "16 passes" in at().locator("#check").inner_text()
    other = deepcopy(content)
    other["passes"][3]["by_hand"]["dL_dw3"] *= 1 + 1e-10
    assert 0.9e-10 < difference(pages.open(build(other, tmp_path / "page.html"))) < 1.1e-10
