"""The shared layers: attention against torch's own, batch norm against torch's own, positions, ensembles."""

import pytest
import torch
from torch import nn

from monde.nn import BatchNorm, EnsembleMLP, sincos_2d
from monde.nn.attention import Attention
from monde.nn.positions import rotate


def test_attention_equals_torchs_own() -> None:
    torch.manual_seed(0)
    ours = Attention(32, 4)
    theirs = nn.MultiheadAttention(32, 4, batch_first=True)
    theirs.in_proj_weight.data.copy_(ours.qkv.weight)
    theirs.in_proj_bias.data.copy_(ours.qkv.bias)
    theirs.out_proj.load_state_dict(ours.out.state_dict())
    x = torch.randn(2, 5, 32)
    causal = torch.ones(5, 5).tril().bool()
    expected, _ = theirs(x, x, x, attn_mask=~causal)
    torch.testing.assert_close(ours(x, mask=causal)[0], expected)


def test_rotation_keeps_lengths_and_sees_only_differences() -> None:
    torch.manual_seed(0)
    q, k = torch.randn(1, 16), torch.randn(1, 16)

    def score(a: float, b: float) -> torch.Tensor:
        return rotate(q, torch.tensor([float(a)])) @ rotate(k, torch.tensor([float(b)])).T

    torch.testing.assert_close(rotate(q, torch.tensor([7.0])).norm(), q.norm())
    torch.testing.assert_close(score(2, 5), score(12, 15))
    assert not torch.allclose(score(2, 5), score(2, 6))


def test_grid_positions_are_all_different() -> None:
    codes = sincos_2d(6, 7, 32)
    assert codes.shape == (42, 32)
    assert torch.pdist(codes).min() > 0.1


@pytest.mark.parametrize("shape", [(64, 8), (16, 8, 4, 4)])
def test_batch_norm_equals_torchs_own(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    ours = BatchNorm(8)
    theirs = nn.BatchNorm1d(8) if len(shape) == 2 else nn.BatchNorm2d(8)
    for _ in range(3):
        x = torch.randn(shape) * 3 + 1
        torch.testing.assert_close(ours(x), theirs(x))
    ours.eval(), theirs.eval()
    torch.testing.assert_close(ours(x), theirs(x))


def test_ensemble_members_are_independent() -> None:
    torch.manual_seed(0)
    ensemble = EnsembleMLP(3, 4, 8, 2)
    x = torch.randn(5, 4)
    before = ensemble(x)
    with torch.no_grad():
        ensemble.up[1].zero_()
    after = ensemble(x)
    assert torch.equal(before[0], after[0])
    assert torch.equal(before[2], after[2])
    assert not torch.equal(before[1], after[1])
    torch.testing.assert_close(ensemble.each(x.expand(2, 5, 4)), after[:2])
