"""The smallest counterexample of a wrong gradient, as values and as a test that fails."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import jax
import numpy as np

from handgrad.clock import Clock
from handgrad.data.complex_pairs import joined
from handgrad.data.domains.named import written
from handgrad.data.names import argument_names, numbered
from handgrad.data.silent import quiet
from handgrad.judging.case import Case
from handgrad.judging.claim import Check
from handgrad.judging.options import How
from handgrad.judging.outcome import Trial
from handgrad.judging.trial import judge
from handgrad.shrinking.code import Source
from handgrad.shrinking.literals import WIDTH, laid_out
from handgrad.shrinking.shrinker import smaller_points
from handgrad.shrinking.signature import signature
from handgrad.shrinking.still_fails import Mistake
from handgrad.shrinking.subjects import OfMatrix, Subject

#: The part of a check's `seconds` in which a smaller point is looked for.
FOR_SEARCH = 0.5


@dataclass(frozen=True, eq=False, repr=False)
class Counterexample:
    """The smallest point found at which a gradient is wrong."""

    params: Any  #: its parameters
    inputs: tuple[Any, ...]  #: the further arguments
    finding: str  #: what is wrong there, in one line
    case: Case = field(repr=False)
    cut: str = ""  #: a sentence if the search for a smaller point was cut

    def as_code(self) -> str:
        """Write a test for pytest, with imports, which fails as long as the gradient is wrong.

        Functions that cannot be imported are called `gradient` and `loss`, classes by their own
        name, and a comment asks the reader to define them.
        """
        check, own, source = self.case.claim.check(self.case), self.case.own, Source()
        assert check is not None, "else there is no counterexample"
        source.names[check.assertion] = (check.home, check.assertion)
        if own is None:
            source.module("np", "numpy")
        functions = [source.named(function, name) for function, name in check.functions]
        values = self.case.claim.arguments(self.params, self.inputs)
        if own is not None and own.arguments is not None:
            values = own.arguments(*values)
        by_name = [source.named(function, name) for function, name in check.by_name]
        taken = {"np", "jnp", "jax", check.assertion, *functions, *by_name}
        names = argument_names(check.like, len(values), numbered("x", len(values)))
        names = _distinct([n if n.isidentifier() else f"x{i}" for i, n in enumerate(names)], taken)
        body = []
        for name, value in zip(names, values, strict=True):
            body += laid_out(f"{name} = {source.written(value, name)}")
        given = [name for i, name in enumerate(names) if i not in check.keywords]
        given += [f"{keyword}={names[i]}" for i, keyword in check.keywords.items()]
        given += [f"{name}={f}" for (_, name), f in zip(check.by_name, by_name, strict=True)]
        options = [f"{name}={value}" for name, value in _options(self.case, check).items()]
        body += laid_out(f"{check.assertion}({', '.join([*functions, *given, *options])})")
        what = check.assertion.removeprefix("assert_") if self.case.claim.is_linear else "gradient"
        about = f"{self.finding}; {self.cut}" if self.cut else self.finding
        return _test(source, what, about, _wide(source, values, body))

    def __repr__(self) -> str:
        return f"<Counterexample: {self.finding}>"

    def __str__(self) -> str:
        return self.as_code()

    def __rich_console__(self, console: Any, _: Any) -> Iterator[Any]:
        yield console.render_str(self.as_code(), markup=False, emoji=False)

    def _repr_html_(self) -> str:
        return f'<pre class="handgrad">{escape(self.as_code())}</pre>'


def counterexample(trial: Trial) -> Counterexample | None:
    """Find the smallest point at which the gradient is wrong in the same way.

    Returns:
        A point that the judge has confirmed, with parameters and inputs as short and as simple as
        Hypothesis makes them in about half of the check's seconds. None if the gradient was not
        wrong.
    """
    found = trial.outcomes[trial.deciding]
    case, seen, own = trial.case, signature(found), trial.case.own
    check = case.claim.check(case)
    if seen is None or check is None or (own is not None and own.arguments is None):
        return None
    given = case.claim.of_caller(found.given)
    subject = OfMatrix(case, check) if case.claim.is_matrix else Subject(case, found.given)
    clock = Clock(FOR_SEARCH * trial.seconds)
    for smaller in smaller_points(given, Mistake(subject, given, seen, clock)):
        with quiet():
            judgement = judge(*case.claim.again(subject.case, smaller), How())
        now = signature(judgement.trial.outcomes[judgement.trial.deciding])
        same = judgement.verdict == "disagree" and now is not None and now.kind == seen.kind
        if same or smaller is given:
            finding = judgement.headline.removeprefix("disagree: ")
            more = case.wording.more_seconds
            cut = f"the search for a smaller point was cut; {more}" if clock.over else ""
            with jax.enable_x64(True):
                params, inputs = joined((smaller.params, smaller.inputs))
            return Counterexample(params, inputs, finding, case, cut)
    raise AssertionError("the caller's own point is the last one")


def _options(case: Case, check: Check) -> dict[str, str]:
    """Write the options of the call that are not the default."""
    texts = case.written()
    if case.domain is not None:
        texts["domain"] = written(case.domain)  # masks as arrays
    texts |= check.options
    return {"points": "0"} | {name: text.replace("'", '"') for name, text in texts.items()}


def _distinct(names: Sequence[str], taken: set[str]) -> list[str]:
    """Make names distinct, by underscores after those that are taken."""
    free: list[str] = []
    for name in names:
        while name in taken:
            name += "_"
        taken = {*taken, name}
        free.append(name)
    return free


def _wide(source: Source, values: Any, body: list[str]) -> list[str]:
    """Enable 64 bits around the body if a JAX array needs them."""
    leaves = jax.tree_util.tree_leaves(list(values))
    if not any(isinstance(a, jax.Array) and np.dtype(a.dtype).itemsize == 8 for a in leaves):
        return body
    source.module("jax", "jax")
    return ["with jax.enable_x64(True):", *("    " + line for line in body)]


def _test(source: Source, what: str, finding: str, body: list[str]) -> str:
    about = [f"# {line}" for line in textwrap.wrap(finding, WIDTH - 6)]
    own = [f"# {note}" for note in source.own]
    lines = [*source.lines(), *([""] if own else []), *own, "", ""]
    inner = [f"    {line}" for line in (*about, *body)]
    return "\n".join([*lines, f"def test_{what}_where_it_is_wrong():", *inner]) + "\n"
