from pathlib import Path

import numpy as np
import pytest
import torch

from analytic import AnalyticModel
from monde.agents import device_of, fit_clip, observation_to_clip, resolve_goal
from monde.agents.observing import fit_frames, goal_rows
from monde.data import EpisodeData, RecordingWriter, open_recording
from monde.errors import ContractError, PlanningError
from monde.protocols import Observation
from monde.types import Clip, FrameGoal, LatentGoal, PictureGoal, PredicateGoal, ReadoutGoal, Sensor, Stream
from monde.types.geometry import ScanGeometry
from monde.worlds import make

CAMERA = Sensor(name="top", kind="rgb", shape=(3, 64, 64), rate_hz=10.0)
STATE = AnalyticModel().sensors[0]


def _observation(**values: np.ndarray) -> Observation:
    return Observation(values, np.array([0.5, 0.7]))


def test_only_the_models_sensors_are_taken_each_with_its_time() -> None:
    world = make("tworoom", 2)
    shown = world.reset([1, 2])
    clip = observation_to_clip(shown, (STATE,))
    assert set(clip.streams) == {"state"}
    np.testing.assert_array_equal(clip.stream("state").values[:, 0].numpy(), shown.values["state"])
    assert clip.stream("state").times_seconds.tolist() == [[0.0], [0.0]]
    assert observation_to_clip(shown, world.sensors).stream("top").values.shape == (2, 1, 3, 64, 64)


def test_the_clip_does_not_change_when_the_world_reuses_its_array() -> None:
    state = np.zeros((2, 2), dtype=np.float32)
    clip = observation_to_clip(_observation(state=state), (STATE,))
    state += 1
    assert not clip.stream("state").values.any()


def test_frames_are_brought_to_the_models_size() -> None:
    frames = np.zeros((2, 3, 128, 192), dtype=np.uint8)
    frames[:, :, :, 96:] = 200
    small = observation_to_clip(_observation(top=frames), (CAMERA,)).stream("top").values[:, 0]
    assert small.shape == (2, 3, 64, 64)
    assert small.dtype == torch.uint8
    assert bool((small[..., :32] == 0).all())
    assert bool((small[..., 32:] == 200).all())


def test_depth_is_resized_too() -> None:
    assert fit_frames(torch.full((2, 1, 8, 8), 1.5), 4, 4).tolist() == torch.full((2, 1, 4, 4), 1.5).tolist()


@pytest.mark.parametrize(
    ("values", "sensor"),
    [
        ({"state": np.zeros((2, 3), dtype=np.float32)}, STATE),
        ({"top": np.zeros((2, 1, 64, 64), dtype=np.uint8)}, CAMERA),
        ({"other": np.zeros((2, 2), dtype=np.float32)}, STATE),
    ],
)
def test_what_cannot_be_brought_to_the_model_is_refused(values: dict[str, np.ndarray], sensor: Sensor) -> None:
    with pytest.raises(ContractError, match="Remedy"):
        observation_to_clip(_observation(**values), (sensor,))


def test_recorded_clips_are_fitted_alike() -> None:
    values = torch.zeros(1, 4, 3, 128, 128, dtype=torch.uint8)
    clip = Clip({"top": Stream.regular(values, 10.0), "state": Stream.regular(torch.zeros(1, 4, 2), 10.0)})
    assert fit_clip(clip, (CAMERA,)).stream("top").values.shape == (1, 4, 3, 64, 64)


def test_a_picture_becomes_a_latent() -> None:
    picture = PictureGoal(Clip({"state": Stream.regular(torch.tensor([[[3.0, 4.0]], [[5.0, 6.0]]]), 1.0)}))
    goal = resolve_goal(AnalyticModel(), picture)
    assert isinstance(goal, LatentGoal)
    assert goal.latents.tolist() == [[[3.0, 4.0]], [[5.0, 6.0]]]
    rows = goal_rows(goal, torch.tensor([1]))
    assert isinstance(rows, LatentGoal)
    assert rows.latents.tolist() == [[[5.0, 6.0]]]


def test_goals_over_readouts_stay_as_they_are() -> None:
    region = ReadoutGoal("position", torch.tensor([[1.0, 2.0], [3.0, 4.0]]), 0.5)
    predicate = PredicateGoal("left", ("position",), lambda position: position[..., 0] < 32)
    assert resolve_goal(AnalyticModel(), region) is region
    assert resolve_goal(AnalyticModel(), predicate) is predicate
    rows = goal_rows(region, torch.tensor([0]))
    assert isinstance(rows, ReadoutGoal)
    assert rows.target.tolist() == [[1.0, 2.0]]
    assert goal_rows(predicate, torch.tensor([0])) is predicate


def test_the_device_is_the_models_own() -> None:
    assert device_of(AnalyticModel()) == torch.device("cpu")

    class Said(AnalyticModel):
        device = torch.device("meta")

    class Weights(torch.nn.Module, AnalyticModel):
        def __init__(self) -> None:
            torch.nn.Module.__init__(self)
            AnalyticModel.__init__(self)
            self.head = torch.nn.Linear(2, 2, device="meta")

    assert device_of(Said()).type == "meta"
    assert device_of(Weights()).type == "meta"


def test_a_frame_of_a_recording_becomes_a_latent(tmp_path: Path) -> None:
    model = AnalyticModel()
    states = np.arange(12, dtype=np.float32).reshape(6, 2)
    episode = EpisodeData({"state": states}, np.arange(6) / 10, np.zeros((5, 2), dtype=np.float32))
    actions = model.actions.with_block(1)
    with RecordingWriter(tmp_path / "data", sensors=model.sensors, actions=actions, source={}) as writer:
        writer.append([episode])
    recording = open_recording(tmp_path / "data")
    goal = resolve_goal(model, FrameGoal("data", 0, -2), recording)
    assert isinstance(goal, LatentGoal)
    assert goal.latents.tolist() == [[[8.0, 9.0]]]
    for beyond in (FrameGoal("data", 1, 0), FrameGoal("data", 0, 6), FrameGoal("data", 0, -7)):
        with pytest.raises(PlanningError, match="does not exist"):
            resolve_goal(model, beyond, recording)
    with pytest.raises(PlanningError, match="open_recording"):
        resolve_goal(model, FrameGoal("data", 0, 0))


SCAN = Sensor(
    name="scan",
    kind="scan",
    shape=(9,),
    rate_hz=10.0,
    geometry=ScanGeometry(start_rad=-1.0, step_rad=0.25, most_m=5.0),
)
CLOUD = Sensor(name="cloud", kind="points", shape=(4, 3), rate_hz=10.0)


def test_a_sensor_that_the_world_does_not_show_is_missing() -> None:
    clip = observation_to_clip(_observation(scan=np.ones((2, 9), dtype=np.float32)), (CAMERA, SCAN, CLOUD))
    assert clip.stream("scan").valid.all()
    for name in ("top", "cloud"):
        assert not clip.stream(name).valid.any()
        assert not clip.stream(name).values.any()
    assert clip.stream("top").values.dtype == torch.uint8
    with pytest.raises(ContractError, match="none of the sensors"):
        observation_to_clip(_observation(other=np.ones((2, 9), dtype=np.float32)), (CAMERA, SCAN))


def test_rows_without_a_sample_and_late_samples_are_told() -> None:
    shown = Observation(
        {"scan": np.ones((2, 9), dtype=np.float32)},
        np.array([0.5, 0.7]),
        valid={"scan": np.array([True, False])},
        age_seconds={"scan": np.array([0.01, 0.02])},
    )
    stream = observation_to_clip(shown, (SCAN,)).stream("scan")
    assert stream.valid[:, 0].tolist() == [True, False]
    assert stream.age_seconds is not None
    assert stream.age_seconds[:, 0].tolist() == [0.01, 0.02]
    assert shown.rows(np.array([1])).valid["scan"].tolist() == [False]


def test_clouds_are_brought_to_the_models_size() -> None:
    points = np.zeros((2, 9, 3), dtype=np.float32)
    points[0, :8] = np.arange(1, 25).reshape(8, 3)
    points[1, 3] = 1.0
    stream = observation_to_clip(_observation(cloud=points), (CLOUD,)).stream("cloud")
    assert stream.mask is not None
    assert stream.mask[:, 0].sum(-1).tolist() == [4, 1]
    assert stream.values[1, 0, 0].tolist() == [1.0, 1.0, 1.0]


def test_a_recorded_clip_without_a_sensor_is_fitted_as_well() -> None:
    clip = Clip({"scan": Stream.regular(torch.ones(2, 3, 9), 10)})
    fitted = fit_clip(clip, (CAMERA, SCAN))
    assert fitted.stream("top").values.shape == (2, 3, 3, 64, 64)
    assert not fitted.stream("top").valid.any()
    with pytest.raises(ContractError, match="sensor"):
        fit_clip(clip, (CAMERA,))
