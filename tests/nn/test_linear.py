"""The product without gradients against the layer itself."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from monde.nn import infer
from monde.nn.linear import Then


@pytest.mark.parametrize("then", ["none", "gelu"])
@pytest.mark.parametrize("bias", [True, False])
def test_it_gives_the_numbers_of_the_layer(then: Then, bias: bool) -> None:
    torch.manual_seed(0)
    layer, x = nn.Linear(24, 40, bias=bias), torch.randn(2, 5, 3, 24)
    expected = nn.functional.gelu(layer(x)) if then == "gelu" else layer(x)
    torch.testing.assert_close(infer(layer, x, then), expected, atol=0, rtol=0)  # gradients are asked for
    with torch.no_grad():
        torch.testing.assert_close(infer(layer, x, then), expected, atol=1e-6, rtol=1e-5)
        strided = x.transpose(0, 1)
        torch.testing.assert_close(infer(layer, strided, then), expected.transpose(0, 1), atol=1e-6, rtol=1e-5)
        with torch.autocast("cpu", torch.bfloat16):
            found = infer(layer, x, then)
        assert found.dtype == torch.bfloat16
        torch.testing.assert_close(found.float(), expected, atol=0.03, rtol=0.03)


def test_some_of_the_outputs() -> None:
    layer, x = nn.Linear(4, 6), torch.randn(3, 4)
    torch.testing.assert_close(infer(layer, x, rows=slice(2, 5)), layer(x)[:, 2:5])
    with torch.no_grad():
        torch.testing.assert_close(infer(layer, x, "gelu", slice(2, 5)), nn.functional.gelu(layer(x))[:, 2:5])


def test_nothing_to_multiply() -> None:
    layer = nn.Linear(4, 6)
    with torch.no_grad():
        assert infer(layer, torch.empty(0, 4), "gelu").shape == (0, 6)


def test_gradients_reach_the_weights() -> None:
    layer = nn.Linear(4, 6)
    infer(layer, torch.randn(3, 4), "gelu").sum().backward()
    assert layer.weight.grad is not None


COMPILED = """
import torch
from torch import nn
from monde.nn import infer
layer, x = nn.Linear(4, 6), torch.randn(3, 4)
with torch.no_grad():
    found = torch.compile(lambda x: infer(layer, x, "gelu"), backend="aot_eager", fullgraph=True)(x)
    torch.testing.assert_close(found, nn.functional.gelu(layer(x)), atol=1e-6, rtol=1e-5)
"""


def test_it_can_be_compiled() -> None:
    """oneDNN's operator cannot be taken in by the compiler, which raised. In a process without runtime type checks:
    the compiler does not follow those."""
    done = subprocess.run([sys.executable, "-c", COMPILED], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
