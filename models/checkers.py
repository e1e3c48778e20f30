"""The models of the comparison of checkers, in the order of its results."""

from models import article, layers, networks, recurrent
from models.model import Model

MODELS: list[Model] = [
    *article.MODELS,
    *networks.MODELS,
    *recurrent.MODELS,
    *layers.MODELS,
    *networks.MARGINS,
]
