"""What there is to do is counted before it is done."""

from typing import Any

import pytest

from compare.proof.arrays import exp, maximum
from compare.proof.request import ProofRequest
from compare.proof.size import LARGEST, SMALL, Size, size_of
from manual.activations import ACTIVATIONS
from manual.network import Network


def test_what_is_counted() -> None:
    def of(sizes: tuple[int, ...], examples: int = 1, **kinds: Any) -> Size:
        return size_of(Network(sizes, **kinds), examples)

    one = of((2, 3, 2), output="sigmoid")
    assert one == Size(formulas=17 * 2, cases=1, variables=3 + 2)
    assert of((2, 3, 2), 2, output="sigmoid") == Size(17 * 2 * 2, 1, 2 * (3 + 2))
    logits: dict[str, Any] = {"activation": "relu", "output": "identity"}
    assert of((2, 3, 2), loss="huber", **logits) == Size(17 * 2, 2**3 * 4**2, 0)
    # An exponential and a logarithm for each output, in every case.
    assert of((2, 3, 2), loss="bce", **logits) == Size(17 * 2, 2**3, 2 * 2 * 2**3)
    assert of((2, 3, 2), loss="softmax-ce", **logits) == Size(17 * 2 * 2, 2**3, 2 * 2 * 2**3)


def test_pieces_and_functions_of_an_activation_are_counted_on_its_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Four pieces and an exponential; one that turns into a float is counted as nothing."""

    def hat(z: Any) -> Any:
        return maximum(1 - abs(z), 0) + exp(z), z

    right = ACTIVATIONS["tanh"]
    monkeypatch.setitem(ACTIVATIONS, "hat", right._replace(forward=hat))
    monkeypatch.setitem(ACTIVATIONS, "rounded", right._replace(forward=lambda z: (float(z), z)))
    counted = [size_of(Network((1, 1), output=name), 1) for name in ("hat", "softplus", "rounded")]
    assert counted == [Size(2, 4, 4), Size(2, 1, 2), Size(2, 1, 0)]


def test_two_examples_are_for_small_networks() -> None:
    two, one = (size_of(Network(sizes), 2) for sizes in ((2, 2, 1), (10, 7, 1)))
    assert two.within(SMALL)
    assert one.within(LARGEST)
    assert not one.within(SMALL)
    assert [ProofRequest(sizes=sizes).about()["examples"] for sizes in ((3, 2, 1), (10, 7, 1))] == [
        2,
        1,
    ]
