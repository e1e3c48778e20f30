"""Tensors as arrays, and arrays as tensors."""

import ml_dtypes
import numpy as np
import pytest

from handgrad.program.aten.tensors import is_module, is_tensor, to_array, to_tensor
from tests.torch_installed import torch

FORMATS = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]
FORMATS += ["complex64", "complex128", "bfloat16", "float8_e4m3fn", "float8_e5m2"]


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_is_kept(name: str) -> None:
    tensor = torch.tensor([0.0, 1.0, -1.5, 0.3]).abs().to(getattr(torch, name))
    array = to_array(tensor)
    assert array.dtype == np.dtype(getattr(ml_dtypes, name, name))
    assert to_tensor(array).dtype is tensor.dtype
    assert array.astype(complex).tolist() == tensor.to(torch.complex128).tolist()
    assert to_tensor(array).to(torch.complex128).tolist() == tensor.to(torch.complex128).tolist()


def test_what_is_no_plain_memory_is_made_so() -> None:
    z = torch.tensor([1 + 2j, 3 - 1j], requires_grad=True)
    assert to_array(z.conj()).tolist() == [1 - 2j, 3 + 1j]
    assert to_array(z.conj().imag).tolist() == [-2, 1]
    assert to_array(torch.eye(2).to_sparse()).tolist() == [[1, 0], [0, 1]]
    half = torch.ones(2, 3, dtype=torch.bfloat16).T[1:]
    assert to_array(half).shape == (2, 2)


def test_memory_is_shared_where_it_can_be_written() -> None:
    array = np.zeros((3, 2))
    to_tensor(array)[1] += 2
    assert array.tolist() == [[0, 0], [2, 2], [0, 0]]
    half = np.zeros(3, ml_dtypes.bfloat16)
    to_tensor(half)[1] = 3
    assert half.tolist() == [0, 3, 0]
    array.flags.writeable = False
    to_tensor(array)[0] += 2
    assert array[0].tolist() == [0, 0]
    assert to_tensor(np.arange(3.0)[::-1]).tolist() == [2, 1, 0]
    assert to_tensor(np.float32(2.5)).shape == ()


def test_tensors_and_modules_are_told_from_arrays() -> None:
    assert is_tensor(torch.ones(2))
    assert is_tensor(torch.nn.Parameter(torch.ones(2)))
    assert not is_tensor(np.ones(2))
    assert is_module(torch.nn.Linear(2, 3))
    assert not is_module(torch.nn.Linear)
