"""The protocol card: everything that must be equal for two figures to be comparable."""

import dataclasses
from collections.abc import Mapping, Sequence

from monde.agents import Strategy
from monde.scorecard import Row, Scorecard
from monde.store import commit, machine, utc_now

START_FILTER = "starts that already satisfy the success test are drawn again"
SUCCESS_AT_ANY_STEP = "the world's own test, after any control step within the budget"


def protocol_card(
    *,
    world: str,
    budget_steps: int,
    seeds: Sequence[int],
    planner: Mapping[str, object],
    data_hash: str,
    normalisation: str = "actions to zero mean and unit variance over the training data; frames to -1 to 1",
    goal: str = "the world's own, drawn from the episode's seed",
    goal_offset_steps: int | None = None,
    success_test: str = SUCCESS_AT_ANY_STEP,
    start_filter: str = START_FILTER,
    extra: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """The card of one evaluation, as JSON values; `Scorecard.protocol_id` is its hash.

    Args:
        world: Name of the world.
        budget_steps: Control steps allowed.
        seeds: Seeds that the episodes were drawn with.
        planner: Settings (see `describe_strategy`).
        data_hash: Fingerprint of the recording that was trained on.
        normalisation: How inputs are normalised.
        goal: How goals are sampled.
        goal_offset_steps: Steps between start and goal where goals are later frames of a demonstration, or none.
        success_test: When an episode counts as a success.
        start_filter: Which starts are not used.
        extra: Whatever else an evaluator's figures depend on.
    """
    return {
        "world": world,
        "budget_steps": budget_steps,
        "goal": goal,
        "goal_offset_steps": goal_offset_steps,
        "success_test": success_test,
        "start_filter": start_filter,
        "seeds": [int(seed) for seed in seeds],
        "normalisation": normalisation,
        "data_hash": data_hash,
        "planner": dict(planner),
    } | dict(extra or {})


def describe_strategy(strategy: Strategy, **settings: object) -> dict[str, object]:
    """A strategy as JSON values: class names, the planner's `config`, and how it is driven."""
    config = getattr(strategy.planner, "config", None)
    fields = dataclasses.asdict(config) if dataclasses.is_dataclass(config) and not isinstance(config, type) else {}
    named = {
        "planner": type(strategy.planner).__name__,
        "cost": repr(strategy.cost),
        "actor": strategy.actor is not None,
    }
    guided = {} if strategy.guide is None else dict(strategy.guide.settings)
    return named | fields | guided | settings


def scorecard(name: str, rows: Sequence[Row], protocol: Mapping[str, object], seeds: Sequence[int]) -> Scorecard:
    """A scorecard of this machine, commit and moment."""
    return Scorecard(
        name=name,
        rows=tuple(rows),
        protocol=dict(protocol),
        machine=machine(),
        commit=commit(),
        seeds=tuple(int(seed) for seed in seeds),
        created=utc_now(),
    )
