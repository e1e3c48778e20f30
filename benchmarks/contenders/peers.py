"""Contenders from other libraries; one that is missing, or has no such operation, is named.

The problems' losses are written once, in terms of a library's operations.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np

from benchmarks import names
from benchmarks.machine import usable
from benchmarks.problems.gradient import ArticleProblem, GradientProblem, NetworkProblem
from benchmarks.ready import Leaves, Ready, Unavailable, error_line, module
from manual.article import Parameters, forward_lines

#: scikit-learn's names of the hidden layers' activations.
IN_SKLEARN = {"sigmoid": "logistic", "tanh": "tanh", "relu": "relu"}

NO_SUCH_OUTPUT = "asked for cross-entropy of a softmax only"


#: A library's operations: (x, w, b) to x @ w + b, and the activations and losses of networks.
Operations = Mapping[str, Callable[..., Any]]

#: (parameters, *inputs) to the loss, or many networks' losses; the parameters; the inputs.
Written = tuple[Callable[..., Any], Sequence[Any], Sequence[Any]]


def written(problem: GradientProblem, operations: Operations, classes: bool = False) -> Written:
    """Write the loss of a problem in a library's operations.

    The article's network, or many of them, has nine parameters, two inputs, one target; those of
    any other are w and b of each layer, in one list. With `classes`, cross-entropy of a softmax
    takes the index of each class, not one-hot rows.
    """
    x, y = problem.x, problem.y
    if isinstance(problem, ArticleProblem):

        def squared_error(params: Sequence[Any], x1: Any, x2: Any, y: Any) -> Any:
            error = y - forward_lines(Parameters(*params), x1, x2, operations["sigmoid"]).ypred
            return error * error

        x1, x2 = (np.array(x[..., at]) for at in range(2))
        return squared_error, list(problem.params), [x1, x2, y]
    assert isinstance(problem, NetworkProblem)
    network = problem.network
    steps = [operations[name] for name in network.activations]

    def loss(params: Sequence[Any], x: Any, y: Any) -> Any:
        for w, b, activation in zip(params[::2], params[1::2], steps, strict=True):
            x = activation(operations["affine"](x, w, b))
        return operations[network.loss](x, y)

    targets = y.argmax(axis=1) if classes and network.loss == "softmax-ce" else y
    return loss, [array for layer in problem.params for array in layer], [x, targets]


def _autograd(problem: GradientProblem) -> Ready:
    """Prepare `autograd.make_vjp`, which unlike `value_and_grad` takes losses that are arrays."""
    anp, special = module("autograd.numpy"), module("autograd.scipy.special")

    def mse(a: Any, y: Any) -> Any:
        error = a - y
        return anp.sum(error * error) / len(y)

    def softmax_ce(z: Any, y: Any) -> Any:
        return anp.sum(y * (special.logsumexp(z, axis=1, keepdims=True) - z)) / len(y)

    operations: Operations = {
        "affine": lambda x, w, b: anp.dot(x, w) + b,
        "sigmoid": special.expit,
        "tanh": anp.tanh,
        # The derivatives of its maximum and where are float64 for any dtype.
        "relu": lambda z: z * (z > 0),
        "identity": lambda z: z,
        "mse": mse,
        "softmax-ce": softmax_ce,
    }
    loss, params, inputs = written(problem, operations)
    differentiated = module("autograd").make_vjp(loss)
    params, inputs = ([array[()] for array in arrays] for arrays in (params, inputs))
    ones = np.ones_like(loss(params, *inputs))[()]

    def run() -> Any:
        pull_back, value = differentiated(params, *inputs)
        return value, pull_back(ones)

    return Ready(run)


def _torch(differentiate: Callable[..., Callable[[], Any]], problem: GradientProblem) -> Ready:
    """Prepare PyTorch with the threads of this process, on the GPU if JAX uses one."""
    torch = module("torch")
    functional = torch.nn.functional
    operations: Operations = {
        "affine": lambda x, w, b: torch.addmm(b, x, w),
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "relu": torch.relu,
        "identity": lambda z: z,
        "mse": lambda a, y: functional.mse_loss(a, y, reduction="sum") / len(y),
        "softmax-ce": functional.cross_entropy,
    }
    loss, *arrays = written(problem, operations, classes=True)
    torch.set_num_threads(usable())
    on_gpu = torch.cuda.is_available() and jax.default_backend() == "gpu"
    device = "cuda" if on_gpu else "cpu"
    run = differentiate(
        torch, loss, *([torch.tensor(array, device=device) for array in of] for of in arrays)
    )

    def awaited() -> Any:
        answer = run()
        torch.cuda.synchronize()
        return answer

    def read(answer: Any) -> Leaves:
        value, grads = answer
        return [tensor.detach().cpu().numpy() for tensor in (value, *grads)]

    return Ready(awaited if on_gpu else run, read=read)


def _eager(torch: Any, loss: Any, params: list[Any], inputs: list[Any]) -> Callable[[], Any]:
    """Differentiate by `torch.autograd.grad`, which accumulates nothing."""
    for tensor in params:
        tensor.requires_grad_()
    ones = torch.ones_like(loss(params, *inputs))

    def run() -> Any:
        value = loss(params, *inputs)
        return value, torch.autograd.grad(value, params, ones)

    return run


def _compiled(torch: Any, loss: Any, params: list[Any], inputs: list[Any]) -> Callable[[], Any]:
    """Compile `torch.func.grad`: forward and backward pass in one program.

    Compiling only the loss and differentiating it by autograd took five times as long for the
    article's network: the backward pass is then a second program, called by autograd.
    """

    def total(params: Any, *inputs: Any) -> Any:
        values = loss(params, *inputs)
        return values.sum(), values

    def value_and_gradient(params: Any, *inputs: Any) -> Any:
        grads, values = torch.func.grad(total, has_aux=True)(params, *inputs)
        return values, grads

    # It caches eight programs by their source lines, which are the same for every problem.
    torch.compiler.reset()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of PyTorch against parts of itself
            program = torch.compile(value_and_gradient, fullgraph=True, dynamic=False)
            program(params, *inputs)
    except Exception as error:  # its back ends raise many types; there is no program then
        raise Unavailable(f"torch.compile failed: {error_line(error)}") from error
    return lambda: program(params, *inputs)


def scikit_learn(problem: NetworkProblem) -> Ready:
    """Prepare one call of `_backprop`, which scikit-learn's solvers call for loss and gradient.

    It is a private method; it runs on an unfitted estimator with the attributes that it reads.
    """
    library, network = module("sklearn.neural_network"), problem.network
    if network.loss != "softmax-ce":
        raise Unavailable(NO_SUCH_OUTPUT)
    estimator = library.MLPClassifier(activation=IN_SKLEARN[network.activation], alpha=0)
    estimator.n_layers_ = len(network.sizes)
    estimator.out_activation_ = "softmax"
    estimator.coefs_, estimator.intercepts_ = map(list, zip(*problem.params, strict=True))
    x, y, layers = problem.x, problem.y, len(problem.params)

    def run() -> Any:
        # It fills these lists, so each call needs new ones.
        activations = [x, *[None] * layers]
        deltas, to_w, to_b = ([None] * layers for _ in range(3))
        return estimator._backprop(x, y, None, activations, deltas, to_w, to_b)

    def read(answer: Any) -> Leaves:
        loss, to_w, to_b = answer
        return [np.asarray(loss), *(a for layer in zip(to_w, to_b, strict=True) for a in layer)]

    try:
        run()
    except (AttributeError, TypeError) as error:
        raise Unavailable(
            f"its _backprop is not that of 1.7 and later: {error_line(error)}"
        ) from error
    return Ready(run, read=read)


#: The contenders for the article's network and for any other.
PEERS: dict[str, Callable[[Any], Ready]] = {
    names.TORCH: partial(_torch, _eager),
    names.TORCH_COMPILED: partial(_torch, _compiled),
    names.AUTOGRAD: _autograd,
}
