"""The request of a proof: the article's network, or a small one of another shape."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import manual.article
from compare.limits import shape
from compare.planted import slug_of
from compare.proof.article import Article
from compare.proof.network import General
from compare.proof.size import LARGEST, SMALL, WORK, size_of
from compare.proof.subject import Subject
from compare.traced.kinds import KINDS, network_of
from compare.wording import InputError
from manual.activations import SIGMOID_DERIVATIVES
from manual.network import Network
from models.planted import PLANTS

ARTICLE = (2, 2, 1)


@dataclass(frozen=True)
class ProofRequest:
    """The options of `compare prove`; None for an option that was not given."""

    sizes: tuple[int, ...] | None = None
    activation: str | None = None
    output: str | None = None
    loss: str | None = None
    l2: float | None = None
    sigmoid_derivative: str | None = None
    examples: int | None = None
    plant: str | None = None

    @property
    def is_article(self) -> bool:
        """Whether it is the article's network, with its nine named parameters."""
        return self.sizes in (None, ARTICLE) and not self._kinds and self.examples in (None, 1)

    @property
    def slug(self) -> str | None:
        """The slug of the mistake, in lower case."""
        return None if self.plant is None else self.plant.lower()

    def subject(self) -> Subject:
        """Build the subject of the proof.

        Raises:
            InputError: options that do not go together, or a proof that is too large.
        """
        return self._article() if self.is_article else self._network()

    @property
    def differentiated(self) -> str:
        """Name the loss whose derivatives are proved: of one example, or a mean over several."""
        if self.is_article:
            return "the loss"
        examples = self._examples(self._described())
        return (
            f"the mean loss of {examples} examples" if examples > 1 else "the loss of one example"
        )

    def about(self) -> dict[str, Any]:
        """Describe the network and the number of examples, for JSON."""
        if self.is_article:
            form = self.sigmoid_derivative or "stable"
            planted = {} if self.slug is None else {"plant": self.slug}
            return {"network": "2-2-1", "sigmoid_derivative": form, "examples": 1, **planted}
        network = self._described()
        kinds = {name: getattr(network, name) for name in KINDS}
        return {"network": shape(network.sizes), **kinds, "examples": self._examples(network)}

    @property
    def _kinds(self) -> dict[str, Any]:
        return {name: value for name in KINDS if (value := getattr(self, name)) is not None}

    def _article(self) -> Article:
        slope = SIGMOID_DERIVATIVES[self.sigmoid_derivative or "stable"]
        if self.plant is None:
            return Article(lambda: partial(manual.article.gradient, derivative=slope))
        plant = PLANTS[slug_of(self.plant, "--plant")]
        return Article(lambda: plant.make(slope))

    def _network(self) -> General:
        for option in ("plant", "sigmoid_derivative"):
            if getattr(self, option) is not None:
                raise InputError(
                    f"--{option.replace('_', '-')} beside a network of another kind; expected the "
                    "article's, 2-2-1 without further options"
                )
        network = self._described()
        return General(network, self._examples(network))

    def _described(self) -> Network:
        network = network_of(self.sizes or ARTICLE, self._kinds)
        if "gelu" in network.activations:
            raise InputError(
                "gelu is not attempted: its lines hold √½ and √π rounded to floats, and with "
                "these they are the derivative only nearly; expected another activation"
            )
        return network

    def _examples(self, network: Network) -> int:
        """Return the number of examples requested, else two if that is small enough, else one."""
        small = size_of(network, 2).within(SMALL)
        examples = self.examples or (2 if small else 1)
        size = size_of(network, examples)
        if not size.within(LARGEST):
            raise InputError(
                f"not attempted: too large: {shape(network.sizes)} with {examples} "
                f"example{'s' * (examples > 1)} has {size}; expected at most {LARGEST}, and "
                f"formulas times cases: {WORK}"
            )
        return examples
