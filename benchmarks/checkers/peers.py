"""Run the checkers of JAX, PyTorch and SciPy as their documentation describes.

All three get the loss compiled by `jax.jit`, and float64 parameters, for which their tolerances are
meant. All settings are their defaults.
"""

import importlib
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.checkers.messages import blamed, kinds
from benchmarks.checkers.question import NO_ANSWER, RIGHT, WRONG, Answer, Question, leaves

#: SciPy's function returns the norm of a difference and leaves the verdict to its caller. Here a
#: gradient is wrong if that exceeds so many times the step, the square root of float64's eps, times
#: the gradient's norm (or 1). A forward difference errs by step · |f″| / 2 and by step · |f|; the
#: factor allows curvatures and losses a hundred times the size of the gradient.
SCIPY_ROOM = 100.0


def check_grads(question: Question) -> Answer:
    """Run `jax.test_util.check_grads` on a `custom_vjp` with the gradient as backward pass.

    One random direction, central differences; reverse mode, because the rule has no other.
    """
    import jax
    from jax.test_util import check_grads

    params, *inputs = question.point()

    def backward(kept: Any, cotangent: Any) -> tuple[Any]:
        grads = question.gradient(jax.tree_util.tree_map(np.asarray, kept), *inputs)
        return (jax.tree_util.tree_map(lambda grad: grad * cotangent, grads),)

    function = jax.custom_vjp(question.compiled)
    function.defvjp(lambda params: (question.compiled(params), params), backward)
    return passes(question.paths, lambda: check_grads(function, (params,), order=1, modes=["rev"]))


def gradcheck(question: Question) -> Answer:
    """Run `torch.autograd.gradcheck` on a `Function` with the gradient as backward pass.

    Central differences along every parameter.
    """
    import jax

    torch = importlib.import_module("torch")
    params, *inputs = question.point()
    tree = jax.tree_util.tree_structure(params)

    def given(tensors: Any) -> Any:
        return tree.unflatten([tensor.detach().numpy() for tensor in tensors])

    class Loss(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, *tensors: Any) -> Any:
            context.save_for_backward(*tensors)
            return torch.tensor(float(question.compiled(given(tensors))), dtype=torch.float64)

        @staticmethod
        def backward(context: Any, cotangent: Any) -> Any:
            grads = leaves(question.gradient(given(context.saved_tensors), *inputs))
            return tuple(torch.from_numpy(np.array(grad)) * cotangent for grad in grads)

    tensors = [torch.tensor(leaf, requires_grad=True) for leaf in leaves(params)]
    return passes(question.paths, lambda: torch.autograd.gradcheck(Loss.apply, tuple(tensors)))


def check_grad(question: Question) -> Answer:
    """Run `scipy.optimize.check_grad` on the parameters as one vector.

    Forward differences along every parameter; the verdict is ours, see `SCIPY_ROOM`.
    """
    import jax
    from jax.flatten_util import ravel_pytree
    from scipy.optimize import check_grad

    params, *inputs = question.point()
    start, _ = ravel_pytree(params)
    tree = jax.tree_util.tree_structure(params)
    shapes = [leaf.shape for leaf in leaves(params)]
    ends = np.cumsum([math.prod(shape) for shape in shapes])[:-1]
    norms = []

    def gradient(vector: np.ndarray) -> np.ndarray:
        parts = zip(np.split(vector, ends), shapes, strict=True)
        given = tree.unflatten([part.reshape(shape) for part, shape in parts])
        found = leaves(question.gradient(given, *inputs))
        flat = np.concatenate([leaf.ravel() for leaf in found])
        norms.append(float(np.linalg.norm(flat)))
        return flat

    try:
        loss = question.compiled_of_vector
        error = check_grad(lambda vector: float(loss(vector)), gradient, np.array(start))
    except Exception as error:
        return stopped(question.paths, error)
    # The norm of SciPy's own call: a second call may give a different gradient.
    limit = scipy_limit(norms[0])
    # NaN fails the comparison, too.
    return Answer(RIGHT if error <= limit else WRONG, message=f"{error:.3g}; our limit {limit:.3g}")


def scipy_limit(gradient: Any) -> float:
    """Return up to which error a gradient, or a matrix, is right, by it or its norm."""
    return (
        SCIPY_ROOM * np.sqrt(np.finfo(np.float64).eps) * max(1.0, float(np.linalg.norm(gradient)))
    )


def passes(paths: Sequence[str], check: Callable[[], Any]) -> Answer:
    """Run a checker that raises if it disagrees, about parameters of these paths."""
    try:
        check()
    except Exception as error:
        return stopped(paths, error)
    return Answer(RIGHT)


def stopped(paths: Sequence[str], error: Exception) -> Answer:
    """Interpret the exception of a checker, or of a gradient that it called."""
    text = str(error)
    # Torch's GradcheckError is a RuntimeError, distinguished from others by its name only.
    ruled = isinstance(error, AssertionError) or type(error).__name__ == "GradcheckError"
    # Of a ruling the first line; the numbers below it name no kind.
    named = kinds(text.strip().split("\n")[0] if ruled else text)
    line = f"{type(error).__name__}: {' '.join(text.split())}"
    if not (ruled or named):
        return Answer(NO_ANSWER, reason="error", message=line)
    return Answer(WRONG, leaves=blamed(text, paths), kinds=named, message=line)
