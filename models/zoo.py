"""Models of every kind, in both precisions, for tests of the judge."""

from models import functions, layers, likelihoods, networks, regressions
from models.model import Model

MODELS: list[Model] = [
    *regressions.MODELS,
    *networks.PERCEPTRONS,
    *layers.ZOO,
    *likelihoods.MODELS,
    *functions.MODELS,
]
