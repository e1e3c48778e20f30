"""The newcomer's first test, as the README shows it: wrong, mended, and what pytest prints."""

import os
import re
import subprocess
from pathlib import Path

from tests.console import ROOT, same, shown_in

#: What the newcomer types, outside this checkout: the documents' commands run inside it.
INSTALL, TEST = "pip install . pytest", "pytest -q test_mine.py"

_README = ROOT / "README.md"


def fail_and_mend(python: str | Path, folder: Path) -> None:
    """Write the README's test into a folder, see it fail as shown, append what is missing, pass."""
    readme = _README.read_text(encoding="utf-8")
    ((name, code),) = re.findall(
        r"^`(\w+\.py)`.*\n\n```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL
    )
    (missing,) = re.findall(r"^Append `(.*?)` to the formula, and it passes", readme, re.MULTILINE)
    (formula,) = re.findall(r"^    return 2 \* .*$", code, re.MULTILINE)
    shown = dict(shown_in(_README))
    for text, due in ((code, 1), (code.replace(formula, formula + missing), 0)):
        (folder / name).write_text(text, encoding="utf-8")
        ended, said = run(folder, python, "-I", "-m", *TEST.split(), "-p", "no:cacheprovider")
        assert ended == due, said
        assert same(shown[TEST], said) if due else "1 passed" in said, said


def run(folder: Path, *command: str | Path, **variables: str) -> tuple[int, str]:
    """Run a command as outside this checkout; return its exit code and what it printed.

    Variables are those of the environment that it gets besides.
    """
    # Without what tests/conftest.py sets for JAX, and without a path to this checkout.
    env = {k: v for k, v in os.environ.items() if not k.startswith(("XLA", "JAX", "PYTHON"))}
    ended = subprocess.run(
        command,
        cwd=folder,
        env=env | {"COLUMNS": "80"} | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout or ended.stderr  # XLA logs to standard error
