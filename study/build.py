"""Assemble the page: one file that loads nothing from the disk or the network."""

import json
import re
from base64 import b64encode
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

#: The default output file.
OUT = HERE / "out" / "index.html"


def page(content: dict[str, Any]) -> str:
    """Return the page as HTML.

    Args:
        content: its data, see `study.content`.
    """
    font = embedded(glyphs(unescape(re.sub(r"<[^>]*>", "", text)) for text in formulas(content)))
    style = "".join(path.read_text(encoding="utf-8") for path in sorted((PAGE / "style").iterdir()))
    style = style.replace("FONT_URL", font)
    script = bundle(PAGE, "main.js")
    told = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # A closing tag would end the script element, and a comment would keep it from ending.
    told = told.replace("</", "<\\/").replace("<!--", "\\u003c!--")
    parts = {
        "policy": _policy(script, style),
        "style": style,
        "script": script,
        "content": told,
    }
    skeleton = (PAGE / "page.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found.group(1)], skeleton)


def _policy(script: str, style: str) -> str:
    """Return the content security policy: inline script and style by hash, and nothing else."""

    def hashed(text: str) -> str:
        return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"

    return (
        f"default-src 'none'; script-src {hashed(script)}; style-src {hashed(style)}; "
        "font-src data:; base-uri 'none'; form-action 'none'"
    )


def build(content: dict[str, Any], out: Path = OUT) -> Path:
    """Write the page, whole or not at all, and return its path."""
    text = page(content)
    if out == OUT:
        out.parent.mkdir(exist_ok=True)

    def write(path: Path) -> None:
        path.write_text(text, encoding="utf-8")

    write_whole(out, write)
    return out
