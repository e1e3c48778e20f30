"""What is put before the judge: a loss, a released gradient of it, and a point."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import jax
import jax.scipy.special
import numpy as np

from evaluation.foreign.truth import DIGITS, Error, flat, mapped, measure, numbers
from evaluation.formulas import Namespace, filled, formula, modules

#: Where right ends and wrong begins, as powers of the dtype's epsilon: 4e-10 and 5e-7 for float64,
#: 7e-5 and 2e-3 for float32. What lies between (arithmetic in float32 behind float64 arrays, a
#: guard constant, a fitted function) may be called either.
RIGHT, WRONG = 0.6, 0.4

#: Digits are lost if an error is more than so many epsilons.
LOST = 64


#: `jax.numpy`, with the special functions of `jax.scipy` and `jax.nn` beside it.
JAX: Any = Namespace(jax.numpy, jax.scipy.special, jax.nn)


@dataclass
class Subject:
    """One hand-written gradient.

    As it stands, `gradient(params, *inputs)` is that of the scalar `loss(xp, params, *inputs)`.
    A `Backward` has array-valued losses.
    """

    name: str
    loss: Callable[..., Any]
    gradient: Callable[..., Any]
    params: Any
    inputs: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    #: Whether floats may lose most digits of a right formula here, so that `imprecise` is right.
    lossy: bool = False

    def check(self) -> Any:
        """Put it before the judge."""
        from handgrad import check_gradient

        loss = partial(self.loss, JAX)
        return check_gradient(self.gradient, loss, self.params, *self.inputs, **self.options)

    def error(self, params: Any, inputs: Any) -> Error:
        """Put it before the truth."""
        answer = self.gradient(mapped(np.array, params), *mapped(np.array, list(inputs)))
        return measure(self.loss, answer, params, inputs)

    def judged(self) -> dict[str, Any]:
        """Put it before the truth and the judge, and return the row that is stored."""
        error = self.error(self.params, self.inputs)
        row: dict[str, Any] = {"expected": self.expected(error)}
        row |= {"error": error.relative, "where": error.where}
        if row["expected"] != "right":
            row |= {"yours": error.yours, "exact": error.exact}
        row |= {"kink": True} if error.kink else {}
        start = time.process_time()
        try:
            report = self.check()
        except Exception as raised:  # whatever the judge raises is what is looked for
            row |= {"verdict": "error", "says": told(raised)}
        else:
            row |= {"verdict": report.verdict, "blame": report.blame}
            row |= {"kinds": sorted({finding.kind for finding in report.findings})}
            row |= {"says": " ".join(str(report).split("\n\n")[0].split())[:300]}
            if report.verdict == "disagree" and row["expected"] == "right":
                # What the truth says of the other point at which the judge found it wrong.
                error = self.error(mapped(np.asarray, report.params), self.inputs)
                row |= {"elsewhere": self.expected(error), "error_elsewhere": error.relative}
        row["seconds"] = round(time.process_time() - start, 2)
        return row | {"outcome": outcome(row)}

    def expected(self, error: Error) -> str:
        """Read a distance from the truth."""
        dtypes = {np.asarray(leaf).dtype for _, leaf in flat(self.params)}
        epsilon = max(np.finfo(dtype).eps for dtype in dtypes if dtype.kind == "f")
        if self.lossy and error.relative > LOST * epsilon:
            return "lossy"
        if error.relative <= epsilon**RIGHT:
            # At a kink the truth looks at one element at a time; two may be right each and not
            # together, such as 1 for both sides of a maximum.
            return "either" if error.kink or error.unseen else "right"
        return "either" if error.relative <= epsilon**WRONG else "wrong"


def weighed(
    name: str, weights: Any, f: Callable[..., Any], slopes: Callable[..., Any], at: Any, **more: Any
) -> Subject:
    """The gradient of Σ weights·f(xp, at), which is slopes(weights, at)."""

    def loss(xp: Any, x: Any) -> Any:
        return xp.sum(weights * f(xp, x))

    return Subject(name, loss, partial(slopes, weights), at, **more)


def tabled(text: str, known: Mapping[str, Any], *homes: str) -> Iterator[Subject]:
    """Yield the subjects of tables; `homes` are modules that they name, by their paths.

    A row makes a name, the loss and the gradient as formulas of x, the parameters, and perhaps
    other arguments of both formulas, and other inputs.
    """
    names = {**known, **modules(*homes)}
    for cells in filled(text):
        name, *texts, at, of, inputs = *cells, *("x", "()")[len(cells) - 4 :]
        f, df = (formula(of, text, names) for text in texts)
        yield Subject(name, f, partial(df, np), *(eval(text, dict(names)) for text in (at, inputs)))


@dataclass
class Backward(Subject):
    """One backward pass: `gradient(cotangent, *params)` of the array-valued `loss(xp, *params)`."""

    #: The function of JAX whose derivative rule it is, if it is one.
    rule: Any = None

    @cached_property
    def cotangent(self) -> np.ndarray:
        shape = np.shape(self.loss(DIGITS, *mapped(numbers, self.params)))
        return np.random.default_rng(7).uniform(0.5, 2.0, shape) * np.where(
            np.arange(np.prod(shape, dtype=int)).reshape(shape) % 3, 1, -1
        )

    def check(self) -> Any:
        """Put it before the judge."""
        from handgrad import check_backward, check_custom

        if self.rule is not None:
            return check_custom(self.rule, *self.params, **self.options)

        def forward(*params: Any) -> Any:
            return self.loss(JAX, *params), params

        def backward(cotangent: Any, params: Any) -> Any:
            return self.gradient(np.array(cotangent), *mapped(np.array, list(params)))

        return check_backward(
            forward, backward, *self.params, cotangent=self.cotangent, **self.options
        )

    def error(self, params: Any, inputs: Any) -> Error:  # noqa: ARG002
        """Put it before the truth."""
        answer = self.gradient(self.cotangent.copy(), *mapped(np.array, list(params)))
        answer = answer if isinstance(answer, tuple | list) else (answer,)

        def loss(xp: Any, params: Any) -> Any:
            return xp.sum(numbers(self.cotangent) * self.loss(xp, *params))

        return measure(loss, answer, tuple(params), ())


def told(raised: BaseException) -> str:
    """Return what was raised in a line."""
    return f"{type(raised).__name__}: {' '.join(str(raised).split())[:300]}"


def outcome(row: dict[str, Any]) -> str:
    """Rate a verdict: right, wrong, undecidable or error."""
    verdict = row["verdict"]
    if verdict in ("error", "undecidable"):
        return verdict
    right = {
        "either": True,
        "lossy": verdict == "imprecise",
        "wrong": verdict == "disagree",
        "right": verdict != "disagree" or row.get("elsewhere") != "right",
    }
    return "right" if right[row["expected"]] else "wrong"
