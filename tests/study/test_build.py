"""The built page: one file that asks nobody for anything, written whole or not at all."""

import json
import os
import re
import subprocess
import sys
from base64 import b64encode
from functools import partial
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

import study.build
import study.cli
import study.content
from study.build import PLOT_STYLE, build, page
from tests.compare.calls import called


class Elements(HTMLParser):
    """The elements of a page in order: tag, attributes, and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), ""))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem:
            tag, attributes, text = self.found[-1]
            self.found[-1] = (tag, attributes, text + data)

    def of(self, tag: str) -> list[tuple[dict[str, str | None], str]]:
        return [(attributes, text) for found, attributes, text in self.found if found == tag]


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

    def hashed(text: str) -> str:
        return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"

    (_, style), = elements.of("style")  # fmt: skip
    (_, data), *scripts = elements.of("script")
    assert policy is not None
    allowed = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert allowed == {
        "default-src": "'none'",
        "script-src": " ".join(hashed(text) for _, text in scripts),
        "style-src": " ".join(map(hashed, (style, PLOT_STYLE))),
        "font-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert json.loads(data)["program"]


@pytest.mark.slow
def test_it_needs_nothing_from_anywhere(html: str) -> None:
    for tag, attributes, text in Elements(html).found:
        assert tag not in {"link", "iframe", "object", "embed", "base", "img"}
        assert not {"src", "srcset", "href", "action", "style"} & attributes.keys()
        if tag == "style":
            assert set(re.findall(r"url\(.{6}", text)) <= {'url("data:'}
            assert "@import" not in text


@pytest.mark.slow
def test_no_text_gets_out_of_its_element(content: dict[str, Any]) -> None:
    text = "</script><b> <!--<script> <!-- </SCRIPT > {{page}} a\u2028b"
    before, after = Elements(page(content)), Elements(page({**content, "more": text}))
    assert [tag for tag, *_ in after.found] == [tag for tag, *_ in before.found]
    (_, data), *_ = after.of("script")
    assert json.loads(data)["more"] == text
    assert "<!--" not in data  # after which a script could contain another one


@pytest.mark.slow
def test_what_json_cannot_say_is_refused(content: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        page({**content, "eta": float("nan")})


@pytest.mark.slow
def test_it_is_written_whole_or_not_at_all(
    content: dict[str, Any], html: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "page.html"
    assert build(content, out) == out
    assert out.read_text("utf-8") == html

    def fails(path: Path, text: str, **_: Any) -> None:
        path.write_bytes(text[:100].encode())
        raise OSError("no space")

    monkeypatch.setattr(Path, "write_text", fails)
    with pytest.raises(OSError, match="no space"):
        build({**content, "eta": 1}, out)
    assert out.read_text("utf-8") == html
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tell the page little: what is not looked at here takes most of the time."""
    monkeypatch.setattr(
        study.content, "of_article", lambda: {"program": {}, "quantities": [], "errata": []}
    )


run = partial(called, study.cli)


@pytest.mark.usefixtures("little")
def test_the_command_builds_it_and_prints_where(tmp_path: Path) -> None:
    out = tmp_path / "a page.html"
    assert run("--out", out) == (0, f"{out}\n", "")
    assert Elements(out.read_text("utf-8")).of("script")[0][1].startswith('{"program":')


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


BUILD = """
import sys
from pathlib import Path
from study.build import build
from study.content import of_article

build(of_article(), Path(sys.argv[1]))
"""


@pytest.mark.slow
def test_another_build_is_the_same_bytes(html: str, tmp_path: Path) -> None:
    """Whatever the seed of Python's hashes, and whenever."""
    subprocess.run(
        [sys.executable, "-c", BUILD, tmp_path / "page.html"],
        cwd=study.build.HERE.parent,
        env=os.environ | {"PYTHONHASHSEED": "1"},
        check=True,
    )
    assert (tmp_path / "page.html").read_text("utf-8") == html
