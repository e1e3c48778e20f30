"""A derivative with its function and example, and what was found of them."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from handgrad.commands.targets import again, example_of, judged
from handgrad.data.findings import NotJudged


@dataclass(frozen=True)
class Pair:
    """A derivative with its function and its example; called with options, it is judged."""

    name: str
    derivative: Any
    function: Any
    like: Any
    where: str  #: the example's place, for messages
    #: Derivative, function and example as `handgrad check` names them, if they have names.
    named: tuple[str, str, str] | None = None
    options: dict[str, Any] = field(default_factory=dict)  #: its own
    kind: str = "gradient"  #: one of `handgrad.marks.OPTIONS`

    def __call__(self, **options: Any) -> Any:
        """Judge it; raises as the check of its kind, and `BadInput` if there is no example."""
        point, options = example_of(self.like, self.where), options | self.options
        command = again(*self.named, options | {"kind": self.kind}) if self.named else ""
        return judged(self.kind, self.derivative, self.function, point, options, command)


class Discovered(NamedTuple):
    """What was found: checks by their names, and what cannot be judged."""

    checks: dict[str, Any]
    not_judged: list[NotJudged]
