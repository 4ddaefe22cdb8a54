"""Strategies by name: a planner, the cost that it searches under, and settings that work."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch

from monde.actors import Actor
from monde.agents import Strategy, Trust, heads_hash
from monde.costs import BaseCost, Clearance, LatentDistance, TimeToGoal
from monde.costs.temporal import Arrival
from monde.errors import UsageError, unknown_name
from monde.evaluation import load_heads, planner_name
from monde.models import nearest, weights_hash
from monde.planning import (
    CEMConfig,
    CEMPlanner,
    GradientConfig,
    GradientPlanner,
    HybridConfig,
    HybridPlanner,
    ICEMConfig,
    ICEMPlanner,
    MPPIConfig,
    MPPIPlanner,
    ProposalConfig,
    ProposalPlanner,
    RandomShootingConfig,
    RandomShootingPlanner,
)
from monde.protocols import Planner
from monde.readouts import BodyMotion, TemporalDistance
from monde.recipes.guides import choose_guide
from monde.store import RunFolder
from monde.training import choose_device

PLANNERS: Mapping[str, Planner] = {
    "actor": ProposalPlanner(ProposalConfig(horizon=1)),
    # As good on TwoRoom as the literature's 300 × 10 at a sixth of its time (docs/log.md).
    "cem": CEMPlanner(CEMConfig(horizon=6, samples=128, rounds=5, elites=16)),
    "cem-300x10": CEMPlanner(CEMConfig(horizon=5, samples=300, rounds=10, elites=30)),
    "gradient": GradientPlanner(GradientConfig(horizon=6)),
    # On TwoRoom a longer horizon adds time only (docs/log.md).
    "hybrid": HybridPlanner(HybridConfig(horizon=1, samples=32, rounds=2)),
    "hybrid-deep": HybridPlanner(HybridConfig(horizon=2, samples=64, rounds=3)),
    "icem": ICEMPlanner(ICEMConfig(horizon=6)),
    # Two blocks ahead, and sequences that no actor proposed: it knows nothing of what must be kept clear of.
    "keep-clear": HybridPlanner(HybridConfig(horizon=2, samples=32, rounds=2, wide=16)),
    "mppi": MPPIPlanner(MPPIConfig(horizon=6)),
    "random-shooting": RandomShootingPlanner(RandomShootingConfig(horizon=6, samples=640)),
}
"""actor: no search. hybrid: the actor proposes, few samples refine; hybrid-deep: more of them, two blocks ahead, for
contacts, where each block counts. cem-300x10: LeWM's planner settings."""

HYBRID, DEEP, KEEP_CLEAR = "hybrid", "hybrid-deep", "keep-clear"
FLAT, GUIDED = "flat", ("hierarchical", "landmarks")
"""flat: hybrid by another name, without a guide. The others: hybrid, with sub-goals handed down by that guide."""

NEED_ACTOR = ("actor", "auto", HYBRID, DEEP, KEEP_CLEAR, FLAT, *GUIDED)
"""What a recipe fits an actor for; "auto" does with what a run has."""
BLOCKS_A_METRE = 100.0
"""Action blocks of time that a metre too near to something is worth: a robot that has come too near must get away."""
COSTS = ("auto", "latent", "time")


def strategy(
    name: str = "auto",
    run: Path | str | None = None,
    cost: str = "auto",
    device: str = "auto",
    trust: bool = True,
) -> Strategy:
    """The strategy called `name`.

    Args:
        name: One of `PLANNERS`; "flat" (hybrid); one of `GUIDED`: hybrid, led over far distances; or "auto": hybrid
            where the run has an actor, led where the goal is far and the run has what leads; keep-clear where it has
            learned how actions move the body; cem otherwise.
        run: Run folder, from which the actor, the temporal distance and the guides are taken.
        cost: "latent" (distance in latent space), "time" (learned time to the goal; where a motion head tells it, with
            what it costs to come near to things), or "auto": time for what needs an actor, latent for all else.
        device: Where the actor and the cost are to be; that of the model.
        trust: Whether to take the run's trust along, where it was fitted for these very settings of the planner.

    Raises:
        UsageError: An unknown name, or an actor, a temporal distance or a guide that the run does not have.
        StoreError: They were fitted on another model, or altered.
    """
    if cost not in COSTS:
        raise unknown_name("cost", cost, list(COSTS))
    if name not in ("auto", FLAT, *GUIDED, *PLANNERS):
        raise unknown_name("planner", name, ["auto", FLAT, *GUIDED, *sorted(PLANNERS)])
    run = None if run is None else Path(run)
    fitted = run is not None and RunFolder(run).actor.exists()
    placed = run is not None and RunFolder(run).motion.exists()
    quick = KEEP_CLEAR if placed and name == "auto" else HYBRID
    planner = name if name in PLANNERS else quick if fitted or name != "auto" else "cem"
    place = choose_device(device)
    actor = _actor(name, run, place) if planner in NEED_ACTOR else None
    timed = cost == "time" or (cost == "auto" and actor is not None)
    # The soonest of several imagined arrivals is an error of the learned time more often than one of the last.
    energy = _time(name, run, place, "sum" if planner == DEEP else "soonest") if timed else LatentDistance()
    if timed and placed and run is not None:
        clear_m = BodyMotion.load(RunFolder(run).motion, weights_hash(run)).config.clear_m
        energy = energy + keep_clear(clear_m) if clear_m else energy
    led = name in GUIDED or (name == "auto" and actor is not None)
    guide = choose_guide(name, run, place) if led and run is not None else None
    found = Strategy(PLANNERS[planner], energy, actor, guide)
    if not trust or run is None or not RunFolder(run).trust.exists():
        return found
    trusted = Trust.load(RunFolder(run).trust, heads_hash(run), *load_heads(run, place))
    return replace(found, trust=trusted) if trusted.settings.planner == planner_name(found) else found


def keep_clear(least_metres: float) -> Clearance:
    """What it costs to come nearer than that to anything: as much as so many blocks of time, in proportion."""
    return Clearance(readout=nearest, least_metres=least_metres, violation="graded", penalty=BLOCKS_A_METRE)


def _actor(name: str, run: Path | None, device: torch.device) -> Actor:
    if run is None or not RunFolder(run).actor.exists():
        raise _missing(f"planner {name!r} needs an actor", run)
    return Actor.load(RunFolder(run).actor, weights_hash(run)).to(device)


def _time(name: str, run: Path | None, device: torch.device, reduce: Arrival) -> BaseCost:
    if run is None or not RunFolder(run).temporal_distance.exists():
        raise _missing(f"planner {name!r} with cost 'time' needs a temporal distance", run)
    head = TemporalDistance.load(RunFolder(run).temporal_distance, weights_hash(run)).to(device)
    return TimeToGoal(head=head, reduce=reduce)


def _missing(what: str, run: Path | None) -> UsageError:
    return UsageError(what, got=f"{run} has none" if run else "no run", remedy=f"fit one: monde actor {run or 'RUN'}")
