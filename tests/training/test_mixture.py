"""Several recordings at once: their own rates, their own actions, one model."""

from pathlib import Path

import numpy as np
import pytest
import torch

from monde.data import EpisodeData, Mixture, RecordingWriter, open_recording
from monde.errors import ContractError, DataError, UsageError
from monde.models import load_model
from monde.training import TrainConfig, train
from monde.training.setup import prepare, reopen
from monde.types import ActionSpec, Sensor


def write(root: Path, camera: str, side: int, rate_hz: float, dim: int, lengths: tuple[int, ...]) -> Path:
    """Frames whose level is their number; actions whose first component is, in hundredths."""
    top = Sensor(name=camera, kind="rgb", shape=(3, side, side), rate_hz=rate_hz)
    spec = ActionSpec(low=(-1.0,) * dim, high=(1.0,) * dim, dt_seconds=1 / rate_hz) if dim else None
    with RecordingWriter(root, sensors=(top,), actions=spec, source={}) as writer:
        for length in lengths:
            number = np.arange(length)
            frames = np.broadcast_to(number.astype(np.uint8)[:, None, None, None], (length, 3, side, side))
            taken = np.repeat(number[:-1, None] / 100, dim, 1).astype(np.float32) if dim else None
            writer.append([EpisodeData({camera: frames}, number / rate_hz, taken)])
    return root


@pytest.fixture
def roots(tmp_path: Path) -> list[Path]:
    """A slow one of two actions, a fast one of three, and a film."""
    return [
        write(tmp_path / "slow", "top", 32, 10, 2, (21, 22)),
        write(tmp_path / "fast", "front", 48, 30, 3, (61, 62)),
        write(tmp_path / "film", "camera", 32, 5, 0, (20,)),
    ]


def test_each_keeps_its_rate_and_its_part_of_the_action(roots: list[Path]) -> None:
    mixture = Mixture([open_recording(root) for root in roots], 0.2)
    assert [part.block for part in mixture.parts] == [2, 6, 1]
    assert mixture.actions is not None
    assert mixture.actions.width == 2 * 2 + 6 * 3
    # Every frame of every episode is there once.
    assert sum(mixture.lengths) == 21 + 22 + 61 + 62 + 20
    assert max(mixture.groups) == 4
    slow = mixture.read(1, 2, 5)  # the second phase of the first episode: frames 5, 7, 9
    assert slow.stream("top").values[0, :, 0, 0, 0].tolist() == [5, 7, 9]
    assert slow.actions is not None
    assert slow.actions.values[0, 0].tolist() == pytest.approx([0.05, 0.05, 0.06, 0.06] + [0] * 18)
    fast = mixture.read(mixture.groups.index(2) + 3, 1, 3)  # frames 9 and 15
    assert fast.stream("top").values.shape == (1, 2, 3, 32, 32)
    assert fast.stream("top").values[0, :, 0, 0, 0].tolist() == [9, 15]
    assert fast.actions is not None
    assert fast.actions.values[0, 0, :4].tolist() == [0, 0, 0, 0]
    assert fast.actions.values[0, 0, 4::3].tolist() == pytest.approx([0.09, 0.10, 0.11, 0.12, 0.13, 0.14])
    film = mixture.read(len(mixture.lengths) - 1, 0, 20)
    assert film.actions is not None
    assert not film.actions.values.any()
    with pytest.raises(ContractError, match="not its action blocks"):
        mixture.embed(0, torch.zeros(1, 5))


def test_one_model_learns_from_all(roots: list[Path], tmp_path: Path) -> None:
    config = TrainConfig(
        data=str(roots[0]),
        also=tuple(map(str, roots[1:])),
        run=str(tmp_path / "run"),
        steps=3,
        batch=16,
        frame=32,
        step_seconds=0.2,
        held_out=0.3,
    )
    setup = prepare(config)
    groups = setup.recording.groups if isinstance(setup.recording, Mixture) else ()
    sides = [{groups[i] for i in side} for side in (setup.split.train, setup.split.held_out)]
    assert not sides[0] & sides[1]
    train(config)
    assert load_model(tmp_path / "run").actions.width == 22
    _, again = reopen(tmp_path / "run")
    assert again.recording.fingerprint == setup.recording.fingerprint


def test_what_does_not_go_together(roots: list[Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="common model step"):
        TrainConfig(data="a", also=("b",), run="r", steps=1)
    recordings = [open_recording(root) for root in roots]
    with pytest.raises(DataError, match="too slow"):
        Mixture(recordings, 0.05)
    with pytest.raises(DataError, match="no camera in common"):
        Mixture(recordings[:2], 0.2, ["front"])
    with pytest.raises(ContractError, match="several"):
        Mixture(recordings[:1], 0.2)
