"""The checkers that are compared on derivatives; a new one is a row of `CONTENDERS`."""

from dataclasses import replace

from benchmarks.checkers.contenders import NO_BLAME, Contender, answer_of
from benchmarks.checkers.derivatives import peers
from benchmarks.checkers.derivatives.cases import simple
from benchmarks.checkers.derivatives.question import DerivativeQuestion, place
from benchmarks.checkers.question import Answer
from models.model import COMPLEX, HESSIAN, JACOBIAN, PRODUCT, RULE

#: Findings whose place is that of a pair of elements, one of which may be right.
OF_PAIRS = ("symmetry",)


def judged(question: DerivativeQuestion) -> Answer:
    """Run handgrad's check of that kind at the given point and its eight default ones."""
    import handgrad

    x, *_ = point = question.point()
    given = question.derivative, question.fun
    if question.kind == RULE:
        report = handgrad.check_custom(question.derivative, *point, order=2)
    elif question.kind == PRODUCT:
        report = handgrad.check_hvp(*given, x, *question.args, v=point[1])
    else:
        checks = {
            JACOBIAN: handgrad.check_jacobian,
            HESSIAN: handgrad.check_hessian,
            COMPLEX: handgrad.check_gradient,
        }
        report = checks[question.kind](*given, *point)
    places = [
        place(found.leaf.rpartition(".")[2] if question.kind == COMPLEX else "", found.index)
        for found in report.findings
        if found.leaf and found.index is not None and found.kind not in (*NO_BLAME, *OF_PAIRS)
    ]
    return replace(answer_of(report), leaves=tuple(dict.fromkeys(places)))


CONTENDERS = (
    Contender("handgrad", "handgrad", judged, simple),
    Contender("jax.test_util", "jax", peers.test_util, simple),
    Contender("scipy.optimize.check_grad", "scipy", peers.check_grad, simple),
    Contender("numdifftools", "numdifftools", peers.numdifftools, simple),
)
