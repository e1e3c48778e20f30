"""The functions of the comparison of checkers on torch, in the order of its results."""

from models.model import Model
from models.torch_functions import activations, losses, norms, sequences

FUNCTIONS: tuple[Model, ...] = (
    *norms.FUNCTIONS,
    *activations.FUNCTIONS,
    *losses.FUNCTIONS,
    *sequences.FUNCTIONS,
)
