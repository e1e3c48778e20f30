"""The parts of the attack, and what each tells in docs/reliability.md: a new part is a row here."""

from collections.abc import Callable
from typing import NamedTuple

import click

from tests.attack.extremes.command import extremes
from tests.attack.extremes.command import section as of_extremes
from tests.attack.faults.command import faults
from tests.attack.faults.command import section as of_faults
from tests.attack.foreign.command import foreign
from tests.attack.foreign.section import section as of_foreign
from tests.attack.hostile.command import hostile
from tests.attack.hostile.section import section as of_hostile
from tests.attack.platforms.command import platforms
from tests.attack.platforms.command import section as of_platforms
from tests.attack.programs.command import programs
from tests.attack.programs.section import section as of_programs


class Part(NamedTuple):
    """A command that attacks and stores, and the section made from what it stored."""

    command: click.Command
    section: Callable[[], str]


PARTS = (
    Part(programs, of_programs),
    Part(foreign, of_foreign),
    Part(hostile, of_hostile),
    Part(faults, of_faults),
    Part(extremes, of_extremes),
    Part(platforms, of_platforms),
)
