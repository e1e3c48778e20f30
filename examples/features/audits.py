"""Many checks at once: `audit` of a list, and `handgrad check --all` of a file."""

from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from examples.features import domains, matrices, rules
from examples.features.table import RAISED, Feature, Row
from handgrad import audit, check_custom, check_gradient, check_hessian
from handgrad.cli import cli

FOLDER = Path(__file__).parent / "audited"


def audited(**others: Any) -> Any:
    """Audit four checks of different kinds, some of them others than the right ones."""
    checks = {
        "gradient": partial(
            check_gradient,
            domains.responsibilities,
            domains.mixture,
            *domains.OF_MIXTURE,
            domain="simplex",
        ),
        "jacobian": matrices.of_oscillation(matrices.jacobian),
        "hessian": matrices.of_logistic(matrices.curvature),
        "rule": partial(
            check_custom, rules.with_jvp(rules.distance, rules.along_both), rules.A, rules.B
        ),
    }
    return audit(checks | others, points=1)


def raises(b: Any, x: Any, y: Any) -> Any:
    return np.linalg.inv(np.zeros((len(b), len(b))))


class Ran(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    output: str

    @property
    def verdict(self) -> str:
        return f"exit code {self.code}"

    @property
    def headline(self) -> str:
        return self.output.splitlines()[-1]

    def __str__(self) -> str:
        return self.output


def check_all(file: str) -> Ran:
    """Run `handgrad check --all` on a file beside this one."""
    words = ["check", "--all", str(FOLDER / file), "--points", "1"]
    printed = StringIO()
    with redirect_stdout(printed), cli.make_context("handgrad", words) as context:
        code = cli.invoke(context)
    return Ran(code, printed.getvalue())


FEATURES = {
    "audit": Feature(
        "audit of checks of four kinds",
        Row("right", "passes", ("all 4 checks pass",), audited),
        Row(
            "one of four is wrong",
            "fails",
            ("3 of 4 checks pass: 1 wrong (hessian)", "worst in row 1, column 0"),
            partial(audited, hessian=matrices.of_logistic(matrices.upper_half)),
        ),
        Row(
            "one of four raises, the others are made all the same",
            "fails",
            ("3 of 4 checks pass: 1 raised (hessian)", "LinAlgError: Singular matrix", "audits.py"),
            partial(
                audited,
                hessian=partial(
                    check_hessian, raises, matrices.logistic, matrices.BETA, matrices.X, matrices.Y
                ),
            ),
        ),
    ),
    "check-all": Feature(
        "handgrad check --all of a file, whose pairs it finds",
        Row(
            "right",
            "exit code 0",
            ("all 3 checks pass", "right.py:slope"),
            partial(check_all, "right.py"),
        ),
        Row(
            "one of two is wrong, a third cannot be judged",
            "exit code 1",
            (
                "1 of 2 checks pass: 1 wrong",
                "wrong.py:d_ridge",
                "1 of 2 elements, worst at [0]",
                "1 not judged",
                "tilted_example",
            ),
            partial(check_all, "wrong.py"),
        ),
        Row(
            "there is no such file",
            RAISED,
            ("no such file", "gone.py"),
            partial(check_all, "gone.py"),
        ),
    ),
}
