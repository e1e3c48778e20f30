"""The models of the comparison of checkers, in the order of its results."""

from models import (
    article,
    attention,
    convolution,
    embedding,
    gated,
    layer_norm,
    linear_models,
    recurrent,
    relu_networks,
    sigmoid_networks,
    softmax_networks,
    tanh_networks,
)
from models.model import Model

MODELS: list[Model] = [
    *article.MODELS,
    *sigmoid_networks.MODELS,
    *tanh_networks.MODELS,
    *linear_models.CLASSIFIERS,
    *softmax_networks.MODELS,
    *linear_models.REGRESSIONS,
    *relu_networks.MODELS,
    *recurrent.MODELS,
    *convolution.MODELS,
    *embedding.MODELS,
    *layer_norm.MODELS,
    *gated.MODELS,
    *attention.MODELS,
    *linear_models.MARGINS,
]
