"""The functions of the comparison of checkers on torch, in the order of its results."""

from models.model import Model
from models.torch_functions import (
    attention,
    cross_entropy,
    embedding_bag,
    group_norm,
    layer_norm,
    quantile_loss,
    rms_norm,
    rotary,
    softplus,
    swiglu,
)

FUNCTIONS: tuple[Model, ...] = tuple(
    module.FUNCTION
    for module in (
        layer_norm,
        rms_norm,
        group_norm,
        swiglu,
        softplus,
        cross_entropy,
        quantile_loss,
        rotary,
        attention,
        embedding_bag,
    )
)
