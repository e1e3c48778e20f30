"""An erratum on the random start: without a seed, results cannot be reproduced."""

import numpy as np

import manual.article
import manual.sgd
from compare.errata.entry import Cell, Shown, erratum
from compare.errata.example import XS, YS
from compare.experiment import Settings
from compare.people import NEWCOMERS, raw, shifted
from manual.article import Parameters

SEEDS = range(200)

#: The predictions for Emily and Frank in the blog that the article follows.
PUBLISHED = ("0.951", "0.039")

#: The last epoch whose loss it prints.
LAST_PRINTED = 990


@erratum(
    21,
    title="A random start without a seed",
    section="Optimizer",
    printed="we refer each w and b is random; the code it follows then prints 0.951 for Emily and "
    "0.039 for Frank",
    right="a result of a random start needs the seed that it comes from; 0.951 and 0.039 come from "
    "some seeds only",
    why="Every start leads to another end. Who runs the code gets other numbers and cannot tell "
    "whether something is wrong.",
)
def no_seed() -> Shown:
    """Run the article's training from 200 starts, all networks at once."""
    printed, end = _train_all()
    # One more axis, so that every network is evaluated for every person.
    losses = manual.article.loss(Parameters(*(p[:, None] for p in printed)), XS, YS).mean(axis=1)
    emily, frank = (manual.article.feedforward(end, x) for x in shifted(raw(NEWCOMERS)))
    hits = [
        seed
        for seed, answers in zip(SEEDS, zip(emily, frank, strict=True), strict=True)
        if tuple(f"{answer:.3f}" for answer in answers) == PUBLISHED
    ]
    found = {f"loss at epoch {LAST_PRINTED}": losses, "Emily": emily, "Frank": frank}
    rows: list[tuple[Cell, ...]] = [
        (name, *(float(f(values)) for f in (np.min, np.median, np.max)))
        for name, values in found.items()
    ]
    return Shown(
        (f"seeds {SEEDS[0]} to {SEEDS[-1]}", "lowest", "median", "highest"),
        tuple(rows),
        f"{PUBLISHED[0]} and {PUBLISHED[1]} come from {len(hits)} of {len(SEEDS)} seeds: "
        f"{', '.join(map(str, hits))}.",
        {
            "seeds": hits,
            "loss": [float(losses.min()), float(losses.max())],
            "loss_of_the_first_hit": float(losses[SEEDS.index(hits[0])]),
            "emily": [float(emily.min()), float(emily.max())],
            "frank": [float(frank.min()), float(frank.max())],
        },
        digits=4,
    )


def _train_all() -> tuple[Parameters, Parameters]:
    """Train from every seed; the parameters after the last printed epoch and at the end."""
    starts = Parameters(*np.array([manual.article.draw_parameters(seed) for seed in SEEDS]).T)
    order = Settings().sample_order()
    after_printed = (LAST_PRINTED + 1) * order.shape[1]
    printed = params = starts
    walked = manual.sgd.train(
        starts, XS, YS, manual.article.gradient, Settings().learning_rate, order
    )
    for updates, params in enumerate(walked, start=1):
        if updates == after_printed:
            printed = params
    return printed, params
