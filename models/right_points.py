"""Right gradients at points that are hard to judge; calling one wrong is a false alarm.

They are written as a careful author would: they lose no digits that can be kept, and at a kink they
return one of the right gradients.
"""

from collections.abc import Mapping, Sequence

from models import badly_conditioned, huge, kinked, saturated, tiny
from models.model import Model

#: The models by what makes them hard.
POINTS: Mapping[str, Sequence[Model]] = {
    "saturated": saturated.MODELS,
    "tiny": tiny.MODELS,
    "huge": huge.MODELS,
    "badly conditioned": badly_conditioned.MODELS,
    "kinked": kinked.MODELS,
}
