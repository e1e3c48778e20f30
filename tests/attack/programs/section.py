"""What docs/reliability.md says of the random programs, from the stored rows alone."""

import json
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

from evaluation.rows import Row

#: For each row that is a miss, a false alarm or unconfirmed: why.
EXPLANATIONS = Path(__file__).with_name("explanations.json")

#: Outcomes that need no explanation.
EXPECTED = ("right", "caught", "no value changed", "undecidable", "no gradient", "not run")

#: Kinds of diagnosis that an edit of the loss bears out where its numbers show no such relation.
OF_EDITS = {
    "operator": ("activation-derivative", "sign", "factor"),
    "names": ("exchanged", "activation-derivative", "sign"),
    "axis": ("axis", "transposed"),
    "transpose": ("transposed",),
    "index": ("exchanged", "axis"),
    "factor": ("factor", "activation-derivative"),
    "sign": ("sign",),
}

#: A leaf that is changed by more than this, of its largest element, should be accused.
PLAIN = 1e-6


def explanations() -> dict[str, str]:
    """Return the reasons by the row's id."""
    return json.loads(EXPLANATIONS.read_text(encoding="utf-8"))


def figures(rows: list[Row]) -> dict[str, Any]:
    """Return every number of the section by its name in the template."""
    reasons = explanations()
    right, wrong = ([row for row in rows if row.get("part") == part] for part in ("right", "wrong"))
    caught = [row for row in wrong if row["outcome"] == "caught"]
    covered = Counter(name for row in right for name in row["operations"])
    return {
        "right": Counter(row["outcome"] for row in right),
        "wrong": Counter(row["outcome"] for row in wrong),
        "neither": len(rows) - len(right) - len(wrong),
        "imprecise": sum(row.get("verdict") == "imprecise" for row in right),
        "elsewhere": sum(row["point"] > 0 for row in caught),
        "covered": covered,
        "equations": median(row["equations"] for row in right),
        "kinds": Counter(kind(row) for row in caught if "diagnoses" in row),
        "leaves": Counter(leaves(row) for row in caught),
        "causes": Counter(cause(row) for row in rows if row["outcome"] == "undecidable"),
        "seconds": {
            part: f"{median(row['seconds'] for row in some if 'seconds' in row):.1f}"
            for part, some in (("right", right), ("wrong", wrong))
        },
        "explained": [
            (row, reasons.get(row["id"])) for row in rows if row["outcome"] not in EXPECTED
        ],
    }


def cause(row: Row) -> str:
    """Return why a verdict is `undecidable`, without the numbers."""
    says = row["headline"].partition(": ")[2]
    iterates = "the loss stops an iteration at a tolerance"
    return f"{iterates}, and going on may change too much" if iterates in says else says


def kind(row: Row) -> str:
    """Return how a caught mistake is named: right, unknown, or not borne out."""
    named = [(kind, leaves) for kind, _, leaves in row["diagnoses"] if kind != "unknown"]
    if not named:
        return "unknown"
    by_edit = OF_EDITS[row["edit"]["kind"]]
    shown = row["relations there"]
    right = all(k in by_edit or all(k in shown.get(leaf, ()) for leaf in at) for k, at in named)
    return "right" if right else "not borne out"


def leaves(row: Row) -> str:
    """Return whether the leaves that are accused are those that the edit changed."""
    changed = row["changed there"]
    too_many = [leaf for leaf in row["accused"] if changed.get(leaf, 0.0) == 0.0]
    too_few = [leaf for leaf, by in changed.items() if by > PLAIN and leaf not in row["accused"]]
    return "wrong" if too_many or too_few else "right"
