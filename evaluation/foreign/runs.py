"""Runs of packages, several at a time, each in a process of its own in their environment."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import click

from evaluation.rows import Row

ROOT = Path(__file__).parents[2]
REQUIREMENTS = Path(__file__).with_name("requirements.txt")

#: The modules of `packages/`, each with the packages of whose gradients it has some.
MODULES = {
    "layers": "thinc",
    "atoms": "cvxpy",
    "umap": "umap-learn",
    "gpy_kernels": "gpy",
    "gpy_models": "gpy paramz",
    "custom_rules": "jax",
    "models": "statsmodels scikit-learn metric-learn skglm lifelines pot",
    "curves": "astropy lenstronomy pints scikit-fem cma smt",
    "scalars": "scipy statsmodels scikit-learn glum",
    "engines": "micrograd uncertainties dezero mygrad pytensor autograd tinygrad",
}
RUNS = [(module, package) for module, named in MODULES.items() for package in named.split()]


def python(environment: Path) -> Path:
    """Return the interpreter of the environment with the packages.

    Raises:
        click.UsageError: there is none; the message says how it is made.
    """
    found = environment.absolute() / "bin" / "python"
    if not found.exists():
        install = f"{environment}/bin/python -m pip install --no-deps -r"
        raise click.UsageError(
            f"no Python in {environment}; expected the packages' environment. Make it once: "
            f"python3.11 -m venv {environment} && {install} {REQUIREMENTS.relative_to(ROOT)}"
        )
    return found


def judged(
    runs: list[tuple[str, str]], interpreter: Path, processes: int, limit: float, **asked: Any
) -> Iterator[Row]:
    """Yield `{"begins": its name}` as each gradient begins, and then the row of its ruling.

    `asked` are words, of which a name has one of `only`, and the names to `skip`. A process that
    takes more seconds of processor time than the limit for a gradient, or crashes in one, is
    followed by another one for those behind it.

    Raises:
        click.ClickException: a package is missing, or a process ends outside of any gradient.
    """
    pinned = dict(line.split("==") for line in REQUIREMENTS.read_text().split() if "==" in line)
    waiting, skip, going = [*runs], [*asked["skip"]], {}
    try:
        while waiting or going:
            while waiting and len(going) < processes:
                run, words = waiting.pop(0), asked | {"skip": skip, "limit": limit}
                process = _started(interpreter, run, words | {"pin": pinned[run[1]]})
                going[process.stdout] = [process, run, None]
            ready: list[Any] = wait([*going])
            for stream in ready:
                process, run, begun = going[stream]
                if line := stream.readline():
                    row = json.loads(line)
                    if "refused" in row:
                        raise click.ClickException(f"{run[1]} {row['refused']}")
                    going[stream][2] = row.get("begins")
                    yield row
                    continue
                del going[stream]
                with process:
                    code = process.wait()
                if begun:
                    skip.append(begun)
                    waiting.insert(0, run)
                    says = f"the process ended with {code}"
                    if code == -signal.SIGXCPU:
                        says = f"no answer within {limit:g} s of processor time"
                    row = {"id": begun, "package": run[1], "version": pinned[run[1]]}
                    yield row | {"outcome": "error", "says": says}
                elif code:
                    raise click.ClickException(f"the process of {run[1]} ended with {code}")
    finally:
        for process, *_ in going.values():
            with process:
                process.kill()


def _started(interpreter: Path, run: tuple[str, str], words: dict[str, Any]) -> Any:
    process = subprocess.Popen(
        [interpreter, "-m", "evaluation.foreign.worker", *run],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,  # a line that `wait` has seen is read, and no other
    )
    assert process.stdin
    with suppress(BrokenPipeError), process.stdin:  # how it ends says more
        process.stdin.write(json.dumps(words).encode())
    return process
