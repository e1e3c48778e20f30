"""Mistakes for the page: planted ones with who is blind to each, and the article's own.

Who sees a mistake takes minutes to compute: `python -m study.gallery` writes it to `gallery.json`.
"""

import inspect
import json
import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np

import manual.article
import manual.sgd
from compare.breaking import checks
from compare.errata.catalogue import ERRATA
from compare.errata.entry import Cell, Erratum
from compare.experiment import XS, YS, Settings, walk_by_hand
from compare.people import PEOPLE
from manual.article import loss
from models.edits import changed
from models.model import Slip
from models.planted import LINKS, LOOPS, MISTAKES, answer, gradient_in, train_in
from study.formulas import mathml

STORED = Path(__file__).with_suffix(".json")

#: Where each mistake is looked at, by the names that the page has for these starts.
STARTS = {"ones": Settings(init="ones"), "random": Settings()}

_PEOPLE = list(zip(XS, YS, strict=True))

#: What goes wrong, and the planted mistakes that do.
GROUPS = {
    "A factor missing, or too many": "missing-square half-mse double-mean "
    "no-activation-derivative-output no-activation-derivative-hidden bias-without-derivative "
    "activation-derivative-twice dropped-term-w5 dropped-term-loss bias-takes-input "
    "learning-rate-inside",
    "A wrong sign": "residual-sign minus-missing ascends",
    "Another function’s slope": "absolute-error cross-entropy-shortcut sigmoid-of-z "
    "tanh-derivative decay-factor",
    "A wrong variable": "sigmoid-of-activation derivative-at-another-unit "
    "derivative-at-another-layer dx-untransposed dw-after-activation dw-before-activation "
    "wrong-input everything-through-h1 hidden-factor-in-w5 inputs-swapped "
    "bias-forgotten-in-forward",
    "A wrong place": "dw-transposed exchanged order-of-parameters",
    "Zeros, limits, digits": "zeroed-element small-elements-zeroed saturated-unit-zeroed clipped "
    "off-by-a-millionth off-by-1e-12 not-a-number float32 central-difference",
    "The loop": "update-before-use stale-parameters last-sample-skipped wrong-sample "
    "bias-not-updated accumulates",
}

#: Of the difference quotient: the step, and by how much a slope may differ, and by how much of
#: itself, as in JAX's `check_grads`.
NUDGE, TOLERANCE = 1e-5, 1e-5


def planted() -> list[dict[str, Any]]:
    """Return the planted mistakes, by group.

    Returns:
        For each its `key`, what it `says`, its `group`, its `edits` as pairs of right and wrong
        lines, and `at` both starts the nine `numbers` that come out, None for what is no number:
        slopes of a `person`, or where that is None, how far a round over all four moves each; with
        what is stored, `sees` by check, and what the `judge` says.
    """
    stored = json.loads(STORED.read_text("utf-8"))
    return [
        {
            "key": slug,
            "says": MISTAKES[slug].says,
            "group": group,
            "edits": _edits(slug),
            "at": {of: _numbers(slug, STARTS[of]) | stored[slug][of] for of in STARTS},
        }
        for group, slugs in GROUPS.items()
        for slug in slugs.split()
    ]


def _edits(slug: str) -> list[tuple[str, str]]:
    """Return right and wrong lines, without those that are equal, and without the margin."""
    part = manual.sgd.train if slug in LOOPS else answer
    source = inspect.getsource(manual.article.gradient_lines if slug in LINKS else part)
    return [
        _apart(source, changed(source, of))
        for of in MISTAKES[slug].edits
        if not isinstance(of, dict)
    ]


def _apart(right: str, wrong: str) -> tuple[str, str]:
    old, new = right.splitlines(), wrong.splitlines()
    for at in (0, -1):
        while old and new and old[at] == new[at]:
            del old[at], new[at]
    return dedent("\n".join(old)), dedent("\n".join(new))


def _numbers(slug: str, settings: Settings) -> dict[str, Any]:
    """Return what comes out for the one of the four whose slopes are furthest from right."""
    plant, start = MISTAKES[slug], settings.start()
    if slug in LOOPS or slug == "accumulates":  # right in every first answer
        order, nothing = settings.sample_order()[:1], lambda _: None
        walked = gradient_in(plant), settings.learning_rate, order, nothing, train_in(plant)
        after = walk_by_hand(start, *walked)
        return {"person": None, "numbers": _finite(after[:, -1] - start)}
    with np.errstate(all="ignore"):
        found = np.array([gradient_in(plant)(start, *of) for of in _PEOPLE], float)
    right = np.array([manual.article.gradient(start, *of) for of in _PEOPLE])
    off = np.nan_to_num(np.abs(found - right), nan=np.inf).max(axis=1)
    # Alice, if it can be seen with her.
    at = 0 if off[0] > 0.01 * np.abs(right[0]).max() else int(np.argmax(off))
    return {"person": PEOPLE[at].name.lower(), "numbers": _finite(found[at])}


def _finite(numbers: np.ndarray) -> list[float | None]:
    return [float(of) if np.isfinite(of) else None for of in numbers]


def seen() -> dict[str, dict[str, Any]]:
    """Run all checks on all planted mistakes, for minutes; what `gallery.json` holds."""
    return {
        slug: {of: seen_by(plant, settings) for of, settings in STARTS.items()}
        for slug, plant in MISTAKES.items()
    }


def seen_by(plant: Slip, settings: Settings) -> dict[str, Any]:
    """Return which checks see a mistake from a start, and what the judge says."""
    found = checks(plant, settings)
    sees = {"nudge": nudged(plant, settings)} | {name: of.sees for name, of in found.items()}
    # Without lines of code, whose numbers change.
    return {"sees": sees, "judge": re.sub(r" \(forward pass: .*\)", "", found["judge"].says)}


def nudged(plant: Slip, settings: Settings) -> bool:
    """Whether a slope of one of the four differs from the loss's own, by nudges to both sides."""
    start, gradient = settings.start(), gradient_in(plant)
    for x, y in _PEOPLE:
        with np.errstate(all="ignore"):
            found = gradient(start, x, y)
        sides = [
            [loss(start._replace(**{name: value + by}), x, y) for by in (NUDGE, -NUDGE)]
            for name, value in start._asdict().items()
        ]
        slopes = [(up - down) / (2 * NUDGE) for up, down in sides]
        if not np.allclose(found, slopes, rtol=TOLERANCE, atol=TOLERANCE):
            return True
    return False


def errata() -> list[dict[str, Any]]:
    """Return the article's own mistakes, as `printed` and `right`, `why`, and the `table` of a run.

    A form is MathML of `formulas`, and `text`, or None.
    """
    return [_erratum(of) for of in ERRATA]


def _erratum(of: Erratum) -> dict[str, Any]:
    shown = of.run()

    def told(cell: Cell) -> str:
        text = cell if isinstance(cell, str) else f"{cell:.{shown.digits}g}"
        return re.sub(r"(^|e)-(?=.)", r"\1−", text)

    return {
        "key": f"erratum-{of.number}",
        "says": of.title,
        "group": "The article’s own",
        "section": of.section,
        "printed": _form(of.printed, of.printed_latex),
        "right": _form(of.right, of.right_latex),
        "why": of.why,
        "table": [shown.columns, *([told(cell) for cell in row] for row in shown.rows)],
        "found": shown.says,
    }


def _form(text: str, latex: str | None) -> dict[str, Any]:
    """Return formulas as MathML; the text too, if it says more than they do."""

    def words(of: str) -> set[str]:
        return set(re.findall(r"[a-z]{3,}", of)) - {"with", "which"}

    formulas = [mathml(part, "block") for part in (latex or "").split(r"\quad") if part]
    return {"formulas": formulas, "text": text if words(text) - words(latex or "") else None}


if __name__ == "__main__":
    STORED.write_text(json.dumps(seen(), separators=(",", ":")) + "\n", encoding="utf-8")
