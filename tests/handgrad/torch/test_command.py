"""`handgrad check` on a file in PyTorch."""

import sys
from pathlib import Path
from typing import Any

import pytest

from handgrad import cli

MINE = """
import torch

x = torch.tensor([[1.0, 2.0], [3.0, -1.0], [0.5, 0.25]]).double()
torch.manual_seed(0)
model = torch.nn.Linear(2, 1).double()


def loss(model, x):
    return model(x).tanh().pow(2).mean()


def right(model, x):
    loss(model, x).backward()


def halved(model, x):
    right(model, x)
    return {name: p.grad / 2 for name, p in model.named_parameters()}


example = (model, x)
"""


@pytest.mark.parametrize(
    ("gradient", "ending", "says"), [("right", 0, "agree: every element"), ("halved", 1, "factor")]
)
def test_a_module_in_a_file(
    tmp_path: Path, monkeypatch: Any, capsys: Any, gradient: str, ending: int, says: str
) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    words = ["check", f"mine.py:{gradient}", "--loss", "loss", "--like", "example", "--points", "1"]
    monkeypatch.setattr(sys, "argv", ["handgrad", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    sys.modules.pop("mine", None)
    shown = str(capsys.readouterr().out)
    assert (ended.value.code or 0, says in shown, "weight" in shown) == (ending, True, True)
