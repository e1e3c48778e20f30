"""Build the site: write its sources, let Zensical make the pages, and replace the last one."""

import json
import os
import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from website import sources

HERE = Path(__file__).parent
OUT = sources.ROOT / "site"


def build(out: Path) -> Path:
    """Build the site in a folder, which is replaced as a whole, and return it.

    Raises:
        click.ClickException: a link is broken, or Zensical has another reason not to build.
    """
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        try:
            sources.write(folder / "docs")
        except sources.BrokenLinkError as error:
            raise click.ClickException(str(error)) from error
        shutil.copytree(HERE / "assets", folder / "docs" / "assets")
        _study(folder / "docs" / "study" / "page.html")
        shutil.copy(HERE / "zensical.toml", folder)
        _pages(folder)
        _search_from_disk(folder / "site")
        _font(folder / "site")
        shutil.rmtree(out, ignore_errors=True)
        shutil.move(folder / "site", out)
    return out


def _study(path: Path) -> None:
    from study.build import build
    from study.content import of_article
    from study.picture import PREVIEW

    path.parent.mkdir()
    build(of_article() | {"derivation": "../derivation.html"}, path)
    shutil.copy(PREVIEW, path.parent)


def _pages(folder: Path) -> None:
    """Let Zensical make the pages.

    Raises:
        click.ClickException: it is not content; what it prints is the message.
    """
    made = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict"],
        cwd=folder,
        # Griffe finds the sources of handgrad there, and Python-Markdown the extension.
        env=os.environ | {"PYTHONPATH": str(HERE.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        said, _, _ = made.stderr.partition("Traceback (most recent call last)")
        said = click.unstyle(said or made.stderr)  # NO_COLOR is not obeyed
        raise click.ClickException(f"the pages were not built.\n{said}")


def _search_from_disk(site: Path) -> None:
    """Give the search its worker as text: a browser starts none from a file."""
    (worker,) = site.glob("assets/javascripts/workers/search.*.js")
    script = site / "assets" / "iframe-worker.js"
    code = json.dumps(worker.read_text(encoding="utf-8"))
    script.write_text(script.read_text(encoding="utf-8").replace("WORKER", code), encoding="utf-8")


def _font(site: Path) -> None:
    """Embed the font of the formulas, with the characters they have."""
    from study.font import embedded, glyphs

    pages = (path.read_text(encoding="utf-8") for path in site.rglob("*.html"))
    formulas = (part for page in pages for part in re.findall(r"<math\b.*?</math>", page, re.S))
    font = embedded(glyphs(unescape(re.sub(r"<[^>]*>", "", part)) for part in formulas))
    style = site / "assets" / "style.css"
    style.write_text(style.read_text(encoding="utf-8").replace("FONT_URL", font), encoding="utf-8")
