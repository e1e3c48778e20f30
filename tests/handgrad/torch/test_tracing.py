"""What a traced function in PyTorch may do, and what is as it was afterwards."""

import re
import threading
import warnings
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from handgrad.data.frames import is_own
from handgrad.program.aten import installed
from handgrad.program.aten.installed import importing, torch, unpromised
from handgrad.program.aten.traced_tensor import TracedTensor
from handgrad.program.aten.tracing import in_jax
from tests.handgrad.torch.both import assert_same, by_jax

X = np.sin(np.arange(12.0)).reshape(3, 4)


class _Twice(torch.autograd.Function):
    """Several results, None among them, and arguments that are no tensors."""

    @staticmethod
    def forward(ctx: Any, x: Any, factor: float, name: str = "") -> Any:
        ctx.save_for_backward(x)
        with torch.no_grad():
            y = x.detach() * factor
        return y, None, len(name)


class _WithContext(torch.autograd.Function):
    @staticmethod
    def forward(x: Any, factor: Any) -> Any:
        return x * factor

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        ctx.save_for_backward(*inputs)
        ctx.set_materialize_grads(False)


class _Dirty(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        x.mul_(3)
        ctx.mark_dirty(x)
        return x


class _Nested(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        with torch.enable_grad():
            y = _WithContext.apply(x.detach(), x) + x
        return _Twice.apply(y, 2)[0]


def _functions(x: Any) -> Any:
    one, nothing, length = _Twice.apply(x, 3.0, "four")
    y = x.clone()
    return one * length + _WithContext.apply(x, one) + _Nested.apply(x), nothing, _Dirty.apply(y), y


def _checkpoint(x: Any) -> Any:
    checkpoint = importing("torch.utils.checkpoint").checkpoint
    return [checkpoint(torch.sin, x, use_reentrant=reentrant) for reentrant in (True, False)]


def _transforms(x: Any) -> Any:
    rows = torch.func.vmap(lambda row: row @ row)(x)
    cubes = torch.func.hessian(lambda row: (row**3).sum())(x[0])
    return rows, cubes, torch.func.jvp(torch.sin, (x,), (x,))


def _gradients_inside(x: Any) -> Any:
    point = x.detach().clone().requires_grad_()
    (slope,) = torch.autograd.grad((point**3).sum(), point, create_graph=True)
    return slope


def _compiled(x: Any) -> Any:
    return torch.compile(lambda y: (y.exp() + 1).sum(), backend="eager")(x)


def _autocast(x: Any) -> Any:
    with torch.autocast("cpu", torch.bfloat16):
        product = x.float() @ x.float().T
    assert product.dtype == torch.bfloat16
    return product


def _rotary(x: Any) -> Any:
    frequencies = 1.0 / 10000 ** (torch.arange(0, 4, 2) / 4)
    turned = torch.polar(torch.ones(3, 2), torch.outer(torch.arange(3), frequencies))
    pairs = torch.view_as_complex(x.reshape(3, 2, 2))
    return torch.view_as_real(pairs * turned).flatten(1).type_as(x)


def _constants(x: Any) -> Any:
    """Plain tensors may say by their values which operations are run."""
    lengths = torch.tensor([1, 3, 2])
    mask = torch.arange(4) < lengths[:, None]
    steps = range(int(lengths.max()))
    return x[mask], mask.nonzero(), sum(x[:, k].sum() for k in steps), lengths.numpy().sum()


def _devices(x: Any) -> Any:
    y = x.to(device=x.device, dtype=torch.float32, memory_format=torch.contiguous_format).cpu()
    return y + torch.ones(4, device="cpu", dtype=y.dtype), torch.full_like(x, 2), x.new_zeros(2)


def _named_results(x: Any) -> Any:
    return {"max": torch.max(x, 1), "sorted": x.sort(0)}


#: Products in bfloat16 may differ in the last of 8 bits; the angles are float32 in both.
ROUNDING = {_autocast: 2**-7, _rotary: 1e-6}


@pytest.mark.parametrize(
    "f",
    [
        *(_functions, _checkpoint, _transforms, _gradients_inside, _compiled),
        *(_autocast, _rotary, _constants, _devices, _named_results),
    ],
    ids=lambda f: f.__name__.strip("_"),
)
def test_programs(f: Any) -> None:
    assert_same(_quietly(f), X, rtol=ROUNDING.get(f, 1e-13))


def _quietly(f: Any) -> Any:
    """Suppress warnings where PyTorch runs a function by itself."""

    def quiet(*args: Any) -> Any:
        with warnings.catch_warnings():
            if not any(isinstance(x, TracedTensor) for x in args):
                warnings.simplefilter("ignore")
            return f(*args)

    return quiet


def test_pytorchs_deprecations_are_not_the_callers() -> None:
    def f(x: Any) -> Any:
        warnings.warn_explicit("old", FutureWarning, "torch/x.py", 1, module="torch.x")
        return x * 2

    by_jax(f, X)
    with pytest.warns(FutureWarning, match="mine"):
        by_jax(lambda x: warnings.warn("mine", FutureWarning, stacklevel=1) or x, X)


def test_the_name_is_kept() -> None:
    def loss(w: Any, *, scale: float = 2.0) -> Any:
        """Return a loss."""
        return (w * scale).sum()

    assert in_jax(loss).__name__ == "loss"
    assert in_jax(loss).__doc__ == "Return a loss."
    with jax.enable_x64(True):
        assert in_jax(loss)(np.ones(3), scale=4.0) == 12


def test_the_lines_of_the_function_are_known() -> None:
    with jax.enable_x64(True):
        program = jax.make_jaxpr(in_jax(lambda x: torch.nn.functional.layer_norm(x, (4,))))(X)
    for eqn in program.eqns:
        frames = [f for f in eqn.source_info.traceback.frames if is_own(f.file_name)]
        assert frames[0].file_name == __file__


def _settings() -> Any:
    config: Any = jax.config
    return (
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.are_deterministic_algorithms_enabled(),
        importing("torch.utils._python_dispatch")._get_current_dispatch_mode(),
        config.jax_enable_x64,
        config.jax_numpy_dtype_promotion,
    )


@pytest.mark.parametrize("context", [torch.inference_mode, torch.no_grad, torch.enable_grad])
def test_settings_are_as_they_were(context: Any) -> None:
    def fails(_: Any) -> Any:
        raise KeyError(torch.is_grad_enabled())

    with context():
        weight = torch.ones(4, dtype=torch.float64)
        before = _settings()
        (result,) = by_jax(lambda x: (x * weight).sum(), X)
        np.testing.assert_allclose(result, X.sum(), rtol=1e-13)
        with pytest.raises(KeyError, match="True"):
            by_jax(fails, X)
        assert _settings() == before
        assert (weight + 1).tolist() == [2, 2, 2, 2]


def test_another_default_dtype() -> None:
    torch.set_default_dtype(torch.float64)
    try:
        assert_same(lambda x: (torch.ones(3) + x[:, 0], torch.arange(3) / 2, x.int().exp()), X)
    finally:
        torch.set_default_dtype(torch.float32)
    assert_same(lambda x: (torch.ones(3) + x[:, 0], torch.arange(3) / 2, x.int().exp()), X)


def test_threads_and_calls_inside_calls() -> None:
    outer = in_jax(lambda x: in_jax(torch.sin)(x) * 2)
    found: dict[int, Any] = {}

    def work(k: int) -> None:
        found[k] = by_jax(lambda x: (x + k).clone().mul_(x).sum(), X)[0]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in range(4):
        np.testing.assert_allclose(found[k], ((X + k) * X).sum(), rtol=1e-13)
    with jax.enable_x64(True), pytest.raises(TypeError):
        outer("x")


def test_a_tensor_that_was_left_behind() -> None:
    kept = []
    by_jax(lambda x: kept.append(x) or x.sum(), X)
    with pytest.raises(RuntimeError, match="left behind"):
        kept[0].sum()


def test_a_name_that_a_version_of_torch_has_not_is_said() -> None:
    says = r"^torch .* has no torch\._C\._Missing, without which .*; expected a version"
    with pytest.raises(ImportError, match=says):
        unpromised("torch._C", "_Missing")
    with pytest.raises(ImportError, match=r"has no torch\._missing\.a, "):
        unpromised("torch._missing", "a")


def test_names_that_torch_does_not_promise_stand_in_one_place() -> None:
    folder = Path(installed.__file__).parent
    found = {
        path.name
        for path in folder.rglob("*.py")
        if re.search(r"\btorch\._C\b|torch(\.\w+)*\._\w+\"", path.read_text(encoding="utf-8"))
    }
    assert found == {"installed.py"}
