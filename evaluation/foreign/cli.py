"""The command line, `python -m evaluation.foreign`: every gradient before the judge."""

from pathlib import Path
from typing import Any

import click

from benchmarks.commands.shared import limit_option, progress
from compare.commands.options import Name, file_option
from evaluation.foreign import results, runs
from evaluation.rows import Row, add, read
from handgrad.commands.options import JSON, SETTINGS, option, version_option, whole
from handgrad.commands.process import json_text

ENVIRONMENT = "A virtual environment with what evaluation/foreign/requirements.txt lists."
PACKAGES = sorted({package for _, package in runs.RUNS})


@click.command("foreign", context_settings=SETTINGS)
@click.argument("packages", nargs=-1, metavar="[PACKAGE]...", type=Name(*PACKAGES))
@option("--only", multiple=True, metavar="TEXT", help="What has this in its name; repeatable.")
@file_option("--environment", ENVIRONMENT, metavar="FOLDER", default=Path(".venv-foreign"))
@option("--processes", type=whole(1, 100), default=2, help="How many packages are run at once.")
@limit_option("The most processor time for one gradient.", default=120.0)
@file_option("--out", "Add the rulings to this file, as they come.")
@option("--resume", is_flag=True, help="Leave out what the file of --out has a ruling on.")
@JSON
@version_option("evaluation.foreign")
def cli(
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
    chosen = [run for run in runs.RUNS if not packages or run[1] in packages]

    def wanted(row: Row) -> bool:
        mine = not packages or row["package"] in packages
        return mine and any(word in row["id"] for word in options["only"] or [""])

    rows = {key: row for key, row in read(out).items() if wanted(row)} if out and resume else {}
    about = sum(map(wanted, results.stored()))
    judged = runs.judged(chosen, runs.python(environment), skip=[*rows], **options)
    with progress() as show:
        for row in judged:
            if "begins" not in row:
                rows[row["id"]] = row
                if out:
                    add(out, [row])
            line = f"{row['id']}: {row['outcome']}" if "id" in row else ""
            show(len(rows), max(about, len(rows)), row.get("begins", ""), line)
    if not rows:
        raise click.UsageError("no gradient has this in its name; expected some.")
    found = results.figures([*rows.values()])
    click.echo(json_text(found) if as_json else results.section(found))
    return bool(found["odd"])
