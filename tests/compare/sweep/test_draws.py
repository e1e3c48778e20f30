"""What a case is drawn from, and that it is the same case whoever draws it."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.random import threefry_2x32

from compare.sweep import cases
from compare.sweep.distributions import FLOATS, Spread, Uniform, distribution, unit
from compare.sweep.threefry import threefry
from compare.wording import InputError
from manual.network import Network
from tests.compare.sweep.blocks import drawn_alone, swept
from tests.tiers import one_of_each


def words(*values: int) -> tuple[Any, ...]:
    return tuple(np.asarray([value], np.uint32) for value in values)


@pytest.mark.parametrize(
    ("key", "counter", "answer"),
    [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((2**32 - 1,) * 2, (2**32 - 1,) * 2, (0x1CB996FC, 0xBB002BE7)),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_published_answers(key: Any, counter: Any, answer: Any) -> None:
    """The known answers that come with the authors' own implementation."""
    found = threefry(words(*key), words(*counter))
    assert [int(word[0]) for word in found] == list(answer)


def test_the_bits_are_those_of_jax() -> None:
    rng = np.random.default_rng(0)
    key, counter = (rng.integers(0, 2**32, (2, 64), dtype=np.uint32) for _ in range(2))
    for k in range(64):
        theirs = threefry_2x32((key[0, k], key[1, k]), jnp.asarray(counter[:, k]))
        ours = threefry((key[:1, k], key[1:, k]), (counter[:1, k], counter[1:, k]))
        assert [int(word[0]) for word in ours] == np.asarray(theirs).tolist()


def of_random_bits(of: Any, dtype: str, count: int = 100_000) -> np.ndarray:
    floats = FLOATS[dtype]
    rng = np.random.default_rng(1)
    bits = rng.integers(0, 2 ** (8 * floats.bits(0).itemsize), count, dtype=floats.bits)
    with jax.enable_x64(True):
        return np.asarray(of(jnp.asarray(bits), floats))


@pytest.mark.parametrize("dtype", list(FLOATS))
def test_uniform_numbers(dtype: str) -> None:
    """Mean 0 and variance size²/3, within five of their standard deviations."""
    numbers = of_random_bits(Uniform(5.0).of, dtype)
    assert numbers.dtype == dtype
    assert -5 <= numbers.min() < -4.99
    assert 4.99 < numbers.max() < 5
    assert abs(numbers.mean()) < 5 * 5 / np.sqrt(3 * numbers.size)
    assert numbers.var() == pytest.approx(25 / 3, rel=0.02)
    zero_to_one = of_random_bits(unit, dtype)
    assert 0 <= zero_to_one.min() < 1e-3
    assert 0.999 < zero_to_one.max() < 1


@pytest.mark.parametrize("dtype", list(FLOATS))
def test_numbers_of_all_sizes(dtype: str) -> None:
    """Every power of two from 2⁻¹⁰ to 2⁷ is as likely as another, within five deviations."""
    spread = distribution("spread:1e-3:256")
    assert isinstance(spread, Spread)
    assert spread.exponents == (-10, 8)
    numbers = of_random_bits(spread.of, dtype)
    mantissas, powers = np.frexp(numbers)
    counts = np.bincount(powers + 9, minlength=18)
    assert counts.size == 18
    expected = numbers.size / 18
    # In float32 eight bits choose: some powers of 18 get 15 of 256, some 14.
    uneven = 0.06 if dtype == "float32" else 0.01
    assert np.abs(counts - expected).max() < 5 * np.sqrt(expected) + uneven * expected
    assert abs(np.mean(numbers > 0) - 0.5) < 5 * 0.5 / np.sqrt(numbers.size)
    assert np.abs(mantissas).mean() == pytest.approx(0.75, abs=0.01)


BAD = "uniform uniform: uniform:a uniform:0 uniform:-1 uniform:inf uniform:nan uniform:1:2"
BAD += " spread:1 spread:2:1 spread:1:1 spread:0:1 spread:1:2:3 normal:1"


@pytest.mark.parametrize("text", ["", *BAD.split()])
def test_no_distribution(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        distribution(text)


SETTINGS = {
    "article": swept(),
    "single": swept(dtype="float32", weights="spread:0.01:100"),
    "network": swept(Network((3, 2, 3), "tanh", loss="softmax-ce"), 2),
}


@pytest.mark.slow
@pytest.mark.parametrize("of", one_of_each(SETTINGS, ["article"]))
def test_a_case_is_the_same_in_a_block_and_alone(of: str) -> None:
    settings = SETTINGS[of]
    with jax.enable_x64(True):
        which, _ = cases.of_block(2**33, 2**62)
        numbers = np.stack(jax.jit(lambda c: cases.drawn(settings, c, settings.seed))(which))
    assert numbers.shape == (settings.numbers, cases.ROWS, cases.LANES)
    for row, lane in ((0, 0), (3, 77), (15, 127)):
        alone = drawn_alone(settings, int(which[row, lane]))
        assert alone == numbers[:, row, lane].tolist()


@pytest.mark.slow
@pytest.mark.parametrize("of", one_of_each(SETTINGS, ["article"]))
def test_no_two_numbers_are_the_same(of: str) -> None:
    """Of the cases of a block, of their parameters and inputs; in float32 a few may meet."""
    settings = SETTINGS[of]
    with jax.enable_x64(True):
        which, _ = cases.of_block(5, 2**62)
        numbers = np.stack(cases.drawn(settings, which, settings.seed))
    different = np.unique(numbers[: settings.parameters + 2]).size
    assert (
        different
        >= (0.98 if settings.dtype == "float32" else 1) * numbers[: settings.parameters + 2].size
    )


@pytest.mark.slow
def test_seeds_and_neighbours_differ() -> None:
    settings = swept()
    first = drawn_alone(settings, 0)
    for other in (drawn_alone(settings, 1), drawn_alone(swept(seed=1), 0)):
        assert not set(first) & set(other)
    assert drawn_alone(settings, 2**32) != first  # both words of a case's number count


def test_classes_are_drawn_as_one_for_each_example() -> None:
    settings = SETTINGS["network"]
    assert settings.numbers == 3 * 2 + 2 + 2 * 3 + 3 + 2 * (3 + 1)


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ({"weights": "uniform:1e31"}, "--weights: got uniform:1e\\+31, expected sizes from"),
        ({"inputs": "uniform:1e5", "dtype": "float32"}, "--inputs: got uniform:100000"),
        ({"inputs": "spread:1e-31:1"}, "--inputs: got spread:1e-31:1"),
        ({"examples": 2}, "--examples: got 2, expected 1"),
        ({"network": Network((40, 40, 10))}, "a case has 2,1.. numbers; expected at most 2,000"),
        ({"network": Network((3, 2, 1)), "plant": "half-mse"}, "planted in the article's network"),
    ],
)
def test_settings_that_do_not_fit(others: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        swept(**others)
