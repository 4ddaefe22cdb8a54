"""How far apart two latents are in time: the steps that the best actions need to get from one to the other."""

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monde.errors import ContractError
from monde.nn import GoalTrunk, PlaceTrunk
from monde.store import load_module, save_module

KIND = "temporal_distance"


@dataclass(frozen=True, kw_only=True)
class TemporalDistanceConfig:
    """Sizes.

    Args:
        features: N·D of the latents.
        hidden: Width of the hidden layers.
        depth: Hidden layers.
        members: Networks, of which the most pessimistic is believed.
        furthest_blocks: Distances are at most this, in action blocks: further is "far".
        placed: Whether latents end in a pose, and goals are places (`monde.models.PlacedModel`).

    Raises:
        ContractError: A size that is not positive.
    """

    features: int
    hidden: int = 256
    depth: int = 3
    members: int = 2
    furthest_blocks: float = 25.0
    placed: bool = False

    def __post_init__(self) -> None:
        if min(self.features, self.hidden, self.depth, self.members, self.furthest_blocks) <= 0:
            raise ContractError("TemporalDistanceConfig has an empty size", got=self, expected="everything > 0")


class TemporalDistance(nn.Module):
    """Action blocks from a latent to a goal latent under good behaviour; it is not symmetric, as the world is not.

    The value function of goal-conditioned reinforcement learning with a cost of one a block, on frozen latents. Of
    several networks the largest distance counts (clipped double estimates, TD3, arXiv 1802.09477, section 4.2): a
    search finds every underestimate. How it is fitted: `monde.training.fit_actor`.
    """

    def __init__(self, config: TemporalDistanceConfig) -> None:
        super().__init__()
        self.config = config
        self.trunks = nn.ModuleList(
            (PlaceTrunk if config.placed else GoalTrunk)(config.features, config.hidden, config.depth, 1)
            for _ in range(config.members)
        )

    def forward(self, latents: Float[Tensor, "... N D"], goal: Float[Tensor, "... N D"]) -> Float[Tensor, "E ..."]:
        """Each member's distance in action blocks; leading dimensions broadcast."""
        found = torch.stack([trunk(latents, goal)[..., 0] for trunk in self.trunks])
        return nn.functional.softplus(found)

    def distance(self, latents: Float[Tensor, "... N D"], goal: Float[Tensor, "... N D"]) -> Float[Tensor, "..."]:
        """The largest of the members' distances, in action blocks, at most `furthest_blocks`."""
        return self(latents, goal).amax(0).clamp_max(self.config.furthest_blocks)

    def standardise(self, latents: Float[Tensor, "M N D"]) -> None:
        """Take mean and spread of the features from a set of latents."""
        for trunk in self.trunks:
            if isinstance(trunk, GoalTrunk | PlaceTrunk):
                trunk.standardise(latents.flatten(1))

    def save(self, folder: Path, of: str) -> None:
        """Write it as an artefact; `of` names the weights of the model that it was fitted on.

        Raises:
            StoreError: `folder` exists, or the disk is full or read-only.
        """
        save_module(folder, KIND, self, self.config, of)

    @classmethod
    def load(cls, folder: Path, of: str | None = None) -> "TemporalDistance":
        """Read it back, in evaluation mode.

        Raises:
            StoreError: Missing, altered, or fitted on another model than `of`.
        """
        what = f"{folder} was fitted on the latents of another model"
        remedy = "fit it again on this run: monde actor RUN"
        return load_module(folder, KIND, cls, TemporalDistanceConfig, of, what, remedy)
