"""The models of the comparison of checkers, in the order of its results."""

from models import article, layers, networks
from models.model import Model

MODELS: list[Model] = [*article.MODELS, *networks.MODELS, *layers.MODELS, *networks.MARGINS]
