"""Derivatives of SciPy, statsmodels and scikit-learn, in one audit.

Each check is a derivative as it is installed, none of them written for this, and the package's own
function, which is run on power series, or called where it is compiled. Where a name ends in
`(formula)`, the function is written anew, from the package's documentation, so that the verdict is
certified. On the command line, from the checkout's root, with one page:

    handgrad check --all examples.audit_of_packages:checks --out audited
"""

from collections.abc import Callable
from typing import Any

from examples.audit_of_packages import of_scipy, of_sklearn, of_statsmodels
from handgrad import AuditReport, audit

#: What is wrong in the locked versions; docs/scipy.md shows each with its exact value.
WRONG = {**of_statsmodels.WRONG, **of_sklearn.WRONG}


def checks() -> dict[str, Callable[..., Any]]:
    """Return the checks by their names."""
    return {**of_scipy.checks(), **of_statsmodels.checks(), **of_sklearn.checks()}


def report(**options: Any) -> AuditReport:
    """Make them all."""
    return audit(checks(), **options)
