"""The command line, `python -m evaluation.foreign`: every gradient before the judge."""

from pathlib import Path
from typing import Any

import click

from benchmarks.commands.shared import limit_option, progress
from compare import exit_codes
from compare.commands.options import FILE, Name, file_option
from evaluation.foreign import results, runs
from evaluation.rows import Row, add, read
from handgrad.commands.options import JSON, SETTINGS, option, version_option, whole
from handgrad.commands.process import json_text

HEAD = ("package", "gradients", *results.OUTCOMES)


@click.command(context_settings=SETTINGS)
@click.argument(
    "packages",
    nargs=-1,
    metavar="[PACKAGE]...",
    type=Name(*sorted({package for _, package in runs.RUNS})),
)
@option("--only", multiple=True, metavar="TEXT", help="What has this in its name; repeatable.")
@option(
    "--environment",
    type=FILE,
    metavar="FOLDER",
    default=Path(".venv-foreign"),
    help="A virtual environment with what evaluation/foreign/requirements.txt lists.",
)
@option("--processes", type=whole(1, 100), default=2, help="How many packages are run at once.")
@limit_option("The most processor time for one gradient.", default=120.0)
@file_option("--out", "Add the rulings to this file, as they come.")
@option("--resume", is_flag=True, help="Leave out what the file of --out has a ruling on.")
@JSON
@version_option("evaluation.foreign")
def foreign(
    packages: tuple[str, ...],
    environment: Path,
    out: Path | None,
    resume: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Put the gradients of packages before the judge, each beside a truth of its own.

    Without a PACKAGE, those of all; a wrong name lists the right ones. The rulings that the
    documents count are in evaluation/foreign/results.jsonl. A ruling that is wrong, or an error,
    ends the command with 1.
    """
    if resume and out is None:
        raise click.UsageError("--resume without --out; expected the file to go on with.")
    interpreter = runs.python(environment)

    def wanted(row: Row) -> bool:
        mine = not packages or row["package"] in packages
        return mine and any(word in row["id"] for word in options["only"] or [""])

    rows = {key: row for key, row in read(out).items() if wanted(row)} if out and resume else {}
    about = sum(map(wanted, results.stored()))
    chosen = [run for run in runs.RUNS if not packages or run[1] in packages]
    with progress(time_left=True) as show:
        for row in runs.judged(chosen, interpreter, skip=[*rows], **options):
            if "begins" in row:
                show(len(rows), max(about, len(rows)), row["begins"])
                continue
            rows[row["id"]] = row
            if out:
                add(out, [row])
            show(len(rows), max(about, len(rows)), "", f"{row['id']}: {row['outcome']}")
    found = results.figures([*rows.values()])
    bad = [row for row in rows.values() if row["outcome"] not in ("right", "undecidable")]
    odd = {row["id"]: f"{row['outcome']}; {row['says']}" for row in bad}
    if as_json:
        click.echo(json_text(found | {"odd": odd}))
        return bool(odd)
    for key, says in odd.items():
        click.echo(f"{key}: {says}")
    for row in (HEAD, *found["table"], ["in all", found["count"], *map(found.get, HEAD[2:])]):
        click.echo(f"{row[0]:<26}" + "".join(f"{cell:>13}" for cell in row[1:]))
    return bool(odd)


def main() -> None:
    """Run the command line and end the process with its exit code."""
    exit_codes.run(foreign, "python -m evaluation.foreign")
