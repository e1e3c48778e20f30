"""Five models kept aside: no rule that names a mistake was written on them.

Their first run is told in docs/checking.md, and so is what a later one showed. That has been
mended, so they are no longer unseen: who writes new rules keeps other models aside.
"""

from models import (
    additive_attention,
    gated_recurrence,
    tied_autoencoder,
    two_answers,
    two_heads,
)
from models.model import Model

MODELS: list[Model] = [
    *two_heads.MODELS,
    *gated_recurrence.MODELS,
    *additive_attention.MODELS,
    *tied_autoencoder.MODELS,
    *two_answers.MODELS,
]
