"""Mutations of valid inputs: bytes of any file, nodes of JSON."""

import copy
import json
import re
from collections.abc import Callable
from random import Random
from typing import Any

#: A mutation: from a source of chance, an input, and another input, which it may borrow from.
Mutation = Callable[[Random, bytes, bytes], bytes]

NUMBERS = (
    *("0", "-0", "1", "-1", "2", "3.5", "1e308", "-1e308", "1e309", "5e-324", "1e100", "1.1e100"),
    *("1e-101", "nan", "NaN", "inf", "-Infinity", "Infinity", "1_000", "0x10", "١٢", "9" * 30),
    *("9" * 5000, "1e", "1e5000", "-", "+", ".", "00", "1.0.0", "true", "2147483648"),
    *("9223372036854775808", "18446744073709551616", "1e15", "4294967296", "-2147483649"),
)
WORDS = (
    *('"', '"" ', "'", ",", ";", "\t", "\n", "\r\n", "\r", "\0", " ", "{", "}", "[", "]", ":"),
    *("null", "class", "intercept", "by", "x", "a,b", "=", "--", "%s", "{0}", "\x1b[2J", "\ufeff"),
    *("\u2028", "\u202e", "é", "e\u0301", "😀", "\ud7ff", "[" * 3000, '{"a":' * 3000, "a" * 4000),
    *("__proto__", "../../x", "/dev/zero", "$(x)", "[red]", "[/]", "|", "`", "\\", "\\u0000"),
)
TOKENS = (*tuple(text.encode() for text in (*NUMBERS, *WORDS)), b"\xff", b"\xed\xa0\x80", b"\xc3")

_TOKEN = re.compile(rb"-?[0-9][0-9.eE+-]*|[A-Za-z_][A-Za-z_0-9 ]*")


def flip(rng: Random, content: bytes, other: bytes) -> bytes:  # noqa: ARG001
    """Change a few bytes anywhere."""
    changed = bytearray(content or b"\0")
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        changed[rng.randrange(len(changed))] ^= rng.randrange(1, 256)
    return bytes(changed)


def _part(rng: Random, content: bytes) -> slice:
    start = rng.randrange(len(content) + 1)
    return slice(start, start + rng.choice((0, 1, 2, 8, 40, 1000)))


def part(rng: Random, content: bytes, other: bytes) -> bytes:
    """Put nothing, copies, a token, or a part of another input in the place of a part."""
    at, copies = _part(rng, content), rng.choice((2, 2, 3, 51))
    new = (b"", content[at] * copies, rng.choice(TOKENS), other[_part(rng, other)])
    tail = content[at.stop :] if rng.random() < 0.9 else b""
    return content[: at.start] + rng.choice(new) + tail


def word(rng: Random, content: bytes, other: bytes) -> bytes:
    """Put another token in the place of a number or a word, often one of the same file."""
    found = [*_TOKEN.finditer(content[:20_000])]
    if not found:
        return part(rng, content, other)
    place = rng.choice(found)
    new = rng.choice(TOKENS) if rng.random() < 0.6 else rng.choice(found)[0]
    return content[: place.start()] + new + content[place.end() :]


BYTES = (flip, *[part] * 4, *[word] * 2)

_ODD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 0.5, -0.0, 1e308, -1e308, 5e-324, 2**31, 2**63, 10**30),
    *(float("nan"), float("inf"), "", "x", "\0", "\x1b[2J", "a\nb", "x" * 5000, "NaN", "1"),
    *([], {}, [[]], [None], {"": None}, [0] * 1000, [[1.0]], [{}], {"a": {"a": {}}}, "\ud800"),
)


def edited(rng: Random, value: Any) -> Any:
    """Return JSON with a few nodes replaced, removed, repeated, wrapped or renamed."""
    value = copy.deepcopy(value)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        if not (value and isinstance(value, dict | list)):
            return rng.choice(_ODD)
        owner, key = _place(rng, value)
        match rng.randrange(6):
            case 0 | 1:
                owner[key] = rng.choice(_ODD)
            case 2:
                del owner[key]
            case 3:
                near, at = _place(rng, value)
                owner[key] = copy.deepcopy(near[at])
            case 4:
                for _ in range(rng.choice((1, 2, 900))):
                    owner[key] = [owner[key]] if rng.random() < 0.5 else {"a": owner[key]}
            case _ if isinstance(owner, dict):
                owner[str(rng.choice(_ODD))] = owner.pop(key)
            case _:
                owner[key:key] = [copy.deepcopy(owner[key])] * rng.choice((1, 2, 300))
    return value


def _place(rng: Random, value: Any) -> tuple[Any, Any]:
    """Walk down from the root, and stop at any node; return its owner and its key there."""
    while True:
        key = rng.choice([*value] if isinstance(value, dict) else range(len(value)))
        if not (value[key] and isinstance(value[key], dict | list)) or rng.random() < 0.15:
            return value, key
        value = value[key]


def in_json(rng: Random, content: bytes, other: bytes) -> bytes:
    """Edit the nodes of a JSON text; what is no JSON any more has its bytes changed."""
    try:
        return json.dumps(edited(rng, json.loads(content))).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):
        return flip(rng, content, other)
