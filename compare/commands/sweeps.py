"""The options that say what is swept; `sweep` and `replay` share them."""

import os
from typing import TYPE_CHECKING, Any

import click

from compare.commands.options import SEED, Name, Number, Sizes, option, together, whole
from compare.commands.passes import kind_options
from compare.wording import InputError, quoted

if TYPE_CHECKING:
    from compare.sweep.distributions import Distribution
    from compare.sweep.settings import Settings
    from manual.network import Network


def _whole(text: str) -> int:
    """A whole number that may be written 1e9."""
    number = float(text)
    if not number.is_integer() or abs(number) > 2**53:
        return int(text)
    return int(number)


CASES = Number(
    "a whole number from 1 to 1e15, such as 1e9", convert=_whole, at_least=1, at_most=10**15
)
CASE = Number("a whole number from 0 to 1e15", convert=_whole, at_least=0, at_most=10**15)

_DRAWN = "uniform:SIZE|spread:LOW:HIGH"

#: What is swept; `settings` makes something of them.
sweep_options = together(
    option("--network", "sizes", type=Sizes(), default="2-2-1"),
    kind_options,
    click.option(
        "--examples",
        type=whole(1, 100),
        help="Of one case: 1 for the article's network, else 2.",
    ),
    option("--dtype", type=Name("float64", "float32"), default="float64"),
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
        help="What inputs are drawn from. (Targets lie between 0 and 1.)",
    ),
    option("--seed", type=SEED, default=0, help="Of all cases."),
    click.option(
        "--sigmoid-derivative",
        "form",
        type=Name("stable", "article"),
        help="By hand, σ' as σ(z)σ(-z), or as f(1 - f); the article's network only.",
    ),
    click.option("--plant", metavar="SLUG", help="A mistake; `compare break` lists them."),
)


def use_all_cores() -> None:
    """One device for each core: XLA goes through blocks of this size on one thread.

    To be called before JAX is imported; who sets JAX_NUM_CPU_DEVICES is asked no more.
    """
    os.environ.setdefault("JAX_NUM_CPU_DEVICES", str(_cores()))


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def settings(asked: dict[str, Any]) -> "Settings":
    """What the options ask for.

    Raises:
        InputError: they do not go together.
    """
    from compare.planted import slug_of
    from compare.sweep.settings import Settings

    network, plant = _network(asked), asked["plant"]
    return Settings(
        network=network,
        examples=asked["examples"] or (1 if network is None else 2),
        form=_form(asked["form"], network),
        plant=None if plant is None else slug_of(plant, "--plant"),
        weights=_drawn("weights", asked["weights"]),
        inputs=_drawn("inputs", asked["inputs"]),
        dtype=asked["dtype"],
        seed=asked["seed"],
    )


def _network(asked: dict[str, Any]) -> "Network | None":
    """None for the article's: its nine scalars are swept as they stand in manual/article.py."""
    from compare.traced.parameters import KINDS, network_of

    network = network_of(
        asked["sizes"], {name: asked[name] for name in KINDS if asked[name] is not None}
    )
    is_the_articles = network == network_of((2, 2, 1), {}) and asked["examples"] in (None, 1)
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
