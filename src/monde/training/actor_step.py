"""One optimiser step of the actor and the temporal distance: fitted value iteration in imagination.

For a frame z and several goals g, C action blocks are tried in the model: one that the actor proposes for each of the
goals, and some taken from the recording. All of them serve all the goals of the frame, so that what is imagined, the
dearest part, is shared. The distance of (z, g) becomes one block more than the (soft) least distance of what they lead
to, and never more than the recording itself took from z to g (hindsight relabelling, arXiv 1707.01495). The actor is
moved towards the blocks that led nearest, each weighed by softmax(-distance / temperature): the E and M steps of
maximum a posteriori policy optimisation (arXiv 1806.06920, section 3), with imagined outcomes; that of the block which
the recording really took is not imagined, but the frame that was recorded.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Generator, Tensor

from monde.actors import Actor
from monde.dynamics.time_level import TimeLevel
from monde.errors import UsageError
from monde.models import JEPA, PlacedModel
from monde.readouts import TemporalDistance
from monde.training.frame_latents import FrameLatents

AT_THE_GOAL = 0.1
"""Share of the later goals that are the frame itself: distance 0."""


@dataclass(frozen=True, kw_only=True)
class GoalShares:
    """Where goals come from.

    Where episodes differ in what never changes within one (a layout, a lighting), most goals of another episode cannot
    be reached: set `elsewhere` to 0 there.

    Args:
        elsewhere: Share of goals that are any frame of any episode; the others are of the same episode.
        later: Share of those others that lie later; the rest lies anywhere in it.
        mean_steps: Mean distance of the later ones, in control steps (geometric).
        standing: Sensors, and what they show in a goal's picture; see `encode_frames`.

    Raises:
        UsageError: A share outside 0 to 1, or a mean of at most 1 step.
    """

    elsewhere: float = 0.3
    later: float = 0.5
    mean_steps: float = 25.0
    standing: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if not (0 <= self.elsewhere <= 1 and 0 <= self.later <= 1 and 1 < self.mean_steps < math.inf):
            raise UsageError("GoalShares make no goals", got=self, expected="shares of 0 to 1, a mean above 1 step")


@dataclass(frozen=True)
class Tasks:
    """Frames, each with goals.

    Args:
        frames: [F] indices of frames.
        goals: [F, G] indices of the goals' frames.
        blocks_taken: [F, G] action blocks that the recording took from one to the other; +Inf where it never did.
    """

    frames: Int64[Tensor, " F"]
    goals: Int64[Tensor, "F G"]
    blocks_taken: Float[Tensor, "F G"]


def draw_tasks(data: FrameLatents, frames: int, goals: int, shares: GoalShares, generator: Generator) -> Tasks:
    """Frames with goals as `shares` says; one in ten of the later goals is the frame itself."""
    device = data.first.device

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator, device=device)

    chosen = (uniform(frames) * len(data)).long().clamp_max(len(data) - 1)
    now, first, last = chosen[:, None], data.first[chosen][:, None], data.last[chosen][:, None]
    shape = (frames, goals)
    steps = torch.log1p(-uniform(*shape)) / math.log1p(-1 / shares.mean_steps)
    ahead = torch.where(uniform(*shape) < AT_THE_GOAL, torch.zeros_like(now), steps.clamp_max(1e6).long() + 1)
    later = torch.minimum(now + ahead, last)
    anywhere = first + (uniform(*shape) * (last - first + 1)).long()
    elsewhere = (uniform(*shape) * len(data)).long().clamp_max(len(data) - 1)
    same = torch.where(uniform(*shape) < shares.later, later, anywhere)
    wanted = torch.where(uniform(*shape) < shares.elsewhere, elsewhere, same)
    taken = (wanted - now).float() / data.block
    known = (wanted >= now) & (wanted <= last)
    return Tasks(chosen, wanted, torch.where(known, taken, torch.full_like(taken, torch.inf)))


@dataclass(frozen=True)
class Tried:
    """Action blocks tried at each frame, and what came of them. The first is the one that was really taken.

    Args:
        actions: [F, C, A] in the world's units.
        outcomes: [F, C, N, D] latents one block later, imagined; the first as it was recorded, where it was in full.
        imagined: [F, N, D] what the model imagines of the first.
        whole: [F] whether the first was recorded in full.
    """

    actions: Float[Tensor, "F C A"]
    outcomes: Float[Tensor, "F C N D"]
    imagined: Float[Tensor, "F N D"]
    whole: Bool[Tensor, " F"]


@torch.no_grad()
def attempt(
    model: JEPA | PlacedModel | TimeLevel,
    data: FrameLatents,
    actor: Actor,
    tasks: Tasks,
    recorded: int,
    generator: Generator,
) -> Tried:
    """Try C = `recorded` + G blocks at each frame: of the recording, and the actor's, every second of them its mode."""
    frames = tasks.frames
    mean, std = actor.spread(data.latents[frames][:, None], data.goals[tasks.goals])
    noise = torch.randn(mean.shape, generator=generator, device=mean.device)
    noise[:, ::2] = 0
    drawn = actor.around(mean, std, noise)
    elsewhere = torch.rand(len(frames), recorded, generator=generator, device=mean.device) * len(data)
    blocks = data.blocks(elsewhere.long().clamp_max(len(data) - 1))
    blocks[:, 0] = data.blocks(frames)
    # What was recorded may lie beyond the bounds; nothing outside them is tried.
    actions = torch.cat([blocks.clamp(actor.low, actor.high), drawn], 1)
    outcomes = data.outcomes(model, frames, actions)
    whole = frames + data.block <= data.last[frames]
    imagined = outcomes[:, 0].clone()
    outcomes[:, 0] = torch.where(whole[:, None, None], data.latents[_following(data, frames)], imagined)
    return Tried(actions, outcomes, imagined, whole)


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
    tasks: Tasks,
    tried: Tried,
    heads: tuple[Actor, TemporalDistance, TemporalDistance],
    temperature: float,
    imitation: float = 0.0,
) -> ActorLosses:
    """Losses of actor and distance (heads: both, and the distance's slow copy that gives the targets); `imitation` as
    in `FitActorConfig`."""
    actor, distance, slow = heads
    z, goal = data.latents[tasks.frames][:, None], data.goals[tasks.goals]
    with torch.no_grad():
        left = slow.distance(tried.outcomes[:, None], goal[:, :, None])  # [F, G, C]
        weight = torch.softmax(-left / temperature, -1)
        target = (1 + (weight * left).sum(-1)).clamp_max(distance.config.furthest_blocks)
        target = torch.minimum(target, tasks.blocks_taken)
    predicted = distance(z, goal)
    regression = torch.nn.functional.smooth_l1_loss(predicted, target.expand_as(predicted), beta=0.5)
    arrival = (distance(tried.imagined, data.goals[_following(data, tasks.frames)]) * tried.whole).mean()
    mean, std = (part[:, :, None] for part in actor.spread(z, goal))
    if imitation:
        ahead = (tasks.blocks_taken > 0) & tasks.blocks_taken.isfinite()
        taken = torch.zeros_like(weight)
        taken[..., 0] = 1
        weight = torch.lerp(weight, taken, imitation * ahead.to(weight)[..., None])
    likelihood = (weight * actor.log_likelihood(mean, std, tried.actions[:, None])).sum(-1)
    # At the goal itself there is nothing to learn: every block leads away.
    away = tasks.blocks_taken > 0
    return ActorLosses(regression, arrival, -(likelihood * away).mean())


def _following(data: FrameLatents, frames: Int64[Tensor, " F"]) -> Int64[Tensor, " F"]:
    return torch.minimum(frames + data.block, data.last[frames])
