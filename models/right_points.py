"""Right gradients at points that are hard to judge; calling one wrong is a false alarm.

Every one is written the way a careful author would: no digit is lost that need not be, and at a
kink it is one of the valid answers.
"""

from collections.abc import Mapping, Sequence

from models import badly_conditioned, huge, kinked, saturated, tiny
from models.model import Model

#: By what makes them hard.
POINTS: Mapping[str, Sequence[Model]] = {
    "saturated": saturated.MODELS,
    "tiny": tiny.MODELS,
    "huge": huge.MODELS,
    "badly conditioned": badly_conditioned.MODELS,
    "kinked": kinked.MODELS,
}
