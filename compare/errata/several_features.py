"""An erratum on multiple regression: it has a closed form."""

import numpy as np

from compare.data import table_named
from compare.errata.entry import Shown, erratum
from compare.errata.example import trained
from compare.experiment import Settings
from compare.regression import compare_regressions

#: Steps of descent, enough to agree with the closed form in all digits shown.
STEPS = 300

#: Two of the seeds that end in the article's predictions.
SEEDS = (44, 77)


@erratum(
    13,
    title="Multiple regression has a closed form",
    section="Linear Regression",
    printed="for Multiple Linear Regression with many parameter x's, it will become complex. … So "
    "we should determine another method",
    right="β = (XᵀX)⁻¹ Xᵀy for any number of features, if none is a combination of the "
    "others; it is the network that has no closed form",
    why="The derivative of a squared error that is linear in its coefficients is linear, too: "
    "setting it to 0 gives as many linear equations as unknowns. With a sigmoid inside they are "
    "no longer linear, and that is why a network has to descend.",
    right_latex=r"\beta = (X^\top X)^{-1} X^\top y",
)
def closed_form() -> Shown:
    """Fit 507 people's weight in closed form and by descent; train a network from two seeds."""
    result = compare_regressions(table_named("bdims"), STEPS)
    fits = (result.closed_form, result.by_hand, result.autodiff)
    values = np.array([[*fit.slopes, fit.intercept] for fit in fits]).T
    ends = np.array([trained(Settings(seed=seed))[:, -1] for seed in SEEDS])
    apart = float(np.abs(ends[0] - ends[1]).max())
    return Shown(
        ("bdims: wgt", "closed form", f"{STEPS} steps by hand", "by autodiff"),
        tuple((name, *map(float, row)) for name, row in zip(result.names, values, strict=True)),
        f"The descents end within {result.remaining:.1e} of the closed form, in standard "
        f"deviations. Two trainings of the network, seeds {SEEDS[0]} and {SEEDS[1]}, end up to "
        f"{apart:.2f} apart in a parameter: there is no one answer to solve for.",
        {
            "closed_form": values[:, 0].tolist(),
            "by_hand": values[:, 1].tolist(),
            "autodiff": values[:, 2].tolist(),
            "remaining": result.remaining,
            "agree": result.first_divergence is None,
            "networks_apart": apart,
        },
        digits=9,
    )
