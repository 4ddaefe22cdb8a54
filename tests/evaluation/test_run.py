"""The whole path on a small scale: record, train, score, plan; each leaves what the next one reads."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from monde.agents import record
from monde.data import EpisodeData, RecordingWriter
from monde.errors import DataError, MondeError, StoreError, UsageError
from monde.evaluation import Film, Imagination, PlanConfig, Scatter, ScoreConfig, load_exhibit, plan_run, score_run
from monde.recipes import strategy
from monde.scorecard import Scorecard
from monde.store import RunFolder, read_json
from monde.training import TrainConfig, train
from monde.types import ActionSpec, Sensor

SMALL = ScoreConfig(episodes=4, budget_steps=20, films=2, imaginations=1, decoder_steps=10, device="cpu")
SEARCH = strategy("cem")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("whole")
    record("tworoom", root / "data", episodes=40, steps=50, seed=1, batch=40)
    train(TrainConfig(data=str(root / "data"), run=str(root / "run"), steps=40, batch=16, warmup_steps=5, device="cpu"))
    return root / "run"


def test_score_run(run: Path) -> None:
    stages: list[str] = []
    score = score_run(run, SEARCH, SMALL, lambda stage, done, wanted: stages.append(stage))
    assert {"probes", "ranking", "control", "decoder"} <= set(stages)
    assert Scorecard.from_json(read_json(run / "score.json")) == score
    for metric in (
        "probe_position_rmse_px",
        "success",
        "plan_seconds",
        "ranking_tau",
        "prediction/retrieval_top1/0.5s",
    ):
        assert metric in score, metric
    probe = score["probe_position_rmse_px"]
    assert probe.value < probe.floors["untrained"]
    assert {"random", "stay"} <= set(score["success"].floors)
    assert score["ranking_tau"].n == score["plannable_range_steps"].n == score["plan_seconds"].n == SMALL.episodes
    card = score.protocol
    assert card["world"] == "tworoom"
    assert card["budget_steps"] == 20
    assert card["planner"]["samples"] == 128
    assert len(card["seeds"]) == 4
    kinds = [type(load_exhibit(folder)) for folder in sorted((run / "exhibits").iterdir())]
    assert kinds.count(Film) == 2
    assert kinds.count(Imagination) == 1
    assert kinds.count(Scatter) == 1
    again = score_run(run, SEARCH, SMALL)
    timed = {"plan_seconds", "plan_seconds_p95", "plans_per_second_batched"}
    assert [row for row in again.rows if row.metric not in timed] == [
        row for row in score.rows if row.metric not in timed
    ]


@pytest.mark.parametrize("nothing", [{"episodes": 0}, {"budget_steps": 0}])
def test_a_score_of_nothing_is_refused_before_any_work(nothing: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="nothing to score"):
        replace(SMALL, **nothing)


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
def test_a_time_that_is_no_time_is_refused(seconds: float) -> None:
    with pytest.raises(UsageError, match="cannot be fitted in that time"):
        replace(SMALL, decoder_seconds=seconds)


def test_gaps_in_what_holds_the_truth_are_left_out(tmp_path: Path) -> None:
    """A truth that was missing for a moment made scoring fail; so did one that was never there."""
    kinds = {"gnss": "gnss", "twist": "twist", "truth": "state", "lost": "state"}
    sensors = tuple(
        Sensor(name=name, kind=kind, shape=(3,), unit="m", rate_hz=10.0)  # type: ignore[arg-type]
        for name, kind in kinds.items()
    )
    rng = np.random.default_rng(0)

    def episode() -> EpisodeData:
        controls = rng.uniform(-1, 1, (24, 3))
        place = np.cumsum(np.concatenate([rng.normal(size=(1, 3)), controls]), 0)
        there = rng.random(25) < 0.7
        values = {"gnss": place, "twist": np.concatenate([np.zeros((1, 3)), controls]), "lost": 0 * place}
        values["truth"] = np.where(there[:, None], place, 0)
        valid = {"truth": there, "lost": np.zeros(25, dtype=np.bool_)}
        return EpisodeData(values, np.arange(25) / 10, controls, valid=valid)

    actions = ActionSpec(low=(-1.0,) * 3, high=(1.0,) * 3, dt_seconds=0.1)
    data, run = tmp_path / "data", tmp_path / "run"
    with RecordingWriter(data, sensors=sensors, actions=actions, source={}, gaps=["truth", "lost"]) as writer:
        writer.append([episode() for _ in range(12)])
    senses = ("gnss", "twist")
    train(TrainConfig(data=str(data), run=str(run), sensors=senses, held_out=0.25, steps=10, block=2, batch=16))
    score = score_run(run, strategy("cem", run), SMALL)
    probe = score["probe/truth/rmse"]
    assert 0 < probe.n < 3 * 13
    assert f"{3 * 13 - probe.n} frames without the truth are left out" in probe.note
    assert {"use/gnss", "prediction/truth/rmse/0.2s"} <= {row.metric for row in score.rows}
    assert not any("lost" in row.metric for row in score.rows)


def test_plan_towards_goals_of_every_kind(run: Path, tmp_path: Path) -> None:
    config = PlanConfig(episodes=2, budget_steps=20, device="cpu")
    own = plan_run(run, SEARCH, config)
    assert own["success"].n == 2
    frame = plan_run(run, SEARCH, replace(config, goal="0:30"))
    assert frame["goal_distance_ratio"].value < 1.2
    film = load_exhibit(run / "exhibits" / "plan-00")
    assert isinstance(film, Film)
    Image.fromarray(film.goal.permute(1, 2, 0).numpy()).resize((90, 90)).save(tmp_path / "goal.png")
    picture = plan_run(run, SEARCH, replace(config, goal=str(tmp_path / "goal.png")))
    assert picture["goal_distance_ratio"].n == 2
    assert picture.protocol_id != frame.protocol_id


def test_a_recorded_goal_is_shown_at_the_worlds_size_whatever_the_model_reads(tmp_path: Path) -> None:
    """`monde plan --goal EPISODE:FRAME` failed where the model was trained on smaller frames than the world's."""
    record("tworoom", tmp_path / "data", episodes=8, steps=30, seed=1, batch=8)
    data, run = str(tmp_path / "data"), tmp_path / "run"
    train(TrainConfig(data=data, run=str(run), steps=4, batch=8, warmup_steps=2, frame=32, device="cpu"))
    plan_run(run, SEARCH, PlanConfig(goal="0:20", episodes=2, budget_steps=10, device="cpu"))
    film = load_exhibit(run / "exhibits" / "plan-00")
    assert isinstance(film, Film)
    assert film.goal.shape == film.frames.shape[1:] == (3, 64, 64)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"goal": "somewhere.png"}, "EPISODE:FRAME"),
        ({"goal": "99:0"}, "episode does not exist"),
        ({"goal": "0:999"}, "step does not exist"),
        ({"world": "towroom"}, "unknown world 'towroom'"),
        ({"world": "gym:CartPole-v1"}, "other actions"),
    ],
)
def test_plan_refusals(run: Path, changes: dict[str, str], message: str) -> None:
    with pytest.raises(MondeError, match=message):
        plan_run(run, SEARCH, replace(PlanConfig(episodes=1, device="cpu"), **changes))


def test_a_text_file_is_no_goal(run: Path, tmp_path: Path) -> None:
    (tmp_path / "goal.png").write_text("not a picture")
    with pytest.raises(DataError, match="not a picture"):
        plan_run(run, SEARCH, PlanConfig(goal=str(tmp_path / "goal.png"), device="cpu"))


def test_nothing_to_plan() -> None:
    with pytest.raises(UsageError, match="nothing to plan"):
        PlanConfig(episodes=0)


def test_score_refuses_a_run_whose_data_changed(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run.parent, tmp_path / "copy")
    copied = tmp_path / "copy" / "run"
    document = (copied / "run.json").read_text().replace(str(run.parent), str(tmp_path / "copy"))
    (copied / "run.json").write_text(document)
    record("tworoom", tmp_path / "copy" / "data", episodes=80, steps=50, seed=1, batch=40)
    with pytest.raises(DataError, match="not the recording"):
        score_run(copied, SEARCH, SMALL)
    with pytest.raises(StoreError, match="not a run"):
        score_run(tmp_path, SEARCH, SMALL)
    assert RunFolder(copied).steps() == [40]


def test_unknown_planner() -> None:
    with pytest.raises(UsageError, match=r"unknown planner 'cme'.*did you mean 'cem'"):
        strategy("cme")
