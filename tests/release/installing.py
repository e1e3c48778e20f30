"""The wheel, and environments of their own to install it in."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
#: What `pyproject.toml` says.
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

#: What each extra brings.
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]


def built(kind: str, folder: Path, source: Path = ROOT) -> Path:
    """Build the `wheel` or the `sdist` of a source tree into a folder, and return its file."""
    before = set(folder.glob("*"))
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (file,) = set(folder.glob("*")) - before
    return file


def requirements(versions: str, *groups: str) -> list[str]:
    """Return what the wheel depends on, and groups: the `oldest` of each, or the `newest`."""
    lines = [*PROJECT["project"]["dependencies"]]
    lines += [line for group in groups for line in PROJECT["dependency-groups"][group]]
    return [at(versions, line) for line in lines]


def at(versions: str, line: str) -> str:
    """Return a requirement of pyproject.toml at its lower bound exactly, or without any bound."""
    return re.split("[<>=]", line)[0] if versions == "newest" else line.replace(">=", "==")


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


def environment(folder: Path, python: str, *packages: str | Path, **variables: str) -> Path:
    """Make an environment in a folder, install packages there, and return its folder of programs.

    Nothing is compiled ahead: little of what is installed is imported. One that is there already is
    used, and what it lacks is installed. Variables are those of pip's, beside the environment's.
    """
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    if not programs.exists():
        make = [python, "-m", "venv", "--without-pip", folder]
        subprocess.run(make, check=True, capture_output=True)
    install = [sys.executable, "-m", "pip", "--python", programs / "python", "install", "--quiet"]
    options = ["--no-compile", "--disable-pip-version-check", "--no-input", "--only-binary=:all:"]
    done = subprocess.run(
        [*install, *options, *packages],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return programs
