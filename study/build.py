"""Assemble the page: one file that loads nothing from the disk or the network."""

import json
import re
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import Any

from compare.files import write_whole
from study.bundle import bundle
from study.content import formulas
from study.font import embedded, glyphs

HERE = Path(__file__).parent
PAGE = HERE / "page"

WEB = HERE / "web"
BUNDLES = HERE / "bundles"

#: The default output files, of the page and of its lessons.
OUT = HERE / "out" / "index.html"
LESSONS_OUT = OUT.with_name("lessons.html")

#: The style that Observable Plot 0.6.17 puts into each of its pictures (`src/plot.js`). Where it is
#: another one, the browser says on the console that the policy blocks it, and tests fail by that.
PLOT_STYLE = """:where(.plot-d6a7b5) {
  --plot-background: white;
  display: block;
  height: auto;
  height: intrinsic;
  max-width: 100%;
}
:where(.plot-d6a7b5 text),
:where(.plot-d6a7b5 tspan) {
  white-space: pre;
}"""

#: From its data to a page's HTML.
Page = Callable[[dict[str, Any]], str]


def page(content: dict[str, Any]) -> str:
    """Return the page as HTML.

    Args:
        content: its data, see `study.content`.
    """
    style = _style(PAGE / "style", content)
    script = bundle(PAGE, "main.js")
    parts = {
        "policy": _policy([script], [style]),
        "style": style,
        "script": script,
        "content": _told(content),
    }
    return _filled(PAGE, parts)


def lessons(content: dict[str, Any]) -> str:
    """Return the lessons as HTML, from the bundled scripts: a page of its own.

    Args:
        content: its data, see `study.content.of_lessons`.
    """
    style = _style(WEB / "styles", content)
    scripts = {
        name: (BUNDLES / f"{name}.min.js").read_text(encoding="utf-8")
        for name in ("libraries", "page")
    }
    policy = _policy([*scripts.values()], [style, PLOT_STYLE])
    return _filled(WEB, {"policy": policy, "style": style, "content": _told(content), **scripts})


def _style(folder: Path, content: dict[str, Any]) -> str:
    """Return the style of a page, with the font of its formulas in it."""
    font = embedded(glyphs(unescape(re.sub(r"<[^>]*>", "", text)) for text in formulas(content)))
    style = "".join(path.read_text(encoding="utf-8") for path in sorted(folder.iterdir()))
    return style.replace("FONT_URL", font)


def _told(content: dict[str, Any]) -> str:
    """Return data as JSON for a script element."""
    told = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # A closing tag would end the script element, and a comment would keep it from ending.
    return told.replace("</", "<\\/").replace("<!--", "\\u003c!--")


def _filled(folder: Path, parts: dict[str, str]) -> str:
    """Return a folder's `page.html` with its parts in their places."""
    skeleton = (folder / "page.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found.group(1)], skeleton)


def _policy(scripts: list[str], styles: list[str]) -> str:
    """Return the content security policy: inline script and style by hash, and nothing else."""

    def hashed(texts: list[str]) -> str:
        digests = (b64encode(sha256(text.encode()).digest()).decode() for text in texts)
        return " ".join(f"'sha256-{digest}'" for digest in digests)

    return (
        f"default-src 'none'; script-src {hashed(scripts)}; style-src {hashed(styles)}; "
        "font-src data:; base-uri 'none'; form-action 'none'"
    )


def build(content: dict[str, Any], out: Path = OUT, page: Page = page) -> Path:
    """Write a page, whole or not at all, and return its path."""
    text = page(content)
    if out.parent == OUT.parent:
        out.parent.mkdir(exist_ok=True)

    def write(path: Path) -> None:
        path.write_text(text, encoding="utf-8")

    write_whole(out, write)
    return out
