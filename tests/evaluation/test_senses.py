"""The use of each sense, on a model of which it is known what it uses."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from analytic import AnalyticModel, WalkClips
from monde.errors import DataError
from monde.evaluation import PredictionConfig, score_senses, targets
from monde.readouts import LinearReadout
from monde.types import Belief, Clip, Latents, Sensor, Stream

STATE = AnalyticModel().sensors[0]
POSITION = targets((STATE,))
CONFIG = PredictionConfig(horizon=4, report=(4,))
NOISE = 0.5


class Two(AnalyticModel):
    """Its place is the mean of what "eye" and "ear" say of it, or what one says where the other is missing; it has a
    "nose" and goes by nothing of it."""

    def __init__(self) -> None:
        super().__init__()
        self.sensors = tuple(replace(STATE, name=name) for name in ("eye", "ear", "nose"))

    def encode(self, clip: Clip) -> Latents:
        parts = [clip.stream(name) for name in ("eye", "ear")]
        weights = torch.stack([part.valid.float() for part in parts])[..., None]
        values = torch.stack([part.values for part in parts])
        place = (weights * values).sum(0) / weights.sum(0).clamp(min=1)
        return Latents(place[:, :, None], clip.stream("eye").times_seconds)

    def begin(self, clip: Clip) -> Belief:
        return AnalyticModel().begin(Clip({"state": Stream.regular(self.encode(clip).values[:, :, 0], 2.0)}))


class Noisy(WalkClips):
    """Walks of which three senses tell the place, each with noise of its own."""

    def clip(self, index: int) -> Clip:
        clip = super().clip(index)
        generator = torch.Generator().manual_seed(index)
        state = clip.stream("state")
        for name in ("eye", "ear", "nose"):
            noise = NOISE * torch.randn(state.values.shape, generator=generator)
            clip = replace(clip, streams={**clip.streams, name: replace(state, values=state.values + noise)})
        return clip


EXACT = LinearReadout(
    name="position", unit="px", centre=torch.zeros(2), weight=torch.eye(2), bias=torch.zeros(2), penalty=0.0
)


def test_use_is_what_another_episodes_samples_cost() -> None:
    rows = {r.metric: r for r in score_senses(Two(), Noisy(1), POSITION, {"position": EXACT}, CONFIG)}
    whole = rows["senses/position/all"]
    assert whole.unit == "px"
    assert whole.value == pytest.approx(NOISE / 2**0.5, rel=0.1)
    for sense in ("eye", "ear"):
        used, missing = rows[f"use/{sense}"], rows[f"use/{sense}/missing"]
        assert used.value == pytest.approx(rows[f"senses/position/other/{sense}"].value / whole.value)
        assert used.interval is not None
        assert used.interval[0] > 3
        assert used.floors == {"unused": 1.0}
        assert missing.value == pytest.approx(2**0.5, rel=0.1)  # one opinion in place of the mean of two
        assert rows[f"use/{sense}/prediction"].value > 3
        assert rows[f"use/{sense}/prediction_missing"].value < 2
    for suffix in ("", "/missing", "/prediction", "/prediction_missing"):
        assert rows[f"use/nose{suffix}"].value == pytest.approx(1.0)


class Gappy(Noisy):
    """The same with a truth beside them that is missing, and 0, in every other frame; nowhere with `lost`."""

    def __init__(self, seed: int, lost: bool = False) -> None:
        super().__init__(seed)
        self.lost = lost

    def clip(self, index: int) -> Clip:
        clip = super().clip(index)
        state = clip.stream("state")
        there = (torch.arange(clip.steps) % 2 == 0)[None] & (not self.lost)
        truth = replace(state, values=torch.where(there[..., None], state.values, 0.0), valid=there)
        return replace(clip, streams={**clip.streams, "truth": truth})


def test_frames_without_the_truth_are_left_out() -> None:
    truth = targets((replace(STATE, name="truth"),))
    rows = {r.metric: r for r in score_senses(Two(), Gappy(1), truth, {"position": EXACT}, CONFIG)}
    whole = rows["senses/position/all"]
    assert whole.n == 24 * 8
    assert whole.value == pytest.approx(NOISE / 2**0.5, rel=0.1)
    assert rows["use/eye"].n == 24 * 8
    assert 0 < rows["use/eye/prediction"].n < 24 * 4
    assert rows["use/eye/missing"].value == pytest.approx(2**0.5, rel=0.15)
    assert score_senses(Two(), Gappy(1, lost=True), truth, {"position": EXACT}, CONFIG) == ()


def test_nothing_to_read_is_refused() -> None:
    with pytest.raises(DataError, match="cannot be told"):
        score_senses(Two(), Noisy(1), (), {}, CONFIG)
    with pytest.raises(DataError, match="cannot be told"):
        score_senses(Two(), Noisy(1, count=1), POSITION, {"position": EXACT}, CONFIG)


def test_a_run_of_several_senses_is_scored_by_their_use(tmp_path: Path) -> None:
    """From a recording through training to score.json: the rows are there, beside the others."""
    import numpy as np

    from monde.data import EpisodeData, RecordingWriter
    from monde.evaluation import ScoreConfig, score_run
    from monde.recipes import strategy
    from monde.training import TrainConfig, train
    from monde.types import ActionSpec

    sensors = tuple(
        Sensor(name=name, kind=kind, shape=(3,), unit="m", rate_hz=10.0)  # type: ignore[arg-type]
        for name, kind in (("gnss", "gnss"), ("twist", "twist"), ("truth", "state"))
    )
    rng = np.random.default_rng(0)

    def episode() -> EpisodeData:
        controls = rng.uniform(-1, 1, (24, 3))
        truth = np.cumsum(np.concatenate([rng.normal(size=(1, 3)), 0.1 * controls]), 0)
        gnss = truth + 0.05 * rng.normal(size=truth.shape)
        twist = np.concatenate([np.zeros((1, 3)), controls])
        return EpisodeData({"gnss": gnss, "twist": twist, "truth": truth}, np.arange(25) / 10, controls)

    actions = ActionSpec(low=(-1.0,) * 3, high=(1.0,) * 3, dt_seconds=0.1)
    with RecordingWriter(tmp_path / "d", sensors=sensors, actions=actions, source={}) as writer:
        writer.append([episode() for _ in range(12)])
    train(
        TrainConfig(
            data=str(tmp_path / "d"),
            run=str(tmp_path / "r"),
            sensors=("gnss", "twist"),
            held_out=0.25,
            steps=25,
            block=2,
            batch=16,
        )
    )
    score = score_run(tmp_path / "r", strategy("cem", tmp_path / "r"), ScoreConfig(episodes=2))
    rows = {row.metric: row for row in score.rows}
    assert {f"use/{sense}{suffix}" for sense in ("gnss", "twist") for suffix in ("", "/missing")} <= set(rows)
    assert rows["use/gnss"].value > 2 * rows["use/twist"].value
