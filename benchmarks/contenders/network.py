"""The contenders for a network's loss and gradient."""

from collections.abc import Callable

from benchmarks import names
from benchmarks.contenders import c_program
from benchmarks.contenders.gradients import GRADIENTS
from benchmarks.contenders.peers.contenders import TO_NETWORK
from benchmarks.problems.network import NetworkProblem
from benchmarks.ready import Ready, Unavailable
from manual.article import Parameters


def in_c(problem: NetworkProblem) -> Ready:
    """Call the C program, which only has the article's network."""
    network = problem.network
    form = (network.sizes, network.activation, network.output, network.loss, network.l2)
    if form != ((2, 2, 1), "sigmoid", "sigmoid", "mse", 0.0):
        raise Unavailable("the C program has the 2-2-1 sigmoid network only")
    (w, b), (v, c) = problem.params
    params = Parameters(
        w1=w[0, 0], w2=w[1, 0], w3=w[0, 1], w4=w[1, 1], w5=v[0, 0], w6=v[1, 0],
        b1=b[0], b2=b[1], b3=c[0],
    )  # fmt: skip
    ready = c_program.loss_and_gradient("mean", params, problem.x, problem.y[:, 0])
    return Ready(ready.run, read=lambda answer: c_program.layered(ready.read(answer)))


CONTENDERS: dict[str, Callable[[NetworkProblem], Ready]] = {
    **GRADIENTS,
    names.C: in_c,
    **TO_NETWORK,
}
