"""`compare break`: plant a mistake and show which checks see it."""

from typing import Any

from compare.terminal import console, progress, table
from models.planted import MISTAKES, kind_of

KINDS = {
    "gradient": "In the gradient:",
    "training": "In the training loop, around a right gradient:",
}


def list_mistakes() -> None:
    """Print all mistakes, for which JAX is not loaded."""
    out = console()
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


def plant(slug: str, training: dict[str, Any]) -> None:
    """Plant one, and print what each check sees of it."""
    from compare.breaking import checks, lesson
    from compare.experiment import Settings

    out, mistake, settings = console(), MISTAKES[slug], Settings(**training)
    with progress(settings.epochs, "epochs") as on_epoch:
        found = checks(mistake, settings, on_epoch)
    out.print(f"{slug}: {mistake.says}.\n")
    rows = table("check", "sees it")
    rows.add_column("what it says")
    for name, check in found.items():
        rows.add_row(name, "yes" if check.sees else "no", check.says)
    out.print(rows)
    out.print(f"\n{lesson(mistake, found)}")
