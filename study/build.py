"""Assemble the page: one file that loads nothing from the disk or the network."""

import json
import re
from base64 import b64encode
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import Any

from compare.files import write_whole
from study.content import formulas
from study.font import embedded, glyphs

HERE = Path(__file__).parent
WEB = HERE / "web"
BUNDLES = HERE / "bundles"

#: The default output file.
OUT = HERE / "out" / "index.html"

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


def page(content: dict[str, Any]) -> str:
    """Return the page as HTML, from the bundled scripts.

    Args:
        content: its data, see `study.content`; `derivation`: the address of the document, if links
            can lead there.
    """
    styles = sorted((WEB / "styles").iterdir())
    style = "".join(path.read_text(encoding="utf-8") for path in styles)
    font = embedded(glyphs(unescape(re.sub(r"<[^>]*>", "", text)) for text in formulas(content)))
    parts = {
        "style": style.replace("FONT_URL", font),
        "content": _told(content),
        **{of: (BUNDLES / f"{of}.min.js").read_text("utf-8") for of in ("libraries", "page")},
    }
    scripts, styles = [parts["libraries"], parts["page"]], [parts["style"], PLOT_STYLE]
    parts["policy"] = _policy(scripts, styles)
    skeleton = (WEB / "page.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found.group(1)], skeleton)


def _told(content: dict[str, Any]) -> str:
    """Return data as JSON for a script element."""
    told = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # A closing tag would end the script element, and a comment would keep it from ending.
    return told.replace("</", "<\\/").replace("<!--", "\\u003c!--")


def _policy(scripts: list[str], styles: list[str]) -> str:
    """Return the content security policy: inline script and style by hash, and nothing else."""

    def hashed(texts: list[str]) -> str:
        digests = (b64encode(sha256(text.encode()).digest()).decode() for text in texts)
        return " ".join(f"'sha256-{digest}'" for digest in digests)

    return (
        f"default-src 'none'; script-src {hashed(scripts)}; style-src {hashed(styles)}; "
        "font-src data:; base-uri 'none'; form-action 'none'"
    )


def build(content: dict[str, Any], out: Path = OUT) -> Path:
    """Write the page, whole or not at all, and return its path."""
    if out.parent == OUT.parent:
        out.parent.mkdir(exist_ok=True)
        content = content | {"derivation": "../../docs/derivation.md"}
    text = page(content)

    def write(path: Path) -> None:
        path.write_text(text, encoding="utf-8")

    write_whole(out, write)
    return out
