"""Plannable range: how many steps ahead a model still orders what could be done as it then came out.

For each horizon, action sequences are ranked by the cost of the state that the model imagines at their end, and by the
cost of the state that they really led to. Kendall's τ compares the two orders; the range is the furthest horizon up to
which the lower bound of τ stays above a declared threshold. In a world, sequences from one start are really carried
out; in a recording, they are those of different moments of one held-out episode.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from monde.agents import device_of, observation_to_clip, resolve_goal
from monde.errors import ContractError, DataError, WorldError
from monde.evaluation.ranking import MakeWorld, RankingConfig, random_sequences, row_of
from monde.evaluation.statistics import kendall_tau, mean_interval
from monde.models import JEPA
from monde.protocols import Cost, World, WorldModel
from monde.scorecard import Row
from monde.training.frame_latents import FrameLatents
from monde.types import Goal, LatentGoal, PictureGoal, Rollout

THRESHOLD = 0.5
"""τ that counts as agreement: three of four pairs are ordered as it came out."""


@dataclass(frozen=True, kw_only=True)
class RangeConfig:
    """What is ranked.

    Args:
        starts: Starts in the world, or held-out episodes.
        samples: Action sequences ranked at each.
        blocks: Furthest horizon, in action blocks.
        threshold: τ that counts as agreement.

    Raises:
        ContractError: Nothing to rank.
    """

    starts: int = 30
    samples: int = 24
    blocks: int = 20
    threshold: float = THRESHOLD

    def __post_init__(self) -> None:
        if min(self.starts, self.blocks) < 1 or self.samples < 3 or not -1 < self.threshold < 1:
            raise ContractError("RangeConfig ranks nothing", got=self, expected="starts, blocks ≥ 1, samples ≥ 3")


def score_plannable_range(
    model: WorldModel, cost: Cost, make_world: MakeWorld, config: RangeConfig | None = None, seed: int = 0
) -> tuple[Row, ...]:
    """`plannable_range_steps`, and `range_tau/<steps>` for each horizon; floor: the same costs in another order.

    Raises:
        WorldError: The world has no goal of its own, or no start tells one sequence from another.
    """
    config = config or RangeConfig()
    world = make_world(config.samples)
    generator = np.random.default_rng([seed, 2])
    found = []
    try:
        for start in generator.integers(2**31, size=config.starts):
            found.append(_one_start(model, cost, world, int(start), config, generator))
    finally:
        world.close()
    if np.isnan(np.array(found)).all():
        raise WorldError("no start tells one action sequence from another", remedy="rank over a longer horizon")
    return _rows(np.array(found), model.actions.block, config, seed, "sequences really carried out from each start")


def score_recorded_range(
    model: JEPA, cost: Cost, held_out: FrameLatents, config: RangeConfig | None = None, seed: int = 0
) -> tuple[Row, ...]:
    """As `score_plannable_range`, on a recording: moments of one episode, by how much nearer each leads to a frame.

    Raises:
        DataError: Episodes too short for two blocks.
    """
    config = config or RangeConfig()
    generator = np.random.default_rng([seed, 2])
    first = held_out.first.unique()
    last = held_out.last[first]
    shortest = int((last - first).min()) // held_out.block
    blocks = min(config.blocks, shortest // 2)
    if blocks < 1:
        raise DataError("held-out episodes are too short to rank what was done in them", got=f"{shortest} blocks")
    chosen = generator.permutation(len(first))[: config.starts]
    found = [
        _one_episode(model, cost, held_out, (int(first[e]), int(last[e])), blocks, config, generator) for e in chosen
    ]
    note = "moments of each held-out episode, by how much nearer what was done there led to a frame of it"
    return _rows(np.array(found), held_out.block, config, seed, note)


def _rows(taus: Float[np.ndarray, "n H 2"], block: int, config: RangeConfig, seed: int, note: str) -> tuple[Row, ...]:
    rows, reach, holding = [], 0, True
    for h in range(taus.shape[1]):
        defined = taus[~np.isnan(taus[:, h]).any(1), h]
        if not len(defined):
            holding = False
            continue
        value, interval = mean_interval(defined[:, 0], seed)
        steps = (h + 1) * block
        holding = holding and interval[0] > config.threshold
        reach = steps if holding else reach
        rows.append(
            Row(
                metric=f"range_tau/{steps}",
                value=value,
                interval=interval,
                n=len(defined),
                floors={"shuffled": float(defined[:, 1].mean())},
                note=f"{steps} control steps ahead; {note}",
            )
        )
    told = f"furthest horizon up to which the lower bound of τ stays above {config.threshold:g}; {note}"
    if reach == taus.shape[1] * block:
        told += "; it may reach further: nothing further was looked at"
    return Row(metric="plannable_range_steps", value=reach, unit="steps", n=len(taus), note=told), *rows


def _taus(
    imagined: Float[np.ndarray, "S H"], real: Float[np.ndarray, "S H"], generator: np.random.Generator
) -> Float[np.ndarray, "H 2"]:
    mixed = generator.permutation(imagined)
    columns = zip(imagined.T, mixed.T, real.T, strict=True)
    return np.array([[kendall_tau(a, c), kendall_tau(b, c)] for a, b, c in columns])


@torch.no_grad()
def _one_start(
    model: WorldModel, cost: Cost, world: World, start: int, config: RangeConfig, generator: np.random.Generator
) -> Float[np.ndarray, "H 2"]:
    observation = world.reset([start] * config.samples)
    aim = world.goal()
    if aim is None:
        raise WorldError(
            f"actions cannot be ranked in world {world.name!r}",
            got="no goal of its own",
            remedy="rank on held-out episodes of the recording instead",
        )
    ranking = RankingConfig(starts=1, samples=config.samples, horizon=config.blocks)
    controls = random_sequences(model.actions, ranking, generator)
    device = device_of(model)
    reached = []
    for step in range(controls.shape[1]):
        shown = world.step(controls[:, step]).observation
        if (step + 1) % model.actions.block == 0:
            reached.append(model.encode(observation_to_clip(shown, model.sensors, device)).values[:, 0])
    goal = resolve_goal(model, PictureGoal(observation_to_clip(row_of(aim), model.sensors)))
    belief = model.begin(observation_to_clip(row_of(observation), model.sensors, device))
    actions = model.actions.to_blocks(torch.from_numpy(controls))[None].to(device)
    imagined = model.imagine(belief, actions).latents
    real = torch.stack(reached, 1)[None, :, None].to(imagined)
    return _taus(_energies(cost, imagined, actions, goal), _energies(cost, real, actions, goal), generator)


@torch.no_grad()
def _one_episode(
    model: JEPA,
    cost: Cost,
    data: FrameLatents,
    ends: tuple[int, int],
    blocks: int,
    config: RangeConfig,
    generator: np.random.Generator,
) -> Float[np.ndarray, "H 2"]:
    device = data.latents.device
    begins = np.arange(ends[0], ends[1] - blocks * data.block + 1)
    now = torch.from_numpy(generator.permutation(begins)[: config.samples]).to(device)
    goal_frame = int(generator.integers(ends[0], ends[1] + 1))
    ahead = now[:, None] + data.block * torch.arange(blocks, device=device)
    actions = data.blocks(ahead)[:, None]
    imagined = model.imagine(data.belief(model, now, model.dynamics.window), actions).latents
    real = data.latents[ahead + data.block][:, None, None]
    goal = LatentGoal(data.latents[goal_frame : goal_frame + 1].expand(len(now), -1, -1))
    before = _energies(cost, data.latents[now][:, None, None, None], actions[:, :, :1], goal, rows=True)
    gains = [_energies(cost, latents, actions, goal, rows=True) - before for latents in (imagined, real)]
    return _taus(gains[0], gains[1], generator)


def _energies(
    cost: Cost, latents: Float[Tensor, "B S K H N D"], actions: Float[Tensor, "B S H A"], goal: Goal, rows: bool = False
) -> Float[np.ndarray, "n H"]:
    """Energy of each state by itself, for each sequence (of the one row) or row (of one sequence each)."""
    found = [
        cost(Rollout(latents[:, :, :, h : h + 1]), actions[:, :, h : h + 1], goal) for h in range(latents.shape[3])
    ]
    energies = torch.stack(found, -1).double().cpu().numpy()
    return np.asarray(energies[:, 0] if rows else energies[0])
