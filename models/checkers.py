"""The models of the comparison of checkers, in the order of its results."""

from models import (
    article,
    dense_networks,
    layers,
    linear_models,
    recurrent,
    relu_networks,
    softmax_networks,
)
from models.model import Model

MODELS: list[Model] = [
    *article.MODELS,
    *dense_networks.MODELS,
    *linear_models.CLASSIFIERS,
    *softmax_networks.MODELS,
    *linear_models.REGRESSIONS,
    *relu_networks.MODELS,
    *recurrent.MODELS,
    *layers.MODELS,
    *linear_models.MARGINS,
]
