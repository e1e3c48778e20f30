"""Which pass somebody asks to see: the article's network or another one, at whose numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import manual.article
import manual.network
from compare.limits import count_parameters
from compare.networks.files import Model, ModelError, load
from compare.networks.sides import BY_HAND, SIDES
from compare.people import person_named, raw, shifted, targets
from compare.trace import Trace, TraceError
from compare.traced.article import trace_article
from compare.traced.network import trace_network
from compare.traced.parameters import Written, read_parameters
from compare.wording import listed, near_miss
from manual.affine import Layer
from manual.article import Parameters
from manual.network import LINKS, Network

#: A pass with more of them is for a machine to check, not for a person to read.
MOST_PARAMETERS = 200


@dataclass(frozen=True)
class Asked:
    """The options of the command line; None of what was not given."""

    person: str | None = None
    x: tuple[float, ...] | None = None
    y: tuple[float, ...] | None = None
    init: str | None = None  #: `ones` or `normal`
    seed: int = 44
    params: Path | None = None
    model: Path | None = None
    sizes: tuple[int, ...] | None = None
    activation: str | None = None
    output: str | None = None
    loss: str | None = None
    l2: float | None = None
    learning_rate: float = 0.1
    sigmoid_derivative: str | None = None

    def trace(self) -> Trace:
        """The pass.

        Raises:
            TraceError: options that do not go together, or numbers that do not fit.
        """
        written = None if self.params is None else read_parameters(self.params)
        if self.model is not None:
            return self._of_model(self.model)
        if self.sizes is None and (written is None or isinstance(written.params, Parameters)):
            return self._of_article(written)
        return self._of_network(written)

    def _of_article(self, written: Written | None) -> Trace:
        self._refuse("the article's network", *_KINDS)
        x, y, whose = self._sample()
        params, start = self._start(written)
        about = {"whose": whose, "parameters": start}
        form = self.sigmoid_derivative or "stable"
        return trace_article(params, x, y, form, self.learning_rate, about)

    def _sample(self) -> tuple[Any, float, str]:
        if self.x is None and self.y is None:
            person = person_named(self.person or "alice")
            (x,), (y,) = shifted(raw((person,))), targets((person,))
            return x, float(y), person.name
        self._refuse("--x and --y", "person")
        x, y = self._example((2, 1))
        return x, y[0], "the given example"

    def _start(self, written: Written | None) -> tuple[Parameters, str]:
        if written is not None:
            self._refuse("parameters from a file (--params)", "init")
            assert isinstance(written.params, Parameters)
            return written.params, f"parameters read from {self.params}"
        if self.init == "normal":
            return manual.article.draw_parameters(self.seed), _drawn(self.seed)
        return manual.article.ones_parameters(), "all weights 1 and all biases 0"

    def _of_network(self, written: Written | None) -> Trace:
        if written is None:
            assert self.sizes is not None
            network = self._network(self.sizes, {})
            _refuse_large(network.sizes)
            params, start = manual.network.draw_parameters(network, self.seed), _drawn(self.seed)
        else:
            if self.sizes not in (None, written.sizes):
                raise TraceError(
                    f"--network {_shape(self.sizes)}, and {self.params} holds a network "
                    f"{_shape(written.sizes)}; expected one of the two"
                )
            if isinstance(written.params, Parameters):
                params = _as_layers(written.params)
            else:
                params = written.params
            network, start = (
                self._network(written.sizes, written.kinds),
                f"parameters read from {self.params}",
            )
            _refuse_large(network.sizes)
        self._refuse_of_article("a network of another shape")
        x, y = self._example((network.sizes[0], network.sizes[-1]))
        about = {"whose": "the given example", "parameters": start}
        return trace_network(network, params, x, y, self.learning_rate, about)

    def _network(self, sizes: tuple[int, ...], written: dict[str, Any]) -> Network:
        kinds = {"activation": "sigmoid", "loss": "mse", "l2": 0.0} | written
        kinds |= {name: value for name in _KINDS if (value := getattr(self, name)) is not None}
        kinds.setdefault("output", "identity" if kinds["loss"] in LINKS else "sigmoid")
        try:
            return Network(sizes, **kinds)
        except (ValueError, TypeError) as error:
            raise TraceError(str(error)) from error

    def _of_model(self, path: Path) -> Trace:
        self._refuse("a trained model (--model)", "params", "sizes", *_KINDS, "init")
        self._refuse_of_article("a trained model (--model)")
        try:
            model = load(path)
        except ModelError as error:
            raise TraceError(str(error)) from error
        network = model.plan.network
        _refuse_large(network.sizes)
        side = BY_HAND if BY_HAND in model.by else model.by[0]
        params = _layers_of(model, side)
        features, target = model.source.features, model.source.target
        if self.x is None or self.y is None:
            wanted = f"--x with {listed(features)} in their units, and --y with {target}"
            raise TraceError(f"no example beside --model; expected {wanted}")
        x = _checked("--x", self.x, len(features), f"{listed(features)}")
        seen = model.scale.standardised(np.array(x))
        about = {
            "whose": "the given example",
            "parameters": f"parameters as {path} has them, trained {SIDES[side]}",
            "features": dict(zip(features, x, strict=True)),
        }
        return trace_network(network, params, seen, self._target(model), 0.1, about)

    def _target(self, model: Model) -> np.ndarray:
        """What the network should have said: of a class its number, counted from 0."""
        assert self.y is not None
        classes, outputs = model.source.classes, model.plan.network.sizes[-1]
        if classes is None:
            value = _checked("--y", self.y, 1, model.source.target)
            return model.target.standardised(np.array([value]))[0]
        named = ", ".join(f"{code} for {label}" for code, label in enumerate(classes))
        (code,) = _checked("--y", self.y, 1, named)
        if code not in range(len(classes)):
            raise TraceError(f"--y {code:g}; expected {named}")
        return np.array([code]) if outputs == 1 else np.eye(outputs)[int(code)]

    def _example(self, counts: tuple[int, int]) -> tuple[tuple[float, ...], tuple[float, ...]]:
        if self.x is None or self.y is None:
            missing = "--x" if self.x is None else "--y"
            n_in, n_out = (_count(count) for count in counts)
            raise TraceError(f"no {missing}; expected --x with {n_in} and --y with {n_out}")
        return _checked("--x", self.x, counts[0]), _checked("--y", self.y, counts[1])

    def _refuse(self, beside: str, *names: str) -> None:
        """Options that mean nothing beside another choice are refused, not passed over."""
        for name in names:
            if getattr(self, name) is not None:
                option = _OPTION.get(name, name)
                raise TraceError(f"--{option} beside {beside}; expected one without the other")

    def _refuse_of_article(self, beside: str) -> None:
        self._refuse(beside, "person", "sigmoid_derivative")
        if self.init == "ones":
            raise TraceError(f"--init ones beside {beside}; expected it with the article's network")


_KINDS = ("activation", "output", "loss", "l2")

#: Options that are not called as their fields are.
_OPTION = {"sizes": "network", "sigmoid_derivative": "sigmoid-derivative"}


def _checked(
    option: str, values: tuple[float, ...], count: int, names: str = ""
) -> tuple[float, ...]:
    if len(values) != count:
        what = f" ({names})" if names else ""
        raise TraceError(f"{option} has {_count(len(values))}; expected {count}{what}")
    return values


def _count(count: int) -> str:
    return "1 number" if count == 1 else f"{count} numbers"


def _drawn(seed: int) -> str:
    return f"parameters drawn at random with seed {seed}"


def _shape(sizes: Sequence[int] | None) -> str:
    return "-".join(map(str, sizes or ()))


def _refuse_large(sizes: tuple[int, ...]) -> None:
    if (count := count_parameters(sizes)) > MOST_PARAMETERS:
        raise TraceError(
            f"network {_shape(sizes)} has {count} parameters; expected at most {MOST_PARAMETERS}, "
            "as 4-4-3 has 35"
        )


def _as_layers(params: Parameters) -> list[Layer]:
    w1, w2, w3, w4, w5, w6, b1, b2, b3 = params
    return [
        Layer(np.array([[w1, w3], [w2, w4]]), np.array([b1, b2])),
        Layer(np.array([[w5], [w6]]), np.array([b3])),
    ]


def _layers_of(model: Model, side: str) -> list[Layer]:
    from compare.networks import flat

    params = model.progress.points[side].params.astype(np.float64)
    return flat.split(params, model.plan.network.sizes)


def named(trace: Trace, text: str) -> str:
    """The name of the quantity that somebody calls `text`: of a parameter, its derivative.

    Brackets may be left out: w0.2.1 is w0[2,1].

    Raises:
        TraceError: there is none; says which there are.
    """
    wanted = _plain(text)
    parameters = {_plain(name): name for name in trace.parameters()}
    if wanted in parameters:
        return trace.gradient_of(parameters[wanted]).name
    for name, quantity in trace.quantities.items():
        if wanted in (_plain(name), _plain(quantity.symbol)) and quantity.formula:
            return name
    names = trace.parameters()
    others = "or another quantity of the pass, as `compare step` shows them"
    raise TraceError(f"{text!r}{near_miss(text, names)}; expected one of {listed(names)}, {others}")


def _plain(name: str) -> str:
    separated = name.replace("[", ".").replace(",", ".").replace("]", "")
    return separated.replace(" ", "").lower()
