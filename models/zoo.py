"""Forty models of every kind, in both precisions, for tests of the judge."""

from models import (
    article,
    choices,
    dot_product_attention,
    filters,
    gaussian,
    hard,
    kernels,
    likelihoods,
    linear_algebra,
    normalisation,
    optimisation,
    perceptrons,
    regressions,
    sequences,
    small_networks,
    survival,
)
from models.model import Model

MODELS: list[Model] = [
    *regressions.MODELS,
    article.NINE,
    *perceptrons.MODELS,
    *small_networks.MODELS,
    *sequences.MODELS,
    *dot_product_attention.MODELS,
    *normalisation.MODELS,
    *filters.MODELS,
    *linear_algebra.MODELS,
    *gaussian.MODELS,
    *kernels.MODELS,
    *likelihoods.MODELS,
    *survival.MODELS,
    *optimisation.MODELS,
    *choices.MODELS,
    *hard.MODELS,
]
