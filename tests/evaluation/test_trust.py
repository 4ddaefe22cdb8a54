"""Trust, and goals of every kind, on a small model that was really trained."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from monde.agents import (
    PlanningAgent,
    Strategy,
    Trust,
    heads_hash,
    observation_to_clip,
    reached,
    record,
    run_episodes,
    stay_agent,
)
from monde.cli import main
from monde.errors import DataError, PlanningError, StoreError, UsageError
from monde.evaluation import (
    PlanConfig,
    RangeConfig,
    TrustConfig,
    fit_trust,
    load_heads,
    plan_run,
    score_recorded_range,
)
from monde.evaluation.goals import fit_readouts, parse_goal, readable_states
from monde.evaluation.readout_plans import for_readouts, readout_judge
from monde.models import JEPA, load_model
from monde.planning import CEMConfig, CEMPlanner
from monde.protocols import Observation
from monde.recipes import strategy
from monde.store import RunFolder
from monde.training import FitActorConfig, TrainConfig, fit_actor, train
from monde.training.frame_latents import encode_frames
from monde.training.setup import reopen
from monde.types import (
    LatentGoal,
    OutOfDistribution,
    PictureGoal,
    PredicateGoal,
    ReadoutGoal,
    TooUncertain,
    Unreachable,
)
from monde.types.streams import Clip, Stream
from monde.worlds import make

ACTOR = FitActorConfig(minutes=None, steps=120, frames=16, goals_each=4, recorded=4, hidden=64, depth=2, device="cpu")
CONFIG = TrustConfig(episodes=60, judged=40, budget_steps=40, batch=100, draws=2, device="cpu", precision="fp32")
SEARCH = CEMPlanner(CEMConfig(horizon=4, samples=48, rounds=3, elites=8))
SEEDS = [1, 2, 3, 4, 5, 6]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trusted")
    record("tworoom", folder / "data", episodes=64, steps=30, seed=3, batch=64)
    config = TrainConfig(data=str(folder / "data"), run=str(folder / "run"), steps=80, batch=32, device="cpu")
    train(config)
    fit_actor(folder / "run", ACTOR)
    fit_trust(folder / "run", strategy("hybrid", folder / "run", device="cpu"), CONFIG)
    return folder / "run"


@pytest.fixture(scope="module")
def model(run: Path) -> JEPA:
    return load_model(run).requires_grad_(False)


@pytest.fixture(scope="module")
def trusted(run: Path) -> Strategy:
    return strategy("hybrid", run, device="cpu")


def _picture(model: JEPA, frames: np.ndarray) -> PictureGoal:
    camera = model.sensors[0]
    return PictureGoal(Clip({camera.name: Stream.regular(torch.from_numpy(frames)[:, None], camera.rate_hz)}))


def test_trust_is_fitted_judged_and_kept(run: Path) -> None:
    document = json.loads(RunFolder(run).trust_score.read_text())
    rows = {row["metric"]: row for row in document["rows"]}
    assert rows["base_success"]["n"] == 40
    assert 0 < rows["base_success"]["value"] < 1
    # Near goals against far ones: even a small model knows as much.
    assert rows["auroc"]["value"] > 0.6
    assert document["protocol"]["episodes_fitted"] == 60


def test_the_first_plan_tells_its_chances_row_by_row(model: JEPA, trusted: Strategy) -> None:
    def told(seeds: list[int]) -> np.ndarray:
        results = run_episodes(make("tworoom", len(seeds)), PlanningAgent(model, trusted, seed=0), seeds, 10)
        assert results.success_probability is not None
        return results.success_probability

    together = told(SEEDS)
    assert ((together >= 0) & (together <= 1)).all()
    assert together.std() > 0
    assert isinstance(trusted.trust, Trust)
    agent = PlanningAgent(model, trusted, seed=0)
    world = make("tworoom", 2)
    observation = world.reset(SEEDS[:2])
    agent.begin(observation, world.goal())
    first = agent.act(observation, np.ones(2, dtype=np.bool_))
    assert first.forecast is not None
    assert first.plan is not None
    assert first.plan.success_probability is first.forecast.probability
    assert agent.act(observation, np.ones(2, dtype=np.bool_)).forecast is None  # only before it acts


def test_a_forecast_does_not_depend_on_the_rows_beside_it(model: JEPA, trusted: Strategy) -> None:
    world = make("tworoom", 4)
    observation = world.reset(SEEDS[:4])
    agent = PlanningAgent(model, trusted, seed=0)
    agent.begin(observation, world.goal())
    plan = agent.act(observation, np.ones(4, dtype=np.bool_)).plan
    assert plan is not None
    assert isinstance(trusted.trust, Trust)
    belief, goal = agent.belief, agent._goal
    assert belief is not None
    assert isinstance(goal, LatentGoal)
    whole = trusted.trust.forecast(model, belief, goal, plan).probability
    row = replace(
        plan,
        cost_before=plan.cost_before[2:3],
        cost_after=plan.cost_after[2:3],
        actions=plan.actions[2:3],
        success_probability=None,
    )
    alone = trusted.trust.forecast(model, belief.rows(slice(2, 3)), LatentGoal(goal.latents[2:3]), row).probability
    torch.testing.assert_close(alone[0], whole[2], rtol=1e-3, atol=1e-4)


def test_a_picture_of_another_scene_is_said_to_be_out_of_distribution(model: JEPA, trusted: Strategy) -> None:
    world = make("tworoom", 6)
    world.reset(SEEDS)
    aim = world.goal()
    assert aim is not None
    other = 255 - aim.values[model.sensors[0].name]
    agent = PlanningAgent(model, trusted, seed=0, abstain=True)
    results = run_episodes(world, agent, SEEDS, 20, goal=_picture(model, other), record_frames=True)
    assert all(isinstance(reason, OutOfDistribution) and reason.what == "goal" for reason in results.abstained)
    assert "out of distribution" in str(results.abstained[0])
    assert results.frames is not None
    assert (results.frames[:, 0] == results.frames[:, -1]).all()  # they rest
    assert (results.steps == 0).all()
    own = run_episodes(make("tworoom", 6), PlanningAgent(model, trusted, seed=0, abstain=True), SEEDS, 20)
    assert not any(isinstance(reason, OutOfDistribution) for reason in own.abstained)


def test_what_is_improbable_is_not_tried_where_one_may_abstain(model: JEPA, trusted: Strategy) -> None:
    trust = trusted.trust
    assert isinstance(trust, Trust)
    strict = replace(trusted, trust=replace(trust, settings=replace(trust.settings, least_probability=1.0)))
    results = run_episodes(make("tworoom", 6), PlanningAgent(model, strict, seed=0, abstain=True), SEEDS, 20)
    assert all(isinstance(reason, TooUncertain | Unreachable) for reason in results.abstained)
    assert not results.success.any()
    assert "6 were not tried" in repr(results)
    tried = run_episodes(make("tworoom", 6), PlanningAgent(model, strict, seed=0), SEEDS, 20)
    assert tried.abstained == ()
    with pytest.raises(PlanningError, match="monde trust"):
        PlanningAgent(model, replace(trusted, trust=None), seed=0, abstain=True)


def test_a_goal_that_imagination_never_comes_near_is_unreachable(model: JEPA, trusted: Strategy) -> None:
    trust = trusted.trust
    assert isinstance(trust, Trust)
    near = replace(trusted, trust=replace(trust, settings=replace(trust.settings, never_near_blocks=-1.0)))
    results = run_episodes(make("tworoom", 6), PlanningAgent(model, near, seed=0, abstain=True), SEEDS, 20)
    assert all(isinstance(reason, Unreachable) for reason in results.abstained)
    assert "imagination comes no nearer" in str(results.abstained[0])


def test_trust_belongs_to_its_planner_its_weights_and_its_actor(run: Path, tmp_path: Path) -> None:
    assert strategy("actor", run, device="cpu").trust is None  # fitted for the hybrid
    assert strategy("hybrid", run, device="cpu", trust=False).trust is None
    actor, distance = load_heads(run, torch.device("cpu"))
    with pytest.raises(StoreError, match="another model or actor"):
        Trust.load(RunFolder(run).trust, "0" * 64, actor, distance)
    kept = Trust.load(RunFolder(run).trust, heads_hash(run), actor, distance)
    kept.save(tmp_path / "again", heads_hash(run))
    again = Trust.load(tmp_path / "again", heads_hash(run), actor, distance)
    assert again.settings == kept.settings
    features = torch.rand(3, len(kept.head.config.names))
    torch.testing.assert_close(again.weigh(features).probability, kept.weigh(features).probability)


def test_hindsight_needs_a_budget_that_tells_and_then_no_world(run: Path) -> None:
    chosen = strategy("hybrid", run, device="cpu")
    with pytest.raises(DataError, match="hindsight"):
        fit_trust(run, chosen, replace(CONFIG, world="hindsight"))
    folder = RunFolder(run).trust
    before = (folder / "manifest.json").read_bytes()
    score = fit_trust(run, chosen, replace(CONFIG, world="hindsight", budget_steps=10, judged=200))
    assert score["auroc"].value > 0.6  # what lies 30 steps later lies further away
    assert (folder / "manifest.json").read_bytes() != before


def test_a_recording_alone_tells_the_plannable_range(run: Path, model: JEPA) -> None:
    _, setup = reopen(run)
    held_out = encode_frames(model, setup, setup.split.held_out)
    rows = score_recorded_range(model, strategy("hybrid", run, device="cpu").cost, held_out, RangeConfig(blocks=3))
    taus = {row.metric: row for row in rows}
    assert taus["range_tau/5"].value > taus["range_tau/5"].floors["shuffled"] + 0.2
    assert rows[0].metric == "plannable_range_steps"


@pytest.fixture(scope="module")
def read(run: Path, model: JEPA) -> tuple[torch.Tensor, dict[str, Callable[[torch.Tensor], torch.Tensor]]]:
    data, readouts = fit_readouts(model, reopen(run)[1], ("state",))
    return data.latents, readouts


@pytest.mark.parametrize(
    ("planner", "text"),
    [("hybrid", "state=45,20±10"), ("cem", "state=45,20±10"), ("hybrid", "state.y<30"), ("cem", "state.y<30")],
)
def test_what_readouts_tell_is_a_goal_for_every_planner(
    run: Path,
    model: JEPA,
    read: tuple[torch.Tensor, dict[str, Callable[[torch.Tensor], torch.Tensor]]],
    planner: str,
    text: str,
) -> None:
    bank, readouts = read
    goal = parse_goal(text, readable_states(reopen(run)[1]), 6)
    assert isinstance(goal, ReadoutGoal | PredicateGoal)
    chosen = strategy(planner, run, device="cpu")
    if planner == "cem":
        chosen = replace(chosen, planner=SEARCH)
    ready = for_readouts(chosen, readouts, goal, bank)
    judge = readout_judge(model, readouts, goal)
    states: list[np.ndarray] = []

    def watched(observation: Observation) -> np.ndarray:
        states.append(observation.values["state"])
        return judge(observation)

    agent = PlanningAgent(model, ready, seed=0)
    results = run_episodes(make("tworoom", 6), agent, SEEDS, 60, goal=goal, judge=watched)
    stay = run_episodes(make("tworoom", 6), stay_agent(model.actions), SEEDS, 60, goal=goal, judge=judge)
    assert results.success.sum() > stay.success.sum()
    ends = np.stack([states[step][row] for row, step in enumerate(results.steps)])
    # The readout's word is checked against the truth.
    missed = np.hypot(*(ends - [45, 20]).T) - 10 if text.startswith("state=") else ends[:, 1] - 30
    assert missed[results.success].mean() < 4


def test_an_actor_is_given_a_latent_that_satisfies_the_goal(
    run: Path, model: JEPA, read: tuple[torch.Tensor, dict[str, Callable[[torch.Tensor], torch.Tensor]]]
) -> None:
    bank, readouts = read
    goal = parse_goal("state=45,20±6", readable_states(reopen(run)[1]), 3)
    assert isinstance(goal, ReadoutGoal)
    finder = for_readouts(strategy("actor", run, device="cpu"), readouts, goal, bank).finder
    assert finder is not None
    world = make("tworoom", 3)
    belief = model.begin(observation_to_clip(world.reset(SEEDS[:3]), model.sensors))
    found = finder.find(model, belief, goal)
    assert bool(reached(readouts, found.latents, goal).all())
    assert finder.find(model, belief, found) is found
    with pytest.raises(PlanningError, match="nothing that was trained on"):
        finder.find(model, belief, replace(goal, target=goal.target + 500))


def test_goals_are_planned_to_from_the_command_line(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["plan", str(run), "--episodes", "2", "--budget", "10", "--quiet", "--json", "-"]
    for goal in ("state=45,20±8", "0:20", "env"):
        assert main([*words, "--goal", goal]) == 0
        rows = {row["metric"]: row for row in json.loads(capsys.readouterr().out)["rows"]}
        assert 0 <= rows["success_probability"]["value"] <= 1
        assert ("success" in rows) == (goal != "0:20")
    for goal, said in (
        ("state=45±8", "does not fit"),
        ("speed=45,20±8", "no state called"),
        ("state.z>4", "no component"),
        ("state=450,20±3", "nothing that was trained on"),
        ("nowhere", "cannot be understood"),
    ):
        assert main([*words, "--goal", goal]) == 2
        assert said in capsys.readouterr().err


def test_abstentions_are_counted(run: Path) -> None:
    strict = strategy("hybrid", run, device="cpu")
    assert isinstance(strict.trust, Trust)
    settings = replace(strict.trust.settings, least_probability=1.0)
    never = replace(strict, trust=replace(strict.trust, settings=settings))
    score = plan_run(run, never, PlanConfig(episodes=3, budget_steps=10, abstain=True, device="cpu"))
    assert score["abstained"].value == 1
    assert score["success"].value == 0
    assert "success_when_acting" not in score


def test_a_picture_that_is_given_up_is_said_to_be_so(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A picture has no test of success; whether one tried at all is told all the same."""
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    words = ["plan", str(run), "--goal", str(tmp_path / "noise.png"), "--abstain", "--episodes", "2", "--budget", "5"]
    assert main(words) == 0
    assert "not tried: 2 OutOfDistribution; the first is out of distribution: the goal's" in capsys.readouterr().out


def test_the_verb_fits_and_a_new_actor_removes_it(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["trust", str(run), "--n", "60", "--budget", "40", "--quiet", "--json", "-"]
    assert main(words) == 0
    assert {"brier", "auroc"} <= {row["metric"] for row in json.loads(capsys.readouterr().out)["rows"]}
    fit_actor(run, replace(ACTOR, steps=2))
    assert not RunFolder(run).trust.exists()
    assert main([*words[:2], "--n", "1", "--budget", "40"]) == 2  # too few to learn from: refused
    assert "success cannot be told from failure" in capsys.readouterr().err
    with pytest.raises(UsageError):
        TrustConfig(episodes=0)
