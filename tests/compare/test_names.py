"""Names that stand in several rooms are the same everywhere."""

import autodiff.network
import autodiff.training
import compare.networks.functions
import compare.networks.updates
import manual.activations
import manual.losses
import manual.network
import manual.optimisers
from compare.commands import options, train


def test_activations_losses_and_optimisers() -> None:
    activations = set(manual.activations.ACTIVATIONS)
    losses = set(manual.losses.LOSSES)
    optimisers = set(manual.optimisers.OPTIMISERS)
    assert set(autodiff.network.ACTIVATIONS) == activations
    assert set(compare.networks.functions.ACTIVATIONS) == activations
    assert set(options.ACTIVATION.names) == activations
    assert set(autodiff.network.LOSSES) == losses
    assert set(compare.networks.functions.LOSSES) == losses
    assert set(options.LOSS.names) == losses
    assert set(autodiff.network.LINKS) == set(manual.network.LINKS)
    assert set(autodiff.training.OPTIMISERS) == optimisers
    assert set(compare.networks.updates.UPDATES) == optimisers
    assert set(train.OPTIMISER.names) == optimisers == set(train.RATES)
