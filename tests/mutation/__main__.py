"""The command line of the mutants."""

import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import click

from evaluation.rows import read
from tests.mutation import sample as samples
from tests.mutation.decide import KILLED, Judge
from tests.mutation.edits import LostError, locate
from tests.mutation.scratch import ROOMS, ROOT, compile_rooms, python_files
from tests.mutation.scratch import cover as covered

SCRATCH = Path(tempfile.gettempdir(), "handgrad-mutation")
RESULTS = Path(__file__).with_name("results.jsonl")


@click.group()
@click.option("--scratch", default=SCRATCH, type=Path, help="Where the copy is kept.")
@click.pass_context
def main(context: click.Context, scratch: Path) -> None:
    """Whether the tests notice mistakes: a stored sample of mutants."""
    context.obj = scratch.absolute()


@main.command()
@click.option("--deciding", type=Path, help="Make that of what decides, and write it here.")
def sample(deciding: Path | None) -> None:
    """Make a sample anew."""
    if deciding:
        samples.store(samples.make_deciding(), deciding)
    else:
        samples.store(samples.make_sample())


@main.command(context_settings={"ignore_unknown_options": True})
@click.option("--processes", default=2, show_default=True)
@click.argument("arguments", nargs=-1)
@click.pass_obj
def cover(scratch: Path, processes: int, arguments: tuple[str, ...]) -> None:
    """Copy the checkout and note which test executes which line; ARGUMENTS go to pytest."""
    covered(scratch, processes, list(arguments))


@main.command()
@click.option("--only", multiple=True, type=click.Choice(["article", *ROOMS]), help="These rooms.")
@click.option("--seconds", type=float, default=float("inf"), help="Begin no other after so long.")
@click.option("--results", default=RESULTS, type=Path, help="Where they are added.")
@click.option("--before", type=Path, help="Earlier results: what killed then is tried first.")
@click.option("--again", is_flag=True, help="Also those that nothing killed.")
@click.pass_obj
def run(
    scratch: Path,
    only: tuple[str, ...],
    seconds: float,
    results: Path,
    before: Path | None,
    again: bool,
) -> None:
    """Decide the mutants that are not decided yet, in the copy as it was covered."""
    start, judge = time.monotonic(), Judge(scratch)
    compile_rooms(judge.tree)
    done, earlier = read(results), read(before) if before else {}
    for name, mutant in samples.load().items():
        decided = done.get(name, {"status": ""})["status"]
        if decided in KILLED or (decided and not again):
            continue
        if only and mutant is not None and mutant.room not in only:
            continue
        if time.monotonic() - start > seconds:
            break
        if mutant is None:
            found = {"status": "dropped"}
        else:
            found = judge.decide(mutant, earlier.get(name, {}).get("by"))
        row = {"id": name, **found, "revision": judge.revision}
        with results.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
        click.echo(f"{found.get('at', name)}: {found['status']} {found.get('by', '')}")
    judge.close()
    _tell(results)


@main.command()
def lost() -> None:
    """List those that the checkout has no place for: they need a successor in sample.json."""
    files = python_files(ROOT)
    for name, mutant in samples.load().items():
        try:
            if mutant is not None:
                locate(mutant, ROOT, files)
        except LostError as error:
            click.echo(f"{name} {error}: {mutant}")


@main.command()
@click.argument("old", type=Path)
@click.argument("new", type=Path)
def compare(old: Path, new: Path) -> None:
    """List what was killed and is no longer; at most a tenth may be dropped."""
    before, after, mutants = read(old), read(new), samples.load()
    missed = 0
    for name, row in before.items():
        status = after.get(name, {"status": "not decided"})["status"]
        if row["status"] in KILLED and status not in (*KILLED, "dropped"):
            missed += 1
            click.echo(f"{name} {status}: {mutants[name]}, killed before by {row.get('by')}")
    dropped = sum(mutant is None for mutant in mutants.values())
    click.echo(f"{missed} were killed and are not; {dropped} of {len(mutants)} dropped")
    sys.exit(missed > 0 or dropped > len(mutants) / 10)


def _tell(results: Path) -> None:
    """Print how many mutants of each room ended how."""
    mutants = samples.load()
    counts = Counter(
        (mutant.room if (mutant := mutants.get(name)) else "dropped", row["status"])
        for name, row in read(results).items()
    )
    for (room, status), count in sorted(counts.items()):
        click.echo(f"{room:>10} {status:<12} {count}")


if __name__ == "__main__":
    main()
