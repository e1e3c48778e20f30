"""What the project promises about itself: what is installed, what is locked, what is not named."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
LOCK = (ROOT / "requirements.lock").read_text()


def tracked() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / line for line in listing.stdout.splitlines() if (ROOT / line).is_file()]


def test_the_lock_serves_both_generations_of_jax() -> None:
    """On Python 3.11 the newest JAX is an older one."""
    versions = re.findall(r"^jax==(\S+) ; (.*?) ?\\?$", LOCK, flags=re.MULTILINE)
    assert len(versions) == 2
    assert {"<" in marker for _, marker in versions} == {True, False}


def test_no_package_host_is_named() -> None:
    """No lock, comment or document holds the address of one (the pattern is in pieces for that)."""
    hosts = ["py" + "pi", "python" + "hosted", "np" + "mjs", "conda" + ".anaconda"]
    options = ["index" + "-url", "find" + "-links", "extra" + "-index"]
    pattern = re.compile(
        rf"(?:{'|'.join(hosts)})\.(?:org|com)|--?(?:{'|'.join(options)})|https?://\S+/simple\b"
    )
    for path in tracked():
        found = pattern.search(path.read_text(encoding="utf-8", errors="replace"))
        assert found is None, f"{path.relative_to(ROOT)}: {found}"


def test_the_readme_has_its_two_commands_and_its_picture() -> None:
    assert "$ make run\n" in README
    assert "$ make test\n" in README
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target
    assert "](docs/loss.svg)" in README
