"""Where the operations of a program come from: the caller's line, and the library's function."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from handgrad.data.frames import is_handgrads, is_own

#: Internal files of JAX, and of PyTorch, between a caller and public functions and operators.
MACHINERY = frozenset(
    {"traceback_util.py", "pjit.py", "api.py", "array_methods.py", "custom_derivatives.py"}
    | {"ufunc_api.py", "core.py", "partial_eval.py", "source_info_util.py"}
    | {"eval_frame.py", "_compile.py"}
)

#: The same between a caller and the operations of PyTorch.
_MACHINERY_OF_TORCH = frozenset({"overrides.py", "_compile.py", "eval_frame.py", "_ops.py"})


@dataclass(frozen=True, eq=False)
class Source:
    """The line of the caller's own code that an operation comes from."""

    file: str
    line: int
    instruction: int  #: the bytecode offset, which tells the operations of a line apart


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a library function: softplus, logsumexp."""

    name: str


def library_function(eqn: Any, inner: Any) -> Call | None:
    """Return the call, if the function is not the caller's own."""
    info = getattr(getattr(inner, "jaxpr", inner), "debug_info", None)
    where = str(getattr(info, "func_src_info", "")).rpartition(" at ")[2].rpartition(":")[0]
    if info is None or not where or is_own(where):
        return None
    name = eqn.params.get("name") or str(info.func_src_info).split(" ")[0]
    return Call(str(name).strip("_"))


class CallSite(NamedTuple):
    """A call of a library function in the caller's own code."""

    code: Any
    instruction: int  #: the bytecode offset, which tells calls apart
    function: str


def library_call_site(eqn: Any) -> CallSite | None:
    """Return where the caller's own code calls the library function that an operation is in."""
    traceback, function = getattr(eqn.source_info, "traceback", None), ""
    codes, instructions = traceback.raw_frames() if traceback else ((), ())
    for code, instruction in zip(codes, instructions, strict=True):
        if is_own(code.co_filename):
            return CallSite(code, instruction, function) if function else None
        if not _is_machinery(code):
            function = _name_of(code)
    return None


def _is_machinery(code: Any) -> bool:
    """Tell whether a function of a library is none that a caller would know by name."""
    path = Path(code.co_filename)
    if is_handgrads(code.co_filename):
        inside = path.parent.name != "operations"  # which are PyTorch's functions
    else:
        inside = path.name in MACHINERY or path.name in _MACHINERY_OF_TORCH
    return inside or code.co_name.startswith(("_", "<"))


def _name_of(code: Any) -> str:
    """Return the name of a function of a library; that of the class, of a module of PyTorch's."""
    module = "torch" in Path(code.co_filename).parts and code.co_name == "forward"
    return code.co_qualname.split(".")[0] if module else code.co_name


def source_of(eqn: Any) -> Source | None:
    """Return the innermost line of the caller's own code that an operation comes from."""
    traceback = getattr(eqn.source_info, "traceback", None)
    instructions = traceback.raw_frames()[1] if traceback else ()
    for frame, instruction in zip(getattr(traceback, "frames", ()), instructions, strict=True):
        if is_own(frame.file_name):
            return Source(frame.file_name, frame.line_num, instruction)
    return None
