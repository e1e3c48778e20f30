"""The lesson of a mistake: which checks miss it, and why that matters."""

from compare.breaking.check import Check
from models.model import Slip
from models.planted import kind_of

_EVERY = (
    "Every check sees it: so coarse a mistake shows in the outcome. Where it is, the outcome does "
    "not say."
)
_NONE = (
    "No check sees it here: it shows at none of the points that they look at. Agreement at some "
    "points is no proof for all; try another start (--init normal, --seed)."
)
_ANSWERS = "Right answers are weak evidence: four people can be learned with many a mistake."
_CURVE = "A loss that falls is weak evidence: many a mistake still goes downhill."
_BOTH = (
    "Right answers and a falling loss are weak evidence: four people can be learned with many a "
    "mistake."
)
_NOT_YET = "In so few epochs no update goes wrong."
_RIGHT_AT_THE_START = (
    "At the start the gradient is right; the training comes to points where it is wrong, and a "
    "check of gradients knows only the points it is given."
)
_RIGHT_EVERYWHERE = (
    "The gradient is right at every point: whoever checks gradients alone does not learn what the "
    "training does with them."
)


def lesson(plant: Slip, found: dict[str, Check]) -> str:
    """Write one or a few sentences about the results of `compare.breaking.checks`."""
    blind = [name for name, check in found.items() if not check.sees]
    if not blind:
        return _EVERY
    if len(blind) == len(found):
        return _NONE
    weak = _BOTH if {"outcome", "training"} <= set(blind) else _ANSWERS
    weak = weak if "outcome" in blind else _CURVE
    reasons = (
        (weak, {"outcome", "training"}),
        (_NOT_YET, {"updates"}),
        (
            _RIGHT_EVERYWHERE if kind_of(plant) == "training" else _RIGHT_AT_THE_START,
            {"autodiff", "judge"},
        ),
    )
    why = " ".join(reason for reason, names in reasons if names & set(blind))
    return f"Blind: {', '.join(blind)}. {why}"
