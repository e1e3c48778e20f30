"""cvxpy's atoms, each of which knows its gradient; by which it differentiates whole expressions."""

# pyright: reportMissingImports=false
from collections.abc import Iterator
from typing import Any

import numpy as np

from evaluation.foreign.subject import Subject, weighed
from evaluation.formulas import formula, table

REAL = np.array([[0.7, -1.3], [2.1, 0.4], [-0.6, 1.5]])
B = np.array([0.7, -1.1, 0.4])
DEFINITE = np.array([[2.0, 0.3, -0.4], [0.3, 1.5, 0.2], [-0.4, 0.2, 1.1]])


def symmetric(x: Any) -> Any:
    return (x + x.T) / 2


POSITIVE = np.abs(REAL) + 0.2
UNIT, VECTOR = POSITIVE / 3, np.array([0.7, 1.3, 2.1, 0.4])

#: Name, formula, where, and the atom where it is not called by the name. An atom that the pinned
#: release does not have is left out.
ATOMS = """
abs           | abs(x)                                       | REAL
exp           | exp(x)                                       | REAL
log           | log(x)                                       | POSITIVE
log1p         | log1p(x)                                     | POSITIVE
entr          | -x * log(x)                                  | POSITIVE
xexp          | x * exp(x)                                   | POSITIVE
logistic      | softplus(x)                                  | REAL
huber         | where(abs(x) <= 1, x**2, 2 * abs(x) - 1)     | REAL
power 1.7     | x**1.7                                       | POSITIVE | power(x, 1.7)
power -0.6    | x**-0.6                                      | POSITIVE | power(x, -0.6)
square        | x**2                                         | REAL
sqrt          | sqrt(x)                                      | POSITIVE
inv_pos       | 1 / x                                        | POSITIVE
pos           | maximum(x, 0)                                | REAL
maximum       | maximum(maximum(x, B[0]), x**2)              | REAL     | maximum(x, B[0], x**2)
minimum       | minimum(x, B[0])                             | REAL     | minimum(x, B[0])
kl_div        | x * log(x / 0.8) - x + 0.8                   | POSITIVE | kl_div(x, 0.8)
rel_entr      | x * log(x / 0.8)                             | POSITIVE | rel_entr(x, 0.8)
rel_entr, second | 0.8 * log(0.8 / x)                        | POSITIVE | rel_entr(0.8, x)
one_minus_pos | 1 - x                                        | UNIT
cumsum        | cumsum(x, axis=0)                            | REAL     | cumsum(x, axis=0)
log_sum_exp   | logsumexp(x)                                 | REAL
log_sum_exp of columns | logsumexp(x, axis=0)                | REAL     | log_sum_exp(x, axis=0)
max           | max(x)                                       | REAL
max of rows   | max(x, axis=1)                               | REAL     | max(x, axis=1)
min           | min(x)                                       | REAL
norm1         | sum(abs(x))                                  | REAL
norm2         | sqrt(sum(x * x))                             | REAL     | norm(vec(x, order="F"), 2)
pnorm 3       | sum(abs(x) ** 3) ** (1 / 3)                  | REAL     | pnorm(x, 3)
pnorm 0.5     | sum(sqrt(x)) ** 2                            | POSITIVE | pnorm(x, 0.5)
quad_over_lin | sum(x * x) / 1.7                             | REAL     | quad_over_lin(x, 1.7)
sum_largest   | sum(sort(x.reshape(-1))[-2:])                      | REAL     | sum_largest(x, 2)
sum_largest 2.5 | sum(sort(x.reshape(-1))[-2:]) + 0.5 * sort(x.reshape(-1))[-3]
                                                             | REAL     | sum_largest(x, 2.5)
dotsort       | sum(sort(x.reshape(-1))[-3:] * np.array([0.3, 0.9, 1.2]))
                                                  | REAL | dotsort(x, np.array([0.3, 1.2, 0.9]))
prod          | prod(x)                                      | POSITIVE
geo_mean      | prod(x ** (np.array([1, 2, 1, 3]) / 7))      | VECTOR   | geo_mean(x, [1, 2, 1, 3])
harmonic_mean | 4 / sum(1 / x)                               | VECTOR
tv            | sum(abs(x[1:] - x[:-1]))                     | VECTOR
log_det       | linalg.slogdet(symmetric(x))[1]              | DEFINITE
tr_inv        | trace(linalg.inv(symmetric(x)))              | DEFINITE
lambda_max    | linalg.eigvalsh(symmetric(x))[-1]            | DEFINITE
lambda_sum_largest | sum(linalg.eigvalsh(symmetric(x))[-2:]) | DEFINITE   | lambda_sum_largest(x, 2)
matrix_frac   | B @ linalg.inv(symmetric(x)) @ B             | DEFINITE   | matrix_frac(B, x)
quad_form     | x @ DEFINITE @ x                             | B        | quad_form(x, DEFINITE)
sigma_max     | linalg.svdvals(x)[0]                         | REAL
norm_nuc      | sum(linalg.svdvals(x))                       | REAL     | normNuc(x)
tanh          | tanh(x)                                      | REAL
sinh          | sinh(x)                                      | REAL
asinh         | arcsinh(x)                                   | REAL
sin           | sin(x)                                       | REAL
tan           | tan(x)                                       | UNIT
normcdf       | ndtr(x)                                      | REAL
"""


def _cvxpy() -> Iterator[Subject]:
    import cvxpy

    for name, text, where, *given in table(ATOMS):
        call = given[0] if given else f"{name}(x)"
        if not hasattr(cvxpy, call.partition("(")[0]):
            continue
        f, x = formula("x", text, globals()), globals()[where]
        variable = cvxpy.Variable(x.shape)
        variable.value = x
        expression = formula("x", call, globals())(cvxpy, variable)
        shape = expression.shape
        c = 1 + np.arange(np.prod(shape, dtype=int)).reshape(shape) / 7 if shape else np.array(1.5)

        def slopes(c: Any, x: Any, e: Any = expression, v: Any = variable) -> Any:
            v.value = x
            return np.asarray(e.grad[v] @ c.ravel(order="F")).reshape(x.shape, order="F")

        yield weighed(f"{name}.grad", c, f, slopes, x)


PACKAGES = {"cvxpy": _cvxpy}
