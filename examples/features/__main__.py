"""The gallery on the command line: `python -m examples.features [FEATURE]...`."""

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

import click


@click.command()
@click.argument("names", nargs=-1, metavar="[FEATURE]...")
@click.option("--reports", is_flag=True, help="Print the report of every row, too.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.option("--list", "listed", is_flag=True, help="List the features.")
def main(names: tuple[str, ...], reports: bool, as_json: bool, listed: bool) -> None:
    """Judge what is right and what is wrong, feature by feature; by default all."""
    from examples.features.all import FEATURES
    from examples.features.table import gallery

    unknown = [name for name in names if name not in FEATURES]
    if unknown:
        click.echo(f"no feature {unknown[0]!r}; expected one of {', '.join(FEATURES)}", err=True)
        sys.exit(2)
    chosen = {name: FEATURES[name] for name in names or FEATURES}
    if listed:
        for name, feature in chosen.items():
            click.echo(f"{name:<20} {feature.about}")
        return
    found = gallery(chosen, _shown)
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=2, ensure_ascii=False))
    else:
        for one in found.came if reports else ():
            title = f"{one.feature}: {one.row.planted}"
            click.echo(
                f"{title}\n{'-' * len(title)}\n{one.text if one.report is None else one.report}\n"
            )
        click.echo(str(found))
    sys.exit(0 if found else 1)


def _shown(rows: list[Any]) -> Iterator[Any]:
    """Iterate over rows with a bar on a terminal."""
    with click.progressbar(
        rows,
        file=sys.stderr,
        show_pos=True,
        item_show_func=lambda row: f"{row[0]}: {row[1].planted}" if row else "",
        hidden=not sys.stderr.isatty(),
    ) as bar:
        yield from bar


if __name__ == "__main__":
    # Sharded losses need several devices, and JAX makes them of one processor if it is told so
    # before it is imported.
    os.environ.setdefault("JAX_NUM_CPU_DEVICES", "2")
    main(prog_name="python -m examples.features")
