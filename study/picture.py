"""Render the page's pictures, its preview and the network: `python -m study.picture`."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from study.build import HERE, WEB, build
from study.chromium import MISSING, executable, launched
from study.content import of_article

if TYPE_CHECKING:
    from playwright.sync_api import Page, ViewportSize

#: The documents' picture: the page's state and size, its title, and its file.
STATE = "place=network&sent=1"
SIZE: "ViewportSize" = {"width": 1200, "height": 640}
SAYS = "The article's network at Alice's example: its values, and the derivatives on its edges"
PICTURE = HERE.parent / "docs" / "network.svg"

#: What is shown where somebody sends the page, as large as that is usually wanted.
PREVIEW, ITS_STATE = PICTURE.with_name("preview.png"), "lesson=slope&slope=up&w1=0.1"
ITS_SIZE: "ViewportSize" = {"width": 1200, "height": 630}

_SVG = """
svg => {
  const [width, height] = ["width", "height"].map((of) => svg.getAttribute(of));
  svg.removeAttribute("aria-hidden");
  svg.setAttribute("class", "figure pass");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return svg.outerHTML;
}
"""


def picture(page: "Page") -> str:
    """Return the network of an open page as a standalone SVG with light and dark colours."""
    head, close, body = page.locator(".picture svg").evaluate(_SVG).partition(">")
    return f"{head}{close}\n<title>{SAYS}</title>\n<style>\n{_style()}</style>\n{body}\n"


def _style() -> str:
    """Return the CSS rules that the network needs."""
    base, *others = (path.read_text("utf-8") for path in sorted((WEB / "styles").iterdir()))
    colours = re.findall(r"^:root \{.*?^\}|^@media \(prefers-color-scheme.*?^\}", base, re.M | re.S)
    own = r"^\.(?:figure text|figure \.back|pass|arrow|node|chip)\b.*\}$"
    rules = re.findall(own, "\n".join(others), re.M)
    font = 'svg { font-family: system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; }'
    return "\n".join([*colours, font, *rules, ""])


def draw(executable: str, folder: Path) -> str:
    """Build the page in a folder, write its preview, and return its picture of the network."""
    with launched(executable) as browser:
        page = browser.new_page(viewport=SIZE, reduced_motion="reduce")
        page.goto(f"{build(of_article(), folder / 'index.html').as_uri()}#{STATE}")
        drawn = picture(page)
        page.set_viewport_size(ITS_SIZE)
        page.evaluate("(state) => { location.hash = state; }", ITS_STATE)
        page.locator(".along .curve").wait_for()
        page.screenshot(path=PREVIEW)
        return drawn


def main() -> None:
    """Regenerate both."""
    from tempfile import TemporaryDirectory

    if (path := executable()) is None:
        sys.exit(f"Error: {MISSING}.")
    with TemporaryDirectory() as folder:
        PICTURE.write_text(draw(path, Path(folder)), encoding="utf-8")
    print(*(of.relative_to(HERE.parent) for of in (PICTURE, PREVIEW)))


if __name__ == "__main__":
    main()
