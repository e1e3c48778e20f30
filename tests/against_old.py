"""Hold the judge to older ones: `python -m tests.against_old`.

Each old revision is built from the history of this repository into a wheel, which is unpacked into
a folder of its own outside of it, and is imported from there. Both rule on the corpus and on cases
that are drawn afresh, and every difference is printed.
"""

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from tests.release.installing import ROOT, built

#: The revision of 29 November, and the one that had ceased to be sure of wrong things.
REVISIONS = ("f4a0d8ca", "55e8eaab")

#: What two judges have to have in common.
SAME = ("verdict", "certified", "blame", "kinds")


def unpacked(revision: str) -> Path:
    """Build the wheel of a revision, and unpack it; what is there already is kept.

    Raises:
        click.ClickException: this repository has no such revision.
    """
    ask = ["git", "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"]
    found = subprocess.run(ask, cwd=ROOT, capture_output=True, text=True, check=False)
    if found.returncode:
        raise click.ClickException(f"no revision {revision!r} in this repository")
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    site = Path(cache, "handgrad", "old", found.stdout.strip()[:12])
    if site.exists():
        return site
    site.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=site.parent) as kept:
        folder = Path(kept)
        archive = ["git", "archive", "--format=zip", f"--output={folder / 'tree.zip'}", revision]
        subprocess.run(archive, cwd=ROOT, capture_output=True, check=True)
        zipfile.ZipFile(folder / "tree.zip").extractall(folder / "source")
        (folder / "made").mkdir()
        wheel = built("wheel", folder / "made", folder / "source")
        zipfile.ZipFile(wheel).extractall(folder / "site")
        (folder / "site").rename(site)
    return site


def rulings(site: Path | None, options: list[str]) -> Iterator[dict[str, Any]]:
    """Yield the rulings of the judge in a folder; None for the one of this tree."""
    # -P: the folder it is started in would come first.
    command = [sys.executable, "-P", "-m", "tests.corpus.rulings", *options]
    path = os.pathsep.join(map(str, [*([site] if site else []), ROOT]))
    variables = os.environ | {"PYTHONPATH": path}
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        yield from map(json.loads, running.stdout)
    if running.returncode:
        raise click.ClickException(f"the rulings of {site or 'this tree'} broke off")


@click.command()
@click.option("--revision", "revisions", multiple=True, default=REVISIONS, help="An old one.")
@click.option("--fresh", default=500, show_default=True, help="Cases that are drawn afresh.")
@click.option("--seed", type=int, help="By what they are drawn; else by chance, and said.")
@click.option("--stored/--no-stored", default=True, help="Whether the corpus is ruled on.")
def main(revisions: tuple[str, ...], fresh: int, seed: int | None, stored: bool) -> None:
    """Rule by old and new on the corpus and on fresh cases; print each difference."""
    seed = int.from_bytes(os.urandom(3)) if seed is None else seed
    options = [f"--fresh={fresh}", f"--seed={seed}", "--stored" if stored else "--no-stored"]
    sites = {revision: unpacked(revision) for revision in revisions}
    judges = [rulings(site, options) for site in (None, *sites.values())]
    counts, differing = 0, dict.fromkeys(revisions, 0)
    for new, *olds in zip(*judges, strict=True):
        counts += 1
        for revision, old in zip(revisions, olds, strict=True):
            found = [
                f"{of}: {old.get(of)} → {new.get(of)}" for of in SAME if old.get(of) != new.get(of)
            ]
            differing[revision] += bool(found)
            for line in found:
                click.echo(f"{revision}  {new['case']}  {line}")
            if found and "verdict" in found[0]:
                click.echo(f"    was: {old['says']}\n    is:  {new['says']}")
        if sys.stderr.isatty():
            click.echo(f"\r{counts} cases", err=True, nl=False)
    for revision, number in differing.items():
        click.echo(f"{counts} cases, seed {seed}: {number} are ruled otherwise than by {revision}")


if __name__ == "__main__":
    main(prog_name="python -m tests.against_old")
