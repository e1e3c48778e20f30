"""A mistake in what gives a hint alone costs a user that hint, and no more."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from handgrad import check_gradient
from handgrad.data.attempts import VARIABLE, InternalError
from handgrad.diagnosis import links


def test_a_mistake_in_a_diagnosis_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def found() -> Any:
        yours = lambda x: 2 * x + np.tanh(x)  # noqa: E731 (it is wrong)
        return check_gradient(yours, lambda x: jnp.sum(x * x), np.array([0.5, -1.0]), points=2)

    monkeypatch.setattr(links, "RULES", (None, *links.RULES))
    with pytest.raises(InternalError):
        _ = found().findings
    monkeypatch.delenv(VARIABLE)
    assert found().findings[0].kind == "unknown"
