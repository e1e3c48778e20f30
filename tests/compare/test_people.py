import numpy as np

from compare.people import PEOPLE, from_metric, raw, shifted, targets


def test_the_articles_two_tables() -> None:
    x = raw(PEOPLE)
    assert x.tolist() == [[133, 65], [160, 72], [152, 70], [120, 60]]
    assert shifted(x).tolist() == [[-2, -1], [25, 6], [17, 4], [-15, -6]]
    assert targets(PEOPLE).tolist() == [1, 0, 0, 1]


def test_metric_units() -> None:
    np.testing.assert_allclose(from_metric(0.45359237, 2.54), (1, 1), rtol=1e-15)
