"""`build_view`: an episode of a recording, or of what a run was trained on, as a Rerun file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from monde.data import open_recording
from monde.data.streaming import PIECE_BYTES
from monde.errors import UsageError
from monde.evaluation.foreseen import Foreseen, foresee
from monde.models import load_model
from monde.protocols import Recording
from monde.report.view.samples import pinhole, placed, shown
from monde.report.view.stage import WORLD, Stage, part, staged
from monde.store import RunFolder
from monde.training.setup import reopen
from monde.types import Clip, Intrinsics, Sensor, Stream

_SAME_SECONDS = 1e-6
_IN_WORLD = ("map", "world", "odom", "enu")


@dataclass(frozen=True, kw_only=True)
class ViewSummary:
    """What was written.

    Args:
        out: The file.
        episode: Which episode it shows.
        steps: Steps of it.
        futures: Futures that are shown, imagined and planned.
    """

    out: Path
    episode: int
    steps: int
    futures: int


def build_view(
    source: Path,
    out: Path,
    *,
    episode: int | None = None,
    steps: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ViewSummary:
    """Write one episode as a file for Rerun's viewer, whole or not at all.

    Every sensor stands below the frame that it is mounted on: the body that moves as the first pose says, or `world`.
    A sensor without a mount stands apart, under `unplaced`. Samples lie on two timelines: `step`, the recording's, at
    which a sample is first shown, and `seconds`, when it was taken. Poses and places leave their whole way under
    `world/trajectories`; numbers are curves under `plots`. Of a run, futures are shown besides: under `imagined` where
    the model thinks that the recorded actions lead, under `planned` the way that it would take to where the recording
    went; in the coordinates of the recorded state.

    Args:
        source: A recording (whatever `open_recording` opens), or a run.
        out: The file, with the ending .rrd.
        episode: Which episode; by default the first, of a run the first that was held out.
        steps: Steps to show, from its beginning; all by default.
        progress: Told of steps written and all.

    Raises:
        UsageError: An episode that does not exist, no such ending, or rerun-sdk is not installed.
        DataError: The recording cannot be read.
        StoreError: The disk is full or read-only.
    """
    if out.suffix != ".rrd":
        raise UsageError(f"{out} has another ending than files of Rerun", expected=".rrd", remedy="name it *.rrd")
    futures: Sequence[Foreseen] = ()
    if RunFolder(source).config.exists():
        _, setup = reopen(source)
        recording, chosen = setup.recording, setup.split.held_out[0] if episode is None else episode
        _check(recording, chosen)
        futures = foresee(load_model(source), setup, chosen)
    else:
        recording, chosen = open_recording(source), episode or 0
        _check(recording, chosen)
    length = min(recording.lengths[chosen], steps or recording.lengths[chosen])
    body = next((s for s in recording.sensors if s.kind == "pose"), None)
    with staged(out, f"{source.resolve().name}/{chosen}", _bodies(recording.sensors, body)) as stage:
        for sensor in recording.sensors:
            _introduce(stage, sensor)
        _write(stage, recording, chosen, length, progress or (lambda done, wanted: None))
        count = sum(_foretell(stage, recording, chosen, length, future) for future in futures)
    return ViewSummary(out=out, episode=chosen, steps=length, futures=count)


def _check(recording: Recording, episode: int) -> None:
    if not 0 <= episode < len(recording.lengths):
        raise UsageError(f"there is no episode {episode}", expected=f"0 to {len(recording.lengths) - 1}")


def _bodies(sensors: Sequence[Sensor], body: Sensor | None) -> dict[str, str]:
    """The entities of the frames that sensors are mounted on: they move as the first pose says, if there is one."""
    parents = {sensor.mount.parent for sensor in sensors if sensor.mount is not None}
    moving = WORLD if body is None else f"{WORLD}/{part(body.name)}"
    # What the body itself is told in stands still.
    still = _IN_WORLD if body is None or body.mount is None else {*_IN_WORLD, body.mount.parent}
    return {parent: WORLD if parent in still else f"{moving}/{part(parent)}" for parent in parents}


def _introduce(stage: Stage, sensor: Sensor) -> None:
    """What holds for the whole episode: where a sensor is fixed, and how a camera looks."""
    entity = stage.place(sensor)
    if sensor.mount is not None:
        stage.mount(entity, sensor.mount)
    if isinstance(sensor.geometry, Intrinsics):
        stage.always(entity, pinhole(sensor.geometry))


def _entity(stage: Stage, sensor: Sensor) -> str:
    if sensor.picture:
        return f"{stage.place(sensor)}/{'image' if sensor.kind == 'rgb' else 'depth'}"
    if sensor.kind in {"pose", "gnss"}:
        return f"{WORLD}/{part(sensor.name)}"
    if sensor.kind in {"points", "scan", "grid"}:
        return stage.place(sensor)
    return f"plots/{part(sensor.name)}"


def _write(
    stage: Stage,
    recording: Recording,
    episode: int,
    length: int,
    progress: Callable[[int, int], None],
) -> None:
    import rerun as rr

    sizes = [int(np.prod(sensor.shape)) * (1 if sensor.kind == "rgb" else 4) for sensor in recording.sensors]
    piece = max(1, PIECE_BYTES // sum(sizes))
    last: dict[str, float] = {}
    ways: dict[str, list[np.ndarray]] = {}
    for start in range(0, length, piece):
        stop = min(start + piece, length)
        clip = recording.read(episode, start, min(stop + 1, recording.lengths[episode]))
        for sensor in recording.sensors:
            stream = clip.stream(sensor.name)
            for row, seconds in _new(stream, stop - start, last, sensor.name):
                sample = stream.values[0, row].numpy()
                mask = None if stream.mask is None else stream.mask[0, row].numpy()
                for what in shown(sensor, sample, mask):
                    stage.show(_entity(stage, sensor), start + row, seconds, what)
                if sensor.kind in {"pose", "gnss"}:
                    place = placed(sample)[0] if sensor.kind == "pose" else sample
                    ways.setdefault(sensor.name, []).append(np.asarray(place, dtype=np.float64))
        _act(stage, clip, start, stop - start)
        progress(stop, length)
    for name, places in ways.items():
        stage.always(f"{WORLD}/trajectories/{part(name)}", rr.LineStrips3D([np.stack(places)]))


def _new(stream: Stream, steps: int, last: dict[str, float], name: str) -> list[tuple[int, float]]:
    """Rows of a stream that show a sample which was not shown before, and when it was taken."""
    ages = np.zeros(stream.steps) if stream.age_seconds is None else stream.age_seconds[0].numpy()
    moments = stream.times_seconds[0].numpy() - ages
    found = []
    for row in np.flatnonzero(stream.valid[0].numpy()[:steps]).tolist():
        seconds = float(moments[row])
        if seconds > last.get(name, -np.inf) + _SAME_SECONDS:
            last[name] = seconds
            found.append((row, seconds))
    return found


def _act(stage: Stage, clip: Clip, start: int, steps: int) -> None:
    import rerun as rr

    if clip.actions is None:
        return
    taken, times = clip.actions.values[0].numpy(), clip.actions.times_seconds[0].numpy()
    for row in range(min(steps, len(taken))):
        stage.show("plots/actions", start + row, float(times[row]), rr.Scalars(taken[row].astype(np.float64)))


def _foretell(stage: Stage, recording: Recording, episode: int, length: int, future: Foreseen) -> int:
    import rerun as rr

    clip = recording.read(episode, 0, recording.lengths[episode], [future.readout])
    stream = clip.stream(future.readout)
    times, seen = stream.times_seconds[0].numpy(), stream.values[0].numpy()
    stage.always(f"seen/{part(future.readout)}", rr.LineStrips3D([_in_space(seen[:length], future.axes)]))
    count = 0
    for index, frame in enumerate(future.frames):
        for name, values in (("imagined", future.imagined), ("planned", future.planned)):
            if values is not None and frame < length:
                way = _in_space(values[index].numpy(), future.axes)
                stage.show(f"{name}/{part(future.readout)}", frame, float(times[frame]), rr.LineStrips3D([way]))
                count += 1
    return count


def _in_space(values: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    places = values.reshape(len(values), -1)[:, list(axes)].astype(np.float64)
    return np.pad(places, ((0, 0), (0, 3 - places.shape[1])))
