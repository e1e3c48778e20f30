"""What a network looks like: its units in layers and its edges, read off its program alone."""

from itertools import pairwise

import pytest

from study.drawing import drawing, ends
from tests.compare.passes import NETWORKS, trace
from tests.tiers import one_of_each


@pytest.mark.slow
def test_the_article_s() -> None:
    drawn = drawing(trace("the article's"))
    assert drawn == {
        "inputs": ["x1", "x2"],
        "layers": [
            [{"z": "z1", "a": "h1", "b": "b1"}, {"z": "z2", "a": "h2", "b": "b2"}],
            [{"z": "z3", "a": "ypred", "b": "b3"}],
        ],
        "edges": [
            {"parameter": "w1", "from": "x1", "to": "z1"},
            {"parameter": "w2", "from": "x2", "to": "z1"},
            {"parameter": "w3", "from": "x1", "to": "z2"},
            {"parameter": "w4", "from": "x2", "to": "z2"},
            {"parameter": "w5", "from": "h1", "to": "z3"},
            {"parameter": "w6", "from": "h2", "to": "z3"},
        ],
    }


#: Networks of every depth; of all layers another width, none, or the same.
SHAPES = ("one edge", "no hidden layer", "identity output", "three layers", "classes")


@pytest.mark.parametrize("network", one_of_each(SHAPES, ("one edge",)))
def test_layers_and_edges_of_any_shape(network: str) -> None:
    """`w1[2,0]` leads from unit 2 of the layer before to unit 0 of layer 1."""
    asked = NETWORKS[network]
    sizes = asked.sizes
    assert sizes is not None
    drawn = drawing(trace(network))
    assert drawn["inputs"] == [f"x[{i}]" for i in range(sizes[0])]
    assert [len(layer) for layer in drawn["layers"]] == list(sizes[1:])
    for depth, layer in enumerate(drawn["layers"]):
        for sign in "zab":
            assert [unit[sign] for unit in layer] == [
                f"{sign}{depth}[{j}]" for j in range(len(layer))
            ]
    a = [drawn["inputs"], *([unit["a"] for unit in layer] for layer in drawn["layers"])]
    expected = {
        (f"w{k}[{i},{j}]", a[k][i], f"z{k}[{j}]")
        for k, (n, m) in enumerate(pairwise(sizes))
        for i in range(n)
        for j in range(m)
    }
    found = [(edge["parameter"], edge["from"], edge["to"]) for edge in drawn["edges"]]
    assert len(found) == len(expected)
    assert set(found) == expected


@pytest.mark.parametrize("network", one_of_each(("the article's", *SHAPES), ("one edge",)))
def test_what_a_reader_begins_with(network: str) -> None:
    of = trace(network)
    found = ends(of)
    slopes = {name: of.gradient_of(of.quantities[name].symbol).name for name in of.parameters()}
    assert found["loss"] == "L"
    assert found["rate"] == "η"
    assert found["gradients"] == slopes
    for name, (parameter, rate, gradient) in found["updates"].items():
        w, eta, slope = (of.quantities[n].by_hand for n in (parameter, rate, gradient))
        assert of.quantities[name].by_hand == w - eta * slope
        assert found["gradients"][parameter] == gradient
    assert [parameter for parameter, *_ in found["updates"].values()] == of.parameters()
