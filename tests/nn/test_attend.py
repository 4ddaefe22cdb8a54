"""Attention's fast ways against torch's own."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from monde.nn import Block, attend, attend_newest


def given(n: int, L: int, dtype: torch.dtype = torch.float32) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(2, 3, 4, length, 8, generator=generator).to(dtype) for length in (n, L, L)]


def plain(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    n, L = q.shape[-2], k.shape[-2]
    mask = torch.ones(n, L, dtype=torch.bool).tril(L - n)
    return functional.scaled_dot_product_attention(q.float(), k.float(), v.float(), mask)


@pytest.mark.parametrize(("n", "L"), [(1, 1), (1, 2), (1, 4), (3, 3), (2, 4), (1, 9), (5, 9)])
def test_the_newest_queries_see_what_is_before_them(n: int, L: int) -> None:
    q, k, v = given(n, L)
    torch.testing.assert_close(attend_newest(q, k, v), plain(q, k, v), atol=1e-6, rtol=1e-5)
    narrow = [tensor.bfloat16() for tensor in (q, k, v)]
    torch.testing.assert_close(attend_newest(*narrow).float(), plain(*narrow), atol=0.03, rtol=0.03)


@pytest.mark.parametrize("L", [1, 3, 9])
def test_the_first_of_all_needs_no_query(L: int) -> None:
    q, k, v = given(L, L)
    torch.testing.assert_close(attend_newest(q[..., 1:, :], k, v, lone=True), plain(q, k, v), atol=1e-6, rtol=1e-5)


def test_gradients_through_few_tokens() -> None:
    leaves, same = ([tensor.requires_grad_() for tensor in given(2, 3)] for _ in range(2))
    attend_newest(*leaves).square().sum().backward()
    plain(*same).square().sum().backward()
    for one, other in zip(leaves, same, strict=True):
        torch.testing.assert_close(one.grad, other.grad, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("masked", [False, True])
def test_plain_products_in_bfloat16(masked: bool) -> None:
    mask = torch.ones(7, 7, dtype=torch.bool).tril() if masked else None
    wide = [tensor.flatten(0, 1).requires_grad_() for tensor in given(7, 7)]
    narrow = [tensor.detach().bfloat16().requires_grad_() for tensor in wide]
    expected = functional.scaled_dot_product_attention(*wide, mask)
    found = attend(*narrow, mask)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), expected, atol=0.03, rtol=0.03)
    expected.square().sum().backward()
    found.float().square().sum().backward()
    for one, other in zip(narrow, wide, strict=True):
        assert one.grad is not None
        assert other.grad is not None
        torch.testing.assert_close(one.grad.float(), other.grad, atol=0.1, rtol=0.1)


def test_autocast_reaches_inputs_in_float32() -> None:
    q, k, v = (tensor.flatten(0, 1) for tensor in given(7, 7))
    with torch.autocast("cpu", torch.bfloat16):
        found = attend(q, k, v)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), functional.scaled_dot_product_attention(q, k, v), atol=0.03, rtol=0.03)


def test_the_first_token_alone_is_the_first_of_all() -> None:
    torch.manual_seed(0)
    block = Block(16, 2, 32)
    x, same = (torch.randn(3, 5, 16, generator=torch.Generator().manual_seed(1)).requires_grad_() for _ in range(2))
    found, expected = block.first(x), block(same)[:, 0]
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)
    found.square().sum().backward()
    alone = [parameter.grad for parameter in block.parameters()]
    block.zero_grad()
    expected.square().sum().backward()
    for one, other in zip([x.grad, *alone], [same.grad, *(p.grad for p in block.parameters())], strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)
