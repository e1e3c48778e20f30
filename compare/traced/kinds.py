"""The kinds of a network: its activation, its output, its loss, and λ."""

from typing import Any

from compare.wording import InputError
from manual.network import LINKS, Network

#: The options of a network besides its sizes.
KINDS = ("activation", "output", "loss", "l2")


def network_of(sizes: tuple[int, ...], kinds: dict[str, Any]) -> Network:
    """Build the network of these sizes; what `kinds` omits, or has as None, has its default.

    Raises:
        InputError: see `Network`.
    """
    given = {name: value for name, value in kinds.items() if value is not None}
    usual = {"activation": "sigmoid", "loss": "mse", "l2": 0.0} | given
    usual.setdefault("output", "identity" if usual["loss"] in LINKS else "sigmoid")
    try:
        return Network(sizes, **usual)
    except ValueError as error:
        raise InputError(str(error)) from error
