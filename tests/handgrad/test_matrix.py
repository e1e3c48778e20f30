"""Right gradients of models at more points and in float32: no alarm, and no wide tolerance.

Models with all their mistakes, at one point each, are cases of `tests.corpus`.
"""

from pathlib import Path

import numpy as np
import pytest

from handgrad import check_gradient
from models.zoo import MODELS as ZOO
from tests.corpus.all import MODELS, all_cases

pytestmark = pytest.mark.slow

#: Points at which right gradients are judged, by precision. What raises an alarm, a rule of an
#: operation or a tolerance, is common to many models: with 95 % one of 300 cases shows an alarm
#: that is raised in one of a hundred.
POINTS = {np.float64: 3, np.float32: 2}


@pytest.mark.by_day(24)
@pytest.mark.parametrize(
    ("name", "dtype"),
    # Those of the zoo alone return the dtype that they are given.
    [*((name, np.float64) for name in MODELS), *((f"zoo: {m.name}", np.float32) for m in ZOO)],
)
def test_right_gradients_raise_no_alarm(name: str, dtype: type) -> None:
    """Certified, so no loss was taken for another function; few digits are lost, if any."""
    model, rng = MODELS[name], np.random.default_rng(1)
    first, *others = (model.point(rng, dtype) for _ in range(POINTS[dtype]))
    report = check_gradient(model.by_hand, model.function, *first, points=others, seconds=600.0)
    assert report.verdict in ("agree", "imprecise"), str(report)
    assert report.certified, str(report)


def test_the_tolerances_are_narrow() -> None:
    """A wide tolerance is not a way to pass. Measured: 5e-14 in the median; the promise is 1e-9."""
    limits = []
    for model in ZOO:
        at = model.point(np.random.default_rng(1))
        report = check_gradient(model.by_hand, model.function, *at, points=0, seconds=600.0)
        limits += [leaf.detection_limit for leaf in report.leaves]
    assert np.median(limits) < 1e-12


def test_every_kind_that_a_case_names_is_documented() -> None:
    text = Path("docs/checking.md").read_text("utf-8")
    kinds = {kind for case in all_cases().values() for kind in case.kinds}
    assert [kind for kind in kinds if f"`{kind}`" not in text] == []
