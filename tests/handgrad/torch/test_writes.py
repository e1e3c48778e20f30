"""Views and writes in place: what PyTorch sees through shared memory, is seen in a trace."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

from handgrad.program.aten.errors import UncoveredOperationError
from handgrad.program.aten.tracing import in_jax
from tests.handgrad.torch.both import assert_same, by_jax
from tests.torch_installed import torch

#: Views of a tensor of any shape, by the number of a random generator.
VIEWS: list[Callable[[Any, Any], Any]] = [
    lambda x, r: x.select(r.integers(x.ndim), -1),
    lambda x, r: x.narrow(r.integers(x.ndim), 0, 1),
    lambda x, r: x[..., :: r.integers(1, 3)],
    lambda x, r: x[1:],
    lambda x, r: x.transpose(0, -1),
    lambda x, r: x.permute(*(int(k) for k in r.permutation(x.ndim))),
    lambda x, r: x.unsqueeze(r.integers(x.ndim + 1)),
    lambda x, r: x.squeeze(),
    lambda x, r: x.unflatten(-1, (1, -1)),
    lambda x, r: x.view(-1) if x.is_contiguous() else x,
    lambda x, r: x.diagonal(0, 0, 1) if x.ndim > 1 else x,
    lambda x, r: x.split(2, -1)[-1],
    lambda x, r: x.unbind(0)[0],
    lambda x, r: x.unfold(-1, 1, 1),
]

#: Writes in place, of numbers that keep their size.
WRITES: list[Callable[[Any, Any], Any]] = [
    lambda x, r: x.mul_(-0.5),
    lambda x, r: x.add_(x.flip(-1)).sub_(0.25),
    lambda x, r: x.fill_(float(r.normal())),
    lambda x, r: x.copy_(x.flip(0).sin()),
    lambda x, r: x.masked_fill_(x > 0.3, 0.7),
    lambda x, r: x.clamp_(-0.9, 0.9),
    lambda x, r: x.__setitem__(slice(0, 1), 0.125),
    lambda x, r: torch.cos(x.clone(), out=x),
]


@pytest.mark.parametrize("seed", range(24))
def test_random_views_and_writes(seed: int) -> None:
    r"""The numbers are drawn anew by both, from one seed, as the random choices of the function."""

    def f(x: Any) -> Any:
        r = np.random.default_rng(seed)
        x = x.clone() if seed % 3 else torch.zeros_like(x)
        tensors = [x]
        for _ in range(4):
            for _ in range(2):
                one = tensors[r.integers(len(tensors))]
                if one.ndim and one.numel() > 1:
                    tensors.append(VIEWS[r.integers(len(VIEWS))](one, r))
            one = tensors[r.integers(len(tensors))]
            if one.ndim and one.numel():
                WRITES[r.integers(len(WRITES))](one, r)
        return tensors

    assert_same(f, np.sin(np.arange(24.0)).reshape(2, 3, 4))


def _parts(x: Any) -> Any:
    y = x.clone()
    one, two, three = y.chunk(3, 1)
    one.mul_(two)
    three.zero_()
    for row in y.unbind(0):
        row.add_(row.sum())
    return y


def _into_what_was_plain(x: Any) -> Any:
    out = torch.zeros(4, 6, dtype=x.dtype)
    corner = out[1:3, 2:]
    out[:, 0] = x[:, 0]
    corner += 2
    out[:, 1:] -= x[:, 1:]
    return out, corner


def _through_a_base_that_changes(x: Any) -> Any:
    y = x.clone()
    column = y[:, 1]
    y *= 3
    before = column.clone()
    y.t()[1].exp_()
    return before, column, y


def _by_indices(x: Any) -> Any:
    y = x.clone()
    y[torch.tensor([0, 2]), torch.tensor([1, 3])] = 5.0
    y[torch.tensor([True, False, True, True])] *= 2
    y.index_put_((torch.tensor([1, 1]),), y[:2] + 1, accumulate=True)
    return y.scatter_(1, torch.tensor([[0], [1], [2], [0]]), -1.0)


def _by_other_readings(x: Any) -> Any:
    z = torch.view_as_complex(x.clone().view(4, 3, 2))
    z.imag.mul_(2)
    z *= 1j
    torch.view_as_real(z)[:, 0, 1] = 4
    z.conj()[1] = 2 + 3j
    return torch.view_as_real(z)


def _by_out(x: Any) -> Any:
    out = torch.empty(4, 6, dtype=x.dtype)
    result = torch.add(x, x, out=out)
    torch.mul(x[0], 3, out=out[2])
    return out, result


@pytest.mark.parametrize(
    "f",
    [
        _parts,
        _into_what_was_plain,
        _through_a_base_that_changes,
        _by_indices,
        _by_other_readings,
        _by_out,
    ],
    ids=lambda f: f.__name__.strip("_"),
)
def test_writes(f: Any) -> None:
    assert_same(f, np.cos(np.arange(24.0)).reshape(4, 6))


def test_blocks_are_written_as_blocks() -> None:
    """A program of slices shows more to the diagnosis than one of scattered indices."""

    def f(x: Any) -> Any:
        y = x.clone()
        y[:, 1] = 0
        y.t()[2:4, 1:] *= 2
        y.view(2, 3, 4).permute(2, 0, 1).add_(1)
        y.unflatten(1, (2, 2))[:, 1].neg_()
        return y

    with jax.enable_x64(True):
        program = jax.make_jaxpr(in_jax(f))(np.ones((6, 4)))
    names = {eqn.primitive.name for eqn in program.eqns}
    assert "dynamic_update_slice" in names
    assert {"scatter", "gather"}.isdisjoint(names)


def test_a_write_converts_as_pytorch_does() -> None:
    def f(x: Any) -> Any:
        counts = torch.zeros(3, dtype=torch.int32)
        counts.copy_(x)
        half = torch.zeros(3, dtype=torch.float16)
        half += x
        return counts, half

    assert_same(f, np.array([1.7, -2.3, 0.1]))
    with pytest.raises(RuntimeError, match="in-place"):
        by_jax(lambda x: torch.zeros(3, dtype=torch.int64).add_(x), np.ones(3))


def test_places_of_memory_that_a_trace_does_not_know_are_refused() -> None:
    x = np.arange(6.0).reshape(2, 3)

    def places(x: Any) -> Any:
        return x.as_strided((2, 2), (2, 1), 1) + x.view(3, 2).as_strided((2, 2), (1, 2))

    assert by_jax(places, x)[0].tolist() == places(torch.tensor(x)).tolist()
    for f in (
        lambda x: x.T.as_strided((6,), (1,)),
        lambda x: (2 * x.T).as_strided((6,), (1,)),
        lambda x: x[1:].as_strided((3,), (1,), 0),
        lambda x: x[0].as_strided((6,), (1,)),
        lambda x: x[:, 1:].as_strided((2,), (1,)),
    ):
        with pytest.raises(UncoveredOperationError, match=r"as_strided of a tensor that is not"):
            by_jax(f, x)


def test_the_callers_tensors_are_not_written() -> None:
    seen, whole = torch.zeros(3, dtype=torch.float64), torch.zeros(6, dtype=torch.float64)
    part = whole[:3]

    def counts(x: Any) -> Any:
        seen.add_(x)
        whole[:3] += x
        return seen + whole[:3]

    (result,) = by_jax(counts, np.ones(3))
    assert result.tolist() == [2, 2, 2]
    assert not seen.any()
    assert not whole.any()
    (result,) = by_jax(lambda x: (part * x).sum() + whole.sum(), np.ones(3))
    assert result == 0
    for f in (lambda x: part.add_(x).sum() + whole.sum(), lambda x: whole.add_(1).sum() + part * x):
        with pytest.raises(UncoveredOperationError, match="shares memory"):
            by_jax(f, np.ones(3))
