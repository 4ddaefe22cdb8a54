"""How far plans can be trusted: probability of success, goals that cannot be reached, plannable range.

    python benchmarks/trust.py --keep DIR [--cases doorless brief hurried short] [--stage episodes|range|all]

DIR as of planning.py; what it does not hold is made by the task's recipe. Four cases, each of which succeeds in a part
of its episodes only, and for different reasons:

    doorless  a fifth of the layouts has no door, so that some goals cannot be reached (hybrid, 100 steps)
    brief     the same world, an actor that was fitted for 900 steps only (hybrid, 100 steps)
    hurried   a door elsewhere in every episode, no search, a fifth of the budget (actor, 20 steps)
    short     a fixed door, three action blocks (hybrid, 15 steps)

Trust is fitted on episodes of each case and judged on other episodes of it, never seen while fitting; `brier_skill` and
`auroc` are over all judged episodes together, against the base rate of all. Writes results/trust.json.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool

from common import options, write
from kept import arrays, differing, made_of
from monde.agents import Trust, observation_to_clip
from monde.evaluation import describe_strategy, scorecard
from monde.evaluation.calibration import calibration_rows
from monde.evaluation.plannable_range import score_plannable_range
from monde.evaluation.starts import draw_starts
from monde.evaluation.statistics import wilson
from monde.evaluation.trust import familiar, foresight_of, learn_trust, load_heads, witness
from monde.evaluation.trust_config import TrustConfig, Witnessed
from monde.models import JEPA, weights_hash
from monde.readouts import Familiarity
from monde.recipes import RECIPES, strategy
from monde.scorecard import Row, Scorecard
from monde.store import read_json, write_json
from monde.training import fit_actor
from monde.training.setup import reopen
from monde.worlds import TwoRoom, make
from planning import opened, prepare

BRIEF_STEPS = 900
PICTURES = 100
FIRST_SEED = 4_000_000
OTHER_LEAST = (0.1, 0.05)
"""Thresholds beside the declared one: what is asked for is a choice."""
RANGED = ("tworoom", "tworoom_doors")


@dataclass(frozen=True, kw_only=True)
class Case:
    """Episodes of one kind.

    Args:
        task: Recipe.
        planner: By name.
        budget_steps: Control steps allowed.
        fitted: Episodes that trust is fitted on.
        brief: Whether the actor is one that was hardly fitted.
        seed: Of starts and goals: no start is drawn twice.
    """

    task: str
    planner: str
    budget_steps: int
    fitted: int
    brief: bool = False
    seed: int


CASES: Mapping[str, Case] = {
    "doorless": Case(task="tworoom_doorless", planner="hybrid", budget_steps=100, fitted=2000, seed=21),
    "brief": Case(task="tworoom_doorless", planner="hybrid", budget_steps=100, fitted=1200, brief=True, seed=22),
    "hurried": Case(task="tworoom_doors", planner="actor", budget_steps=20, fitted=1200, seed=13),
    "short": Case(task="tworoom", planner="hybrid", budget_steps=15, fitted=1200, seed=14),
}
JUDGED = 1000


@dataclass(frozen=True)
class Judged:
    """A case's trust, and the episodes that it is judged on."""

    trust: Trust
    episodes: Witnessed
    seeds: tuple[int, ...]


def run_of(case: Case, keep: Path) -> Path:
    """The run of a case, made where it is not there."""
    if not case.brief:
        return prepare(case.task, 0, keep)
    recipe = RECIPES[case.task](keep / f"{case.task}-0", seed=0)
    run = recipe.run.parent / "brief"
    if not run.exists():
        making = run.with_name("brief.making")  # one that was interrupted would pass for a run that is fitted
        shutil.rmtree(making, ignore_errors=True)
        shutil.copytree(prepare(case.task, 0, keep), making, ignore=shutil.ignore_patterns("trusted"))
        assert recipe.actor is not None
        summary = fit_actor(making, replace(recipe.actor, minutes=None, steps=BRIEF_STEPS))
        write_json(making / "actor_fit.json", {"steps": summary.steps, "seconds": summary.seconds})
        making.rename(run)
    return run


def judged(name: str, keep: Path) -> Judged:
    """Run the case's episodes (kept beside its run with what they were run with) and fit its trust."""
    case = CASES[name]
    run = run_of(case, keep)
    model = opened(run)
    config = TrustConfig(episodes=case.fitted, judged=JUDGED, budget_steps=case.budget_steps, seed=case.seed)
    heads = (*load_heads(run, model.device), familiarity(run, model))
    foresight = foresight_of(model, config)
    total = case.fitted + JUDGED
    seeds, _ = draw_starts(partial(make, case.task), total, case.seed, config.batch)
    chosen = strategy(case.planner, run, device="cpu", trust=False)
    planner = describe_strategy(chosen)
    facts: dict[str, object] = {
        "task": case.task,
        "episodes": total,
        "seed": case.seed,
        "budget_steps": case.budget_steps,
        "draws": config.draws,
        "batch": config.batch,
        "planner": planner,
        "made_of": made_of(run, planner),
    }

    def run_them() -> dict[str, np.ndarray]:
        found = witness(
            model, chosen, heads, foresight, make, case.task, seeds, config, partial(print, name, flush=True)
        )
        return {"features": found.features.numpy(), "reached": found.reached}

    kept = arrays(run / "trusted" / f"{name}.npz", facts, run_them)
    found = Witnessed(torch.from_numpy(kept["features"]), kept["reached"])
    fitted, others = (
        Witnessed(found.features[part], found.reached[part])
        for part in (slice(None, case.fitted), slice(case.fitted, None))
    )
    return Judged(learn_trust(heads, foresight, fitted, chosen, config), others, seeds[case.fitted :])


def familiarity(run: Path, model: JEPA) -> Familiarity:
    """What a run was trained on, kept beside it."""

    def learn() -> dict[str, np.ndarray]:
        state = familiar(model, reopen(run)[1]).state_dict()
        return {name: tensor.numpy() for name, tensor in state.items()}

    kept = arrays(run / "trusted" / "familiarity.npz", {"weights": weights_hash(run)}, learn)
    state = {name: torch.from_numpy(values) for name, values in kept.items()}
    found = Familiarity(state["before"].shape[1], len(state["before"]))
    found.load_state_dict(state)
    return found


def probability(one: Judged) -> np.ndarray:
    """Of success, for each judged episode."""
    with torch.no_grad():
        return one.trust.head(one.episodes.features).double().numpy()


def possible(task: str, seeds: tuple[int, ...]) -> Bool[np.ndarray, " n"]:
    """Whether a way leads to each goal, from the world itself: for judging only."""
    world = make(task, len(seeds))
    assert isinstance(world, TwoRoom)
    world.reset(seeds)
    return world.reachable()


def abstention_rows(one: Judged, task: str) -> list[Row]:
    """Share of impossible and of possible goals that are given up, at the declared threshold and at others."""
    rows = []
    for least in (None, *OTHER_LEAST):
        settings = one.trust.settings if least is None else replace(one.trust.settings, least_probability=least)
        suffix = "" if least is None else f"/least_{least:g}"
        rows += _abstention_rows(replace(one, trust=replace(one.trust, settings=settings)), task, suffix)
    return rows


def _abstention_rows(one: Judged, task: str, suffix: str) -> list[Row]:
    forecast = one.trust.weigh(one.episodes.features)
    given_up = np.array([reason is not None for reason in forecast.reasons])
    can = possible(task, one.seeds)
    rows = []
    parts = {
        "impossible_abstained": ~can,
        "possible_abstained": can,
        "reached_abstained": one.episodes.reached,
    }
    for metric, part in parts.items():
        n, count = int(part.sum()), int(given_up[part].sum())
        kinds: dict[str, int] = {}
        for reason in (forecast.reasons[i] for i in np.flatnonzero(part & given_up)):
            kinds[type(reason).__name__] = kinds.get(type(reason).__name__, 0) + 1
        failed = int((~one.episodes.reached[part & given_up]).sum())
        note = f"{count} of {n}: {kinds}; {failed} of these failed when they were tried all the same"
        rows.append(Row(metric=metric + suffix, value=count / n, interval=wilson(count, n), n=n, note=note))
    return rows


def scene_rows(trust: Trust, model: JEPA, task: str) -> list[Row]:
    """Goal pictures of other scenes that are said to be out of distribution, and the task's own that are."""
    camera = model.sensors[0].name

    def goals(world_name: str) -> np.ndarray:
        world = make(world_name, PICTURES)
        world.reset(range(FIRST_SEED, FIRST_SEED + PICTURES))
        aim = world.goal()
        assert aim is not None
        return aim.values[camera]

    own = goals(task)
    noise = np.random.default_rng(0).integers(0, 256, own.shape, dtype=np.uint8)
    world = make(task, PICTURES)
    shown = world.reset(range(PICTURES))
    rows = []
    for scene, frames in (("own", own), ("pointmass", goals("pointmass")), ("inverted", 255 - own), ("noise", noise)):
        seen = replace(shown, values={**shown.values, camera: frames})
        with torch.no_grad():
            latents = model.encode(observation_to_clip(seen, model.sensors)).values[:, 0].float()
        count = int((trust.familiarity.distance(latents) > trust.familiarity.limit).sum())
        note = "goal pictures of this scene that are said to be out of distribution"
        rows.append(
            Row(
                metric=f"out_of_distribution/{task}/{scene}",
                value=count / PICTURES,
                interval=wilson(count, PICTURES),
                n=PICTURES,
                note=note,
            )
        )
    return rows


def range_rows(task: str, keep: Path) -> list[Row]:
    """The plannable range of a task's model under its learned time to the goal, and τ at some horizons."""
    run = prepare(task, 0, keep)
    path = run / "trusted" / "range.json"
    chosen = strategy("hybrid", run, device="cpu", trust=False)
    facts: dict[str, object] = {"task": task, "made_of": made_of(run, describe_strategy(chosen))}
    if path.exists():
        earlier = Scorecard.from_json(read_json(path))
        if not differing(earlier.protocol, facts):
            return list(earlier.rows)
    found = score_plannable_range(opened(run), chosen.cost, partial(make, task))
    kept = {"plannable_range_steps", "range_tau/5", "range_tau/25", "range_tau/50", "range_tau/100"}
    rows = [replace(row, metric=f"{row.metric}/{task}") for row in found if row.metric in kept]
    path.parent.mkdir(exist_ok=True)
    write_json(path, scorecard("range", rows, facts, (0,)).to_json())
    return rows


def main() -> None:
    """Run episodes, fit, judge, write."""
    parser = options(__doc__)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--stage", choices=["episodes", "range", "all"], default="all")
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.stage == "range":
        for task in RANGED:
            range_rows(task, given.keep)
        return
    found = {name: judged(name, given.keep) for name in given.cases}
    if given.stage == "episodes":
        return
    said = np.concatenate([probability(one) for one in found.values()])
    came = np.concatenate([one.episodes.reached for one in found.values()])
    rows = calibration_rows(said, came, 0)
    for name, one in found.items():
        rows += calibration_rows(probability(one), one.episodes.reached, 0, suffix=f"/{name}")
    if "doorless" in found:
        rows += abstention_rows(found["doorless"], "tworoom_doorless")
    for name in ("doorless", "short"):
        if name in found:
            task = CASES[name].task
            rows += scene_rows(found[name].trust, opened(run_of(CASES[name], given.keep)), task)
    for task in RANGED:
        rows += range_rows(task, given.keep)
    fits = {name: read_json(run_of(CASES[name], given.keep) / "actor_fit.json") for name in found}
    protocol: dict[str, object] = {
        "cases": {name: vars(CASES[name]) for name in found},
        "judged": JUDGED,
        "least_probability": TrustConfig().least_probability,
        "actor_fits": fits,
    }
    write("trust", rows, protocol, (0,), given.out)


if __name__ == "__main__":
    main()
