"""The sources of the site: the documents, and a page for each file of the repository they link to.

On the site a document stands where it stands in `docs/`, and any other file below `repository/`.
Python is shown as a listing, a folder as a list of what is in it, and all else is copied.
"""

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"

#: Where some pages stand that would be elsewhere. The room that builds the page is that page.
PLACES = {
    ROOT / "CHANGELOG.md": "changelog.md",
    ROOT / "CONTRIBUTING.md": "contributing.md",
    ROOT / "study": "study/page.html",
}

#: What is not searched: listings would hide the documents.
_UNSEARCHED = "---\nsearch:\n  exclude: true\n---\n\n"

#: Blocks of code and code in lines, which have no links, or the target of a link.
_LINK = re.compile(r"^(`{3,}).*?^\1`*$|`[^`\n]+`|(?<=\]\()([^)\s]+)(?=\))", re.M | re.S)

#: GitHub's Markdown goes on inside; here it has to be said.
_DETAILS = re.compile(r"^<details>", re.M)


class BrokenLinkError(ValueError):
    """A document links to a file that is not there."""


def write(folder: Path) -> None:
    """Write all sources but the study page to a folder.

    Raises:
        BrokenLinkError: a document links to a file that is not in the repository.
    """
    waiting = sorted(DOCS.rglob("*.md"))
    waiting += [path for path in PLACES if path.suffix == ".md"]
    known = set(waiting)
    while waiting:
        source = waiting.pop()
        target = folder / place(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = _text(source)
        if text is None:
            target.write_bytes(source.read_bytes())
            continue
        links, text = _relinked(source, text)
        target.write_text(text, encoding="utf-8")
        new = {link for link in links if link not in known and link != ROOT / "study"}
        known |= new
        waiting += sorted(new)


def place(source: Path) -> str:
    """Return where a file or folder of the repository stands among the sources of the site."""
    if source in PLACES:
        return PLACES[source]
    path = source.relative_to(DOCS if source.is_relative_to(DOCS) else ROOT).as_posix()
    if not source.is_relative_to(DOCS):
        path = f"repository/{path}"
    if source.is_dir():
        return f"{path}/index.md"
    return f"{path}.md" if source.suffix == ".py" else path


def _text(source: Path) -> str | None:
    """Return the Markdown of a file or folder; None for what is copied."""
    name = source.relative_to(ROOT).as_posix()
    if source.is_dir():
        readme = source / "README.md"
        if readme.exists():
            return readme.read_text(encoding="utf-8")
        return f"{_UNSEARCHED}# {name}/\n\n{''.join(_entries(source))}"
    if source.suffix == ".py":
        code = source.read_text(encoding="utf-8")
        return f'{_UNSEARCHED}# {name}\n\n``````py linenums="1"\n{code}``````\n'
    if source.suffix == ".md":
        return _DETAILS.sub('<details markdown="1">', source.read_text(encoding="utf-8"))
    return None


def _entries(folder: Path) -> Iterator[str]:
    """Yield a line for each Python file of a folder, with the first sentence of its docstring."""
    for path in sorted(folder.glob("*.py")):
        about = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        yield f"- [`{path.name}`]({path.name}): {about.partition(chr(10))[0]}\n"


def _relinked(source: Path, text: str) -> tuple[list[Path], str]:
    """Return the files that a text links to, and the text with links to their places."""
    at = source if source.is_dir() else source.parent
    here = os.path.dirname(place(source))
    found: list[Path] = []

    def relinked(match: re.Match[str]) -> str:
        link = match.group(2)
        if link is None or re.match(r"#|[a-z]+:", link):
            return match.group(0)
        path, mark, anchor = link.partition("#")
        target = Path(os.path.normpath(at / path))
        if not target.exists() or not target.is_relative_to(ROOT):
            name = source.relative_to(ROOT)
            raise BrokenLinkError(f"{name}: a link leads to {link}, which is not there")
        found.append(target)
        return os.path.relpath(place(target), here or ".") + mark + anchor

    return found, _LINK.sub(relinked, text)
