"""Letting an agent plan towards goals of any kind, and filming it."""

from collections.abc import Callable
from pathlib import Path

from monde.agents import Strategy
from monde.errors import UsageError
from monde.evaluation.control import ControlConfig, score_control
from monde.evaluation.goals import is_readout_goal
from monde.evaluation.picture_plans import plan_to_picture
from monde.evaluation.plan_config import PlanConfig
from monde.evaluation.pointed_goals import is_pointed_goal
from monde.evaluation.protocol import protocol_card, scorecard
from monde.evaluation.readout_plans import plan_to_readout
from monde.evaluation.run import check_world, has_camera, recorded_world
from monde.evaluation.showing import films
from monde.models import load_acting, load_model, refuse_placed
from monde.scorecard import Scorecard
from monde.store import RunFolder
from monde.training import choose_device, choose_precision
from monde.training.setup import reopen


def plan_run(
    run: Path,
    strategy: Strategy,
    config: PlanConfig | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Scorecard:
    """Let an agent plan with the newest model of a run; its films go to the run's exhibits.

    With the world's own goals the score is that of `score_control`; with goals told by readouts success is what the
    readout tells. Pictures have no test of success: the score is how much nearer the last frame is to the goal than the
    first, in latent distance.

    Raises:
        UsageError: No world to act in, or a goal that cannot be understood.
        DataError: A goal frame or picture that cannot be read.
    """
    config = config or PlanConfig()
    _, setup = reopen(run)
    name = config.world or recorded_world(setup)
    if name is None:
        raise UsageError(
            f"{run} was trained on a recording of no world that can be run here",
            remedy="name a world with the same sensors and actions: --world ENV",
        )
    if setup.model.actions.unactuated:
        raise UsageError(
            f"{run} was learned without actions: it can predict, but not plan",
            remedy="train on a recording with actions, without --action-free",
        )
    check_world(setup, name)
    if config.goal != "env":
        refuse_placed(run, f"planning towards {config.goal!r}")
    device = choose_device(config.device)
    model = load_model(run, device)
    model.autocast = choose_precision(config.precision, device)
    if config.goal == "env":
        control = ControlConfig(
            episodes=config.episodes,
            budget_steps=config.budget_steps,
            seed=config.seed,
            films=config.episodes if has_camera(name) else 0,
            timed_plans=min(10, config.episodes),
            abstain=config.abstain,
        )
        acting = load_acting(run, device)
        acting.autocast = model.autocast
        scored = score_control(acting, strategy, name, control, progress=progress)
        rows, results, settings, seeds = scored.rows, scored.films, scored.planner, scored.seeds
    elif is_readout_goal(config.goal) or is_pointed_goal(config.goal):
        read = plan_to_readout(model, setup, strategy, name, config)
        rows, results, settings, seeds = read.rows, read.results, read.planner, read.seeds
    else:
        shown = plan_to_picture(model, setup, strategy, name, config)
        rows, results, settings, seeds = shown.rows, shown.results, shown.planner, shown.seeds
    if results is not None and results.goal_frames is not None:
        for index, film in enumerate(films(results)):
            film.save(RunFolder(run).exhibits / f"plan-{index:02d}", replace=True)
    card = protocol_card(
        world=name,
        budget_steps=config.budget_steps,
        seeds=seeds,
        planner=settings,
        data_hash=setup.recording.fingerprint,
        goal=config.goal if config.goal != "env" else "the world's own, drawn from the episode's seed",
    )
    return scorecard(f"{run.name}: plans", rows, card, (config.seed,))
