# pyright: reportMissingImports=false
"""A wrong backward pass in torch: the local response normalization `torch.nn.CrossMapLRN2d`.

It divides each channel by (k + α/size · Σ x²)^β, where the sum goes over `size` channels around it.
Its backward pass, in Python, sums over channels that are shifted by one: `inversePrePad` counts
from 1, as Lua does, from which it comes, and `narrow` counts from 0 (seen in torch 2.6.0 to
2.15.0). That of `torch.nn.functional.local_response_norm`, which is the reference here, is right.

Where there are more channels than (size + 1)/2, the forward pass is another function, too: the
first channel stays in all sums, since it is taken out for `c > pre_pad` and not from there on.

The channels are coupled by a term of the size αβ/size. torch's own test of this module has
α = 5e-3 and β = 1e-3, for which `gradcheck` finds no difference.
"""

import torch
from torch.nn.functional import local_response_norm
from torch.nn.modules._functions import CrossMapLRN2d

from handgrad.report import GradientReport
from handgrad.torch import check_function

SIZE, K = 5, 1.0


def channels(n: int) -> torch.Tensor:
    """Return two images of 1 × 2 pixels with n channels."""
    x = torch.randn(2, n, 1, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return x.requires_grad_()


def reference(x: torch.Tensor, size: int, alpha: float, beta: float, k: float) -> torch.Tensor:
    """Compute the same in torch's functions."""
    return local_response_norm(x, size, alpha, beta, k)


def report(n: int = 3, alpha: float = 0.3, beta: float = 0.75) -> GradientReport:
    """Check the backward pass for so many channels."""
    return check_function(
        CrossMapLRN2d, channels(n), SIZE, alpha, beta, K, reference=reference, points=0
    )


def passes_gradcheck(alpha: float, beta: float) -> bool:
    """Return what torch's own check says."""

    def normalized(x: torch.Tensor) -> torch.Tensor:
        return CrossMapLRN2d.apply(x, SIZE, alpha, beta, 2.0)

    return torch.autograd.gradcheck(normalized, channels(3), raise_exception=False)


if __name__ == "__main__":
    print("torch, CrossMapLRN2d with three channels:", report(), sep="\n\n")
    print("\nWith five channels:", report(5), sep="\n\n")
    for alpha, beta in ((5e-3, 1e-3), (0.3, 0.75)):
        print(f"\ngradcheck with alpha={alpha}, beta={beta}: {passes_gradcheck(alpha, beta)}")
