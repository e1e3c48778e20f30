"""Planted mistakes in the article's gradient and training; those of other models are beside them.

They are mistakes that people really make. A mistake in a factor of the chain rule belongs into
`links`, one in the arguments or the result into `answers`, one in the training loop into `loops`.
"""

from models.planted.answers import ANSWERS
from models.planted.links import LINKS
from models.planted.loops import LOOPS
from models.planted.plant import Plant

#: Wrong gradients, by slug.
PLANTS: dict[str, Plant] = LINKS | ANSWERS

#: The wrong gradients and the wrong training loops, by slug.
MISTAKES: dict[str, Plant] = PLANTS | LOOPS

__all__ = ["LINKS", "LOOPS", "MISTAKES", "PLANTS", "Plant"]
