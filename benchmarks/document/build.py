"""Fill what documents show of stored results: docs/benchmarks.md, its figures, and tables."""

import re
import shutil
import tempfile
from collections.abc import Mapping
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

#: The document with tables of checkers, each between `<!-- table: NAME -->` and `<!-- end -->`.
CHECKING = ROOT / "docs" / "checking.md"

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


def tables() -> dict[str, str]:
    """Return the tables of docs/checking.md, by name, from the stored results."""
    from benchmarks.check_times import results as times
    from benchmarks.check_times import table as of_times
    from benchmarks.checkers import results as answers
    from benchmarks.checkers import table as of_answers

    return {
        "check-times": of_times.markdown(times.Results.load(times.STORED)),
        "checkers": of_answers.markdown(answers.Results.load(answers.STORED)),
    }


def checking(text: str, made: Mapping[str, str]) -> str:
    """Return the text of docs/checking.md with the tables that are made, by name.

    Raises:
        UnknownError: it does not have one of them, once.
    """
    for name, table in made.items():
        place = re.compile(rf"(?<=<!-- table: {name} -->\n).*?(?=<!-- end -->)", re.DOTALL)
        text, places = place.subn(lambda _, table=table: f"\n{table.strip()}\n\n", text)
        if places != 1:
            raise UnknownError(f"{CHECKING.name}: got {places} tables {name}, expected one")
    return text


def shown(text: str) -> list[str]:
    """Return the names of the figures in a document."""
    return sorted(set(re.findall(r"results/figures/([\w.-]+\.svg)", text)))


def build() -> list[Path]:
    """Write the documents and the figures; return the files written.

    Raises:
        InputError: there are no stored results, or matplotlib is not installed.
        UnknownError: a template needs a value that they lack.
    """
    from benchmarks.figures import draw

    results = Results.load(STORED)
    text, front = document(results), readme(results)
    judged = checking(CHECKING.read_text(encoding="utf-8"), tables())
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
    CHECKING.write_text(judged, encoding="utf-8")
    return [DOCUMENT, README, CHECKING, *(FIGURES / name for name in shown(text))]
