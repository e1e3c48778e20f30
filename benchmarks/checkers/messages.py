"""Interpret a checker's exception: which parameter it blames, and which kind of mistake it names.

An exception about the form of a gradient counts as caught, as its message says that a shape is
wrong. Any other exception is no answer.
"""

import re
from collections.abc import Sequence

#: Patterns of messages by kind of mistake; the first match counts.
WORDS = (
    ("shape", re.compile(r"\bshapes?\b|broadcast|dimension|\bsize of tensor", re.IGNORECASE)),
    ("dtype", re.compile(r"\bdtypes?\b", re.IGNORECASE)),
    ("structure", re.compile(r"pytree|incorrect number of gradients", re.IGNORECASE)),
    ("not-repeatable", re.compile(r"not reentrant|different values", re.IGNORECASE)),
    ("mutation", re.compile(r"read-only", re.IGNORECASE)),
)

#: JAX names a leaf of the backward pass's result, "at output[0]['w'] the bwd rule ...", ...
JAX_LEAF = "at output[0]{key} "

#: ... and torch counts its inputs, which are our leaves.
TORCH_INDEX = re.compile(r"with respect to input (\d+)|invalid gradient at index (\d+)")


def kinds(message: str) -> tuple[str, ...]:
    """Return the kind of mistake that a message about the form of a gradient names, if any."""
    found = [kind for kind, pattern in WORDS if pattern.search(message)]
    return tuple(found[:1])


def blamed(message: str, paths: Sequence[str]) -> tuple[str, ...]:
    """Return the parameters that a message names, by path or by torch's index of inputs."""
    if found := TORCH_INDEX.search(message):
        index = int(found[1] or found[2])
        return (paths[index],) if index < len(paths) else ()
    named = {path: JAX_LEAF.format(key=re.sub(r"^\w+", "", path)) for path in paths}
    return tuple(path for path in paths if named[path] in message)
