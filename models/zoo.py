"""Models of every kind, in both precisions, for tests of the judge."""

from models import (
    choices,
    filters,
    hard,
    likelihoods,
    linear_algebra,
    optimisation,
    perceptrons,
    regressions,
    small_networks,
)
from models.model import Model

MODELS: list[Model] = [
    *regressions.MODELS,
    *perceptrons.MODELS,
    *small_networks.MODELS,
    *filters.MODELS,
    *linear_algebra.MODELS,
    *likelihoods.MODELS,
    *optimisation.MODELS,
    *choices.MODELS,
    *hard.MODELS,
]
