"""The request of a pass to trace: the network, its parameters and the example."""

import re
from dataclasses import dataclass
from typing import Any

import manual.article
import manual.network
from compare.experiment import Settings
from compare.limits import count_parameters, shape
from compare.people import person_named, raw, shifted, targets
from compare.trace import Trace
from compare.traced.article import trace_article
from compare.traced.kinds import KINDS, network_of
from compare.traced.network import trace_network
from compare.wording import InputError, listed, near_miss
from manual.network import LINKS

#: Most parameters of a network that is traced; more would be too long to read.
MOST_PARAMETERS = 200

#: The default seed of a random start.
SEED = Settings.seed

#: Options whose names differ from their fields.
_OPTION = {"sizes": "network", "sigmoid_derivative": "sigmoid-derivative"}


@dataclass(frozen=True)
class PassRequest:
    """The options that select a pass; None for an option that was not given."""

    person: str | None = None
    x: tuple[float, ...] | None = None
    y: tuple[float, ...] | None = None
    init: str | None = None  #: `ones` or `normal`
    seed: int | None = None
    sizes: tuple[int, ...] | None = None
    activation: str | None = None
    output: str | None = None
    loss: str | None = None
    l2: float | None = None
    learning_rate: float = 0.1
    sigmoid_derivative: str | None = None

    def trace(self) -> Trace:
        """Compute the trace of the pass.

        Raises:
            InputError: options that do not go together, or numbers that do not fit.
        """
        return self._of_article() if self.sizes is None else self._of_network(self.sizes)

    def _of_article(self) -> Trace:
        self._refuse("the article's network", *KINDS)
        x, y, whose = self._example((2, 1), "--x and --y")
        params, start = self._start()
        form = self.sigmoid_derivative or "stable"
        about = {"whose": whose, "parameters": start}
        return trace_article(params, x, float(y[0]), form, self.learning_rate, about)

    def _start(self) -> tuple[Any, str]:
        if self.init == "ones":
            self._refuse("--init ones", "seed")
        if self.init == "normal" or self.seed is not None:
            return manual.article.draw_parameters(self._seed), self._drawn
        return manual.article.ones_parameters(), "all weights 1 and all biases 0"

    def _of_network(self, sizes: tuple[int, ...]) -> Trace:
        self._refuse("--network", "sigmoid_derivative", "init")
        chosen = {name: value for name in KINDS if (value := getattr(self, name)) is not None}
        if (count := count_parameters(sizes)) > MOST_PARAMETERS:
            raise InputError(
                f"network {shape(sizes)} has {count} parameters; expected at most {MOST_PARAMETERS}"
            )
        network = network_of(sizes, chosen)
        params = manual.network.draw_parameters(network, self._seed)
        counts = (sizes[0], sizes[-1])
        beside = f"a network with {_count(counts[0])} in and {_count(counts[1])} out"
        x, y, whose = self._example(counts, beside)
        if network.loss in LINKS and not all(0 <= target <= 1 for target in y):
            found = ",".join(f"{target:g}" for target in y)
            raise InputError(f"--y {found}; expected numbers from 0 to 1 for {network.loss}")
        about = {"whose": whose, "parameters": self._drawn}
        return trace_network(network, params, x, y, self.learning_rate, about)

    def _example(self, counts: tuple[int, int], beside: str) -> tuple[Any, Any, str]:
        """Return the example given, or a person if there are two inputs and one output."""
        if counts == (2, 1) and self.x is None and self.y is None:
            person = person_named(self.person or "alice")
            return shifted(raw((person,)))[0], targets((person,)), person.name
        self._refuse(beside, "person")
        wanted = " and ".join(f"--{n} with {_count(c)}" for n, c in zip("xy", counts, strict=True))
        if self.x is None or self.y is None:
            raise InputError(f"no --{'x' if self.x is None else 'y'}; expected {wanted}")
        for name, values, count in (("x", self.x, counts[0]), ("y", self.y, counts[1])):
            if len(values) != count:
                raise InputError(f"--{name} has {_count(len(values))}; expected {count}")
        return self.x, self.y, "the given example"

    def _refuse(self, beside: str, *names: str) -> None:
        """Refuse options that have no meaning beside another choice."""
        for name in names:
            if getattr(self, name) is not None:
                option = _OPTION.get(name, name)
                raise InputError(f"--{option} beside {beside}; expected one without the other")

    @property
    def _seed(self) -> int:
        return SEED if self.seed is None else self.seed

    @property
    def _drawn(self) -> str:
        return f"parameters drawn at random with seed {self._seed}"


def named(trace: Trace, text: str) -> str:
    """Return the name of the quantity that a user calls `text`; a parameter means its derivative.

    Brackets may be omitted: w0.2.1 is w0[2,1].

    Raises:
        InputError: there is no such quantity; lists the valid ones.
    """
    wanted = _plain(text)
    parameters = {_plain(name): name for name in trace.parameters()}
    if wanted in parameters:
        return trace.gradient_of(parameters[wanted]).name
    for name, quantity in trace.quantities.items():
        if wanted in (_plain(name), _plain(quantity.symbol)):
            return name
    names = trace.parameters()
    others = "or another quantity of the pass, such as L, ∂ written as d"
    raise InputError(f"{text!r}{near_miss(text, names)}; expected one of {listed(names)}, {others}")


def _plain(name: str) -> str:
    """Normalise the spelling: ∂L/∂w1, dL/dw1, dL_dw1; w0[2,1], w0.2.1."""
    separated = name.replace("[", ".").replace(",", ".").replace("]", "").replace("∂", "d")
    return re.sub(r"[\s/_]", "", separated).lower()


def _count(count: int) -> str:
    return "1 number" if count == 1 else f"{count} numbers"
