"""What is traced of a function in PyTorch has its values, and its slopes end where PyTorch's do."""

import threading
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import jax
import numpy as np
import pytest

from tests.corpus.torch_rows.backward_passes import rule, saving
from tests.handgrad.torch.both import assert_same, by_jax, slopes
from tests.torch_installed import torch

X = np.sin(np.arange(24.0)).reshape(4, 6)


def twice(ctx: Any, x: Any, factor: float, name: str = "") -> Any:
    """Several results, None among them, and arguments that are no tensors."""
    ctx.save_for_backward(x)
    with torch.no_grad():
        y = x.detach() * factor
    return y, None, len(name)


def nested(_: Any, x: Any) -> Any:
    with torch.enable_grad():
        y = x.detach() * x + x
    return TWICE.apply(y, 2)[0]


TWICE, NESTED = (rule(forward, lambda *_: None) for forward in (twice, nested))


def functions(x: Any) -> Any:
    one, nothing, length = TWICE.apply(x, 3.0, "four")
    return one * length + NESTED.apply(x), nothing


def checkpoint(x: Any) -> Any:
    of = import_module("torch.utils.checkpoint").checkpoint
    return [of(torch.sin, x, use_reentrant=reentrant) for reentrant in (True, False)]


def transforms(x: Any) -> Any:
    rows = torch.func.vmap(lambda row: row @ row)(x)
    cubes = torch.func.hessian(lambda row: (row**3).sum())(x[0])
    return rows, cubes, torch.func.jvp(torch.sin, (x,), (x,))


def gradients_inside(x: Any) -> Any:
    point = x.detach().clone().requires_grad_()
    return torch.autograd.grad((point**3).sum(), point, create_graph=True)[0]


def compiled(x: Any) -> Any:
    return torch.compile(lambda y: (y.exp() + 1).sum(), backend="eager")(x)


def autocast(x: Any) -> Any:
    with torch.autocast("cpu", torch.bfloat16):
        product = x.float() @ x.float().T
    assert product.dtype == torch.bfloat16
    return product


def constants(x: Any) -> Any:
    """Plain tensors may say by their values which operations are run."""
    lengths = torch.tensor([1, 3, 2, 6])
    mask = torch.arange(6) < lengths[:, None]
    steps = range(int(lengths.max()))
    return x[mask], mask.nonzero(), sum(x[:, k].sum() for k in steps), lengths.numpy().sum()


def forms(x: Any) -> Any:
    y = x.to(device=x.device, dtype=torch.float32, memory_format=torch.contiguous_format).cpu()
    ones = torch.ones(6, device="cpu", dtype=y.dtype), torch.full_like(x, 2), x.new_zeros(2)
    return {"sum": y + ones[0], "max": torch.max(x, 1), "sorted": x.sort(0), "ones": ones}


def defaults(x: Any) -> Any:
    return torch.ones(4) + x[:, 0], torch.arange(3) / 2, x.int().exp()


def in_float64(x: Any) -> Any:
    torch.set_default_dtype(torch.float64)
    try:
        return defaults(x)
    finally:
        torch.set_default_dtype(torch.float32)


def into_what_was_plain(x: Any) -> Any:
    out = torch.zeros(4, 6, dtype=x.dtype)
    corner = out[1:3, 2:]
    out[:, 0] = x[:, 0]
    corner += 2
    out[:, 1:] -= x[:, 1:]
    return out, corner


def through_a_base_that_changes(x: Any) -> Any:
    y = x.clone()
    column = y[:, 1]
    y *= 3
    before = column.clone()
    y.t()[1].exp_()
    return before, column, y


def by_indices(x: Any) -> Any:
    y = x.clone()
    y[torch.tensor([0, 2]), torch.tensor([1, 3])] = 5.0
    y[torch.tensor([True, False, True, True])] *= 2
    y.index_put_((torch.tensor([1, 1]),), y[:2] + 1, accumulate=True)
    return y.scatter_(1, torch.tensor([[0], [1], [2], [0]]), -1.0)


def by_out(x: Any) -> Any:
    out = torch.empty(4, 6, dtype=x.dtype)
    result = torch.add(x, x, out=out)
    torch.mul(x[0], 3, out=out[2])
    return out, result, x.as_strided((2, 2), (2, 1), 1) + x.view(6, 4).as_strided((2, 2), (1, 2))


def converted(x: Any) -> Any:
    counts, half = torch.zeros(4, 6, dtype=torch.int32), torch.zeros(4, 6, dtype=torch.float16)
    counts.copy_(3 * x)
    half += x
    return counts, half


PROGRAMS = [
    *(functions, checkpoint, transforms, gradients_inside, compiled, autocast, constants, forms),
    *(defaults, in_float64, into_what_was_plain, through_a_base_that_changes, by_indices),
    *(by_out, converted),
]


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore:None of the inputs:UserWarning")
@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_values(f: Any) -> None:
    # Products in bfloat16 may differ in the last of 8 bits.
    assert_same(f, X, rtol=2**-7 if f is autocast else 1e-13)


#: Views of a tensor of any shape, by the number of a random generator.
VIEWS: list[Callable[[Any, Any], Any]] = [
    lambda x, r: x.select(r.integers(x.ndim), -1),
    lambda x, r: x.narrow(r.integers(x.ndim), 0, 1),
    lambda x, r: x[..., :: r.integers(1, 3)],
    lambda x, r: x[1:],
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

    assert_same(f, X.reshape(2, 3, 4))


def cubed(ctx: Any, x: Any) -> Any:
    """What is computed without gradients in a forward has one all the same."""
    ctx.save_for_backward(x)
    with torch.no_grad():
        square = x.detach() * x
    with torch.enable_grad():
        cube = square * x.detach()
    return cube.clone()


CUBE = rule(cubed, lambda ctx, dy: 3 * ctx.saved_tensors[0] ** 2 * dy)
#: Its backward returns what it saved, a view that has no slope without `create_graph`.
ITSELF = saving(lambda x: x * 1, lambda x, _, dy: x.detach())


squared = torch.no_grad()(torch.square)


def in_inference_mode(x: Any) -> Any:
    with torch.inference_mode():
        y = x.detach() * x
    return y.clone()


def switched(x: Any) -> Any:
    torch.set_grad_enabled(False)
    y = x * x
    torch.set_grad_enabled(True)
    return y


def enabled_within(x: Any) -> Any:
    with torch.no_grad():
        y = x * 2
        with torch.enable_grad():
            z = x * 3
    return y * z


def written_without(x: Any) -> Any:
    y = x * 2
    with torch.no_grad():
        y.clamp_(max=3).mul_(5)
    return y * x


def written_by_data(x: Any) -> Any:
    y = x * 2
    y.data = y.data.clamp(max=3)
    y.data.mul_(5)
    return y * x


def written_with(x: Any) -> Any:
    with torch.no_grad():
        y = x * 2
    y[0] = x[0]
    return y * x


@pytest.mark.parametrize(
    "f",
    [
        *(in_inference_mode, switched, enabled_within),
        *(written_without, written_by_data, written_with),
        lambda x: x.detach() * x,
        lambda x: x.data * x,
        lambda x: squared(x) * x,
        lambda x: CUBE.apply(x) + x,
        lambda x: squared(CUBE.apply(x)) * x,
        lambda x: torch.autograd.grad((x**3).sum(), x)[0] * x,
        lambda x: torch.autograd.grad(ITSELF.apply(x).sum(), x)[0] * x,
        lambda x: torch.autograd.grad((x**3).sum(), x, create_graph=True)[0] * x,
        lambda x: torch.autograd.grad((x**4).sum(), x, None, None, True)[0],
        lambda x: (x + (x.round() - x).detach()) * x,
    ],
)
def test_gradients_end_where_pytorchs_do(f: Any) -> None:
    def loss(x: Any) -> Any:
        if not x.requires_grad:
            x = x.requires_grad_()
        return (f(x) * torch.cos(torch.arange(6))).sum() + x.sum()

    ours, theirs = slopes(loss, X + 2)
    np.testing.assert_allclose(theirs, ours, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("context", [torch.inference_mode, torch.no_grad, torch.enable_grad])
def test_settings_are_as_they_were(context: Any) -> None:
    def settings() -> Any:
        config: Any = jax.config
        enabled = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
        mode = import_module("torch.utils._python_dispatch")._get_current_dispatch_mode()
        return enabled, mode, config.jax_enable_x64, config.jax_numpy_dtype_promotion

    def fails(_: Any) -> Any:
        torch.set_grad_enabled(False)
        raise KeyError

    with context():
        weight = torch.ones(6, dtype=torch.float64)
        before = settings()
        by_jax(lambda x: (x * weight).sum(), X)
        assert settings() == before
        with pytest.raises(KeyError):
            by_jax(fails, X)
        assert settings() == before
        assert (weight + 1).tolist() == [2] * 6


def test_the_callers_tensors_are_not_written() -> None:
    seen, whole = torch.zeros(3, dtype=torch.float64), torch.zeros(6, dtype=torch.float64)
    part = whole[:3]

    def counts(x: Any) -> Any:
        seen.add_(x)
        whole[:3] += x
        return seen + whole[:3]

    assert by_jax(counts, np.ones(3))[0].tolist() == [2, 2, 2]
    assert not seen.any()
    assert not whole.any()
    for f in (lambda x: part.add_(x).sum() + whole.sum(), lambda x: whole.add_(1).sum() + part * x):
        with pytest.raises(NotImplementedError, match="shares memory"):
            by_jax(f, np.ones(3))


def test_places_of_memory_that_a_trace_does_not_know_are_refused() -> None:
    for f in (
        lambda x: x.T.as_strided((6,), (1,)),
        lambda x: (2 * x.T).as_strided((6,), (1,)),
        lambda x: x[1:].as_strided((3,), (1,), 0),
        lambda x: x[0].as_strided((12,), (1,)),
    ):
        with pytest.raises(NotImplementedError, match=r"as_strided of a tensor that is not"):
            by_jax(f, X)


def test_bits_that_are_read_as_other_numbers_are_refused() -> None:
    for write in (lambda y, bits, x: y.copy_(x), lambda y, bits, x: bits.copy_(x.long())):

        def f(x: Any, write: Any = write) -> Any:
            y = torch.zeros(4, 6, dtype=x.dtype)
            bits = y.view(torch.int64)
            write(y, bits, x)
            return y, bits

        with pytest.raises(NotImplementedError, match=r"aten\.view\.dtype is not covered"):
            by_jax(f, X)


def test_warnings_are_the_callers_alone() -> None:
    by_jax(lambda x: warnings.warn_explicit("old", FutureWarning, "torch/x.py", 1, "torch.x"), X)
    with pytest.warns(FutureWarning, match="mine"):
        by_jax(lambda x: warnings.warn("mine", FutureWarning, stacklevel=1) or x, X)


def test_several_threads_and_a_tensor_that_is_left_behind() -> None:
    found: dict[int, Any] = {}
    kept = []

    def work(k: int) -> None:
        found[k] = by_jax(lambda x: kept.append(x) or (x + k).clone().mul_(x).sum(), X)[0]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in range(4):
        np.testing.assert_allclose(found[k], ((X + k) * X).sum(), rtol=1e-13)
    with pytest.raises(RuntimeError, match="left behind"):
        kept[0].sum()
