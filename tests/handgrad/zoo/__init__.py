"""Losses with their gradients by hand and with mistakes in them: whom the judge has to judge."""

from tests.handgrad.zoo import (
    article,
    attention,
    choices,
    filters,
    gaussian,
    hard,
    kernels,
    likelihoods,
    linear_algebra,
    mixture,
    networks,
    normalisation,
    optimisation,
    regression,
    sequences,
    structures,
    survival,
)
from tests.handgrad.zoo.model import Model

ZOO: list[Model] = [
    *regression.MODELS,
    *article.MODELS,
    *networks.MODELS,
    *structures.MODELS,
    *sequences.MODELS,
    *attention.MODELS,
    *normalisation.MODELS,
    *filters.MODELS,
    *linear_algebra.MODELS,
    *gaussian.MODELS,
    *kernels.MODELS,
    *likelihoods.MODELS,
    *mixture.MODELS,
    *survival.MODELS,
    *optimisation.MODELS,
    *choices.MODELS,
    *hard.MODELS,
]
