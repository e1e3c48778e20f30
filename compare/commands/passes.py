"""The options that select a pass through a network, shared by `explain`, `step` and the page."""

from typing import TYPE_CHECKING, Any

import click

from compare.commands.options import (
    ACTIVATION,
    FILE,
    L2,
    LEARNING_RATE,
    LOSS,
    PERSON,
    SEED,
    Name,
    Number,
    Sizes,
    option,
    together,
)

if TYPE_CHECKING:
    from compare.trace import Trace


class Numbers(click.ParamType):
    """Finite numbers separated by commas: 1,-2.5."""

    name = "1,-2.5"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[float, ...]:
        """The numbers."""
        number = Number("finite numbers with commas between them, such as 1,-2.5")
        return tuple(number.convert(part.strip(), param, ctx) for part in str(value).split(","))


#: The options of a network besides its sizes: `compare.traced.parameters.KINDS`.
kind_options = together(
    click.option("--activation", type=ACTIVATION, help="Of hidden layers; sigmoid."),
    click.option(
        "--output",
        type=ACTIVATION,
        help="Of the last layer; sigmoid, or identity for losses on logits.",
    ),
    click.option("--loss", type=LOSS, help="mse unless given."),
    click.option("--l2", type=L2, help="λ, the weight of Σ w²; 0 unless given."),
)

#: The options of a pass: the fields of `compare.traced.request.PassRequest`.
pass_options = together(
    click.option("--person", type=PERSON, help="One of the article's four; Alice unless given."),
    click.option("--x", type=Numbers(), help="Inputs of your own, such as 1,-2.5."),
    click.option("--y", type=Numbers(), help="What the network should say to them."),
    click.option("--params", type=FILE, help="Parameters from a JSON file: see docs/teaching.md."),
    click.option(
        "--model", type=FILE, help="A model that train has written; --x in its features' units."
    ),
    click.option(
        "--network",
        "sizes",
        type=Sizes(),
        help="Another network, such as 3-4-2; at most 200 parameters.",
    ),
    kind_options,
    click.option(
        "--init",
        type=Name("ones", "normal"),
        help="All weights 1 and biases 0, or drawn from N(0, 1). Ones for the article's network "
        "unless --seed is given; parameters of another one are always drawn.",
    ),
    click.option("--seed", type=SEED, help="Draws parameters at random; 44 unless given."),
    option("--learning-rate", type=LEARNING_RATE, default=0.1, help="η of the update."),
    click.option(
        "--sigmoid-derivative",
        type=Name("stable", "article"),
        help="By hand, σ' as σ(z)σ(-z), or as f(1 - f); stable unless given.",
    ),
)


def traced(options: dict[str, Any]) -> "Trace":
    """Compute the trace that the options describe.

    Raises:
        InputError: they do not go together, or the numbers do not fit.
    """
    from compare.terminal import waiting
    from compare.traced.request import PassRequest

    with waiting("One pass, and what three witnesses say of every number"):
        return PassRequest(**options).trace()
