"""What every dynamics can do. All see *normalised* action blocks; the model that owns them normalises."""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monde.errors import ContractError
from monde.limits import MAX_HORIZON_BLOCKS
from monde.types import Belief

NEGLIGIBLE = 0.05
"""Error, where latents have a spread of 1, below which errors hardly differ."""


class Dynamics(nn.Module, ABC):
    """Base class.

    Attributes:
        window: Frames of history that a prediction may use, the newest included.
        members: Hypotheses that can be told apart (ensemble members).
        horizons: Steps ahead at which its surprise tells most (`monde.evaluation.physics.surprise`).
        recurrent: Whether its memory is all that it keeps of the past, of constant size.
        things: Whether each token is a thing, in no order: what reads them must not care for it.
    """

    window: int
    members: int
    recurrent: bool = False
    things: bool = False
    horizons: tuple[int, ...] = (3, 4, 6)

    @abstractmethod
    def forward(self, latents: Float[Tensor, "B T N D"], actions: Float[Tensor, "B T A"]) -> Float[Tensor, "E B T N D"]:
        """Teacher-forced: each member's prediction of the latent after latents[:, t] and actions[:, t]."""

    @abstractmethod
    def begin(self, latents: Float[Tensor, "B T N D"], actions: Float[Tensor, "B U A"]) -> tuple[Tensor, ...]:
        """The memory after T observed latents and the U = T - 1 blocks between them."""

    def begins(
        self, latents: Float[Tensor, "B T N D"], actions: Float[Tensor, "B U A"], lengths: tuple[int, ...]
    ) -> tuple[tuple[Tensor, ...], ...]:
        """`begin` after each of several lengths of history."""
        return tuple(self.begin(latents[:, :length], actions[:, : length - 1]) for length in lengths)

    def teacher_forced(
        self, latents: Float[Tensor, "B T N D"], actions: Float[Tensor, "B U A"], lengths: tuple[int, ...]
    ) -> tuple[Float[Tensor, "E B U N D"], tuple[tuple[Tensor, ...], ...]]:
        """`forward` of all frames but the last, and `begins`: in one pass, where dynamics can."""
        return self(latents[:, :-1], actions), self.begins(latents, actions, lengths)

    @abstractmethod
    def advance(self, belief: Belief, actions: Float[Tensor, "B A"]) -> tuple[Tensor, ...]:
        """The memory once the block `actions` is taken from belief.newest. Constant time."""

    @abstractmethod
    def rollout(
        self, belief: Belief, actions: Float[Tensor, "B S H A"], hypotheses: int, memory: bool
    ) -> tuple[Float[Tensor, "B S K H N D"], tuple[Tensor, ...]]:
        """Imagined latents, and (if `memory`) the memory of each of the B·S·K continuations."""

    def outputs(self) -> tuple[nn.Linear, ...]:
        """Layers whose outputs are predictions: some optimisers treat them otherwise. The last one, unless the dynamics
        have several."""
        return tuple([module for module in self.modules() if isinstance(module, nn.Linear)][-1:])

    def thought(self, belief: Belief) -> Float[Tensor, "B N D"]:
        """The newest frame as it is thought of: its latent, unless the dynamics know of what is out of sight."""
        return belief.newest

    def error(
        self, predicted: Float[Tensor, "*lead N D"], observed: Float[Tensor, "*lead N D"]
    ) -> Float[Tensor, "*lead N"]:
        """How wrong a prediction was, token by token: its mean squared error, unless the dynamics know better."""
        return (predicted - observed).square().mean(dim=-1)

    def counts(self, latents: Float[Tensor, "B T N D"]) -> Float[Tensor, "B T N"]:
        """How much it counts, while it is learned, that each of these was foreseen: all alike."""
        return torch.ones_like(latents[..., 0])

    def surprisal(
        self, predicted: Float[Tensor, "*lead N D"], observed: Float[Tensor, "*lead N D"]
    ) -> Float[Tensor, "*lead"]:
        """How unlikely what was observed is to who predicted this, up to a constant: the logarithm of the root mean
        squared error, unless the dynamics know better."""
        return ((predicted - observed).square().mean(dim=(-2, -1)).sqrt() + NEGLIGIBLE).log()

    def excess(
        self, predicted: Float[Tensor, "*lead N D"], observed: Float[Tensor, "*lead N D"]
    ) -> Float[Tensor, "*lead"]:
        """How much more surprising that was than who predicted it had expected to be surprised: nothing, unless the
        dynamics tell their doubt."""
        return torch.zeros_like(observed[..., 0, 0])


def single_token(owner: Dynamics, latents: Float[Tensor, "B T N D"]) -> Float[Tensor, "B T D"]:
    """Latents of one token a frame, or a refusal."""
    if latents.shape[2] != 1:
        raise ContractError(
            f"{type(owner).__name__} takes one token a frame",
            got=f"{latents.shape[2]} tokens",
            expected="N = 1",
            remedy="use the transformer dynamics for several tokens a frame",
        )
    return latents[:, :, 0]


def check_hypotheses(owner: Dynamics, hypotheses: int, horizon: int) -> None:
    """Refuse a number of hypotheses or a horizon that the dynamics does not have."""
    if not 1 <= hypotheses <= owner.members:
        raise ContractError(
            "this model cannot imagine that many hypotheses",
            got=hypotheses,
            expected=f"1 to {owner.members}",
            remedy="ask for fewer, or train with more ensemble members",
        )
    if not 1 <= horizon <= MAX_HORIZON_BLOCKS:
        raise ContractError("the horizon is out of limits", got=horizon, expected=f"1 to {MAX_HORIZON_BLOCKS} blocks")
