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

#: The documents with tables, each between `<!-- table: NAME -->` and `<!-- end -->`.
README, README_TEMPLATE = ROOT / "README.md", HERE / "readme.md.j2"
CHECKING, PYTORCH = ROOT / "docs" / "checking.md", ROOT / "docs" / "pytorch.md"
SCIPY = ROOT / "docs" / "scipy.md"

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


def tables(timings: Results) -> dict[Path, dict[str, str]]:
    """Return the tables of each document, by name, from the stored results."""
    from benchmarks.check_times import results as times
    from benchmarks.check_times import table as of_times
    from benchmarks.checkers import results as answers
    from benchmarks.checkers import table as of_answers
    from benchmarks.checkers.derivatives import table as of_derivatives
    from benchmarks.checkers.functions import table as of_functions

    checked = answers.Results.load_of(answers.GRADIENTS, answers.STORED)
    of_torch = answers.Results.load_of(answers.FUNCTIONS, answers.STORED_TORCH)
    of_others = answers.Results.load_of(answers.DERIVATIVES, answers.STORED_DERIVATIVES)
    return {
        README: {
            "checkers-in-brief": of_answers.in_brief(checked),
            "benchmarks": filled(README_TEMPLATE.read_text(encoding="utf-8"), timings),
        },
        CHECKING: {
            "check-times": of_times.markdown(times.Results.load(times.STORED)),
            "checkers": of_answers.markdown(checked),
            "torch-checkers": of_functions.markdown(of_torch),
            "derivative-checkers": of_derivatives.markdown(of_others),
        },
        PYTORCH: {"torch-checkers-in-brief": of_functions.in_brief(of_torch)},
        SCIPY: {"derivative-checkers-in-brief": of_derivatives.in_brief(of_others)},
    }


def with_tables(text: str, made: Mapping[str, str]) -> str:
    """Return the text of a document with the tables that are made, by name.

    Raises:
        UnknownError: it does not have one of them, once.
    """
    for name, table in made.items():
        place = re.compile(rf"(?<=<!-- table: {name} -->\n).*?(?=<!-- end -->)", re.DOTALL)
        text, places = place.subn(lambda _, table=table: f"\n{table.strip()}\n\n", text)
        if places != 1:
            raise UnknownError(f"got {places} tables {name}, expected one")
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
    text = document(results)
    made_anew = {DOCUMENT: text} | {
        path: with_tables(path.read_text(encoding="utf-8"), made)
        for path, made in tables(results).items()
    }
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
    for path, new in made_anew.items():
        path.write_text(new, encoding="utf-8")
    return [*made_anew, *(FIGURES / name for name in shown(text))]
