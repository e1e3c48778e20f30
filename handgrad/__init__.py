"""handgrad: the library and command line that judge hand-written gradients.

It works on any loss and gradient and knows nothing of the article's network. Public names are added
here, commands in `handgrad.commands`. Start with `check_gradient`.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from handgrad.audit_report import AuditReport
    from handgrad.audited import Audited
    from handgrad.auditing import audit
    from handgrad.backward import assert_backward, check_backward
    from handgrad.call_report import CallReport
    from handgrad.check import (
        CheckInterrupted,
        GradientMismatch,
        assert_gradient,
        check_gradient,
    )
    from handgrad.compared import Version
    from handgrad.comparison import ComparisonReport
    from handgrad.custom import assert_custom, check_custom
    from handgrad.data.findings import Diagnosis, Enclosure, Finding, LeafReport
    from handgrad.data.ulps import ulp_distance
    from handgrad.derivatives import (
        assert_hessian,
        assert_hvp,
        assert_jacobian,
        check_hessian,
        check_hvp,
        check_jacobian,
    )
    from handgrad.exact import exact_gradient
    from handgrad.marks import gradient_of, hessian_of, hvp_of, jacobian_of
    from handgrad.report import GradientReport, StepReport, StepsReport
    from handgrad.scipy_calls import assert_scipy, check_scipy
    from handgrad.speed.timing import time_gradient
    from handgrad.speed.timings import NotTimedError, Timings
    from handgrad.stepwise import Step, assert_steps, check_steps
    from handgrad.versions import assert_gradients, compare_gradients

__all__ = [
    "AuditReport",
    "Audited",
    "CallReport",
    "CheckInterrupted",
    "ComparisonReport",
    "Diagnosis",
    "Enclosure",
    "Finding",
    "GradientMismatch",
    "GradientReport",
    "LeafReport",
    "NotTimedError",
    "Step",
    "StepReport",
    "StepsReport",
    "Timings",
    "Version",
    "assert_backward",
    "assert_custom",
    "assert_gradient",
    "assert_gradients",
    "assert_hessian",
    "assert_hvp",
    "assert_jacobian",
    "assert_scipy",
    "assert_steps",
    "audit",
    "check_backward",
    "check_custom",
    "check_gradient",
    "check_hessian",
    "check_hvp",
    "check_jacobian",
    "check_scipy",
    "check_steps",
    "compare_gradients",
    "exact_gradient",
    "gradient_of",
    "hessian_of",
    "hvp_of",
    "jacobian_of",
    "time_gradient",
    "ulp_distance",
]

#: The public names of each module, which is imported on first use: JAX takes seconds to load, and
#: neither `--help` nor a test session that checks no gradient should wait for it.
_HOMES = {
    "audit_report": ("AuditReport",),
    "audited": ("Audited",),
    "auditing": ("audit",),
    "backward": ("assert_backward", "check_backward"),
    "call_report": ("CallReport",),
    "check": ("CheckInterrupted", "GradientMismatch", "assert_gradient", "check_gradient"),
    "compared": ("Version",),
    "comparison": ("ComparisonReport",),
    "custom": ("assert_custom", "check_custom"),
    "data.findings": ("Diagnosis", "Enclosure", "Finding", "LeafReport"),
    "data.ulps": ("ulp_distance",),
    "derivatives": (
        "assert_hessian",
        "assert_hvp",
        "assert_jacobian",
        "check_hessian",
        "check_hvp",
        "check_jacobian",
    ),
    "exact": ("exact_gradient",),
    "marks": ("gradient_of", "hessian_of", "hvp_of", "jacobian_of"),
    "report": ("GradientReport", "StepReport", "StepsReport"),
    "scipy_calls": ("assert_scipy", "check_scipy"),
    "speed.timing": ("time_gradient",),
    "speed.timings": ("NotTimedError", "Timings"),
    "stepwise": ("Step", "assert_steps", "check_steps"),
    "versions": ("assert_gradients", "compare_gradients"),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            from importlib import import_module

            return getattr(import_module(f"handgrad.{module}"), name)
    raise AttributeError(f"module 'handgrad' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
