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


class Slip:
    """A planted mistake, or another right way to write the same, as edits of the lines by hand.

    Args:
        says: what its author did.
        edits: the lines as they are wrongly written, or texts with their replacements; see
            `models.edits.changed`.
        kinds: the kinds of finding that name the mistake rightly, with spaces between them.
        lines: texts of the forward lines whose derivative is wrong: a report that quotes one names
            the mistake, too.
        leaves: the parameters that it makes wrong, with spaces between them.
        make: what makes the mistake of the right function, where it is no edit.
    """

    def __init__(
        self,
        says: str,
        *edits: Edit | Shared,
        kinds: str = "",
        lines: tuple[str, ...] = (),
        leaves: str = "",
        make: Wrong | None = None,
    ) -> None:
        self.says, self.edits, self.lines, self.make = says, edits, lines, make
        self.kinds, self.leaves = tuple(kinds.split()), tuple(leaves.split())

    def of(self, by_hand: Any) -> Any:
        """Make the lines with it; each call makes new ones, which share no state.

        Raises:
            ValueError: an edit's place is not exactly one.
        """
        if self.make:
            return self.make(by_hand)
        return edited(by_hand, *self.edits) if self.edits else by_hand


#: A mistake as a gradient's table has it; `models.mistakes` knows the rest by its slug.
Written = Edit | Shared | list[Edit | Shared] | Wrong | Slip


def catalogued(slug: str, written: Written) -> Slip:
    """Return a mistake of `models.mistakes`; its slug may be followed by `/` and a number."""
    if isinstance(written, Slip):
        return written
    says, kinds = MISTAKES.get(slug.partition("/")[0], ("", ()))
    if callable(written):
        return Slip(says, kinds=" ".join(kinds), make=written)
    edits = written if isinstance(written, list) else [written]
    return Slip(says, *edits, kinds=" ".join(kinds))


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
    mistakes: Mapping[str, Written] | None = None,
    **draws: Draw,
) -> Model:
    """Make the model of a loss and its gradient by hand.

    Args:
        name: its name.
        loss: loss(params, *inputs), a scalar, in JAX.
        gradient: gradient(params, *inputs), a pytree like params, in NumPy.
        draw: draws (params, *inputs) in float64.
        mistakes: by slug, an edit, several, or what makes the wrong gradient of the right one.
        draws: others by their names.
    """
    slips = {slug: catalogued(slug, written) for slug, written in (mistakes or {}).items()}
    return Model(name, GRADIENT, loss, gradient, {"ordinary": draw, **draws}, slips)
