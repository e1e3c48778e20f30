"""What `check_jacobian`, `check_hessian` and `check_hvp` take for arguments: lists, sparse ones."""

from typing import Any

import numpy as np
import pytest
import scipy.sparse
from scipy.optimize import rosen, rosen_hess, rosen_hess_prod

from handgrad import check_gradient, check_hessian, check_hvp, check_jacobian
from tests.tiers import one_of_each

sp: Any = scipy.sparse
MATRIX = np.array([[1.0, 2.0, 0.0], [0.0, 3.0, 4.0]])
X = np.array([0.3, 0.7, 1.2])


def of_squares(x: Any, a: Any) -> Any:
    return np.sum((a @ x) ** 2)


def test_lists_of_numbers_are_arrays() -> None:
    jac = lambda x: np.diag(2 * x)  # noqa: E731
    square = lambda x: x * x  # noqa: E731
    assert check_jacobian(jac, square, [0.3, 0.7], points=[([2, -1],)]).verdict == "agree"
    assert check_jacobian(lambda x: jac(x) + 1, square, [1, 2], points=0).verdict == "disagree"
    assert check_hessian(rosen_hess, rosen, [0.3, 0.7], points=0).verdict == "agree"
    assert check_hvp(rosen_hess_prod, rosen, [0.3, 0.7], v=[1, 2], points=0).verdict == "agree"
    rows = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    by_rows = np.eye(6).reshape(6, 2, 3)
    report = check_jacobian(lambda _: by_rows, lambda x: x.reshape(-1), rows, points=0)
    assert report.verdict == "agree"


def test_lists_of_arrays_are_pytrees() -> None:
    blocks = lambda x: [np.diag(x[1]), np.diag(x[0])]  # noqa: E731
    x = [np.array([1.0, 2.0]), np.array([3.0, 0.5])]
    report = check_jacobian(blocks, lambda x: x[0] * x[1], x, points=0)
    assert report.verdict == "agree"
    assert len(report.leaves) == 2


@pytest.mark.parametrize("form", one_of_each([sp.csr_array, sp.csc_matrix], [sp.csr_array]))
@pytest.mark.parametrize("factor", [1, 2])
def test_sparse_arguments_are_judged_by_differences(form: Any, factor: int) -> None:
    """A sparse matrix is no array to JAX, though it has a dtype and a shape."""
    a = form(MATRIX)
    for report in (
        check_jacobian(lambda x, a: factor * a, lambda x, a: a @ x, X, a, points=1),
        check_jacobian(lambda x: factor * MATRIX, lambda x: a @ x, X, points=1),
        check_gradient(lambda x, a: 2 * factor * a.T @ (a @ x), of_squares, X, a, points=1),
    ):
        assert report.verdict == ("agree" if factor == 1 else "disagree")
        assert not report.certified


def test_what_is_no_function_is_told() -> None:
    three: Any = 3
    with pytest.raises(TypeError, match=r"^fun: got 3, expected a function$"):
        check_jacobian(lambda x: np.diag(x), three, X)
    for check, derivative in ((check_hessian, rosen_hess), (check_hvp, rosen_hess_prod)):
        with pytest.raises(TypeError, match=r"^loss: got 3, expected a function$"):
            check(derivative, three, X)
    with pytest.raises(TypeError, match=r"^hess: got 3, expected a function$"):
        check_hessian(three, rosen, X)
