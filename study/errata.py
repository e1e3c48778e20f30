"""The errata for the page: as printed and corrected, with the results of their runs."""

import re
from typing import Any

from compare.errata.catalogue import ERRATA
from compare.errata.entry import Erratum
from compare.experiment import Settings
from compare.traced.request import SEED
from study.formulas import mathml

#: The default settings of a training.
USUAL = {"form": Settings().sigmoid_derivative, "eta": Settings().learning_rate}

#: Where else on the page an erratum shows, by its number: the section, the state to set there, and
#: what to see.
ELSEWHERE: dict[int, tuple[str, dict[str, Any], str]] = {
    1: (
        "break",
        {"mistake": "missing-square"},
        "Break it plants it in the lines by hand, and shows which checks see it",
    ),
    3: ("equation", {"parameter": "w1"}, "Equation has all factors of ∂L/∂w1"),
    4: ("equation", {"parameter": "w3"}, "Equation has the factors of ∂L/∂w3: they go through h2"),
    5: (
        "equation",
        {"parameter": "b3"},
        "Equation has both factors as numbers: ∂L/∂b3 is their product",
    ),
    6: ("nudge", {}, "Nudge: move a parameter either way, and see which way the loss goes"),
    7: (
        "training",
        {"seed": SEED, "edits": {}, **USUAL},
        "Training has the loss after every sample, and it rises now and then",
    ),
    8: ("surface", {}, "Surface: two parameters move, and the others are held"),
    9: ("nudge", {}, "Nudge has the slice along one parameter, and its slope"),
    10: ("training", {"order": "shuffled"}, "Training takes the people in shuffled order as well"),
    16: ("you", {}, "You shows the shift with numbers of your own"),
    19: ("stage", {}, "The network: what one unit puts out is what the next takes in"),
    21: ("training", {"seed": SEED, "edits": {}}, f"Training from seed {SEED}; try others"),
    22: (
        "equation",
        {"sample": "alice", "seed": None, "edits": {}, "epoch": 0, "parameter": "w1", **USUAL},
        "Equation has the example with all of its digits",
    ),
}


def errata() -> list[dict[str, Any]]:
    """Return every erratum with its texts, formulas, and the table of its run."""
    return [_as_object(entry) for entry in ERRATA]


def _as_object(entry: Erratum) -> dict[str, Any]:
    shown = entry.run()
    section, state, says = ELSEWHERE.get(entry.number, (None, None, None))
    return {
        "number": entry.number,
        "title": entry.title,
        "section": entry.section,
        "printed": _form(entry.printed, entry.printed_latex),
        "right": _form(entry.right, entry.right_latex),
        "why": entry.why,
        "columns": shown.columns,
        "rows": shown.rows,
        "digits": shown.digits,
        "says": shown.says,
        "elsewhere": section and {"section": section, "state": state, "says": says},
    }


def _form(text: str, latex: str | None) -> dict[str, Any]:
    """Return the formulas, and the text if there are none or if it says more."""
    more = _words(text) - _words(latex or "")
    # A line may break between two formulas.
    formulas = [mathml(part, "block") for part in (latex or "").split(_GAP) if part]
    return {"formulas": formulas, "text": text if more else None}


#: Words that a text such as "Σ y_i with i = 1 to n" has beside its formula.
_SAYS_NOTHING = {"with", "which"}

#: The separator of two formulas.
_GAP = r"\quad"


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]{3,}", text)) - _SAYS_NOTHING
