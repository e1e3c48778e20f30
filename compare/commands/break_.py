"""`compare break`: plant a mistake and show which checks see it."""

from typing import TYPE_CHECKING, Any

import click

from compare.commands.options import training_options
from handgrad.commands.options import JSON

if TYPE_CHECKING:
    from compare.breaking import Check
    from models.planted import Plant

KINDS = {
    "gradient": "In the gradient:",
    "training": "In the training loop, around a right gradient:",
}


@click.command(name="break", short_help="Plant a mistake, and show which checks see it.")
@click.argument("slug", required=False)
@training_options
@JSON
def break_(slug: str | None, as_json: bool, **training: Any) -> int:
    """Plant a mistake in the derivation by hand, and show what each check sees of it.

    SLUG names the mistake; without it, all of them are listed. The checks, from the weakest
    evidence to the best: the outcome of the training, its loss curve, every update judged from
    common parameters, the partial derivatives at the start beside autodiff's, and handgrad's
    judge. Ends with 0 whatever they see.
    """
    if slug is None:
        _list(as_json)
        return 0
    from compare.planted import slug_of
    from models.planted import MISTAKES

    slug = slug_of(slug, "SLUG", MISTAKES)
    _show(slug, MISTAKES[slug], _checks(MISTAKES[slug], training), as_json)
    return 0


def _checks(plant: "Plant", training: dict[str, Any]) -> "dict[str, Check]":
    from compare.breaking import checks
    from compare.experiment import Settings
    from compare.terminal import progress

    settings = Settings(**training)
    with progress(settings.epochs, "epochs") as on_epoch:
        return checks(plant, settings, on_epoch)


def _list(as_json: bool) -> None:
    from compare.commands.output import print_object
    from models.planted import MISTAKES

    if as_json:
        print_object({"plants": [_as_object(slug, plant) for slug, plant in MISTAKES.items()]})
        return
    from compare.terminal import console, table

    out = console()
    for kind, heading in KINDS.items():
        rows = table("slug")
        rows.add_column("the mistake")
        for slug, plant in MISTAKES.items():
            if plant.kind == kind:
                rows.add_row(slug, plant.says)
        out.print(f"{heading}\n")
        out.print(rows)
        out.print()
    out.print("python -m compare break SLUG plants one, and shows which checks see it.")


def _show(slug: str, plant: "Plant", found: "dict[str, Check]", as_json: bool) -> None:
    from compare.breaking import lesson
    from compare.commands.output import print_object

    if as_json:
        described = {"slug": slug, "says": plant.says, "kind": plant.kind}
        print_object(described | {"checks": {name: _check(c) for name, c in found.items()}})
        return
    from compare.terminal import console, table

    out = console()
    out.print(f"{slug}: {plant.says}.\n")
    rows = table("check", "sees it")
    rows.add_column("what it says")
    for name, check in found.items():
        rows.add_row(name, "yes" if check.sees else "no", check.says)
    out.print(rows)
    out.print(f"\n{lesson(plant, found)}")


def _as_object(slug: str, plant: "Plant") -> dict[str, Any]:
    return {"slug": slug, "says": plant.says, "kind": plant.kind, "wrong": plant.wrong}


def _check(check: "Check") -> dict[str, Any]:
    return {"sees": check.sees, "says": check.says, **check.numbers}
