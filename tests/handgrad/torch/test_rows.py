"""Every case that needs torch is ruled as is due, as `tests.test_corpus` has it."""

from zlib import crc32

import pytest

from tests.corpus.due import assert_as_is_due
from tests.corpus.torch_rows import backward_passes, gradients, modules, second_order, untraced
from tests.corpus.torch_rows.truth import due
from tests.tiers import one_of_each

ROWS = (backward_passes, gradients, modules, second_order, untraced)
CASES = {case.name: case for rows in ROWS for case in rows.CASES}


@pytest.mark.parametrize(
    "name", one_of_each(CASES, [name for name in CASES if crc32(name.encode()) % 20 == 0])
)
def test_a_case_is_ruled_as_is_due(name: str) -> None:
    case = CASES[name]
    verdict = case.verdict or due(case)
    assert verdict, "differences cannot tell what is due: state the verdict"
    assert_as_is_due(case, verdict)


def test_each_has_a_name_of_its_own() -> None:
    assert len(CASES) == sum(len(rows.CASES) for rows in ROWS)
