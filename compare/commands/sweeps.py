"""The options that define the cases of a sweep."""

import os
from typing import TYPE_CHECKING, Any

import click

from compare.commands.options import (
    DTYPE,
    PLANT,
    SEED,
    form_option,
    kind_options,
    network_option,
    together,
)
from compare.wording import InputError, quoted
from handgrad.commands.options import option, seed_option, whole

if TYPE_CHECKING:
    from compare.sweep.distributions import Distribution
    from compare.sweep.settings import Settings
    from manual.network import Network


#: What 53 bits can count, and no machine will.
MOST_CASES = 10**15

_DRAWN = "uniform:SIZE|spread:LOW:HIGH"

#: The options of a sweep; `settings` turns them into a `compare.sweep.settings.Settings`.
sweep_options = together(
    network_option(default="2-2-1"),
    kind_options(),
    option(
        "--examples",
        type=whole(1, 100),
        help="How many examples the loss is the mean of.",
        otherwise="1 for the article's network, else 2",
    ),
    option("--dtype", type=DTYPE, default="float64", help="Of all numbers."),
    option(
        "--weights",
        metavar=_DRAWN,
        default="uniform:5",
        help="What weights and biases are drawn from.",
    ),
    option(
        "--inputs",
        metavar=_DRAWN,
        default="uniform:20",
        help="What inputs are drawn from; targets lie between 0 and 1.",
    ),
    seed_option("all cases", type=SEED, default=0),
    form_option("form", otherwise="stable"),
    PLANT,
)


def use_all_cores() -> None:
    """Make one JAX device for each core: XLA runs blocks of this size on one thread.

    Call it before JAX is imported; nothing happens where JAX_NUM_CPU_DEVICES is set already.
    """
    os.environ.setdefault("JAX_NUM_CPU_DEVICES", str(_cores()))


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def settings(options: dict[str, Any]) -> "Settings":
    """Return the settings of the sweep that the options describe.

    Raises:
        InputError: they do not go together.
    """
    from compare.planted import slug_of
    from compare.sweep.settings import Settings

    network, plant = _network(options), options["plant"]
    return Settings(
        network=network,
        examples=options["examples"] or (1 if network is None else 2),
        form=_form(options["form"], network),
        plant=None if plant is None else slug_of(plant, "--plant"),
        weights=_drawn("weights", options["weights"]),
        inputs=_drawn("inputs", options["inputs"]),
        dtype=options["dtype"],
        seed=options["seed"],
    )


def _network(options: dict[str, Any]) -> "Network | None":
    """Return the network; None for the article's, swept with the lines of manual/article.py."""
    from compare.traced.kinds import KINDS, network_of

    network = network_of(
        options["sizes"], {name: options[name] for name in KINDS if options[name] is not None}
    )
    is_the_articles = network == network_of((2, 2, 1), {}) and options["examples"] in (None, 1)
    return None if is_the_articles else network


def _drawn(option: str, text: str) -> "Distribution":
    from compare.sweep.distributions import distribution

    try:
        return distribution(text)
    except ValueError as error:
        raise InputError(f"--{option} {quoted(text)}; {error}") from error


def _form(form: str | None, network: "Network | None") -> str:
    if form is not None and network is not None:
        raise click.UsageError(
            "--sigmoid-derivative beside another network than the article's; expected one without "
            "the other."
        )
    return form or "stable"
