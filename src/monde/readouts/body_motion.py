"""What a block of actions does to the body: how it moves it, and how near to anything it brings it."""

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monde.errors import ContractError
from monde.nn import ResidualMLPBlock
from monde.store import load_module, save_module
from monde.types import Sensor

KIND = "motion"


@dataclass(frozen=True, kw_only=True)
class BodyMotionConfig:
    """Sizes.

    Args:
        features: N·D of the latents.
        actions: A, width of an action block.
        pose: The sensor that tells where the body is, by which it was fitted.
        scan: Name of the sensor that tells how near things are.
        hidden: Width.
        depth: Residual blocks.
        clear_m: How near to anything the middle of the body may come.
        furthest_m: What is farther away than this counts as so far.

    Raises:
        ContractError: A size that is not positive.
    """

    features: int
    actions: int
    pose: Sensor
    scan: str
    clear_m: float = 0.0
    hidden: int = 128
    depth: int = 2
    furthest_m: float = 2.0

    def __post_init__(self) -> None:
        if min(self.features, self.actions, self.hidden, self.depth, self.furthest_m) <= 0:
            raise ContractError("BodyMotionConfig has an empty size", got=self, expected="everything > 0")


class BodyMotion(nn.Module):
    """Latent and action block to the motion (ahead and left in metres, turn in radians) and the least range met.

    A body that runs into something stops: what is seen tells how far a block really leads. Fitted on what odometry and
    scans told of recorded blocks (`monde.training.fit_body_motion`); no true pose is asked for.
    """

    mean: Tensor
    std: Tensor
    action_mean: Tensor
    action_std: Tensor
    scale: Tensor

    def __init__(self, config: BodyMotionConfig) -> None:
        super().__init__()
        self.config = config
        for name, size in (("mean", config.features), ("action_mean", config.actions)):
            self.register_buffer(name, torch.zeros(size))
        for name, size in (("std", config.features), ("action_std", config.actions), ("scale", 3)):
            self.register_buffer(name, torch.ones(size))
        self.enter = nn.Linear(config.features + config.actions, config.hidden)
        # What the commands alone would do: most of the motion, wherever nothing is in the way.
        self.free = nn.Linear(config.actions, 3)
        self.blocks = nn.Sequential(*(ResidualMLPBlock(config.hidden, 2 * config.hidden) for _ in range(config.depth)))
        self.leave = nn.Linear(config.hidden, 4)

    def forward(
        self, latents: Float[Tensor, "*batch N D"], actions: Float[Tensor, "*batch A"]
    ) -> tuple[Float[Tensor, "*batch 3"], Float[Tensor, "*batch"]]:
        """Motion, and the least range on the way; actions in the world's units.

        Raises:
            ContractError: Latents of another size than it was made for.
        """
        flat = latents.flatten(-2).float()
        if flat.shape[-1] != self.config.features:
            raise ContractError("the motion head does not fit these latents", got=flat.shape[-1],
                                expected=self.config.features)  # fmt: skip
        acted = (actions.float() - self.action_mean) / self.action_std
        found = self.leave(self.blocks(self.enter(torch.cat([(flat - self.mean) / self.std, acted], -1))))
        motion = (found[..., :3] + self.free(acted)) * self.scale
        return motion, self.config.furthest_m * torch.sigmoid(found[..., 3])

    def save(self, folder: Path, of: str) -> None:
        """Write it as an artefact; `of` names the weights of the model that it was fitted on.

        Raises:
            StoreError: `folder` exists, or the disk is full or read-only.
        """
        save_module(folder, KIND, self, self.config, of)

    @classmethod
    def load(cls, folder: Path, of: str | None = None) -> "BodyMotion":
        """Read it back, in evaluation mode.

        Raises:
            StoreError: Missing, altered, or fitted on another model than `of`.
        """
        what = f"the motion head in {folder} was fitted on the latents of another model"
        return load_module(folder, KIND, cls, BodyMotionConfig, of, what, "fit it again on this run")
