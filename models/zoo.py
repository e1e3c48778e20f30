"""Models of every kind, in both precisions, for tests of the judge."""

from models import functions, likelihoods, perceptrons, regressions, small_networks
from models.model import Model

MODELS: list[Model] = [
    *regressions.MODELS,
    *perceptrons.MODELS,
    *small_networks.MODELS,
    *likelihoods.MODELS,
    *functions.MODELS,
]
