"""Action ranking: does the model order what could be done as reality does?

From the same start (the same seed in every row), S random action sequences are really carried out, and each is also
judged by the model's cost. Kendall's τ compares the two orders.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from monde.agents import device_of, observation_to_clip, resolve_goal
from monde.errors import ContractError, WorldError
from monde.evaluation.statistics import kendall_tau, mean_interval
from monde.planning import pose
from monde.protocols import Cost, Observation, World, WorldModel
from monde.scorecard import Row
from monde.types import ActionSpec, PictureGoal

MakeWorld = Callable[[int], World]
"""A batch to a world of that batch."""


@dataclass(frozen=True, kw_only=True)
class RankingConfig:
    """What is ranked.

    Args:
        starts: Episodes whose start is used.
        samples: Action sequences from each start.
        horizon: Blocks of each sequence.
        spread: Standard deviation of the control steps of a sequence around their common mean, in half-ranges. The mean
            is uniform within the bounds: sequences without one would all end near the start and differ by little.

    Raises:
        ContractError: Fewer than 1 start or block, or than 2 sequences.
    """

    starts: int = 50
    samples: int = 64
    horizon: int = 5
    spread: float = 0.5

    def __post_init__(self) -> None:
        if self.starts < 1 or self.horizon < 1 or self.samples < 2 or not self.spread >= 0:
            raise ContractError("RankingConfig ranks nothing", got=self, expected="starts, horizon ≥ 1, samples ≥ 2")


def score_ranking(
    model: WorldModel,
    cost: Cost,
    make_world: MakeWorld,
    config: RankingConfig | None = None,
    seed: int = 0,
    hypotheses: int = 1,
) -> tuple[Row, ...]:
    """Kendall's τ between the cost of imagined futures and the true distance to the goal of real ones.

    Truth is the world's own `goal_distance`; in a maze a straight line through walls.

    Args:
        model: Imagines.
        cost: Judges imagined futures against the goal's picture.
        make_world: Makes the world that the model knows.
        config: What is ranked.
        seed: Of starts, sequences and the bootstrap over starts.
        hypotheses: Futures imagined for each sequence.

    Returns:
        `ranking_tau` against the true distance averaged over the ends of all blocks (what a cost summed over imagined
        states estimates) and `ranking_tau_final` against that at the end of the last. Starts where every sequence comes
        to the same (τ undefined) are left out of n. Floors: `chance` 0; `shuffled`, the same costs in another order.

    Raises:
        WorldError: The world has no goal of its own or does not tell the distance to it; or τ is defined at no start.
    """
    config = config or RankingConfig()
    world = make_world(config.samples)
    generator = np.random.default_rng([seed, 1])
    found = []
    try:
        for start in generator.integers(2**31, size=config.starts):
            energies, distances = _one_start(model, cost, world, int(start), config, generator, hypotheses)
            near, final, mixed = distances.mean(1), distances[:, -1], generator.permutation(energies)
            found.append([kendall_tau(energies, near), kendall_tau(energies, final), kendall_tau(mixed, near)])
    finally:
        world.close()
    taus = np.array(found)
    defined = ~np.isnan(taus).any(1)
    if not defined.any():
        raise WorldError("no start tells one action sequence from another", remedy="rank over a longer horizon")
    taus = taus[defined]
    return tuple(
        _row(metric, taus[:, column], {"chance": 0.0, "shuffled": float(taus[:, 2].mean())}, seed, config)
        for column, metric in enumerate(("ranking_tau", "ranking_tau_final"))
    )


def _row(metric: str, taus: np.ndarray, floors: dict[str, float], seed: int, config: RankingConfig) -> Row:
    value, interval = mean_interval(taus, seed)
    note = f"{config.samples} sequences of {config.horizon} blocks from each start; straight-line distance to the goal"
    return Row(metric=metric, value=value, interval=interval, n=len(taus), floors=floors, note=note)


def _one_start(
    model: WorldModel,
    cost: Cost,
    world: World,
    start: int,
    config: RankingConfig,
    generator: np.random.Generator,
    hypotheses: int,
) -> tuple[Float[np.ndarray, " S"], Float[np.ndarray, "S H"]]:
    observation = world.reset([start] * config.samples)
    aim = world.goal()
    if aim is None or world.goal_distance() is None:
        raise WorldError(
            f"actions cannot be ranked in world {world.name!r}",
            got="no goal of its own, or no true distance to it",
            remedy="score prediction instead",
        )
    controls = random_sequences(model.actions, config, generator)
    distances = np.empty((config.samples, config.horizon))
    for step in range(controls.shape[1]):
        world.step(controls[:, step])
        if (step + 1) % model.actions.block == 0:
            distances[:, step // model.actions.block] = world.goal_distance()
    device = device_of(model)
    with torch.no_grad():
        goal = resolve_goal(model, PictureGoal(observation_to_clip(row_of(aim), model.sensors)))
        belief = model.begin(observation_to_clip(row_of(observation), model.sensors, device))
        problem = pose(model, belief, cost, goal, hypotheses)
        actions = model.actions.to_blocks(torch.from_numpy(controls))[None].to(device)
        energies: np.ndarray = problem.cost(problem.imagine(actions), actions)[0].double().cpu().numpy()
    return energies, distances


def random_sequences(
    actions: ActionSpec, config: RankingConfig, generator: np.random.Generator
) -> Float[np.ndarray, "S steps dim"]:
    """Random control steps, each sequence around a mean of its own (discrete: half of them one repeated choice)."""
    S, steps = config.samples, config.horizon * actions.block
    if actions.discrete:
        favourite = generator.integers(actions.choices, size=(S, 1))
        choice = generator.integers(actions.choices, size=(S, steps))
        kept = generator.random((S, steps)) < 0.5
        return np.eye(actions.choices, dtype=np.float32)[np.where(kept, favourite, choice)]
    low, high = np.array(actions.low), np.array(actions.high)
    mean = generator.uniform(low, high, (S, 1, actions.dim))
    noise = config.spread * (high - low) / 2 * generator.standard_normal((S, steps, actions.dim))
    return np.clip(mean + noise, low, high).astype(np.float32)


def row_of(observation: Observation) -> Observation:
    return observation.rows(slice(0, 1))
