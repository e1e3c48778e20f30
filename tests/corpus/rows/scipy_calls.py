"""Whole calls of `scipy.optimize`, with their arguments, before they are run."""

from typing import Any

import numpy as np

from handgrad import check_scipy
from tests.corpus.case import Row, cases

# minimize: the energy of springs, of stiffness k, that are stretched by loads f.

STIFFNESS, LOADS = np.array([1.3, 0.8, 2.1]), np.array([0.4, -0.9, 0.7])
PLACES = np.array([0.5, -0.2, 0.9])


def energy(x: Any, k: Any, f: Any) -> Any:
    e = np.diff(x, prepend=0.0)
    return np.sum(k * (e**2 / 2 + e**4 / 4)) - f @ x


def by_stretch(force: Any) -> Any:
    """Return what a force in each spring does to the places at its ends."""
    return force - np.append(force[1:], 0.0)


def forces(x: Any, k: Any, f: Any) -> Any:
    e = np.diff(x, prepend=0.0)
    return by_stretch(k * (e + e**3)) - f


def other_order(x: Any, f: Any, k: Any) -> Any:
    return forces(x, k, f)


def stiffness(x: Any, k: Any, f: Any) -> Any:
    e = np.diff(x, prepend=0.0)
    c, b = k * (1 + 3 * e**2), np.eye(len(x)) - np.eye(len(x), k=-1)
    return b.T @ (c[:, None] * b)


def lumped(x: Any, k: Any, f: Any) -> Any:
    """The couplings between neighbours are moved to the diagonal."""
    h = stiffness(x, k, f)
    return np.diag(h.sum(axis=1))


def stiffness_times(x: Any, v: Any, k: Any, f: Any) -> Any:
    return stiffness(x, k, f) @ v


# least_squares: where a sound came from, by its arrival at four microphones, with weights.

MICROPHONES = np.array([[0.0, 0.0], [4.0, 0.5], [3.5, 3.0], [-0.5, 2.5]])
ARRIVED = np.array([2.1, 3.0, 2.6, 1.9])
WEIGHT = np.array([1.0, 2.0, 0.5, 3.0])
SOURCE = np.array([1.6, 1.2, 0.2])  # x, y, and when


def late(s: Any, m: Any, t: Any, w: Any) -> Any:
    away = np.sqrt((s[0] - m[:, 0]) ** 2 + (s[1] - m[:, 1]) ** 2)
    return w * (s[2] + away - t)


def by_source(s: Any, m: Any, t: Any, w: Any) -> Any:
    d = s[:2] - m
    unit = d / np.sqrt((d * d).sum(axis=1))[:, None]
    return w[:, None] * np.column_stack([unit, np.ones(len(m))])


def by_rows_of_s(s: Any, m: Any, t: Any, w: Any) -> Any:
    return by_source(s, m, t, w).T


def weight_twice(s: Any, m: Any, t: Any, w: Any) -> Any:
    """As for the sum of squares, whose weights are the squares of these."""
    return w[:, None] * by_source(s, m, t, w)


# root: three species in equilibrium, with constants k1, k2 and a total.

SPECIES = np.array([0.7, 1.3, 0.4])


def equilibrium(c: Any, k1: Any, k2: Any) -> Any:
    a, b, d = c
    return [a * b - k1 * d, a**2 - k2 * b, a + b + 2 * d - 3.0]


def of_species(c: Any, k1: Any, k2: Any) -> Any:
    a, b, _ = c
    return [[b, a, -k1], [2 * a, -k2, 0.0], [1.0, 1.0, 2.0]]


def along_columns(c: Any, k1: Any, k2: Any) -> Any:
    """As `fsolve` takes it with `col_deriv`, and `root` does not."""
    return np.transpose(of_species(c, k1, k2))


def old_balance(c: Any, k1: Any, k2: Any) -> Any:
    """The total once counted d once."""
    j = np.array(of_species(c, k1, k2))
    j[2, 2] = 1.0
    return j


# curve_fit: a Hill curve, from no dose on.

DOSES = np.array([0.0, 0.5, 1.0, 2.0, 4.0])
HILL = [1.2, 0.9, 1.7]


def hill(x: Any, top: Any, half: Any, n: Any) -> Any:
    return top * x**n / (half**n + x**n)


def by_hill(x: Any, top: Any, half: Any, n: Any, zero: float = 1.0) -> Any:
    """`zero` stands for 0 in the logarithm, whose product with 0**n is 0."""
    share = x**n / (half**n + x**n)
    inner = top * share * (1 - share)
    with np.errstate(divide="ignore", invalid="ignore"):
        of_n = inner * np.log(np.where(x > 0, x, zero) / half)
    return np.column_stack([share, -inner * n / half, of_n])


def nan_at_no_dose(x: Any, *params: Any) -> Any:
    return by_hill(x, *params, zero=0.0)


def by_the_logarithm(x: Any, top: Any, half: Any, n: Any) -> Any:
    return by_hill(x, top, half, n) * [1.0, half, 1.0]


RIGHT = {"jac": forces, "hess": stiffness, "hessp": stiffness_times}


CASES = [
    # check_scipy with jac, hess, hessp and args of minimize.
    *cases("minimize", check_scipy, energy, PLACES, args=(STIFFNESS, LOADS), points=2)(
        Row("right", RIGHT, "jac, hess and hessp"),
        Row(
            "the Hessian's couplings are moved to its diagonal",
            {**RIGHT, "hess": lumped},
            "jac and hessp agree, hess disagree",
            "hess[",
        ),
        Row(
            "the gradient takes args in another order",
            {"jac": other_order, "hess": stiffness},
            "jac disagree, hess agree",
        ),
    ),
    # check_scipy with a Jacobian and args of least_squares.
    *cases(
        "least_squares", check_scipy, late, SOURCE, args=(MICROPHONES, ARRIVED, WEIGHT), points=2
    )(
        Row("right", {"jac": by_source}),
        Row(
            "one row for each unknown",
            {"jac": by_rows_of_s},
            "got shape (3, 4), expected (4, 3)",
        ),
        Row(
            "the weights are taken twice",
            {"jac": weight_twice},
            "row 1 by 2, row 2 by 0.5 and row 3 by 3 times exact",
        ),
    ),
    # check_scipy of lists, with a Jacobian and args of root.
    *cases("root", check_scipy, equilibrium, SPECIES, args=(0.6, 0.9), points=2)(
        Row("right", {"jac": of_species}),
        Row("a row is an unknown", {"jac": along_columns}, "transpose"),
        Row(
            "a coefficient of an earlier balance",
            {"jac": old_balance},
            "row 2, column 2: yours is 1.0, exactly it is 2",
        ),
    ),
    # check_scipy with xdata and jac of curve_fit.
    *cases("curve_fit", check_scipy, hill, HILL, xdata=DOSES, points=2)(
        Row("right", {"jac": by_hill}),
        Row("0 * log(0) at no dose", {"jac": nan_at_no_dose}, "nan"),
        Row(
            "the derivative by a parameter's logarithm",
            {"jac": by_the_logarithm},
            "column 1 of jac",
        ),
    ),
]
