"""The public function for reference values: the exact gradient of a loss."""

from collections.abc import Callable
from typing import Any

import jax

from handgrad.arithmetic import balls
from handgrad.data.point import Point, point_at
from handgrad.judging.case import Case
from handgrad.judging.complex_cases import in_real_arrays
from handgrad.judging.domains import in_domains
from handgrad.judging.hidden_state import advice
from handgrad.judging.losses import prepare
from handgrad.judging.repeatability import NotAFunctionError
from handgrad.judging.untraceable import calling
from handgrad.oracle.enclosures import enclosure
from handgrad.oracle.reference import Reference


def exact_gradient(
    loss: Callable[..., Any], params: Any, *inputs: Any, referee: str = "auto", domain: Any = None
) -> Any:
    """Compute the exact gradient of a loss at a point, every element between rigorous bounds.

    Args:
        loss: `loss(params, *inputs)`, a real scalar that JAX can trace or that NumPy can compute on
            object arrays.
        params: any pytree of arrays of floats; see `check_gradient`.
        inputs: the further arguments of the loss.
        referee: as for `handgrad.check_gradient`; "series" gives the same digits on every machine,
            however many elements there are.
        domain: where the parameters stay, as for `handgrad.check_gradient`: the gradient is then
            projected on the tangent space.

    Returns:
        A pytree like `params` with an `Enclosure` for each leaf without axes, and an object array
        of them for each other leaf; for a complex leaf x + iy a pair of these, `.real` by x and
        `.imag` by y.

    Raises:
        TypeError, ValueError: as `handgrad.check_gradient`.
        ArithmeticError: the gradient is not finite, has more than one value (at a kink), or cannot
            be enclosed at 6,000 bits; or the loss is not a function of its arguments.
        NotImplementedError: the loss has an operation without a rule.

    Example:
        >>> import jax.numpy as jnp, numpy as np
        >>> exact_gradient(lambda w: jnp.exp(w), np.float64(1.0)).midpoint
        '2.718281828459045235360287471352662497757'
    """
    case = Case(loss, loss, referee=referee, domain=domain)
    case, at, names, _ = in_real_arrays(case, (params, *inputs))
    given = point_at(at[0], at[1:], names)
    if given.unknown_to_jax:
        raise TypeError(given.not_judged())
    case = in_domains(case, given)
    with calling("loss"):
        try:
            prepared = prepare(case, given)
            prepared.check_repeatable(given)
        except NotAFunctionError as error:
            raise NotAFunctionError(f"{error}; {advice(case, given, error)}") from None
        reference = prepared.reference(given)
    return enclosures(reference, given)


def enclosures(reference: Reference, given: Point) -> Any:
    """Return a certified gradient in the form of the parameters, every element an `Enclosure`.

    Raises:
        ArithmeticError: it has more than one value, at a kink.
    """
    if reference.kink is not None:
        raise ArithmeticError("the loss has a kink at this point: more than one gradient is right")
    found = [enclosure(ball, reference.bits) for ball in reference.gradient]
    parts = zip(given.parts(), given.leaves, strict=True)
    leaves = [balls.boxed(found[part], leaf.shape)[()] for part, leaf in parts]
    return jax.tree_util.tree_unflatten(jax.tree_util.tree_structure(given.params), leaves)
