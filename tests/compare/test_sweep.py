"""A sweep: its draws, its counts, what it sees, and what it says of that."""

import json
import math
import signal
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import manual.article
import manual.network
from compare.sweep import (
    ARTICLE,
    ENDS,
    LANES,
    Distribution,
    Settings,
    Tally,
    case,
    compared,
    drawn,
    merged,
    sweep,
    tallied,
)
from handgrad import exact_gradient
from manual.activations import ACTIVATIONS
from manual.affine import Layer
from manual.network import Network
from models.planted import PLANTS, gradient_in
from tests.compare.calls import compare, one_object, signalled
from tests.tiers import slowly

NINE = list(manual.article.Parameters._fields)


def settings(
    network: Network = ARTICLE,
    examples: int = 1,
    dtype: str = "float64",
    weights: str = "uniform:5",
    inputs: str = "uniform:20",
    seed: int = 0,
    **others: Any,
) -> Settings:
    """Settings, most of them as usual."""
    ranges = Distribution.parse("", weights), Distribution.parse("", inputs)
    return Settings(network, examples, dtype, *ranges, seed, **others)


class Block(NamedTuple):
    """What is compared in a block: a row for each parameter, a column for each case."""

    by_hand: np.ndarray
    autodiff: np.ndarray
    bound: np.ndarray


@cache
def block(of: Settings, number: int = 0) -> Block:
    """The gradients of a block, compiled as in a sweep."""
    with jax.enable_x64(True):
        lanes = jax.jit(jax.vmap(partial(compared, of), 1, -1))
        parts = lanes(drawn(of, np.int64(number)))
        leaves = [[np.reshape(leaf, (-1, LANES)) for leaf in jax.tree.leaves(p)] for p in parts]
        return Block(*map(np.concatenate, leaves))


# Draws.


def numbers(weights: str, dtype: str) -> np.ndarray:
    """The weights of a block."""
    of = settings(Network((5, 7)), 1, dtype, weights)
    with jax.enable_x64(True):
        return np.ravel(drawn(of, np.int64(3))[: of.sizes[0]])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_uniform_numbers(dtype: str) -> None:
    """Mean 0 and variance size²/3, within five of their standard deviations."""
    found = numbers("uniform:5", dtype)
    assert found.dtype == dtype
    assert -5 <= found.min() < -4.99 < 4.99 < found.max() < 5
    assert abs(found.mean()) < 5 * 5 / np.sqrt(3 * found.size)
    assert found.var() == pytest.approx(25 / 3, rel=0.03)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_numbers_of_all_sizes(dtype: str) -> None:
    """Every power of two from 2⁻¹⁰ to 2⁷ is as likely as another, within five deviations."""
    found = numbers("spread:1e-3:256", dtype)
    mantissas, powers = np.frexp(found)
    counts = np.bincount(powers + 9, minlength=18)
    assert counts.size == 18
    assert np.abs(counts - found.size / 18).max() < 5 * np.sqrt(found.size / 18)
    assert abs(np.mean(found > 0) - 0.5) < 5 * 0.5 / np.sqrt(found.size)
    assert np.abs(mantissas).mean() == pytest.approx(0.75, abs=0.01)


@pytest.mark.parametrize("text", ["", "normal:1", "uniform:a", "uniform:-1", "spread:2:1"])
def test_no_distribution(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        Distribution.parse("--weights", text)


@pytest.mark.slow
def test_every_case_is_another_one() -> None:
    """Neighbours, other blocks of either word, another seed; and a case is always the same."""
    others = [case(settings(), n) for n in (0, 1, LANES, LANES << 32)]
    others.append(case(settings(seed=1), 0))
    assert np.unique([leaf for at in others for leaf in at.params]).size == 9 * len(others)
    assert case(settings(), 1).params == others[1].params
    # Each example of classes has one.
    of = settings(Network((3, 2, 3), "tanh", loss="softmax-ce"), 9)
    targets = case(of, 5).y
    assert targets.shape == (9, 3)
    assert (targets.sum(-1) == 1).all()
    assert (targets.sum(0) > 0).all()


# Counts.


def tally(
    by_hand: Any, autodiff: Any, bound: Any, dtype: str = "float64", total: int = LANES
) -> Any:
    """The tally of one parameter: these numbers in the first case, 1 and 1 ± 0.5 in the others."""
    values = [np.full((1, LANES), value, dtype) for value in (1, 1, 0.5)]
    for array, value in zip(values, (by_hand, autodiff, bound), strict=True):
        array[0, 0] = value
    with jax.enable_x64(True), np.errstate(invalid="ignore"):
        return jax.device_get(_counted(values, np.arange(LANES), np.int64(total)))


@cache
def _compiled() -> Any:
    return jax.jit(tallied)


def _counted(*args: Any) -> Any:
    return _compiled()(*args)


@pytest.mark.parametrize("dtype", ["float64", slowly("float32")])
def test_what_is_no_number_disagrees(dtype: str) -> None:
    for by_hand, autodiff in ((math.nan, 1.0), (1.0, math.nan), (math.inf, 1.0)):
        found = tally(by_hand, autodiff, 1e-3, dtype)
        assert (found.disagreements, found.overflowed, found.ratio[0]) == (1, 0, math.inf)
        assert (found.ulps[0], found.reached[-1]) == (math.inf, 1)


@pytest.mark.parametrize("dtype", ["float64", slowly("float32")])
def test_without_a_bound_a_few_ulps_agree(dtype: str) -> None:
    for bound in (math.inf, math.nan):
        found = tally(2.0, 1.0, bound, dtype)
        assert (found.disagreements, found.overflowed, found.ratio[0]) == (0, 1, 1)
        eps = float(np.finfo(dtype).eps)
        for units, overflowed in ((2, 0), (3, 1)):
            found = tally(1 + units * eps, 1.0, bound, dtype)
            assert (found.disagreements, found.overflowed) == (0, overflowed)
        assert found.judged == LANES - 1


def test_beyond_the_last_case_nothing_is_counted() -> None:
    found = tally(3.0, 1.0, 1.0, total=7)
    assert (found.disagreements, found.judged, found.reached[0]) == (1, 7, 7)
    assert found.ratio.tolist() == [2] + 6 * [0] + (LANES - 7) * [-1]
    assert tally(math.nan, 1.0, math.nan, total=0).ratio.max() == -1


def test_a_bin_begins_at_its_end() -> None:
    """1 ulp apart, 2, 3 and so on: each in the bin that begins there, or holds it."""
    for low in ENDS[2:]:
        for units in {low, low + 1}:
            above = 1 + units * 2.0**-52
            ulps = units / 2 ** (math.frexp(above)[1] - 1)
            found = -np.diff(tally(above, 1.0, 1.0).reached, append=0)
            expected = max(b for b in range(2, len(ENDS)) if ENDS[b] <= ulps)
            assert (found[expected], found[0]) == (1, LANES - 1), units


def test_no_order_of_merging_matters() -> None:
    """And of equal ratios, the first case counts."""
    parts = [tally(by_hand, 1.0, 0.5) for by_hand in (1.0, 1.2, 1.2, math.inf)]
    parts = [part._replace(case=part.case + 5 * k) for k, part in enumerate(parts)]

    def together(order: list[int]) -> Any:
        leaves = zip(*(parts[k] for k in order), strict=True)
        with jax.enable_x64(True):
            return jax.device_get(merged(Tally(*map(jnp.stack, leaves))))

    first = together([0, 1, 2, 3])
    for order in ([3, 2, 1, 0], [2, 0, 3, 1]):
        jax.tree.map(np.testing.assert_array_equal, together(order), first)
    assert (first.case[0], first.case[1]) == (15, 1)
    assert (first.disagreements, first.reached[0]) == (1, 4 * LANES)
    assert together([0, 2, 1]).case[0] == 5


# Bounds.


def exactly(of: Settings, number: int) -> np.ndarray:
    """The certified gradient at a case, in one vector, in 20 digits and more."""
    point = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), tuple(case(of, number)))
    enclosures = jax.tree.leaves(exact_gradient(of.program.loss, *point))
    return np.concatenate([np.ravel(np.asarray(e, object)) for e in enclosures])


TRUE = {
    "article": settings(weights="uniform:0.5", inputs="uniform:1"),
    "saturated": settings(),
    "float32": settings(dtype="float32"),
    "all sizes": settings(ARTICLE, 1, "float32", "spread:1e-3:1e2", "spread:0.01:1e2"),
    "huge": settings(weights="uniform:1e12", inputs="uniform:1e12"),
    "cancelling": settings(form="article"),
    "classes": settings(Network((3, 2, 2), loss="softmax-ce", l2=0.1), 2, "float32"),
    "logits": settings(Network((3, 2, 2), "gelu", "identity", "bce", 0.1), 2),
} | {
    name: settings(
        Network((2, 2, 2, 1), name, list(ACTIVATIONS)[k - 1], ("mse", "huber")[k % 2], 0.01),
        2,
        ("float64", "float32")[k // 2 % 2],
        weights=(scale := ("uniform:1", "uniform:5", "spread:1e-3:30")[k % 3]),
        inputs=scale,
    )
    for k, name in enumerate(ACTIVATIONS)
}


@pytest.mark.slow
@pytest.mark.parametrize("of", TRUE)
def test_both_gradients_are_as_close_to_the_truth_as_to_each_other(of: str) -> None:
    """In a whole block to each other; the worst cases, and some at random, to the truth."""
    found = block(TRUE[of], 2)
    gap = np.abs(found.by_hand - found.autodiff)
    ratios = np.where(gap > 0, gap / found.bound, 0).max(axis=0)
    assert np.all(ratios <= 1)
    for column in [*np.argsort(-ratios)[:2], 0, 500]:
        exact = exactly(TRUE[of], 2 * LANES + int(column))
        for side in (found.by_hand, found.autodiff):
            for value, truth, most in zip(
                side[:, column], exact, found.bound[:, column], strict=True
            ):
                assert not abs(float(value) - float(truth)) > most, column


@pytest.mark.slow
def test_bounds_are_no_wider_than_digits_are_lost() -> None:
    """Where no unit is saturated: some hundred ulps, more where the network is nearly right."""
    found = block(TRUE["article"], 1)
    assert np.median(found.bound / np.spacing(np.abs(found.by_hand)), axis=1).max() < 2**8
    assert (found.bound / np.abs(found.by_hand)).max() < 2.0**-30


# Whole sweeps.


@pytest.mark.slow
def test_all_cases_are_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one step, and in several of which the last one is not full."""
    for requested, elements, done in ((10, 9, [10]), (5 * LANES + 1, 18 * LANES, [4096, 5121])):
        monkeypatch.setattr("compare.sweep._ELEMENTS", elements)
        steps: list[int] = []
        found = sweep(settings(), requested, steps.append)
        assert (found.cases, found.requested, steps) == (requested, requested, done)
        assert found.tally.reached[0] == 9 * requested
        suspects, verdict = found.judge(3, 30)
        assert (verdict, len(suspects)) == ("agree", 3)
        assert all(0 <= suspect["case"] < requested for suspect in suspects)


@pytest.mark.slow
def test_a_hundred_cases_see_less_than_a_million() -> None:
    """Weights and inputs of a size that saturates a unit once in some thousand cases."""
    rare = settings(weights="uniform:2", inputs="uniform:4", plant="saturated-unit-zeroed")
    assert sweep(rare, 100).tally.disagreements == 0
    found = sweep(rare, 10**6)
    assert 0 < found.tally.disagreements < 5000
    assert found.suspects[0][1] > 1e6
    assert found.judge(1, 1)[1] == "disagree"


@pytest.mark.slow
def test_what_overflows_is_undecidable() -> None:
    network = Network((1, 1, 1, 1, 1, 1), "identity", "identity")
    found = sweep(settings(network, weights="uniform:1e30", inputs="uniform:1e30"), 2)
    assert (found.tally.disagreements, found.tally.overflowed) == (0, 2)
    assert found.judge(1, 2)[1] == "undecidable"


@pytest.mark.slow
def test_a_factor_in_a_network_disagrees(monkeypatch: pytest.MonkeyPatch) -> None:
    """In single precision and in some depth: bounds grow, but not to the size of the numbers."""
    right = manual.network.gradient

    def wrong(*point: Any) -> list[Layer]:
        return [Layer(2 * w, 2 * b) for w, b in right(*point)]

    monkeypatch.setattr(manual.network, "gradient", wrong)
    network, scale = Network((2, 2, 2, 2, 2, 1), "tanh", "identity"), "spread:1e-3:10"
    found = sweep(settings(network, 2, "float32", scale, scale), 10_000)
    assert found.tally.disagreements > 9_000
    assert min(found.tally.judged) > 4_000, found.tally.judged


@pytest.mark.slow
def test_of_what_rounding_explains_altogether_nothing_is_known() -> None:
    """A mistake in w4 does not show where no element of w4 is larger than its bound."""
    size = "uniform:1e3"
    found = sweep(settings(ARTICLE, 1, "float32", size, size, plant="wrong-input"), 20_000)
    names = [NINE[at] for at in np.flatnonzero(found.tally.judged == 0)]
    assert (found.tally.disagreements, names) == (0, ["w1", "w2", "w3", "w4", "b1", "b2"])
    assert found.judge(0, 0)[1] == "undecidable"


#: `accumulates` and `float32` run in NumPy.
SWEPT = {"accumulates": "disagree", "float32": "undecidable"}


@pytest.mark.slow
@pytest.mark.parametrize("slug", SWEPT)
def test_a_planted_mistake_is_reported(slug: str) -> None:
    """Of compiled arithmetic in float32 the judge cannot tell whether its formula is right."""
    found = sweep(settings(plant=slug), 20_000)
    suspects, verdict = found.judge(1, 1)
    assert (verdict, [s["ruling"] for s in suspects]) == (SWEPT[slug], [SWEPT[slug]])


@pytest.mark.slow
@pytest.mark.parametrize("slug", sorted(set(PLANTS) - set(SWEPT)))
def test_every_other_mistake_is_further_off_than_its_bound(slug: str) -> None:
    """By NumPy at the cases of a block, in the parameters that it says."""
    of, found = settings(), block(settings())
    with jax.enable_x64(True):
        *params, x1, x2, y = np.asarray(drawn(of, np.int64(0)))
    point = manual.article.Parameters(*params), np.stack([x1, x2], axis=-1), y
    with np.errstate(all="ignore"):
        leaves = gradient_in(PLANTS[slug], "stable")(*point)
        wrong = np.stack([np.broadcast_to(leaf, y.shape) for leaf in leaves])
    off = ~(np.abs(wrong - found.autodiff) <= found.bound)
    assert {NINE[at] for at in np.flatnonzero(off.any(axis=1))} == set(PLANTS[slug].leaves)


# The command.


@pytest.mark.slow
def test_the_report_as_json_and_a_case_of_it() -> None:
    found = one_object(compare("sweep", "--cases", "1e4", "--json"))
    assert (found["cases"], found["disagreements"], found["verdict"]) == (10_000, 0, "agree")
    assert (list(found["max_ulps"]), found["weights"]) == (NINE, "uniform:5")
    first = found["suspects"][0]
    assert (first["ruling"], first["bound_ratio"]) == ("agree", found["max_bound_ratio"])
    again = one_object(compare("sweep", "--case", first["case"], "--json"))
    assert (again["params"], again["inputs"]) == (first["params"], first["inputs"])
    assert (again["ruling"]["verdict"], again["trace"]["verdict"]) == ("agree", "agree")


@pytest.mark.slow
def test_the_report_to_read() -> None:
    ended = compare("sweep", "--cases", 5000, "--plant", "exchanged")
    assert (ended.code, ended.err) == (1, "")
    says = " ".join(ended.out.split())
    assert "most ulps apart" in says
    assert "disagree: " in says
    assert says.endswith(" of 5,000 cases are further apart than rounding explains")


@pytest.mark.slow
def test_a_case_of_another_network() -> None:
    words = ("--network", "3-2-2", "--activation", "tanh", "--loss", "softmax-ce")
    found = one_object(compare("sweep", "--case", 11, *words, "--json"))
    assert list(found["params"])[::5] == ["w0[0,0]", "w0[2,1]", "w1[1,0]"]
    assert [sum(row) for row in found["inputs"]["y"]] == [1, 1]


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_with_a_report(number: int, code: int) -> None:
    """After its third step, of two blocks for each device."""
    small = "from compare import sweep; sweep._ELEMENTS = 18 * sweep.LANES"
    with signalled(number, 3, "sweep", "--cases", "1e14", "--json", code=small) as process:
        out, err = process.communicate()
    assert (process.returncode, err) == (code, "")
    found = json.loads(out)
    assert found["cases"] == 3 * 2 * found["devices"] * LANES
    assert (found["requested"], found["verdict"], len(found["suspects"])) == (10**14, "agree", 3)
    assert sum(part["elements"] for part in found["histogram"]) == 9 * found["cases"]
