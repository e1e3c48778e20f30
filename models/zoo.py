"""Models of every kind, in both precisions, for tests of the judge."""

from models import functions, layers, likelihoods, perceptrons, regressions
from models.model import Model

MODELS: list[Model] = [
    *regressions.MODELS,
    *perceptrons.MODELS,
    *layers.ZOO,
    *likelihoods.MODELS,
    *functions.MODELS,
]
