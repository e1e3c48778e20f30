"""`compare break`: plant a mistake and show which checks see it."""

from typing import Any

import click

from compare.commands.options import training_options

KINDS = {
    "gradient": "In the gradient:",
    "training": "In the training loop, around a right gradient:",
}


@click.command(name="break", short_help="Plant a mistake, and show which checks see it.")
@click.argument("slug", required=False)
@training_options
def break_(slug: str | None, **training: Any) -> int:
    """Plant a mistake in the derivation by hand, and show what each check sees of it.

    SLUG names the mistake; without it, all of them are listed. The checks, from the weakest
    evidence to the best: the outcome of the training, its loss curve, every update judged from
    common parameters, the partial derivatives at the start beside autodiff's, and handgrad's
    judge. Ends with 0 whatever they see.
    """
    from compare.commands.slugs import slug_of
    from compare.terminal import console, progress, table
    from models.planted import MISTAKES

    out = console()
    if slug is None:
        _list(out)
        return 0
    from compare.breaking import checks, lesson
    from compare.experiment import Settings

    slug, settings = slug_of(slug, "SLUG", MISTAKES), Settings(**training)
    plant = MISTAKES[slug]
    with progress(settings.epochs, "epochs") as on_epoch:
        found = checks(plant, settings, on_epoch)
    out.print(f"{slug}: {plant.says}.\n")
    rows = table("check", "sees it")
    rows.add_column("what it says")
    for name, check in found.items():
        rows.add_row(name, "yes" if check.sees else "no", check.says)
    out.print(rows)
    out.print(f"\n{lesson(plant, found)}")
    return 0


def _list(out: Any) -> None:
    from compare.terminal import table
    from models.planted import MISTAKES, kind_of

    for kind, heading in KINDS.items():
        rows = table("slug")
        rows.add_column("the mistake")
        for slug, plant in MISTAKES.items():
            if kind_of(plant) == kind:
                rows.add_row(slug, plant.says)
        out.print(f"{heading}\n")
        out.print(rows)
        out.print()
    out.print("python -m compare break SLUG plants one, and shows which checks see it.")
