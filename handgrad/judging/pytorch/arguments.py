"""The arguments of a function of PyTorch, taken apart: its tensors, their names, and all else."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any, ParamSpec, Self, TypeVar

import jax

from handgrad.data.names import Names, argument_names, numbered
from handgrad.data.point import shortly
from handgrad.judging.case import check_function
from handgrad.judging.pytorch.leaves import unused
from handgrad.program.aten.installed import torch
from handgrad.program.aten.tensors import is_tensor

#: pytest hides these frames, so that an error in a caller's function is shown there.
__tracebackhide__ = True

_Options = ParamSpec("_Options")
_Report = TypeVar("_Report")

#: What a derivative rule is a subclass of.
Function: Any = torch.autograd.Function


@dataclass(frozen=True, eq=False)
class CallArguments:
    """The arguments of a call, in any nesting."""

    leaves: tuple[Any, ...]  #: the caller's own, tensors among them
    tree: Any
    places: tuple[int, ...]  #: of the tensors among the leaves
    names: tuple[str, ...]  #: of the tensors
    positions: tuple[int, ...]  #: of the arguments that each tensor is, or is in
    of_all: tuple[str, ...]  #: the names of all arguments

    @classmethod
    def of(cls, args: tuple[Any, ...], names: tuple[str, ...]) -> Self:
        """Take arguments of these names apart."""
        found, tree = jax.tree_util.tree_flatten_with_path(args)
        places = tuple(i for i, (_, leaf) in enumerate(found) if is_tensor(leaf))
        named = Names(inputs=names)
        return cls(
            tuple(leaf for _, leaf in found),
            tree,
            places,
            tuple(named.in_inputs(found[i][0]) for i in places),
            tuple(found[i][0][0].idx for i in places),
            names,
        )

    @property
    def tensors(self) -> list[Any]:
        """The caller's tensors."""
        return [self.leaves[i] for i in self.places]

    def together(self, tensors: Iterable[Any]) -> tuple[Any, ...]:
        """Return the arguments with other tensors, or arrays, and with copies of generators."""
        replaced = [unused(leaf) for leaf in self.leaves]
        for place, tensor in zip(self.places, tensors, strict=True):
            replaced[place] = tensor
        return jax.tree_util.tree_unflatten(self.tree, replaced)

    def nested(self, k: int) -> bool:
        """Tell whether a tensor is inside an argument, and is none itself."""
        return self.names[k] != self.of_all[self.positions[k]]

    @property
    def floating(self) -> tuple[int, ...]:
        """The numbers of the tensors of real or complex floats."""
        pairs = enumerate(self.tensors)
        return tuple(k for k, x in pairs if x.is_floating_point() or x.is_complex())

    def chosen(self, wrt: Any, requiring_grad: bool = False) -> tuple[int, ...]:
        """Return the numbers of the tensors that are judged: all of floats, or those of `wrt`.

        Args:
            wrt: names or positions; None for all.
            requiring_grad: whether only tensors that require grad are judged.

        Raises:
            ValueError: `wrt` names none.
            TypeError: none holds floats.
        """
        tensors = self.tensors
        found = list(self.floating)
        if wrt is not None:
            wanted = [wrt] if isinstance(wrt, str | int) else list(wrt)
            found = sorted({k for one in wanted for k in self._named(one, found)})
        if requiring_grad:
            found = [k for k in found if tensors[k].requires_grad]
        if not found:
            got = ", ".join(self.of_all) or "no arguments"
            what = "of floats that requires grad" if requiring_grad else "of floats"
            raise TypeError(f"{got}: got no tensor {what}, expected one to judge")
        return tuple(found)

    def _named(self, one: Any, floating: Sequence[int]) -> list[int]:
        if isinstance(one, int) and not isinstance(one, bool):
            at = one % len(self.of_all) if -len(self.of_all) <= one < len(self.of_all) else None
            found = [k for k in floating if self.positions[k] == at]
        else:
            found = [k for k in floating if one in (self.names[k], self.of_all[self.positions[k]])]
        if not found:
            names = (
                ", ".join(self.names[k] for k in floating) or "no tensor: no argument has floats"
            )
            raise ValueError(f"wrt: got {one!r}, expected names or positions among {names}")
        return found


def naming_options(check: Callable[_Options, _Report]) -> Callable[_Options, _Report]:
    """Say of a check's keyword that is none of its options how F gets its arguments."""
    options = signature(check).parameters

    @wraps(check)
    def checked(*args: _Options.args, **given: _Options.kwargs) -> _Report:
        for name in (name for name in given if name not in options):
            raise TypeError(
                f"{name}: no option of {check.__name__}; if it is an argument of F, pass it by "
                f"position, or in a function around F: lambda *args: F(*args, {name}=...)"
            )
        return check(*args, **given)

    return checked


def arguments_of(f: Any, args: tuple[Any, ...]) -> CallArguments:
    """Take the arguments of a call of f apart.

    Raises:
        TypeError: f is no function, or takes other arguments.
    """
    if not callable(f):
        raise TypeError(f"F: got {shortly(f)}, expected a torch.autograd.Function, or a function")
    called = signature_of(f)
    check_function("F", called, args, "F(*args)")
    return CallArguments.of(args, argument_names(called, len(args), numbered("args", len(args))))


def rule_of(f: Any) -> Any:
    """Return the class of a function's derivative rule: f, or that of `f.apply`; or None."""
    f = getattr(f, "__self__", f) if getattr(f, "__name__", "") == "apply" else f
    return f if isinstance(f, type) and issubclass(f, Function) else None


def name_of(f: Any) -> str:
    """Return what messages call a function."""
    return getattr(rule_of(f) or f, "__name__", type(f).__name__)


def dtype_of(tensor: Any) -> str:
    """Return the name of a tensor's dtype."""
    return str(tensor.dtype).removeprefix("torch.")


def signature_of(f: Any) -> Callable[..., Any]:
    """Return a function with the arguments that a call of f has, by their names."""
    rule = rule_of(f)
    if rule is None:
        return f.forward if isinstance(f, torch.nn.Module) else f
    try:
        parameters = list(signature(rule.forward).parameters.values())
    except ValueError:  # of a function in C, such as torch.tanh
        name = f"{rule.__name__}.forward"
        what = f"F: {name} has no signature, which PyTorch asks it for; expected a def around it"
        raise TypeError(what) from None
    takes_context = rule.setup_context is Function.setup_context
    if takes_context and parameters and parameters[0].kind is not Parameter.VAR_POSITIONAL:
        parameters = parameters[1:]

    def forward(*_: Any) -> None:
        """Stand for the call."""

    vars(forward)["__signature__"] = Signature(parameters)
    return forward
