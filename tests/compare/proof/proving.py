"""Proofs to ask for, symbols to run lines on, and what is computed without a line of ours."""

import functools
from collections.abc import Callable
from typing import Any

import mpmath

import manual.article
from compare.proof.arrays import Array
from compare.proof.article import Article
from compare.proof.field import Field
from compare.proof.network import General
from compare.proof.number import Number
from compare.proof.prove import Proof, prove
from compare.traced.kinds import network_of
from manual.objects import Namespace

#: The namespace of the symbols' arrays.
objects = Namespace(Array)


def of_article(gradient: Callable[..., Any] = manual.article.gradient) -> Proof:
    """The proof for a gradient of the article's network."""
    return prove(Article(lambda: gradient))


def of_network(sizes: tuple[int, ...], examples: int = 1, **kinds: Any) -> Proof:
    """The proof for a network of any shape."""
    return prove(General(network_of(sizes, kinds), examples))


def symbols(*names: str, room: int = 4) -> tuple[Field, list[Array]]:
    """A field, and its names as arrays of shape ()."""
    field = Field(names, room)
    return field, [Array(Number(field, field.named[name])) for name in names]


def refuted(proof: Proof) -> set[str]:
    """The partial derivatives that are; all others are proved."""
    assert {partial.verdict for partial in proof.partials} <= {"refuted", "proved"}
    return {partial.name for partial in proof.partials if partial.verdict == "refuted"}


def slope_of_article(point: dict[str, Any], name: str) -> Any:
    """∂L/∂ a parameter of the article's network in 50 digits, by mpmath's differences."""

    def sigmoid(z: Any) -> Any:
        return 1 / (1 + mpmath.exp(-z))

    def loss(moved: Any) -> Any:
        at = {of: mpmath.mpf(v.numerator) / v.denominator for of, v in point.items()} | {
            name: moved
        }
        h1 = sigmoid(at["w1"] * at["x1"] + at["w2"] * at["x2"] + at["b1"])
        h2 = sigmoid(at["w3"] * at["x1"] + at["w4"] * at["x2"] + at["b2"])
        return (at["y"] - sigmoid(at["w5"] * h1 + at["w6"] * h2 + at["b3"])) ** 2

    with mpmath.workdps(80):
        start = mpmath.mpf(point[name].numerator) / point[name].denominator
        return mpmath.diff(loss, start, h=mpmath.mpf(10) ** -30)


@functools.cache
def article_proved() -> Proof:
    """The proof for the lines as they are."""
    return of_article()
