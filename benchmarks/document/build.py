"""Filling the template of docs/benchmarks.md from stored results, and drawing its figures."""

import re
import shutil
import tempfile
from pathlib import Path

from benchmarks.document.asked import Asked, UnknownError
from benchmarks.document.verbs import VERBS
from benchmarks.results import Results

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

TEMPLATE = HERE / "template.md"
DOCUMENT = ROOT / "docs" / "benchmarks.md"

#: The part of the README that is made, with the comments around it.
README, README_TEMPLATE = ROOT / "README.md", HERE / "readme.md"
PART = re.compile(r"<!-- benchmarks: .*?<!-- end of benchmarks -->\n", re.DOTALL)

#: What a run on a processor has stored, and the figures made from it.
STORED = ROOT / "benchmarks" / "results" / "cpu.json"
FIGURES = ROOT / "benchmarks" / "results" / "figures"

PLACEHOLDER = re.compile(r"\{\{(\S+?)((?: [^{}]+)?)\}\}")


def filled(template: str, results: Results) -> str:
    """The template with an answer for every placeholder.

    Raises:
        UnknownError: the results have no answer, or there is no such verb.
    """
    asked = Asked(results)

    def answer(found: re.Match[str]) -> str:
        verb, arguments = found[1], found[2].split()
        if verb not in VERBS:
            raise UnknownError(f"{found[0]}: no such verb; expected one of {', '.join(VERBS)}")
        try:
            return VERBS[verb](asked, *arguments)
        except (UnknownError, KeyError, TypeError) as error:
            raise UnknownError(f"{found[0]}: {error}") from error

    return PLACEHOLDER.sub(answer, template)


def document(results: Results) -> str:
    """The text of docs/benchmarks.md."""
    return filled(TEMPLATE.read_text(encoding="utf-8"), results)


def readme(results: Results) -> str:
    """The README with its table made anew."""
    part = filled(README_TEMPLATE.read_text(encoding="utf-8"), results)
    return PART.sub(lambda _: part, README.read_text(encoding="utf-8"))


def shown(text: str) -> list[str]:
    """The names of the figures that a document shows."""
    return sorted(set(re.findall(r"results/figures/([\w.-]+\.svg)", text)))


def build() -> list[Path]:
    """Write the document and the figures that it shows; the files that were written.

    Raises:
        BadResultsError: there are no stored results.
        UnknownError: a placeholder has no answer.
        CannotDrawError: matplotlib is not installed.
    """
    from benchmarks.figures import draw

    results = Results.load(STORED)
    text, front = document(results), readme(results)
    FIGURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        made = {file.name: file for file in draw(results, Path(folder))}
        for name in shown(text):
            if name not in made:
                raise UnknownError(f"{name}: the results have no such figure")
            shutil.copyfile(made[name], FIGURES / name)
    for old in FIGURES.glob("*"):
        if old.name not in shown(text):
            old.unlink()
    DOCUMENT.write_text(text, encoding="utf-8")
    README.write_text(front, encoding="utf-8")
    return [DOCUMENT, README, *(FIGURES / name for name in shown(text))]
