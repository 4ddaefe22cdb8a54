"""Our side of what is timed beside the peers: plans, training steps and windows, through monde's public verbs."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from monde.actors import Actor, ActorConfig, proposal
from monde.agents import Strategy
from monde.costs import LatentDistance, TimeToGoal
from monde.data import FrameCache, Sampler, Windows, open_recording
from monde.models import JEPA, import_lewm, model_config
from monde.models.lewm_names import Layout
from monde.objectives import ObjectiveConfig
from monde.planning import CEMConfig, CEMPlanner, HybridConfig, HybridPlanner, pose
from monde.readouts import TemporalDistance, TemporalDistanceConfig
from monde.training import TrainStep
from monde.types import ActionSpec, Clip, LatentGoal, Sensor, Stream

SAMPLES, ROUNDS, ELITES, HORIZON = 300, 10, 30, 5
CAMERA = Sensor(name="top", kind="rgb", shape=(3, 64, 64), rate_hz=10)
ACTIONS = ActionSpec(low=(-1.0, -1.0), high=(1.0, 1.0), block=5, dt_seconds=0.1)
CEM = Strategy(
    CEMPlanner(CEMConfig(horizon=HORIZON, samples=SAMPLES, rounds=ROUNDS, elites=ELITES)), LatentDistance(reduce="last")
)
"""What the peers search with, and for: the distance of the last imagined latent to the goal's."""

LEARNING = {"stable-worldmodel": (5e-5, 1e-3, 1.0), "torch-world": (3e-4, 0.01, 10.0)}
"""Learning rate, weight decay and largest norm of the gradient, as each peer publishes them."""


def picture(frames: Tensor) -> Clip:
    """Frames uint8 [B, 1, 3, h, w] as a clip."""
    return Clip({CAMERA.name: Stream.regular(frames, 1 / ACTIONS.block_seconds)})


def imported(weights: Path, peer: Layout) -> JEPA:
    """The model of a peer's weights."""
    return import_lewm(weights, peer, camera=CAMERA, actions=ACTIONS)


def sized(size: str) -> JEPA:
    """A model of ours with random weights: they do not change how long a plan takes."""
    torch.manual_seed(0)
    return JEPA(model_config(size, (CAMERA,), ACTIONS)).eval()


def hybrid(model: JEPA) -> Strategy:
    """The planner of the TwoRoom recipe with an actor and a temporal distance of random weights."""
    torch.manual_seed(0)
    actor = Actor(ActorConfig(features=model.latent, actions=ACTIONS)).eval()
    head = TemporalDistance(TemporalDistanceConfig(features=model.latent)).eval()
    return Strategy(HybridPlanner(HybridConfig(horizon=1, samples=32, rounds=2)), TimeToGoal(head=head), actor)


@torch.no_grad()
def plan_seconds(model: JEPA, strategy: Strategy, frames: Tensor, bf16: bool, seed: int = 0) -> float:
    """Seconds from two frames [1, 2, 3, h, w], now and wanted, to a plan; encoding them is included."""
    model.autocast = bf16
    generator = torch.Generator().manual_seed(seed)
    start = time.perf_counter()
    belief = model.begin(picture(frames[:, :1]))
    goal = LatentGoal(model.encode(picture(frames[:, 1:])).values[:, 0])
    propose = None if strategy.actor is None else proposal(model, strategy.actor, belief, goal)
    strategy.planner.plan(pose(model, belief, strategy.cost, goal, 1, propose), generator)
    return time.perf_counter() - start


@torch.no_grad()
def costs(model: JEPA, frames: Tensor, actions: Tensor, bf16: bool) -> Tensor:
    """Cost [S] of action sequences [1, S, H, A]."""
    model.autocast = bf16
    belief = model.begin(picture(frames[:, :1]))
    goal = LatentGoal(model.encode(picture(frames[:, 1:])).values[:, 0])
    return CEM.cost(model.imagine(belief, actions), actions, goal)[0]


class Training:
    """The peer's architecture and objective as monde trains them.

    SIGReg has the peers' 1,024 projections, 17 knots and weight 0.09; as everywhere in monde it is the unbiased
    estimate over all frames of the batch.
    """

    def __init__(self, weights: Path, peer: Layout) -> None:
        objective = ObjectiveConfig(rollout_weight=0.0, projections=1024, regulariser_weight=0.09)
        self.module = TrainStep(imported(weights, peer), objective).train()
        rate, decay, self.clip = LEARNING[peer]
        self.optimiser = torch.optim.AdamW(self.module.parameters(), lr=rate, weight_decay=decay, fused=True)
        self.generator = torch.Generator().manual_seed(0)

    def step(self, batch: Mapping[str, Tensor], bf16: bool) -> float:
        """Seconds of one step."""
        rate = 1 / ACTIONS.block_seconds
        actions = Stream.regular(batch["actions"][:, :-1], rate)
        clip = Clip({CAMERA.name: Stream.regular(batch["frames"], rate)}, actions)
        self.module.model.autocast = bf16
        start = time.perf_counter()
        self.optimiser.zero_grad(set_to_none=True)
        self.module(clip, self.generator).total.backward()
        nn.utils.clip_grad_norm_(self.module.parameters(), self.clip)
        self.optimiser.step()
        return time.perf_counter() - start

    def operations(self, batch: Mapping[str, Tensor]) -> int:
        """Floating-point operations of one step."""
        with FlopCounterMode(display=False) as counter:
            self.step(batch, False)
        return counter.get_total_flops()


@dataclass(frozen=True)
class CachedWindows:
    """Random windows of 4 frames, 5 control steps apart, with the actions between, from monde's frame cache."""

    source: Windows
    batch: int

    @classmethod
    def of(cls, recording: Path, batch: int) -> "CachedWindows":
        """The windows of a recording; its cache is made."""
        opened = open_recording(recording)
        if opened.actions is None:
            raise ValueError(f"{recording} has no actions")
        cache = FrameCache.open_or_build(opened)
        name = next(sensor.name for sensor in opened.sensors if sensor.picture)
        return cls(Windows(cache, range(len(cache.lengths)), [name], 4, opened.actions.with_block(5)), batch)

    def rate(self, windows: int) -> float:
        """Windows a second."""
        sampler = Sampler(len(self.source), self.batch, 0)
        batches = -(-windows // self.batch)
        start = time.perf_counter()
        for _ in range(batches):
            self.source.clip(sampler.next())
        return batches * self.batch / (time.perf_counter() - start)


def as_arrays(recording: Path) -> dict[str, Tensor]:
    """Frames uint8 [E, L, 3, h, w] and actions [E, L, a] of a recording, the last action of each episode zero."""
    opened = open_recording(recording)
    name = next(sensor.name for sensor in opened.sensors if sensor.picture)
    clips = [opened.read(e, 0, length, [name]) for e, length in enumerate(opened.lengths)]
    controls = [clip.actions.values[0] for clip in clips if clip.actions is not None]
    return {
        "frames": torch.stack([clip.stream(name).values[0] for clip in clips]).contiguous(),
        "actions": torch.stack([torch.nn.functional.pad(c.float(), (0, 0, 0, 1)) for c in controls]),
    }


def spearman(one: Tensor, other: Tensor) -> float:
    """Rank correlation of two vectors."""
    ranks = np.stack([x.argsort().argsort().numpy() for x in (one, other)])
    return float(np.corrcoef(ranks)[0, 1])


def batch_of(path: Path) -> Mapping[str, Tensor]:
    """The tensors of a file."""
    return load_file(path)
