"""Names that stand in several rooms are the same everywhere."""

import autodiff.network
import autodiff.training
import compare.reference
import manual.activations
import manual.losses
import manual.network
import manual.optimisers
from compare import cli


def test_activations_losses_and_optimisers() -> None:
    activations = set(manual.activations.ACTIVATIONS)
    losses = set(manual.losses.LOSSES)
    optimisers = set(manual.optimisers.OPTIMISERS)
    assert set(autodiff.network.ACTIVATIONS) == activations
    for tables in compare.reference.ACTIVATIONS.values():
        assert set(tables) == activations
    assert set(cli.ACTIVATION.names) == activations
    assert set(autodiff.network.LOSSES) == losses
    for tables in compare.reference.LOSSES.values():
        assert set(tables) == losses
    assert set(cli.LOSS.names) == losses
    assert set(autodiff.network.LINKS) == set(manual.network.LINKS)
    assert set(autodiff.training.OPTIMISERS) == optimisers
    assert set(compare.reference.UPDATES) == optimisers
    assert set(cli.OPTIMISER.names) == optimisers == set(cli.RATES)
