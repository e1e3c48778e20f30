"""The values of a function of PyTorch, beside those of a reference, or of itself when traced."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import numpy as np

from handgrad.arithmetic.levels import WRONG
from handgrad.data.complex_pairs import in_pairs, joined, names_of_parts
from handgrad.data.numerals import place
from handgrad.data.point import Point, index_of
from handgrad.judging.case import Case
from handgrad.judging.forward_values import Referenced, values_case
from handgrad.judging.gate import TRACED, another_function
from handgrad.judging.options import How
from handgrad.judging.pytorch.arguments import name_of
from handgrad.judging.pytorch.subjects import Subject
from handgrad.judging.trial import judge

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True


def pair_of(subject: Subject) -> Referenced:
    """Pair the values of a function with those of its reference."""
    others = [subject.arrays[k] for k in subject.others]

    def of_params(run: Any, params: Sequence[Any]) -> list[Any]:
        return jax.tree_util.tree_leaves(in_pairs(run(subject.all_of(joined(params), others))))

    names, outputs = list(subject.outputs), in_pairs(subject.values(subject.arrays))
    paths = names_of_parts([names[i] for i in subject.used], outputs)
    return Referenced(
        partial(of_params, subject.values),
        partial(of_params, subject.exactly),
        dict(zip(paths, jax.tree_util.tree_leaves(outputs), strict=True)),
        name_of(subject.f),
    )


def check_function_traced(subject: Subject, case: Case, given: Point, seconds: float) -> None:
    """Check that the forward pass that was traced is the one that PyTorch runs.

    Every element of every output is certified as that of what was traced, within what rounding
    explains, at the given point.

    Args:
        subject: the function, without a reference.
        case, given: of its derivative.
        seconds: how long this may take; what is not certified then is not checked.

    Raises:
        TypeError: it is not.
    """
    values, at = values_case(pair_of(subject), given, case)
    # What was traced is held to PyTorch here, and not to the same code on JAX's arrays.
    values = replace(values, loss=jax.jit(values.loss))
    made = judge(values, at, How(seconds=seconds))
    ruling = made.trial.outcomes[0].ruling
    if ruling is None or ruling.yours.worst < WRONG:
        return
    mine = ruling.yours
    i = int(np.argmax(np.where(mine.level == WRONG, mine.gap / np.fmax(mine.size, mine.gap), -1)))
    k = next(k for k, part in enumerate(ruling.given.parts()) if i < part.stop)
    path = ruling.given.paths[k]
    index = index_of(ruling.given, path, i - ruling.given.parts()[k].start)
    name = f"forward: {path}{place(index)}"
    raise another_function(name, TRACED, float(ruling.exact[i]), float(mine.answer[i]))
