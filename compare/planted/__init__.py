"""Mistakes that people really make in backpropagation, each of which a check must see.

A slug names a mistake; that of the catalogue of kinds, where it has the mistake.
"""

from compare.planted.answers import ANSWERS
from compare.planted.chain import Chain, chain
from compare.planted.links import LINKS
from compare.planted.loops import LOOPS
from compare.planted.plant import Plant

#: Wrong gradients, by slug.
PLANTS: dict[str, Plant] = LINKS | ANSWERS

#: Those, and right gradients that are trained with wrongly.
MISTAKES: dict[str, Plant] = PLANTS | LOOPS

__all__ = ["LOOPS", "MISTAKES", "PLANTS", "Chain", "Plant", "chain"]
