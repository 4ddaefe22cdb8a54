"""Every fast path against the plain one: cached rollouts equal recomputation, shared history equals copied history."""

import pytest
import torch
from torch import Tensor

from monde.dynamics import (
    Dynamics,
    MLPDynamics,
    MLPDynamicsConfig,
    RecurrentDynamics,
    RecurrentDynamicsConfig,
    TransformerDynamics,
    TransformerDynamicsConfig,
)
from monde.errors import ContractError
from monde.types import Belief

D, A = 8, 3


def make(kind: str, tokens: int = 1, window: int = 4) -> Dynamics:
    torch.manual_seed(0)
    dynamics: Dynamics
    if kind == "mlp":
        dynamics = MLPDynamics(MLPDynamicsConfig(latent=D, actions=A, hidden=16, depth=2, members=3))
    elif kind == "recurrent":
        dynamics = RecurrentDynamics(RecurrentDynamicsConfig(latent=D, actions=A, hidden=16, head=16, members=3))
    else:
        dynamics = TransformerDynamics(
            TransformerDynamicsConfig(
                latent=D, actions=A, tokens=tokens, window=window, hidden=16, depth=3, heads=2, head_width=8, members=3
            )
        )
    for parameter in dynamics.parameters():
        # Zero-initialised gates would make every path agree by doing nothing.
        torch.nn.init.normal_(parameter, std=0.2)
    return dynamics


def belief_of(dynamics: Dynamics, latents: Tensor, actions: Tensor) -> Belief:
    window = latents[:, -dynamics.window :]
    padding = dynamics.window - window.shape[1]
    valid = torch.ones(window.shape[:2], dtype=torch.bool)
    return Belief(
        torch.nn.functional.pad(window, (0, 0, 0, 0, padding, 0)),
        torch.nn.functional.pad(valid, (padding, 0)),
        dynamics.begin(latents, actions),
        torch.zeros(len(latents), dtype=torch.float64),
    )


def recompute(dynamics: Dynamics, latents: Tensor, before: Tensor, actions: Tensor, member: int | None) -> Tensor:
    """The plain path: the whole sequence is pushed through again for every imagined step."""
    start = latents.shape[1]
    for h in range(actions.shape[1]):
        before = torch.cat([before, actions[:, h : h + 1]], dim=1)
        predicted = dynamics(latents, before)[:, :, -1]
        following = predicted.mean(0) if member is None else predicted[member]
        latents = torch.cat([latents, following[:, None]], dim=1)
    return latents[:, start:]


CASES = [
    ("mlp", 1, 2),
    ("recurrent", 1, 2),
    *(("transformer", tokens, window) for tokens in (1, 3) for window in (1, 2, 4)),
]


@pytest.mark.parametrize(("kind", "tokens", "window"), CASES)
@pytest.mark.parametrize("history", [1, 2, 5])
@pytest.mark.parametrize("hypotheses", [1, 2])
def test_cached_rollout_equals_recomputation(
    kind: str, tokens: int, window: int, history: int, hypotheses: int
) -> None:
    dynamics = make(kind, tokens, window)
    generator = torch.Generator().manual_seed(1)
    latents = torch.randn(2, history, tokens, D, generator=generator)
    before = torch.randn(2, history - 1, A, generator=generator)
    actions = torch.randn(2, 3, 5, A, generator=generator)
    fast, _ = dynamics.rollout(belief_of(dynamics, latents, before), actions, hypotheses, False)
    assert fast.shape == (2, 3, hypotheses, 5, tokens, D)
    for s in range(3):
        for k in range(hypotheses):
            plain = recompute(dynamics, latents, before, actions[:, s], None if hypotheses == 1 else k)
            torch.testing.assert_close(fast[:, s, k], plain, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize(("kind", "tokens", "window"), CASES)
def test_advance_equals_beginning_again(kind: str, tokens: int, window: int) -> None:
    dynamics = make(kind, tokens, window)
    generator = torch.Generator().manual_seed(2)
    latents = torch.randn(2, 7, tokens, D, generator=generator)
    actions = torch.randn(2, 7, A, generator=generator)
    belief = belief_of(dynamics, latents[:, :1], actions[:, :0])
    for t in range(1, 7):
        memory = dynamics.advance(belief, actions[:, t - 1])
        belief = Belief(
            torch.cat([belief.latents, latents[:, t : t + 1]], dim=1)[:, -dynamics.window :],
            torch.cat([belief.valid, torch.ones(2, 1, dtype=torch.bool)], dim=1)[:, -dynamics.window :],
            memory,
            belief.times_seconds,
        )
    future = torch.randn(2, 2, 3, A, generator=generator)
    fast, _ = dynamics.rollout(belief, future, 1, False)
    again, _ = dynamics.rollout(belief_of(dynamics, latents, actions[:, :6]), future, 1, False)
    torch.testing.assert_close(fast, again, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize(("kind", "tokens", "window"), CASES)
def test_rows_of_different_history_do_not_mix(kind: str, tokens: int, window: int) -> None:
    """A batch of beliefs with one and with five frames of history gives each row what it gets alone."""
    dynamics = make(kind, tokens, window)
    generator = torch.Generator().manual_seed(3)
    latents = torch.randn(1, 5, tokens, D, generator=generator)
    before = torch.randn(1, 4, A, generator=generator)
    long, short = belief_of(dynamics, latents, before), belief_of(dynamics, latents[:, -1:], before[:, :0])
    both = Belief(
        torch.cat([long.latents, short.latents]),
        torch.cat([long.valid, short.valid]),
        tuple(torch.cat(pair) for pair in zip(long.memory, short.memory, strict=True)),
        torch.zeros(2, dtype=torch.float64),
    )
    actions = torch.randn(1, 2, 3, A, generator=generator).expand(2, -1, -1, -1)
    together, _ = dynamics.rollout(both, actions, 1, False)
    for row, belief in enumerate((long, short)):
        alone, _ = dynamics.rollout(belief, actions[:1], 1, False)
        torch.testing.assert_close(together[row : row + 1], alone, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", ["recurrent", "transformer"])
def test_several_lengths_of_history_at_once(kind: str) -> None:
    dynamics = make(kind)
    latents, actions = torch.randn(2, 6, 1, D), torch.randn(2, 5, A)
    for length, memory in zip((1, 3, 6), dynamics.begins(latents, actions, (1, 3, 6)), strict=True):
        alone = dynamics.begin(latents[:, :length], actions[:, : length - 1])
        for part, plain in zip(memory, alone, strict=True):
            torch.testing.assert_close(part, plain)


def test_recurrent_memory_goes_on_past_any_window() -> None:
    dynamics = make("recurrent")
    latents, actions = torch.randn(1, 12, 1, D), torch.randn(1, 12, A)
    changed = latents.clone()
    changed[:, 0] += 1
    assert not torch.allclose(dynamics(latents, actions)[:, :, -1], dynamics(changed, actions)[:, :, -1])


def test_attention_window_forgets() -> None:
    """With a window of 2 and one block, frames more than one step back cannot matter."""
    torch.manual_seed(0)
    config = TransformerDynamicsConfig(
        latent=D, actions=A, window=2, hidden=16, depth=1, heads=2, head_width=8, members=1
    )
    dynamics = TransformerDynamics(config)
    for parameter in dynamics.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    latents, actions = torch.randn(1, 4, 1, D), torch.randn(1, 4, A)
    changed = latents.clone()
    changed[:, 0] += 1
    torch.testing.assert_close(dynamics(latents, actions)[:, :, 2:], dynamics(changed, actions)[:, :, 2:])
    assert not torch.allclose(dynamics(latents, actions)[:, :, 1], dynamics(changed, actions)[:, :, 1])


def test_future_never_leaks_into_the_past() -> None:
    for kind in ("mlp", "recurrent", "transformer"):
        dynamics = make(kind)
        latents, actions = torch.randn(1, 5, 1, D), torch.randn(1, 5, A)
        changed, other = latents.clone(), actions.clone()
        changed[:, 3:] += 1
        other[:, 3:] += 1
        torch.testing.assert_close(dynamics(latents, actions)[:, :, :3], dynamics(changed, other)[:, :, :3])


def test_members_are_different_hypotheses() -> None:
    dynamics = make("transformer")
    latents = torch.randn(1, 1, 1, D)
    rollout, _ = dynamics.rollout(belief_of(dynamics, latents, torch.zeros(1, 0, A)), torch.randn(1, 2, 4, A), 3, False)
    assert float(rollout.detach().std(dim=2).mean()) > 1e-3


def test_refusals() -> None:
    dynamics = make("mlp")
    belief = belief_of(dynamics, torch.randn(1, 1, 1, D), torch.zeros(1, 0, A))
    with pytest.raises(ContractError, match="hypotheses"):
        dynamics.rollout(belief, torch.zeros(1, 1, 1, A), 4, False)
    with pytest.raises(ContractError, match="horizon"):
        dynamics.rollout(belief, torch.zeros(1, 1, 0, A), 1, False)
    with pytest.raises(ContractError, match="one token a frame"):
        dynamics(torch.randn(1, 2, 3, D), torch.zeros(1, 2, A))
