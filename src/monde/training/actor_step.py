"""One optimiser step of the actor and the temporal distance: fitted value iteration in imagination.

For a frame z and a goal g, S action blocks are tried in the model: some drawn from the actor, some taken from the
recording. The distance of z becomes one block more than the (soft) least distance of what they lead to, and never more
than the recording itself took from z to g (hindsight relabelling, arXiv 1707.01495). The actor is moved towards the
blocks that led nearest, each weighed by softmax(-distance / temperature): the E and M steps of maximum a posteriori
policy optimisation (arXiv 1806.06920, section 3), with imagined instead of recorded outcomes.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Generator, Tensor

from monde.actors import Actor
from monde.models import JEPA
from monde.readouts import TemporalDistance
from monde.training.frame_latents import FrameLatents


@dataclass(frozen=True, kw_only=True)
class GoalShares:
    """Where goals come from; what is left over comes from any frame of any episode.

    Args:
        later: Share of goals later in the same episode.
        same_episode: Share of goals anywhere in the same episode.
        mean_steps: Mean distance of the later ones, in control steps (geometric).
    """

    later: float = 0.55
    same_episode: float = 0.15
    mean_steps: float = 16.0


@dataclass(frozen=True)
class Pairs:
    """Frames and goals.

    Args:
        frames: [B] indices of frames.
        goals: [B] indices of the goals' frames.
        blocks_taken: [B] action blocks that the recording took from one to the other; +Inf where it never did.
    """

    frames: Int64[Tensor, " B"]
    goals: Int64[Tensor, " B"]
    blocks_taken: Float[Tensor, " B"]


def draw_pairs(data: FrameLatents, batch: int, shares: GoalShares, generator: Generator) -> Pairs:
    """Frames with goals as `shares` says; one in ten of the later goals is the frame itself (distance 0)."""
    device = data.first.device

    def uniform() -> Tensor:
        return torch.rand(batch, generator=generator, device=device)

    frames = (uniform() * len(data)).long().clamp_max(len(data) - 1)
    first, last = data.first[frames], data.last[frames]
    steps = torch.log1p(-uniform()) / torch.log(torch.tensor(1 - 1 / shares.mean_steps, device=device))
    ahead = torch.where(uniform() < 0.1, torch.zeros_like(frames), steps.clamp_max(1e6).long() + 1)
    later = torch.minimum(frames + ahead, last)
    anywhere = first + (uniform() * (last - first + 1)).long()
    elsewhere = (uniform() * len(data)).long().clamp_max(len(data) - 1)
    source = uniform()
    same = source < shares.later + shares.same_episode
    goals = torch.where(source < shares.later, later, torch.where(same, anywhere, elsewhere))
    taken = (goals - frames).float() / data.block
    known = (goals >= frames) & (goals <= last)
    return Pairs(frames, goals, torch.where(known, taken, torch.full_like(taken, torch.inf)))


def candidates(
    data: FrameLatents, actor: Actor, pairs: Pairs, samples: int, generator: Generator
) -> tuple[Float[Tensor, "B S A"], Bool[Tensor, " B"]]:
    """Blocks to try: half the actor's (its mode first), then the block really taken, then others of the recording.

    Also returns whether the block really taken was recorded in full.
    """
    half, others = samples // 2, samples - samples // 2
    z, goal = data.latents[pairs.frames], data.latents[pairs.goals]
    mean, std = actor.spread(z, goal)
    noise = torch.randn(len(z), half, mean.shape[-1], generator=generator, device=z.device)
    noise[:, 0] = 0
    mean, std = mean[:, None].expand_as(noise), std[:, None].expand_as(noise)
    drawn = actor.around(mean, std, noise)
    elsewhere = torch.rand(len(z), others, generator=generator, device=z.device) * len(data)
    recorded = data.blocks(elsewhere.long().clamp_max(len(data) - 1))
    whole = pairs.frames + data.block <= data.last[pairs.frames]
    recorded[:, 0] = data.blocks(pairs.frames)
    # An actor's half-ranges and bounds may cut what was recorded; nothing outside the bounds is tried.
    return torch.cat([drawn, recorded.clamp(actor.low, actor.high)], 1), whole


@torch.no_grad()
def imagine_next(model: JEPA, data: FrameLatents, pairs: Pairs, actions: Tensor) -> Float[Tensor, "B S N D"]:
    """What the model imagines one block later."""
    belief = data.belief(model, pairs.frames, model.dynamics.window)
    return model.imagine(belief, actions[:, :, None]).latents[:, :, 0, 0]


@dataclass(frozen=True)
class ActorLosses:
    """What one step minimises.

    Args:
        distance: Regression of the temporal distance on its bootstrapped target.
        arrival: Distance of an imagined next frame to the one that was recorded: nought if the model is right.
        actor: Negative log-likelihood of the weighed blocks.
    """

    distance: Float[Tensor, ""]
    arrival: Float[Tensor, ""]
    actor: Float[Tensor, ""]

    def total(self) -> Float[Tensor, ""]:
        """The weighted sum."""
        return self.distance + 0.1 * self.arrival + 0.1 * self.actor


def losses(
    data: FrameLatents,
    pairs: Pairs,
    tried: tuple[Float[Tensor, "B S A"], Bool[Tensor, " B"]],
    imagined: Float[Tensor, "B S N D"],
    heads: tuple[Actor, TemporalDistance, TemporalDistance],
    temperature: float,
) -> ActorLosses:
    """Losses of actor and distance (heads: both, and the distance's slow copy that gives the targets)."""
    actor, distance, slow = heads
    actions, whole = tried
    z, goal = data.latents[pairs.frames], data.latents[pairs.goals]
    with torch.no_grad():
        left = slow.distance(imagined, goal[:, None])
        weight = torch.softmax(-left / temperature, 1)
        target = (1 + (weight * left).sum(1)).clamp_max(distance.config.furthest_blocks)
        target = torch.minimum(target, pairs.blocks_taken)
    predicted = distance(z, goal)
    regression = torch.nn.functional.smooth_l1_loss(predicted, target.expand_as(predicted), beta=0.5)
    half = actions.shape[1] // 2
    following = torch.minimum(pairs.frames + data.block, data.last[pairs.frames])
    arrival = (distance(imagined[:, half], data.latents[following]) * whole).mean()
    mean, std = (part[:, None] for part in actor.spread(z, goal))
    likelihood = (weight * actor.log_likelihood(mean, std, actions)).sum(1)
    # At the goal itself there is nothing to learn: every block leads away.
    away = pairs.blocks_taken > 0
    return ActorLosses(regression, arrival, -(likelihood * away).mean())
