"""`handgrad check` on a file in PyTorch."""

import sys
from pathlib import Path

import pytest

from handgrad import cli

MINE = """
from tests.torch_installed import torch

x = torch.tensor([[1.0, 2.0], [3.0, -1.0], [0.5, 0.25]]).double()
torch.manual_seed(0)
model = torch.nn.Linear(2, 1).double()


def loss(model, x):
    return model(x).tanh().pow(2).mean()


def gradient(model, x):
    loss(model, x).backward()


def halved(model, x):
    gradient(model, x)
    return {name: p.grad / 2 for name, p in model.named_parameters()}


example = (model, x)
"""


@pytest.mark.parametrize(
    ("gradient", "ending", "says"),
    [("gradient", 0, "agree: every element is right"), ("halved", 1, "Kind: factor")],
)
def test_a_module_in_a_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    gradient: str,
    ending: int,
    says: str,
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
    assert (ended.value.code or 0) == ending
    assert says in shown
    assert "weight" in shown
