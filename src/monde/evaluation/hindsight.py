"""Where there is no world to act in: pairs of held-out frames, and whether the recording got from one to the other."""

import torch
from torch import Generator

from monde.actors import Actor, ForesightConfig, proposal
from monde.agents import Strategy, features
from monde.errors import DataError
from monde.evaluation.trust_config import TrustConfig, Witnessed
from monde.models import JEPA
from monde.planning import pose
from monde.readouts import Familiarity, TemporalDistance
from monde.training.frame_latents import FrameLatents, encode_frames
from monde.training.setup import Setup
from monde.types import LatentGoal


def hindsight_episodes(
    model: JEPA,
    setup: Setup,
    strategy: Strategy,
    heads: tuple[Actor, TemporalDistance, Familiarity],
    foresight: ForesightConfig,
    config: TrustConfig,
) -> tuple[Witnessed, Witnessed]:
    """Features and outcomes of pairs to fit on and of pairs to judge by, from different held-out episodes.

    A goal is any later frame of the same episode. It counts as reached if the recording took no more than the budget:
    what a planner would have taken is not known, so that this tells too little rather than too much.

    Raises:
        DataError: Fewer than two held-out episodes, or a budget that all of them stay within.
    """
    episodes = setup.split.held_out
    lengths = [setup.recording.lengths[episode] for episode in episodes]
    if len(episodes) < 2 or max(lengths) <= config.budget_steps + 1:
        raise DataError(
            "hindsight cannot tell success from failure",
            got=f"{len(episodes)} held-out episodes of at most {max(lengths, default=0)} steps",
            expected=f"two or more, some longer than the budget of {config.budget_steps}",
            remedy="give a shorter --budget, or a world to act in (--world ENV)",
        )
    generator = torch.Generator(model.device).manual_seed(config.seed)
    found = []
    for part, count in ((episodes[::2], config.episodes), (episodes[1::2], config.judged)):
        data = encode_frames(model, setup, part)
        found.append(_pairs(model, strategy, heads, data, foresight, config, count, generator))
    return found[0], found[1]


@torch.no_grad()
def _pairs(
    model: JEPA,
    strategy: Strategy,
    heads: tuple[Actor, TemporalDistance, Familiarity],
    data: FrameLatents,
    foresight: ForesightConfig,
    config: TrustConfig,
    count: int,
    generator: Generator,
) -> Witnessed:
    device = data.latents.device
    open_frames = (data.last - torch.arange(len(data), device=device) > 0).nonzero()[:, 0]
    pick = torch.rand(count, generator=generator, device=device)
    now = open_frames[(pick * len(open_frames)).long().clamp_max(len(open_frames) - 1)]
    ahead = 1 + (torch.rand(count, generator=generator, device=device) * (data.last[now] - now)).long()
    goals = torch.minimum(now + ahead, data.last[now])
    parts = []
    for rows in torch.arange(count, device=device).split(config.batch):
        # One frame each: the pairs' histories differ in length, and a first plan has none anyway.
        belief = data.belief(model, now[rows], 1)
        goal = LatentGoal(data.latents[goals[rows]])
        propose = None if strategy.actor is None else proposal(model, strategy.actor, belief, goal)
        plan = strategy.planner.plan(pose(model, belief, strategy.cost, goal, 1, propose), generator)
        parts.append(features(model, heads, belief, goal, plan, foresight))
    return Witnessed(torch.cat(parts), (goals - now <= config.budget_steps).cpu().numpy())
