"""The list of all errata, in their order."""

from compare.errata import descent, loss, neurons, regression
from compare.errata.entry import Erratum

_MODULES = (loss, descent, regression, neurons)
_ALL = [of for module in _MODULES for of in vars(module).values() if isinstance(of, Erratum)]

ERRATA: tuple[Erratum, ...] = tuple(sorted(_ALL, key=lambda erratum: erratum.number))
