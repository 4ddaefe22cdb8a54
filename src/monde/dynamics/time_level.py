"""A level of time: macro-actions, and what they lead to many steps later, on the latents of the level below.

Levels that each predict at a time scale of their own, with actions of their own (LeCun 2022, section 4.6; HWM, arXiv
2604.03208; H-JEPA, arXiv 2610.06805). A macro-action is a code of a whole sequence of actions of the level below. It is
learned as the latent variable of a conditional variational autoencoder (arXiv 1312.6114; Sohn et al. 2015) whose
decoder is the dynamics: given where one is, codes drawn from a standard normal lead where the recording leads.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monde.errors import ContractError
from monde.store import load_module, save_module
from monde.types import ActionSpec, Belief, Rollout

KIND = "time_level"
BOUND = 2.0
"""Codes lie within so many standard deviations."""


@dataclass(frozen=True, kw_only=True)
class TimeLevelConfig:
    """Sizes.

    Args:
        tokens: N of the latents.
        latent: D.
        below: Action blocks of the level below.
        span: Action blocks of the level below in one macro-action.
        code: Numbers in a macro-action.
        hidden: Width of the hidden layers.

    Raises:
        ContractError: A size that is not positive, or a span that spans nothing.
    """

    tokens: int
    latent: int
    below: ActionSpec
    span: int = 5
    code: int = 4
    hidden: int = 256

    def __post_init__(self) -> None:
        if min(self.tokens, self.latent, self.code, self.hidden) <= 0 or self.span < 2:
            raise ContractError("TimeLevelConfig has an empty size", got=self, expected="everything > 0, span ≥ 2")

    @property
    def actions(self) -> ActionSpec:
        """The macro-actions: a box of codes; one of them lasts `span` blocks of the level below."""
        names = tuple(f"code {index}" for index in range(self.code))
        bounds = (BOUND,) * self.code
        seconds = self.span * self.below.block_seconds
        return ActionSpec(low=tuple(-b for b in bounds), high=bounds, dt_seconds=seconds, names=names)


class TimeLevel(nn.Module):
    """Dynamics of a level above the first. It imagines as a world model does; how it is fitted: `fit_levels`."""

    mean: Tensor
    std: Tensor
    action_mean: Tensor
    action_std: Tensor

    def __init__(self, config: TimeLevelConfig) -> None:
        super().__init__()
        self.config = config
        self.autocast = False
        features, acts = config.tokens * config.latent, config.span * config.below.width
        self.encoder = _network(features + acts, config.hidden, 2 * config.code)
        self.decoder = _network(features + config.code, config.hidden, features)
        for name, size in (("mean", features), ("action_mean", acts)):
            self.register_buffer(name, torch.zeros(size))
        for name, size in (("std", features), ("action_std", acts)):
            self.register_buffer(name, torch.ones(size))

    @property
    def actions(self) -> ActionSpec:
        """The macro-actions that it is conditioned on."""
        return self.config.actions

    def standardise(self, latents: Float[Tensor, "M N D"], sequences: Float[Tensor, "R a"]) -> None:
        """Take mean and spread of the latents, and of the action sequences of the level below."""
        pairs = ((self.mean, self.std, latents.flatten(1)), (self.action_mean, self.action_std, sequences))
        for mean, std, values in pairs:
            mean.copy_(values.mean(0))
            spread = values.std(0)
            std.copy_(torch.where(spread > 1e-6, spread, torch.ones_like(spread)))

    def code(
        self, latents: Float[Tensor, "... N D"], sequences: Float[Tensor, "... a"]
    ) -> tuple[Float[Tensor, "... c"], Float[Tensor, "... c"]]:
        """Mean and log-variance of the macro-action that sequences of blocks of the level below make, one after the
        other in [..., span·A]."""
        acts = (sequences - self.action_mean) / self.action_std
        mean, log_variance = self.encoder(torch.cat([self._features(latents), acts], -1)).chunk(2, -1)
        return mean, log_variance.clamp(-8, 2)

    def predict(self, latents: Float[Tensor, "... N D"], codes: Float[Tensor, "... c"]) -> Float[Tensor, "... N D"]:
        """The latents one macro-action later."""
        known = self._features(latents)
        moved = known + self.decoder(torch.cat([known, codes], -1))
        return (moved * self.std + self.mean).unflatten(-1, (self.config.tokens, self.config.latent))

    def imagine(
        self, belief: Belief, actions: Float[Tensor, "B S H A"], hypotheses: int = 1, beliefs: bool = False
    ) -> Rollout:
        """Futures of S sequences of H macro-actions, from the newest latent alone; every hypothesis is the same."""
        B, S, H, _ = actions.shape
        now = belief.newest[:, None].expand(B, S, *belief.newest.shape[1:])
        found = []
        for h in range(H):
            now = self.predict(now, actions[:, :, h])
            found.append(now)
        latents = torch.stack(found, 2)[:, :, None].expand(B, S, hypotheses, H, *now.shape[2:])
        if not beliefs:
            return Rollout(latents)
        last = latents[:, :, :, -1].flatten(0, 2)
        times = belief.times_seconds.repeat_interleave(S * hypotheses) + H * self.actions.block_seconds
        return Rollout(latents, belief_of(last, times))

    def save(self, folder: Path, of: str) -> None:
        """Write it as an artefact; `of` names the weights that the level below belongs to.

        Raises:
            StoreError: `folder` exists, or the disk is full or read-only.
        """
        save_module(folder, KIND, self, self.config, of)

    @classmethod
    def load(cls, folder: Path, of: str | None = None) -> "TimeLevel":
        """Read it back, in evaluation mode.

        Raises:
            StoreError: Missing, altered, or fitted on another level than `of`.
        """
        what = f"the level of time in {folder} was fitted on another model, or on other data"
        remedy = "fit it again on this run: monde far RUN --levels 2"
        return load_module(folder, KIND, cls, TimeLevelConfig, of, what, remedy)

    def _features(self, latents: Tensor) -> Tensor:
        return (latents.flatten(-2).to(self.mean.dtype) - self.mean) / self.std


def belief_of(latents: Float[Tensor, "B N D"], times_seconds: Tensor) -> Belief:
    """A belief that is nothing but the newest latent."""
    valid = torch.ones(len(latents), 1, dtype=torch.bool, device=latents.device)
    return Belief(latents[:, None], valid, (), times_seconds)


def _network(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Linear(inputs, hidden), nn.LayerNorm(hidden), nn.SiLU()]
    layers += [nn.Linear(hidden, hidden), nn.LayerNorm(hidden), nn.SiLU()]
    return nn.Sequential(*layers, nn.Linear(hidden, outputs))
