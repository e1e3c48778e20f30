"""Complex tensors: functions, losses, modules, steps, and the operations between."""

from typing import Any

import pytest

from handgrad import check_backward, check_gradient
from handgrad.torch import check_function, gradcheck
from tests.torch_installed import torch

torch.manual_seed(0)
SINGLE, DOUBLE = torch.complex64, torch.complex128


def transforms_expanded() -> bool:
    """PyTorch 2.6 with MKL cannot, so that `fft(x).sum().backward()` raises; the judge says so."""
    try:
        torch.fft.fft(torch.ones((), dtype=DOUBLE).expand(3))
    except RuntimeError:
        return False
    return True


#: Of operations that pass a cotangent on to a Fourier transform as it is.
of_transforms = pytest.mark.skipif(
    not transforms_expanded(), reason="this PyTorch cannot transform a tensor that is expanded"
)


class Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Any, b: Any) -> Any:
        ctx.save_for_backward(a, b)
        return a * b

    @staticmethod
    def backward(ctx: Any, *cotangents: Any) -> Any:
        a, b = ctx.saved_tensors
        return cotangents[0] * b.conj(), cotangents[0] * a.conj()


class NoConjugate(Product):
    @staticmethod
    def backward(ctx: Any, *cotangents: Any) -> Any:
        a, b = ctx.saved_tensors
        return cotangents[0] * b, cotangents[0] * a.conj()


class ModReLU(torch.autograd.Function):
    """relu(|z| + b)·z/|z|, of a complex z and a real b."""

    @staticmethod
    def forward(ctx: Any, z: Any, b: Any) -> Any:
        ctx.save_for_backward(z, b)
        return torch.relu(z.abs() + b) * z / z.abs()

    @staticmethod
    def backward(ctx: Any, *cotangents: Any) -> Any:
        (z, b), (c,) = ctx.saved_tensors, cotangents
        size = z.abs()
        active, unit = (size + b > 0).to(size.dtype), z / size
        along = (c * unit.conj()).real
        return active * ((1 + b / size) * c - b / size * along * unit), active * along


class OfTheSize(ModReLU):
    @staticmethod
    def backward(ctx: Any, *cotangents: Any) -> Any:
        (z, b), (c,) = ctx.saved_tensors, cotangents
        active = (z.abs() + b > 0).to(b.dtype)
        return active * (1 + b / z.abs()) * c, active * (c * (z / z.abs()).conj()).real


@pytest.mark.parametrize("dtype", [SINGLE, DOUBLE])
def test_functions(dtype: Any) -> None:
    a, b = torch.randn(3, dtype=dtype), torch.randn(3, dtype=dtype)
    assert check_function(Product, a, b).verdict == "agree"
    report = check_function(NoConjugate, a, b, points=2)
    assert report.verdict == "disagree"
    assert {leaf.path for leaf in report.leaves if leaf.verdict == "disagree"} == {
        "a.real",
        "a.imag",
    }
    code = report.counterexample.as_code()
    assert f"dtype={dtype}" in code
    compile(code, "counterexample", "exec")


def test_a_complex_activation_with_a_real_bias() -> None:
    z, b = torch.randn(4, dtype=DOUBLE), torch.tensor([0.1, -0.2, 0.3, -5.0], dtype=torch.float64)
    report = check_function(ModReLU, z, b)
    assert report.verdict == "agree", str(report)
    assert [leaf.path for leaf in report.leaves] == ["z.real", "z.imag", "b"]
    assert check_function(OfTheSize, z, b, points=2).verdict == "disagree"
    assert check_function(ModReLU, z, b, cotangent=torch.randn(4, dtype=DOUBLE)).verdict == "agree"


@of_transforms
def test_a_filter_of_real_signals() -> None:
    def filtered(x: Any, w: Any) -> Any:
        return torch.fft.irfft(torch.fft.rfft(x) * w, n=x.shape[-1])

    x, w = torch.randn(2, 6, dtype=torch.float64), torch.randn(4, dtype=DOUBLE)
    assert check_function(filtered, x, w, points=2).verdict == "agree"


def test_the_convention() -> None:
    def loss(z: Any) -> Any:
        return (torch.fft.fft(z, norm="ortho").abs() ** 2).sum()

    z = torch.randn(3, dtype=DOUBLE)
    assert check_gradient(lambda z: 2 * z, loss, z, points=1).verdict == "agree"
    assert check_gradient(lambda z: 2 * z.conj(), loss, z, points=1, convention="jax")
    report = check_gradient(lambda z: 2 * z.conj(), loss, z, points=1)
    assert [d.kind for d in report.diagnoses] == ["convention"]
    assert 'pass convention="jax"' in report.diagnoses[0].says

    class Sine(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, z: Any) -> Any:
            ctx.save_for_backward(z)
            return torch.sin(z)

        @staticmethod
        def backward(ctx: Any, *cotangents: Any) -> Any:
            return cotangents[0] * torch.cos(ctx.saved_tensors[0])

    report = check_function(Sine, z, points=0)
    assert report.diagnoses[0].says.endswith("PyTorch's is that of its rules: take the conjugate")


def test_modules_and_steps() -> None:
    module = torch.nn.Linear(2, 3, dtype=DOUBLE)

    def loss(module: Any, x: Any) -> Any:
        return (module(x).abs() ** 2).sum()

    def gradient(module: Any, x: Any) -> None:
        loss(module, x).backward()

    report = check_gradient(gradient, loss, module, torch.randn(5, 2, dtype=DOUBLE), points=1)
    assert report.verdict == "agree", str(report)
    assert {leaf.path for leaf in report.leaves} >= {"weight.real", "weight.imag", "bias.imag"}

    def forward(a: Any, z: Any) -> Any:
        return a @ z, (a, z)

    def backward(c: Any, cache: Any) -> Any:
        return torch.outer(c, cache[1].conj()), cache[0].mH @ c

    at = torch.randn(3, 2, dtype=DOUBLE), torch.randn(2, dtype=DOUBLE)
    assert check_backward(forward, backward, *at, points=1).verdict == "agree"
    assert check_backward(forward, backward, *at, points=1, convention="jax").verdict == "disagree"


DATA = torch.tensor([1 + 2j, 0.5 - 1j, 3j, 0.2, -1 - 1j, 0.7 + 0.1j], dtype=DOUBLE)

OPERATIONS = {
    "polar": lambda z: torch.polar(z.abs(), z.angle()) * 1j,
    "parts": lambda z: torch.complex(z.real * 2, z.imag**2) + torch.view_as_real(z).sum(),
    "views": lambda z: torch.view_as_complex(torch.view_as_real(z.conj().resolve_conj()).flip(-1)),
    "conjugates": lambda z: (z.conj().imag + z.reshape(2, 3).mH.conj().imag.sum()) * z.conj(),
    "functions": lambda z: torch.exp(z) * torch.sin(z) + torch.tanh(z).sqrt() - torch.log(z),
    "direction": lambda z: torch.sgn(z) + z.reciprocal() + z**3 + z ** (0.5 + 0.2j),
    "matmul": lambda z: z.reshape(2, 3) @ z.reshape(3, 2).conj() + torch.vdot(z, z * 1j),
    "norm": lambda z: torch.linalg.vector_norm(z) + z.mean() + z.prod() + z.cumsum(0),
    "solve": lambda z: torch.linalg.solve(z[:4].reshape(2, 2), z[4:]),
    "fft": lambda z: torch.fft.ifft2(torch.fft.fft2(z.reshape(2, 3), norm="ortho") ** 2),
    "rfft": lambda z: torch.fft.irfft2(torch.fft.rfft2(z.abs().reshape(2, 3)) * (1 + 2j), (2, 3)),
    "hfft": lambda z: torch.fft.hfft(z, norm="forward") * torch.fft.ihfft(z.real)[0],
    "conjugated data": lambda z: z * (DATA.conj() * 2) + torch.fft.irfft(DATA.conj()).sum(),
    "parts of conjugated data": lambda z: (
        z * (DATA.reshape(2, 3).mH @ DATA[:2]).sum() + DATA.conj().imag * 2
    ),
    "writes to conjugated data": lambda z: _written(DATA.clone()) * z,
}


def _written(x: Any) -> Any:
    conjugate = x.conj()
    conjugate.mul_(2)
    x.add_(1j)
    return x * conjugate


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=of_transforms) if n in ("fft", "rfft") else n for n in OPERATIONS],
)
def test_an_operation(name: str) -> None:
    """PyTorch's own derivative, which is right, and its values, by the table and by PyTorch."""
    z = torch.tensor(
        [0.3 + 0.7j, -0.4 + 1.1j, 0.9 - 0.6j, 1.2 + 0.2j, -0.8 - 0.5j, 0.5 - 1.3j], dtype=DOUBLE
    )
    assert gradcheck(OPERATIONS[name], (z.requires_grad_(),), check_undefined_grad=False)
