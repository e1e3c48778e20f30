"""cvxpy's atoms, each of which knows its gradient; by which it differentiates whole expressions."""

# pyright: reportMissingImports=false
from collections.abc import Iterator
from typing import Any

import numpy as np

from evaluation.foreign.subject import Subject
from evaluation.formulas import formula, table

REAL = np.array([[0.7, -1.3], [2.1, 0.4], [-0.6, 1.5]])
B = np.array([0.7, -1.1, 0.4])
DEFINITE = np.array([[2.0, 0.3, -0.4], [0.3, 1.5, 0.2], [-0.4, 0.2, 1.1]])


def symmetric(x: Any) -> Any:
    return (x + x.T) / 2


def flat(x: Any) -> Any:
    return x.reshape(-1)


WHERE = {
    "real": REAL,
    "positive": np.abs(REAL) + 0.2,
    "unit": (np.abs(REAL) + 0.2) / 3,
    "vector": np.array([0.7, 1.3, 2.1, 0.4]),
    "matrix": DEFINITE,
    "b": B,
}

#: Name, formula, where, and the atom where it is not called by the name. An atom that the pinned
#: release does not have is left out.
ATOMS = """
abs           | abs(x)                                       | real
exp           | exp(x)                                       | real
log           | log(x)                                       | positive
log1p         | log1p(x)                                     | positive
entr          | -x * log(x)                                  | positive
xexp          | x * exp(x)                                   | positive
logistic      | softplus(x)                                  | real
huber         | where(abs(x) <= 1, x**2, 2 * abs(x) - 1)     | real
power 1.7     | x**1.7                                       | positive | power(x, 1.7)
power -0.6    | x**-0.6                                      | positive | power(x, -0.6)
square        | x**2                                         | real
sqrt          | sqrt(x)                                      | positive
inv_pos       | 1 / x                                        | positive
pos           | maximum(x, 0)                                | real
maximum       | maximum(maximum(x, B[0]), x**2)              | real     | maximum(x, B[0], x**2)
minimum       | minimum(x, B[0])                             | real     | minimum(x, B[0])
kl_div        | x * log(x / 0.8) - x + 0.8                   | positive | kl_div(x, 0.8)
rel_entr      | x * log(x / 0.8)                             | positive | rel_entr(x, 0.8)
rel_entr, second | 0.8 * log(0.8 / x)                        | positive | rel_entr(0.8, x)
one_minus_pos | 1 - x                                        | unit
cumsum        | cumsum(x, axis=0)                            | real     | cumsum(x, axis=0)
log_sum_exp   | logsumexp(x)                                 | real
log_sum_exp of columns | logsumexp(x, axis=0)                | real     | log_sum_exp(x, axis=0)
max           | max(x)                                       | real
max of rows   | max(x, axis=1)                               | real     | max(x, axis=1)
min           | min(x)                                       | real
norm1         | sum(abs(x))                                  | real
norm2         | sqrt(sum(x * x))                             | real     | norm(vec(x, order="F"), 2)
pnorm 3       | sum(abs(x) ** 3) ** (1 / 3)                  | real     | pnorm(x, 3)
pnorm 0.5     | sum(sqrt(x)) ** 2                            | positive | pnorm(x, 0.5)
quad_over_lin | sum(x * x) / 1.7                             | real     | quad_over_lin(x, 1.7)
sum_largest   | sum(sort(flat(x))[-2:])                      | real     | sum_largest(x, 2)
sum_largest 2.5 | sum(sort(flat(x))[-2:]) + 0.5 * sort(flat(x))[-3]
                                                             | real     | sum_largest(x, 2.5)
dotsort       | sum(sort(flat(x))[-3:] * np.array([0.3, 0.9, 1.2]))
                                                  | real | dotsort(x, np.array([0.3, 1.2, 0.9]))
prod          | prod(x)                                      | positive
geo_mean      | prod(x ** (np.array([1, 2, 1, 3]) / 7))      | vector   | geo_mean(x, [1, 2, 1, 3])
harmonic_mean | 4 / sum(1 / x)                               | vector
tv            | sum(abs(x[1:] - x[:-1]))                     | vector
log_det       | linalg.slogdet(symmetric(x))[1]              | matrix
tr_inv        | trace(linalg.inv(symmetric(x)))              | matrix
lambda_max    | linalg.eigvalsh(symmetric(x))[-1]            | matrix
lambda_sum_largest | sum(linalg.eigvalsh(symmetric(x))[-2:]) | matrix   | lambda_sum_largest(x, 2)
matrix_frac   | B @ linalg.inv(symmetric(x)) @ B             | matrix   | matrix_frac(B, x)
quad_form     | x @ DEFINITE @ x                             | b        | quad_form(x, DEFINITE)
sigma_max     | linalg.svdvals(x)[0]                         | real
norm_nuc      | sum(linalg.svdvals(x))                       | real     | normNuc(x)
tanh          | tanh(x)                                      | real
sinh          | sinh(x)                                      | real
asinh         | arcsinh(x)                                   | real
sin           | sin(x)                                       | real
tan           | tan(x)                                       | unit
normcdf       | ndtr(x)                                      | real
"""


def _cvxpy() -> Iterator[Subject]:
    import cvxpy

    for name, text, where, *given in table(ATOMS):
        call = given[0] if given else f"{name}(x)"
        if not hasattr(cvxpy, call.partition("(")[0]):
            continue
        f, x = formula("x", text, globals()), WHERE[where]
        variable = cvxpy.Variable(x.shape)
        variable.value = x
        expression = formula("x", call, globals())(cvxpy, variable)
        shape = expression.shape
        c = 1 + np.arange(np.prod(shape, dtype=int)).reshape(shape) / 7 if shape else np.array(1.5)

        def loss(xp: Any, x: Any, f: Any = f, c: Any = c) -> Any:
            return xp.sum(c * f(xp, x))

        def gradient(x: Any, e: Any = expression, v: Any = variable, c: Any = c) -> Any:
            v.value = x
            return np.asarray(e.grad[v] @ c.ravel(order="F")).reshape(x.shape, order="F")

        yield Subject(f"{name}.grad", loss, gradient, x)


PACKAGES = {"cvxpy": _cvxpy}
