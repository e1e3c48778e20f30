"""The wheel, and environments of their own to install it in."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def built(kind: str, folder: Path, source: Path = ROOT) -> Path:
    """Build the `wheel` or the `sdist` of a source tree into a folder, and return its file."""
    before = set(folder.glob("*"))
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (file,) = set(folder.glob("*")) - before
    return file


def requirements(versions: str, *groups: str) -> list[str]:
    """Return what the wheel depends on, and groups: the `oldest` of each, or the `newest`.

    The oldest are the lower bounds of pyproject.toml exactly; of the newest none is named.
    """
    lines = [*PROJECT["project"]["dependencies"]]
    lines += [line for group in groups for line in PROJECT["dependency-groups"][group]]
    if versions == "newest":
        return [re.split("[<>=]", line)[0] for line in lines]
    return [line.replace(">=", "==") for line in lines]


def python(version: str) -> str | None:
    """Return a Python of this version that can make environments; None if there is none."""
    kept = Path.home().glob(f".pyenv/versions/{version}.*/bin/python")
    for found in (f"/usr/bin/python{version}", f"python{version}", *map(str, kept)):
        code = f"import sys, venv; sys.exit(sys.version_info[:2] != ({version.replace('.', ', ')}))"
        try:
            if subprocess.run([found, "-c", code], capture_output=True, check=False).returncode:
                continue
        except OSError:
            continue
        return found
    return None


def environment(folder: Path, python: str, *packages: str | Path) -> Path:
    """Make an environment in a folder, install packages there, and return its folder of programs.

    Nothing is compiled ahead: little of what is installed is imported.
    """
    subprocess.run([python, "-m", "venv", "--without-pip", folder], check=True, capture_output=True)
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    install = [sys.executable, "-m", "pip", "--python", programs / "python", "install", "--quiet"]
    options = ["--no-compile", "--disable-pip-version-check", "--no-input", "--only-binary=:all:"]
    done = subprocess.run(
        [*install, *options, *packages], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return programs
