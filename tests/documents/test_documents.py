"""What the documents say that commands print is what they print."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import NEED
from tests.console import ROOT, check, shown_in
from tests.documents import newcomer

README = ROOT / "README.md"
DOCUMENTS = [README, ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))]


@pytest.mark.slow
@pytest.mark.parametrize("document", [d for d in DOCUMENTS if shown_in(d)], ids=lambda d: d.name)
def test_commands_print_what_is_shown(document: Path) -> None:
    """From the top to the bottom: some use what earlier ones have written."""
    said = {
        command: check(command, expected)
        for command, expected in shown_in(document)
        if command not in (newcomer.INSTALL, newcomer.TEST)
    }
    assert {command: wrong for command, wrong in said.items() if wrong} == {}


@pytest.mark.slow
def test_the_newcomers_test_fails_and_passes_as_the_readme_says(tmp_path: Path) -> None:
    """In this environment; tests/release/test_wheels.py installs the wheel as the README says."""
    newcomer.fail_and_mend(sys.executable, tmp_path)


def test_the_lines_that_the_readme_quotes_are_in_their_files() -> None:
    """In the order of the file; between them lines may be left out."""
    quoted = re.findall(
        r"^\[(\w+/\w+\.py)\].*?^```py\n(.*?)^```$", README.read_text("utf-8"), re.M | re.S
    )
    assert [name for name, _ in quoted] == [
        *("manual/article.py", "autodiff/article.py", "tests/test_equivalence.py")
    ]
    for name, lines in quoted:
        of_file = map(str.strip, (ROOT / name).read_text("utf-8").splitlines())
        assert [line for line in lines.splitlines() if line.strip() not in of_file] == [], name


@pytest.mark.slow
def test_about_as_many_tests_pass_as_the_readme_shows() -> None:
    """Within a twentieth: it is the output of one run, not of each commit.

    Of the last run of `make test`, with what `make install` brings alone.
    """
    (shown,) = re.findall(r"^(\d+) passed", dict(shown_in(README))["make test"], re.M)
    words = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    words += ["--ignore=tests/test_equivalence.py"]
    words += [f"--ignore-glob={ROOT / path}" for paths in NEED.values() for path in paths]
    said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = said.count("::")
    assert abs(int(shown) / found - 1) < 0.05, found
