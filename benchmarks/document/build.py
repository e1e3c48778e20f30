"""Fill the template of docs/benchmarks.md from stored results, and draw its figures."""

import re
import shutil
import tempfile
from pathlib import Path

from benchmarks.document.queries import UnknownError, precise, queries_of
from benchmarks.results import Results
from benchmarks.templates import templates

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

TEMPLATE = HERE / "benchmarks.md.j2"
DOCUMENT = ROOT / "docs" / "benchmarks.md"

#: The generated part of the README, with the comments around it.
README, README_TEMPLATE = ROOT / "README.md", HERE / "readme.md.j2"
PART = re.compile(r"<!-- benchmarks: .*?<!-- end of benchmarks -->\n", re.DOTALL)

#: The stored results of a run on a processor, and the figures made from it.
STORED = ROOT / "benchmarks" / "results" / "cpu.json"
FIGURES = ROOT / "benchmarks" / "results" / "figures"


def filled(template: str, results: Results) -> str:
    """Fill a template's text with values from the results.

    Raises:
        UnknownError: the results lack a value, or the template uses an unknown name.
    """
    import jinja2

    made = templates(HERE)
    made.filters["precise"] = precise
    made.globals |= queries_of(results)
    try:
        return made.from_string(template).render()
    except jinja2.TemplateError as error:
        raise UnknownError(" ".join(str(error).split())) from error


def document(results: Results) -> str:
    """Return the text of docs/benchmarks.md."""
    return filled(TEMPLATE.read_text(encoding="utf-8"), results)


def readme(results: Results) -> str:
    """Return the README with its table regenerated."""
    part = filled(README_TEMPLATE.read_text(encoding="utf-8"), results)
    return PART.sub(lambda _: part, README.read_text(encoding="utf-8"))


def shown(text: str) -> list[str]:
    """Return the names of the figures in a document."""
    return sorted(set(re.findall(r"results/figures/([\w.-]+\.svg)", text)))


def build() -> list[Path]:
    """Write the document and its figures; return the files written.

    Raises:
        InputError: there are no stored results, or matplotlib is not installed.
        UnknownError: a template needs a value that they lack.
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
