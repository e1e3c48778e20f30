"""Optimisers: plain descent, momentum, and Adam.

Source of plain descent: the article, section "Optimizer", w ← w - η ∂L/∂w. An optimiser has

    init(params) -> state
    update(params, grads, state) -> (params, state)

and changes nothing in place. Parameters and gradients are arrays of any floating dtype, or lists
and named tuples of them; between updates an optimiser keeps a `State`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from manual.arrays import namespace

#: Parameters, or what has their structure: an array, or a list or named tuple of such.
Params = Any


class State(NamedTuple):
    """The state of an optimiser between updates."""

    updates: int  #: made so far
    moments: tuple[Params, ...]  #: each shaped like the parameters; none for plain descent


class Optimiser(Protocol):
    """The interface of an optimiser; see the module."""

    def init(self, params: Params) -> State:
        """Return the state before the first update."""
        ...

    def update(self, params: Params, grads: Params, state: State) -> tuple[Params, State]:
        """Return the new parameters and the new state."""
        ...


@dataclass(frozen=True)
class Sgd:
    """Plain descent, w ← w - η dw."""

    learning_rate: float  #: η

    def init(self, params: Params) -> State:  # noqa: ARG002 (the form of every optimiser)
        """Return an empty state."""
        return State(0, ())

    def update(self, params: Params, grads: Params, state: State) -> tuple[Params, State]:
        """One step against the gradient."""
        new = _map(lambda w, dw: w - self.learning_rate * dw, params, grads)
        return new, State(state.updates + 1, ())


@dataclass(frozen=True)
class Momentum:
    """A heavy ball: v ← μ v + dw, then w ← w - η v (Polyak 1964)."""

    learning_rate: float  #: η
    momentum: float = 0.9  #: μ

    def init(self, params: Params) -> State:
        """Return zero velocities."""
        return State(0, (_map(lambda w: 0 * w, params),))

    def update(self, params: Params, grads: Params, state: State) -> tuple[Params, State]:
        """One step along the velocity."""
        velocity = _map(lambda v, dw: self.momentum * v + dw, state.moments[0], grads)
        new = _map(lambda w, v: w - self.learning_rate * v, params, velocity)
        return new, State(state.updates + 1, (velocity,))


@dataclass(frozen=True)
class Adam:
    """Steps of about η in every parameter (Kingma & Ba, arXiv:1412.6980, algorithm 1).

    m ← β₁ m + (1 - β₁) dw      v ← β₂ v + (1 - β₂) dw²
    w ← w - η m̂ / (√v̂ + ε)      m̂ = m / (1 - β₁ᵗ), v̂ = v / (1 - β₂ᵗ)

    Both averages start at 0; 1 - βᵗ is the sum of their weights after t updates.
    """

    learning_rate: float  #: η
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8  #: keeps a step small where there is hardly a gradient

    def init(self, params: Params) -> State:
        """Return zeros for both averages."""
        zeros = _map(lambda w: 0 * w, params)
        return State(0, (zeros, zeros))

    def update(self, params: Params, grads: Params, state: State) -> tuple[Params, State]:
        """One step."""
        t = state.updates + 1
        b1, b2 = self.beta1, self.beta2
        m = _map(lambda m, dw: b1 * m + (1 - b1) * dw, state.moments[0], grads)
        v = _map(lambda v, dw: b2 * v + (1 - b2) * (dw * dw), state.moments[1], grads)

        def step(w: Any, m: Any, v: Any) -> Any:
            root = namespace(v).sqrt(v / (1 - b2**t))
            return w - self.learning_rate * ((m / (1 - b1**t)) / (root + self.epsilon))

        return _map(step, params, m, v), State(t, (m, v))


#: By the names that the command line uses; each takes a learning rate.
OPTIMISERS: dict[str, Callable[[float], Optimiser]] = {
    "sgd": Sgd,
    "momentum": Momentum,
    "adam": Adam,
}


def _map(function: Callable[..., Any], *trees: Params) -> Params:
    """Apply a function to the arrays at the same place of several trees."""
    kind = type(trees[0])
    if not issubclass(kind, list | tuple):
        return function(*trees)
    parts = [_map(function, *parts) for parts in zip(*trees, strict=True)]
    return parts if kind is list else kind(*parts)
