"""Every subject before the judge, in an environment of its own."""

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import click

from tests.attack.cases import ROOT
from tests.attack.stored import Row

ENVIRONMENT = ROOT / ".venv-foreign"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")

#: The modules of `packages/`, each in a process of its own, and packages, each in one as well.
MODULES = {
    "layers": "",
    "atoms": "",
    "umap": "",
    "gpy_kernels": "",
    "gpy_models": "",
    "custom_rules": "",
    "models": "statsmodels scikit-learn metric-learn skglm lifelines pot",
    "curves": "astropy lenstronomy pints skfem cma smt",
    "scalars": "scipy statsmodels scikit-learn glum",
    "engines": "micrograd uncertainties dezero mygrad pytensor autograd tinygrad",
}
RUNS = [
    f"{home}:{package}" if package else home
    for home, packages in MODULES.items()
    for package in packages.split() or [""]
]

OPTIONS = (
    click.Option(["--runs"], multiple=True, help="Modules or packages; repeatable. All, if none."),
    click.Option(["--limit"], default=120.0, show_default=True, help="Seconds for one subject."),
    click.Option(["--processes"], default=2, show_default=True),
    click.Option(["--environment"], type=click.Path(path_type=Path), default=ENVIRONMENT),
)


def set_up(environment: Path) -> Path:
    """Return the interpreter of the attack's environment, which is made if it is missing."""
    python, stamp = environment / "bin" / "python", environment / "requirements.txt"
    if not stamp.exists() or stamp.read_text() != REQUIREMENTS.read_text():
        click.echo(f"setting up {environment.name}", err=True)
        subprocess.run(["uv", "venv", "--allow-existing", "--quiet", environment], check=True)
        install = ["uv", "pip", "install", "--quiet", "--python", python, "-r", REQUIREMENTS]
        subprocess.run(install, check=True)
        stamp.write_text(REQUIREMENTS.read_text())
    return python


def lines(python: Path, run: str, wanted: Callable[[str], bool], limit: float) -> Iterator[Row]:
    """Judge one run's subjects in a process, and in another one what is left where it ended.

    The process names each subject, and judges it if it is answered with `yes`.
    """
    begun, ended = "", set[str]()
    command = [python, "-m", "tests.attack.foreign.worker", run, str(limit)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    while begun is not None:
        begun = None
        with subprocess.Popen(command, cwd=ROOT, **pipes) as process:
            assert process.stdin
            assert process.stdout
            for line in process.stdout:
                row = json.loads(line)
                if "begins" not in row:
                    begun = None
                    ended.add(row["id"])
                    yield row
                    continue
                yes = row["begins"] not in ended and wanted(row["begins"])
                begun = row["begins"] if yes else None
                process.stdin.write("yes\n" if yes else "no\n")
                process.stdin.flush()
        if begun is not None:
            ended.add(begun)
            package, _, name = begun.partition(": ")
            says = f"the process ended with {process.returncode}"
            if process.returncode == -signal.SIGXCPU:
                says = f"no answer within {limit:g} s of processor time"
            row = {"id": begun, "package": package, "name": name}
            yield row | {"outcome": "error", "says": says}
        elif process.returncode:
            raise click.ClickException(f"{run} ended with {process.returncode}")


def rows(
    wanted: Callable[[str], bool],
    runs: tuple[str, ...],
    limit: float,
    processes: int,
    environment: Path,
) -> Iterator[list[Row]]:
    """Judge the subjects that are wanted, several runs at a time."""
    python = set_up(environment.absolute())
    found: SimpleQueue[Row | None] = SimpleQueue()

    def work(run: str) -> None:
        try:
            for row in lines(python, run, wanted, limit):
                found.put(row)
        finally:
            found.put(None)

    with ThreadPoolExecutor(processes) as pool:
        chosen = [run for run in RUNS if not runs or {*runs} & {run, *run.split(":")}]
        going = [pool.submit(work, run) for run in chosen]
        for _ in chosen:
            for row in iter(found.get, None):
                yield [row]
        for run in going:
            run.result()
