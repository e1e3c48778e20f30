"""The command: every subject before the judge, in an environment of its own."""

import json
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

import click

ROOT = Path(__file__).parents[3]
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
RESULTS = Path(__file__).with_name("results.jsonl")
ENVIRONMENT = ROOT / ".venv-foreign"

MODELS = ("statsmodels", "scikit-learn", "metric-learn", "skglm", "lifelines", "pot")
CURVES = ("astropy", "lenstronomy", "pints", "skfem", "cma", "smt")
SCALARS = ("scipy", "statsmodels", "scikit-learn", "glum")
ENGINES = ("micrograd", "uncertainties", "dezero", "mygrad", "pytensor", "autograd", "tinygrad")

#: The modules of `packages/`, each in a process of its own, with the packages that it judges.
#: `engines` and what else has an argument runs once for each.
RUNS = (
    *("layers", "atoms", "umap", "custom_rules"),
    *(f"models:{name}" for name in MODELS),
    *(f"curves:{name}" for name in CURVES),
    *(f"scalars:{name}" for name in SCALARS),
    *(f"engines:{name}" for name in ENGINES),
)


def set_up(environment: Path) -> Path:
    """Return the interpreter of the attack's environment, which is made if it is missing."""
    python = environment / "bin" / "python"
    stamp = environment / "requirements.txt"
    if not stamp.exists() or stamp.read_text() != REQUIREMENTS.read_text():
        click.echo(f"setting up {environment.name}", err=True)
        subprocess.run(["uv", "venv", "--allow-existing", "--quiet", environment], check=True)
        install = ["uv", "pip", "install", "--quiet", "--python", python, "-r", REQUIREMENTS]
        subprocess.run(install, check=True)
        stamp.write_text(REQUIREMENTS.read_text())
    return python


def lines(python: Path, run: str, done: set[str], limit: float) -> Iterator[dict[str, Any]]:
    """Judge one run's subjects in a process, and in another one what is left where it ended."""
    begun: str | None = ""
    while begun is not None:
        command = [python, "-m", "tests.attack.foreign.worker", run, str(limit), *sorted(done)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            begun = None
            for line in process.stdout or ():
                row = json.loads(line)
                begun = row.get("begins")
                if begun is None:
                    done.add(f"{row['package']}: {row['name']}")
                    yield row
        if begun is not None:
            done.add(begun)
            package, _, name = begun.partition(": ")
            spent = process.returncode == -signal.SIGXCPU
            says = (
                f"no answer within {limit:g} s of processor time"
                if spent
                else f"the process ended with {process.returncode}"
            )
            yield {"package": package, "name": name, "outcome": "error", "says": says}
        elif process.returncode:
            raise click.ClickException(f"{run} ended with {process.returncode}")


def load(results: Path) -> dict[str, dict[str, Any]]:
    """The stored rows, the last of each subject."""
    text = results.read_text(encoding="utf-8") if results.exists() else ""
    rows = [json.loads(line) for line in text.splitlines()]
    return {f"{row['package']}: {row['name']}": row for row in rows}


@click.command()
@click.option("--only", multiple=True, help="These packages or modules.")
@click.option(
    "--results",
    default=RESULTS,
    type=Path,
    help="Where rows are added; what is there is not run again.",
)
@click.option(
    "--environment", default=ENVIRONMENT, type=Path, help="The virtual environment of the packages."
)
@click.option(
    "--limit", default=120.0, show_default=True, help="Seconds of processor time for one subject."
)
@click.option("--processes", default=2, show_default=True)
@click.option("--again", is_flag=True, help="Run anew what was not ruled rightly.")
def foreign(
    only: tuple[str, ...],
    results: Path,
    environment: Path,
    limit: float,
    processes: int,
    again: bool,
) -> None:
    """Put gradients of released packages before the judge, each with an independent truth."""
    python = set_up(environment.absolute())
    done = {key for key, row in load(results).items() if not again or row["outcome"] == "right"}
    runs = [run for run in RUNS if not only or set(only) & {run, *run.split(":")}]

    def store(run: str) -> None:
        for row in lines(python, run, set(done), limit):
            line = json.dumps(row, ensure_ascii=False) + "\n"
            with lock, results.open("a", encoding="utf-8") as stream:
                stream.write(line)
            click.echo(f"{row['package']}: {row['name']}: {row['outcome']} ({row.get('verdict')})")

    with ThreadPoolExecutor(processes) as pool:
        lock = Lock()
        list(pool.map(store, runs))
    rows = load(results).values()
    counts = Counter(row["outcome"] for row in rows)
    packages = len({row["package"] for row in rows})
    said = ", ".join(f"{counts[name]} {name}" for name in sorted(counts))
    click.echo(f"{len(rows)} gradients of {packages} packages: {said}")
