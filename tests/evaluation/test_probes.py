from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from analytic import AnalyticModel, GappyClips, WalkClips
from monde.data import EpisodeData, FrameCache, RecordingWriter, Windows, open_recording
from monde.errors import DataError
from monde.evaluation import EpisodeClips, score_probes, targets
from monde.types import Clip, Latents, Sensor

STATE = AnalyticModel().sensors[0]
POSITION = targets((STATE,))


class Noisy(AnalyticModel):
    """Latents [2 tokens × 3] that tell the place up to noise of a given size, or nothing at all."""

    def __init__(self, noise: float, blind: bool = False) -> None:
        super().__init__()
        self.noise, self.blind = noise, blind

    def encode(self, clip: Clip) -> Latents:
        stream = clip.stream("state")
        generator = torch.Generator().manual_seed(int(stream.values.sum() * 1000) % 2**31)
        place = (
            stream.values * 0
            if self.blind
            else stream.values + self.noise * torch.randn(stream.values.shape, generator=generator)
        )
        rest = torch.randn(*place.shape[:2], 4, generator=generator)
        return Latents(torch.cat([place, rest], -1).unflatten(-1, (2, 3)), stream.times_seconds)


def test_the_error_of_a_probe_is_the_noise_of_the_latents() -> None:
    score = score_probes(Noisy(1.5), WalkClips(0), WalkClips(1), POSITION, untrained=Noisy(0, blind=True))
    rows = {row.metric: row for row in score.rows}
    assert set(rows) == {
        "probe/position/rmse",
        "probe/position/r2",
        "probe/position/pearson",
        "probe_position_rmse_px",
    }
    rmse = rows["probe_position_rmse_px"]
    assert rmse.value == pytest.approx(1.5, rel=0.15)
    assert rmse.unit == "px"
    assert rmse.interval is not None
    assert rmse.interval[0] < rmse.value < rmse.interval[1]
    assert rmse.floors["mean"] > 8
    assert rmse.floors["untrained"] == pytest.approx(rmse.floors["mean"], rel=0.15)
    assert rows["probe/position/r2"].value > 0.95
    assert rows["probe/position/r2"].floors["mean"] < 0.05
    assert rows["probe/position/pearson"].value > 0.97
    assert rmse.n == 24 * 16


def test_scatter_and_readout_tell_the_same_as_the_row() -> None:
    score = score_probes(Noisy(1.5), WalkClips(0), WalkClips(1), POSITION)
    scatter = score.scatters["position"]
    assert (scatter.names, scatter.unit) == (("x", "y"), "px")
    assert scatter.rmse == pytest.approx(float((scatter.read - scatter.truth).square().mean().sqrt()), rel=1e-4)
    row = next(row for row in score.rows if row.metric == "probe/position/rmse")
    assert row.value == pytest.approx(scatter.rmse)
    assert set(row.floors) == {"mean"}
    clip = WalkClips(1).clip(0)
    read = score.readouts["position"](Noisy(1.5).encode(clip).values)
    assert (read - clip.stream("state").values).abs().mean() < 4


def test_targets_name_positions_and_whole_states() -> None:
    def state(unit: str, *names: str) -> Sensor:
        return Sensor(name="state", kind="state", shape=(len(names),), unit=unit, rate_hz=10.0, names=names)

    assert [target.name for target in POSITION] == ["position"]
    moving = targets((state("px, px/s", "x", "y", "vx", "vy"),))
    assert [(t.name, t.components, t.unit) for t in moving] == [
        ("position", (0, 1), "px"),
        ("state", (0, 1, 2, 3), "px, px/s"),
    ]
    assert [target.name for target in targets((state("rad", "hip", "knee"),))] == ["state"]
    camera = Sensor(name="top", kind="rgb", shape=(3, 8, 8), rate_hz=10.0)
    assert targets((camera,)) == ()


def test_components_of_a_state_are_probed_together() -> None:
    wanted = targets((Sensor(name="state", kind="state", shape=(2,), unit="rad", rate_hz=10.0),))
    score = score_probes(Noisy(0.5), WalkClips(0), WalkClips(1), wanted)
    assert [row.metric for row in score.rows] == ["probe/state/rmse", "probe/state/r2", "probe/state/pearson"]
    assert score.readouts["state"].names == ("0", "1")


def test_frames_without_the_truth_are_left_out() -> None:
    truth = targets((replace(STATE, name="truth"),))
    score = score_probes(Noisy(1.5), GappyClips(0), GappyClips(1, lost=2), truth, untrained=Noisy(0, blind=True))
    rows = {row.metric: row for row in score.rows}
    rmse = rows["probe/position/rmse"]
    assert rmse.value == pytest.approx(1.5, rel=0.15)
    assert rmse.floors["mean"] > 8
    assert rmse.floors["untrained"] == pytest.approx(rmse.floors["mean"], rel=0.15)
    assert rows["probe/position/r2"].value > 0.95
    assert (rmse.n, rows["probe/position/r2"].n) == (22 * 8, 22 * 8)
    assert f"{24 * 16 - 22 * 8} frames without the truth are left out" in rmse.note
    assert bool(torch.isfinite(score.scatters["position"].truth).all())
    for lost in ((24, 0), (0, 24)):
        nothing = score_probes(Noisy(1.5), GappyClips(0, lost[0]), GappyClips(1, lost[1]), truth)
        assert (nothing.rows, nothing.readouts, nothing.scatters) == ((), {}, {})


class _Told(WalkClips):
    def __init__(self, values: torch.Tensor) -> None:
        super().__init__(0, count=12)
        self.states = values


def test_bad_data_is_named() -> None:
    nan = torch.full((12, 16, 2), torch.nan)
    with pytest.raises(DataError, match="not finite"):
        score_probes(AnalyticModel(), _Told(nan), WalkClips(1), POSITION)
    with pytest.raises(DataError, match="at least 10"):
        score_probes(AnalyticModel(), WalkClips(0, count=1, steps=9), WalkClips(1), POSITION)
    with pytest.raises(DataError, match="nothing to probe"):
        score_probes(AnalyticModel(), WalkClips(0), WalkClips(1), ())
    with pytest.raises(DataError, match="no clips"):
        score_probes(AnalyticModel(), WalkClips(0, count=0), WalkClips(1), POSITION)


def test_a_state_that_never_varies_has_no_r2() -> None:
    still = _Told(torch.full((12, 16, 2), 20.0))
    score = score_probes(AnalyticModel(), WalkClips(0), still, POSITION)
    assert {row.metric for row in score.rows} == {"probe/position/rmse", "probe_position_rmse_px"}
    assert np.isfinite(score.scatters["position"].r2)


def test_the_first_window_of_each_episode_is_a_clip(tmp_path: Path) -> None:
    states = [np.full((length, 2), index, dtype=np.float32) for index, length in enumerate((21, 30, 8, 16))]
    episodes = [
        EpisodeData({"state": s}, np.arange(len(s)) / 10, np.zeros((len(s) - 1, 2), dtype=np.float32)) for s in states
    ]
    spec = AnalyticModel().actions
    with RecordingWriter(tmp_path / "data", sensors=(STATE,), actions=spec.with_block(1), source={}) as writer:
        writer.append(episodes)
    cache = FrameCache.open_or_build(open_recording(tmp_path / "data"))
    clips = EpisodeClips(Windows(cache, range(4), ["state"], 4, spec), 4 * spec.block)
    assert len(clips) == 3  # one is too short
    shown = [clips.clip(index).stream("state") for index in range(3)]
    assert [float(stream.values[0, 0, 0]) for stream in shown] == [0, 1, 3]
    assert all(float(stream.times_seconds[0, 0]) == 0 for stream in shown)
