"""An actor rolled out in imagination for as long as it may take: what a plan is expected to come to."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from monde.actors.actor import Actor
from monde.errors import PlanningError
from monde.protocols import WorldModel
from monde.readouts import TemporalDistance
from monde.types import Belief


@dataclass(frozen=True, kw_only=True)
class ForesightConfig:
    """How far and how often it looks.

    Args:
        blocks: Action blocks of the budget.
        draws: Roll-outs of the actor with its own noise, beside the one without.
        hypotheses: Members of the model's ensemble that the noiseless roll-out's actions are also imagined in.
        seed: Of the noise; a row's forecast depends on nothing else.

    Raises:
        PlanningError: A size below 1.
    """

    blocks: int
    draws: int = 6
    hypotheses: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.blocks, self.draws, self.hypotheses) < 1:
            raise PlanningError("ForesightConfig has an empty size", got=self, expected="everything ≥ 1")


@dataclass(frozen=True, kw_only=True)
class Foresight:
    """What was imagined; S roll-outs, the first without noise. Times in action blocks.

    Args:
        now: [E, B] learned time to the goal from here, each member's of the head.
        left: [B, S, T] learned time left after each block.
        states: [B, S, T, N, D] where the roll-outs come to.
        left_each: [B, K, T] the time left where each member of the model imagines the first roll-out's actions.
        states_each: [B, K, N, D] where these end.
    """

    now: Float[Tensor, "E B"]
    left: Float[Tensor, "B S T"]
    states: Float[Tensor, "B S T N D"]
    left_each: Float[Tensor, "B K T"]
    states_each: Float[Tensor, "B K N D"]


@torch.no_grad()
def foresee(
    model: WorldModel,
    actor: Actor,
    distance: TemporalDistance,
    belief: Belief,
    goal: Float[Tensor, "B N D"],
    config: ForesightConfig,
) -> Foresight:
    """Roll the actor out towards the goal, in every row; noise is shared by the rows."""
    B, S, width = belief.batch, 1 + config.draws, model.actions.width
    generator = Generator(goal.device).manual_seed(config.seed)
    noise = torch.randn(S, config.blocks, width, generator=generator, device=goal.device)
    noise[0] = 0
    target = goal.repeat_interleave(S, 0)
    now, done, states = belief, [], []
    for h in range(config.blocks):
        here = belief.newest.repeat_interleave(S, 0) if h == 0 else now.newest
        mean, std = actor.spread(here, target)
        block = actor.around(mean, std, noise[:, h].repeat(B, 1))
        shape = (B, S, 1, width) if h == 0 else (B * S, 1, 1, width)
        rollout = model.imagine(now, block.reshape(shape), beliefs=True)
        if rollout.beliefs is None:
            raise PlanningError("the model gave no beliefs", remedy="imagine(…, beliefs=True) must return them")
        now = rollout.beliefs
        done.append(block.reshape(B, S, width)[:, 0])
        states.append(now.newest.reshape(B, S, *goal.shape[1:]))
    found = torch.stack(states, 2)
    each = model.imagine(belief, torch.stack(done, 1)[:, None], config.hypotheses).latents[:, 0]
    wanted = goal[:, None, None]
    return Foresight(
        now=distance(belief.newest, goal).clamp_max(distance.config.furthest_blocks),
        left=distance.distance(found, wanted),
        states=found,
        left_each=distance.distance(each, wanted),
        states_each=each[:, :, -1],
    )
