"""The functions of the comparison of checkers on torch, in the order of its results."""

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
from models.torch_functions.function import TorchFunction

FUNCTIONS: tuple[TorchFunction, ...] = tuple(
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
