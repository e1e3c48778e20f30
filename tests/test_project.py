"""What the project promises about itself: what is installed, what is locked, what is not named."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from check_jsonschema import main as check_jsonschema
from click.testing import CliRunner

import handgrad
from tests.release.installing import EXTRAS, PROJECT, ROOT

README, LOCK = ((ROOT / name).read_text() for name in ("README.md", "requirements.lock"))


def test_the_lock_serves_both_generations_of_jax_and_has_no_torch() -> None:
    """On Python 3.11 the newest JAX is an older one; torch is bound once, by the extra."""
    versions = re.findall(r"^jax==(\S+) ; (.*?) ?\\?$", LOCK, flags=re.MULTILINE)
    assert sorted("<" in marker for _, marker in versions) == [False, True]
    groups = PROJECT["dependency-groups"].values()
    named = [line for of in groups for line in of if str(line).startswith("torch>")]
    assert named == 2 * EXTRAS["torch"], "in peers and in torch"
    assert not re.search(r"^torch==", LOCK, re.MULTILINE)


@pytest.mark.slow
def test_the_types_of_all_that_is_public_are_known(tmp_path: Path) -> None:
    """To a type checker, of every public name and its attributes; `py.typed` says so."""
    # This option takes the Python that is found on PATH, and no other.
    programs = Path(sys.executable).parent
    path = os.pathsep.join([str(programs), os.environ["PATH"]])
    run = subprocess.run(
        [programs / "pyright", "--verifytypes", "handgrad", "--ignoreexternal", "--outputjson"],
        cwd=tmp_path,
        env=os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(run.stdout)["typeCompleteness"]
    assert found["pyTypedPath"] == str(ROOT / "handgrad" / "py.typed")
    public = [getattr(handgrad, name) for name in handgrad.__all__]
    homes = [f"{it.__module__}.{it.__qualname__}" for it in public] + ["handgrad.strategies.points"]
    known = {row["name"]: row["isTypeKnown"] for row in found["symbols"] if row["isExported"]}
    assert set(homes) <= known.keys()
    of_them = [name for name in known for home in homes if f"{name}.".startswith(f"{home}.")]
    assert len(of_them) > 2 * len(homes), "attributes are among them"
    assert [name for name in of_them if not known[name]] == []


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("github-workflows", ".github/workflows/*.yml"),
        ("github-issue-forms", ".github/ISSUE_TEMPLATE/[!c]*.yml"),
        ("github-issue-config", ".github/ISSUE_TEMPLATE/config.yml"),
        ("citation-file-format", "CITATION.cff"),
    ],
)
def test_what_others_read_has_its_form(schema: str, files: str) -> None:
    """The schemas come with the package; nothing is fetched."""
    found = sorted(map(str, ROOT.glob(files)))
    assert found
    run = CliRunner().invoke(check_jsonschema, [f"--builtin-schema=vendor.{schema}", *found])
    assert run.exit_code == 0, run.output


def test_no_package_host_is_named() -> None:
    """No lock, comment or document holds the address of one (the pattern is in pieces for that)."""
    hosts = ["py" + "pi", "python" + "hosted", "np" + "mjs", "conda" + ".anaconda"]
    options = ["index" + "-url", "find" + "-links", "extra" + "-index"]
    pattern = re.compile(
        rf"(?:{'|'.join(hosts)})\.(?:org|com)|--?(?:{'|'.join(options)})|https?://\S+/simple\b"
    )
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for line in subprocess.check_output(listing, cwd=ROOT, text=True).splitlines():
        if (ROOT / line).is_file():
            found = pattern.search((ROOT / line).read_text(encoding="utf-8", errors="replace"))
            assert found is None, f"{line}: {found}"


def test_the_readme_is_short_and_has_its_two_commands_and_its_picture() -> None:
    """At most 900 words, code and tables included: it is read whole."""
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
    assert [README.count(shown) for shown in ("$ make run\n", "$ make test\n", "![")] == [1, 1, 1]
    assert len(README.split()) <= 900
