"""Modules of PyTorch: the forms of their gradients, their hooks, and what is refused."""

from collections.abc import Callable
from typing import Any

from handgrad import check_gradient
from tests.corpus.case import cases
from tests.corpus.torch_rows.backward_passes import agrees, fails, stops, unknown
from tests.corpus.torch_rows.gradients import gradients
from tests.torch_installed import torch

nn: Any = torch.nn

torch.manual_seed(4)
X, LABELS = torch.randn(4, 3), torch.tensor([0, 1, 1, 0])


def square(module: Any, *inputs: Any) -> Any:
    out = module(*inputs)
    return torch.tanh(out[0] if isinstance(out, tuple) else out).abs().square().sum()


def of_square(module: Any, *inputs: Any) -> None:
    square(module, *inputs).backward()


def entropy(module: Any, x: Any, y: Any) -> Any:
    return nn.functional.cross_entropy(module(x), y)


def filling(module: Any, x: Any, y: Any) -> None:
    entropy(module, x, y).backward()


class Unused(nn.Module):
    """A layer, a weight that forward does not use, and one that requires no grad."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((3,), 0.75), requires_grad=False)
        self.layer = nn.Linear(3, 2)
        self.unused = nn.Parameter(torch.ones(2))

    def forward(self, x: Any) -> Any:
        return self.layer(x * self.scale)


class Tied(nn.Module):
    """One weight under two names, and in a list."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(5, 3)
        self.head = nn.Linear(3, 5, bias=False)
        self.head.weight = self.embedding.weight
        self.all = [self.embedding.weight]
        self.calls = 0

    def forward(self, x: Any) -> Any:
        self.calls += 1
        self.last = x
        return self.head(self.embedding(torch.tensor([0, 3]))) + self.all[0].sum() + x


def judged(module: Any) -> Any:
    return [(n, p) for n, p in module.named_parameters() if p.requires_grad]


def giving(grads: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return a gradient that is read of the parameters after a backward pass."""

    def gradient(module: Any, x: Any, y: Any) -> Any:
        filling(module, x, y)
        return grads(module)

    return gradient


def with_number(module: Any, x: Any, y: Any) -> Any:
    value = entropy(module, x, y)
    value.backward()
    return value.item()


def updating(module: Any) -> None:
    """As a step of descent does."""
    with torch.no_grad():
        module.get_submodule("layer").weight.mul_(2)


def scaled(module: Any, x: Any, y: Any) -> None:
    filling(module, x, y)
    module.layer.weight.grad *= 5


def doubled_by(name: str, hook: Any) -> Any:
    module = nn.Linear(3, 2)
    getattr(module.weight, name)(hook)
    return module


DROPPED = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5))


def tensor(*shape: int) -> Any:
    return torch.randn(*shape, dtype=torch.float64)


#: A module, and its inputs.
MODULES: dict[str, tuple[Any, ...]] = {
    "mlp": (nn.Sequential(nn.Linear(4, 3), nn.GELU(), nn.LayerNorm(3)), tensor(5, 4)),
    "batch norm": (nn.BatchNorm1d(4), tensor(5, 4)),
    "batch norm in evaluation": (nn.BatchNorm1d(4).eval(), tensor(5, 4)),
    "batch norm by an average": (nn.BatchNorm1d(4, momentum=None), tensor(5, 4)),
    "convolution": (nn.Conv2d(2, 4, 3, stride=2, padding=1, groups=2), tensor(2, 2, 5, 7)),
    "lstm": (nn.LSTM(4, 3, num_layers=2, bidirectional=True), tensor(5, 2, 4)),
    "gru": (nn.GRU(4, 3), tensor(5, 2, 4)),
    "attention": (nn.MultiheadAttention(6, 2), *[tensor(5, 2, 6)] * 3),
    "block": (nn.TransformerEncoderLayer(6, 2, 8, 0.0).eval(), tensor(5, 2, 6)),
    "weight norm": (nn.utils.parametrizations.weight_norm(nn.Linear(4, 3)), tensor(5, 4)),
    "one weight in two places": (Tied(), tensor(2, 5)),
    "in one operation": (nn.Sequential(nn.Conv1d(1, 2, 2), nn.LSTM(4, 2)), tensor(3, 1, 5)),
    "complex": (nn.Linear(2, 3, dtype=torch.complex128), torch.randn(5, 2, dtype=torch.complex128)),
}
for of_reals, *_ in list(MODULES.values())[:-1]:
    of_reals.double()

CASES = [
    *[
        case
        for name, (module, *inputs) in MODULES.items()
        for case in gradients(f"a module, {name}", square, module, *inputs)(
            agrees("right, by autograd", of_square)
        )
    ],
    *gradients("a module that uses a part", entropy, Unused(), X, LABELS)(
        agrees("right, in grad", filling),
        *[
            agrees(f"right, {name}", giving(grads))
            for name, grads in {
                "by name": lambda m: {n: p.grad for n, p in judged(m)},
                "all by name": lambda m: {n: p.grad for n, p in m.named_parameters()},
                "in order": lambda m: [p.grad for _, p in judged(m)],
                "all in order": lambda m: [p.grad for p in m.parameters()],
            }.items()
        ],
        fails(
            "one for what requires none",
            giving(lambda m: [torch.zeros(3), *[p.grad for p in m.parameters()][1:]]),
            "scale",
        ),
        fails("one too few", giving(lambda m: [m.layer.weight.grad]), kinds=("structure",)),
        fails("five times too much", scaled, "layer.weight", kinds=("factor",)),
        fails("updated", giving(updating), "layer.weight", kinds=("mutation",)),
        fails(
            "the loss, and grad",
            with_number,
            "returned a number and has filled .grad; expected None, or (loss, grads) with has_va",
        ),
    ),
    *gradients("a module and its loss", entropy, Unused(), X, LABELS, has_value=True)(
        agrees("right", lambda *at: (with_number(*at), None))
    ),
    *[
        case
        for name, hook in (
            ("register_hook", lambda g: 2 * g),
            ("register_post_accumulate_grad_hook", lambda p: setattr(p, "grad", 2 * p.grad)),
        )
        for case in gradients(f"with {name}", entropy, doubled_by(name, hook), X, LABELS)(
            fails("doubled", filling, "weight")
        )
    ],
    *gradients("a module with dropout", entropy, DROPPED, X, LABELS)(
        unknown("by autograd", filling, "call torch.manual_seed(0) inside it, or eval()")
    ),
    *gradients("a module with dropout in a closure", lambda x: DROPPED(x).square().sum(), X)(
        unknown("nothing", torch.zeros_like, "draws from PyTorch's generator")
    ),
    *[
        case
        for module, says in (
            (nn.Tanh(), "Tanh: got no parameter that requires grad"),
            (nn.LazyLinear(2), "LazyLinear: weight has no shape yet; call the module"),
            (nn.Linear(3, 2, device="meta"), "Linear: weight is on the device meta, expected"),
        )
        for case in cases(f"refused, {says}", check_gradient, entropy, module, X, LABELS)(
            stops("whichever", filling, says)
        )
    ],
]
