"""What a model is: a function, its derivative by hand, draws of points, planted mistakes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from models.edits import Edit, Shared, edited
from models.mistakes import MISTAKES

#: What is by hand: the gradient of a loss, the matrix of a function of several results, that of
#: second derivatives of a loss, its product with a vector, the gradient by complex numbers, a rule
#: given to JAX, a `torch.autograd.Function`.
GRADIENT, JACOBIAN, HESSIAN, PRODUCT = "gradient", "Jacobian", "Hessian", "product"
COMPLEX, RULE, OF_TORCH = "complex", "rule", "function"

#: Draws arguments: the point first.
Draw = Callable[[np.random.Generator], tuple[Any, ...]]

#: Makes what is wrong of what is right.
Wrong = Callable[[Any], Any]

#: A mistake as a table has it: an edit, several, what makes it, or a slip.
Written = Any

#: By slug, or by `"slug: what its author did"`; `models.mistakes` knows the rest of many slugs.
Rows = Mapping[str, Written]


class Slip:
    """A planted mistake, or another right way to write the same, as edits of the lines by hand.

    Args:
        says: what its author did.
        edits: the lines as they are wrongly written, or texts with their replacements; see
            `models.edits.changed`. In their place may stand what makes the mistake of the right
            function.
        kinds: the kinds of finding that name the mistake rightly, with spaces between them.
        lines: texts of the forward lines whose derivative is wrong: a report that quotes one names
            the mistake, too.
        leaves: the parameters that it makes wrong, with spaces between them.
        make: what makes the mistake, where the edits only show it.
    """

    def __init__(
        self,
        says: str,
        *edits: Edit | Shared | Wrong,
        kinds: str = "",
        lines: tuple[str, ...] = (),
        leaves: str = "",
        make: Wrong | None = None,
    ) -> None:
        makes = [edit for edit in edits if callable(edit)]
        self.says, self.lines, self.make = says, lines, make or next(iter(makes), None)
        self.edits: Any = () if makes else edits
        self.kinds, self.leaves = tuple(kinds.split()), tuple(leaves.split())

    def of(self, by_hand: Any) -> Any:
        """Make the lines with it; each call makes new ones, which share no state.

        Raises:
            ValueError: an edit's place is not exactly one.
        """
        if self.make:
            return self.make(by_hand)
        return edited(by_hand, *self.edits) if self.edits else by_hand


def named(kinds: str, *written: Written, lines: tuple[str, ...] = ()) -> Slip:
    """Return a mistake and the kinds that name it; what its author did is said by its row."""
    return Slip("", *written, kinds=kinds, lines=lines)


def slips(rows: Rows) -> dict[str, Slip]:
    """Return slips by slug; one of `models.mistakes` may be followed by `/` and a number."""
    found = {}
    for row, written in rows.items():
        slug, _, says = row.partition(": ")
        known, kinds = MISTAKES.get("" if says else slug.partition("/")[0], ("", ()))
        edits = written if isinstance(written, list) else [written]
        slip = written if isinstance(written, Slip) else named(" ".join(kinds), *edits)
        slip.says = slip.says or says or known
        found[slug] = slip
    return found


@dataclass(frozen=True, eq=False)
class Model:
    """A function and its derivative by hand, which is right in every draw.

    That of a gradient, Jacobian, Hessian or complex gradient is `by_hand(x, *args)`, that of a
    product `by_hand(x, v, *args)`, in NumPy. Of a rule, `by_hand()` makes the decorated function;
    of a function of torch it is the class.
    """

    name: str
    kind: str  #: `GRADIENT` or another
    function: Callable[..., Any]  #: function(x, *args), in jax.numpy or in torch's own operations
    by_hand: Any
    draws: Mapping[str, Draw]  #: by what is particular about the arguments; the first is ordinary
    mistakes: Mapping[str, Slip] = field(default_factory=dict)  #: by slug
    rewrites: Mapping[str, Slip] = field(default_factory=dict)  #: by slug

    @property
    def draw(self) -> Draw:
        """The ordinary draw."""
        return next(iter(self.draws.values()))

    def point(self, rng: np.random.Generator, dtype: Any = np.float64) -> tuple[Any, ...]:
        """Draw arrays of NumPy; floats are rounded to a dtype, and integers stay.

        A draw that has the dtype's name is within its range, where the ordinary one is not.
        """
        import jax

        def cast(leaf: Any) -> Any:
            leaf = np.asarray(leaf)
            return leaf.astype(dtype) if leaf.dtype.kind == "f" else leaf

        draw = self.draws.get(np.dtype(dtype).name, self.draw)
        return jax.tree.map(cast, draw(rng))

    def of_size(self, **sizes: int) -> "Model":
        """Return the same with other sizes, parameters of its ordinary draw; without mistakes."""
        draws = {"ordinary": partial(self.draw, **sizes)}
        return replace(self, draws=draws, mistakes={}, rewrites={})

    def wrong(self, slug: str) -> Any:
        """Make the derivative with a mistake."""
        return self.mistakes[slug].of(self.by_hand)

    def right(self, slug: str = "") -> Any:
        """Return the derivative as it is written, or make a rewritten one."""
        return self.rewrites[slug].of(self.by_hand) if slug else self.by_hand


def of_loss(
    name: str,
    loss: Callable[..., Any],
    gradient: Callable[..., Any],
    draw: Draw,
    mistakes: Rows | None = None,
    **draws: Draw,
) -> Model:
    """Make the model of a loss and its gradient by hand.

    Args:
        name: its name.
        loss: loss(params, *inputs), a scalar, in JAX.
        gradient: gradient(params, *inputs), a pytree like params, in NumPy.
        draw: draws (params, *inputs) in float64.
        mistakes: their rows.
        draws: others by their names.
    """
    points = {"ordinary": draw, **draws}
    return of_derivative(name, GRADIENT, loss, gradient, points, mistakes or {})


def of_derivative(
    name: str, kind: str, function: Any, by_hand: Any, draws: Mapping[str, Draw], *rows: Rows
) -> Model:
    """Make the model of a derivative, of the rows of its mistakes and of its rewrites."""
    return Model(name, kind, function, by_hand, draws, *map(slips, rows))
