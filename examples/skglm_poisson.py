"""A wrong gradient in skglm: counts with a sparse design matrix.

`Poisson.full_grad_sparse` computes exp(xᵢᵀw - yᵢ) where it should be exp(xᵢᵀw) - yᵢ: a closing
parenthesis is at the wrong place (seen in skglm 0.5). The solvers for sparse data take the features
to work on, and where to stop, from it. `gradient_scalar_sparse`, of one coefficient, is right, and
`gradient`, of a dense matrix.
"""

from importlib import import_module
from typing import Any

import numpy as np
import scipy.sparse as sp

from handgrad import check_gradient
from handgrad.report import GradientReport

#: Imported by name, as skglm is no dependency of the checkout's.
Poisson = import_module("skglm.datafits").Poisson

X = np.array([[0.0, 1.2, 0.0], [0.5, 0.0, -0.3], [0.0, -0.7, 0.0], [1.1, 0.0, 0.9]])
COUNTS = np.array([2.0, 0.0, 1.0, 3.0])
START = np.array([0.2, -0.1, 0.3])


def loss(w: Any) -> Any:
    """The mean of exp(xᵀw) - y xᵀw, by skglm."""
    return Poisson().value(COUNTS, w, X @ w)


def of_all(w: np.ndarray) -> np.ndarray:
    """Compute the gradient with skglm, from the sparse matrix."""
    columns = sp.csc_matrix(X)
    of_columns = columns.data, columns.indptr, columns.indices
    return Poisson().full_grad_sparse(*of_columns, COUNTS, X @ w)


def of_each(w: np.ndarray) -> np.ndarray:
    """Compute its elements one by one."""
    columns, datafit = sp.csc_matrix(X), Poisson()
    of_columns = columns.data, columns.indptr, columns.indices
    each = [datafit.gradient_scalar_sparse(*of_columns, COUNTS, X @ w, j) for j in range(len(w))]
    return np.array(each)


def report(gradient: Any = of_all) -> GradientReport:
    """Check one of the two, by skglm's own loss."""
    return check_gradient(gradient, loss, START)


if __name__ == "__main__":
    for gradient in (of_each, of_all):
        print(f"skglm, Poisson, {gradient.__name__}:", report(gradient), sep="\n\n", end="\n\n")
