"""Frames a second from video, beside PyAV's bare rate on the same files and frames.

Two ways of reading, each in turn with loops that do the same with `av` alone, in one process. `ratio_to_pyav` is to the
loop that PyAV's documentation shows, `ratio_to_tuned_pyav` to one that shares one colour converter among all frames:
`windows` (4 frames at random places, straight from the file: seek and decode) and `cache` (every frame once, from first
to last; ours also resizes, hashes and writes the frame cache). Files: the real robot (AV1), two fixed cameras (H.264),
and films made here (H.264 and HEVC, 64 and 224 pixels). Writes results/decoding.json, and decoding.svg where matplotlib
is installed.

    python benchmarks/decoding.py [--windows 100] [--frames 1500] [--repeats 5] [--shared DIR]
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
import torch
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from common import bars, half, options, row, write
from monde.data import FrameCache, open_recording
from monde.protocols import Recording
from monde.scorecard import Row, Scorecard

STEPS, SIDE, SEED, TARGET = 4, 64, 0, 0.8


@dataclass(frozen=True)
class Films:
    """A recording of video, and the file of each of its episodes.

    Args:
        name: In the result.
        recording: Ours.
        sensor: Its camera.
        paths: One file an episode.
    """

    name: str
    recording: Recording
    sensor: str
    paths: tuple[Path, ...]


def made(folder: Path, encoder: str, side: int, frames: int) -> Path:
    """A film of a textured square that drifts over a textured ground, GOP 12."""
    rng = np.random.default_rng([SEED, side])
    coarse = rng.integers(0, 256, (side // 8, side // 8, 3), dtype=np.uint8)
    ground = coarse.repeat(8, 0).repeat(8, 1)
    path = folder / f"{encoder}-{side}.mp4"
    with av.open(str(path), "w") as output:
        settings = {"g": "12"} | ({"x265-params": "log-level=none:open-gop=0"} if encoder == "libx265" else {})
        stream = cast("VideoStream", output.add_stream(encoder, rate=Fraction(20), options=settings))
        stream.width = stream.height = side
        stream.pix_fmt = "yuv420p"
        for index in range(frames):
            picture = np.roll(ground, index, axis=1).copy()
            low = (3 * index) % (side - side // 4)
            picture[low : low + side // 4, low : low + side // 4] = 255 - index % 200
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        output.mux(stream.encode(None))
    return path


def films(folder: Path, shared: Path, frames: int) -> Iterator[Films]:
    """What is measured: what is there of the real files, then those made here."""
    robot = shared / "lerobot-g1-bottle"
    if robot.is_dir():
        recording = open_recording(robot)
        camera = next(sensor.name for sensor in recording.sensors if sensor.kind == "rgb")
        paths = tuple(sorted(robot.glob("videos/**/*.mp4")))
        if len(paths) == len(recording.lengths):
            yield Films("robot_av1_640x480", recording, camera, paths)
    for name, size in (("bottle-detection", "640x360"), ("car-detection", "768x432")):
        path = shared / f"intel-sample-videos/{name}.mp4"
        if path.exists():
            yield Films(f"{name.split('-')[0]}_h264_{size}", open_recording(path), "camera", (path,))
    for encoder, codec in (("libx264", "h264"), ("libx265", "hevc")):
        for side in (64, 224):
            path = made(folder, encoder, side, frames)
            yield Films(f"made_{codec}_{side}x{side}", open_recording(path), "camera", (path,))


class Bare:
    """Loops in `av` alone: `plain` as its documentation shows them, `tuned` with one colour converter of one thread.

    Args:
        paths: The files.
    """

    def __init__(self, paths: tuple[Path, ...]) -> None:
        self._paths = paths
        self._files = [av.open(str(path)) for path in paths]
        self._times: list[list[int]] = []
        for container in self._files:
            found = [p.pts for p in container.demux(container.streams.video[0]) if p.pts is not None and p.size]
            self._times.append(sorted(found))

    def windows(self, places: list[tuple[int, int]], tuned: bool) -> int:
        """Seek, decode, convert. Returns the frames delivered."""
        delivered, rgb = 0, converter(tuned)
        for episode, start in places:
            container, times = self._files[episode], self._times[episode]
            stream = container.streams.video[0]
            container.seek(times[start], stream=stream, backward=True)
            wanted, taken = set(times[start : start + STEPS]), []
            for frame in container.decode(stream):
                if frame.pts in wanted:
                    taken.append(rgb(frame))
                    if len(taken) == STEPS:
                        break
            delivered += len(np.stack(taken))
        return delivered

    def films(self, tuned: bool) -> int:
        """Decode every frame of every file with FFmpeg's own threads, convert it, let it go. Returns the frames."""
        frames, rgb = 0, converter(tuned)
        for path in self._paths:
            with av.open(str(path)) as container:
                container.streams.video[0].thread_type = "AUTO"
                for frame in container.decode(video=0):
                    rgb(frame)
                    frames += 1
        return frames

    def close(self) -> None:
        """Close the files."""
        for container in self._files:
            container.close()


def converter(tuned: bool) -> Callable[[av.VideoFrame], np.ndarray]:
    """From a frame to RGB: PyAV's own way, or with one converter of one thread for all frames."""
    if not tuned:
        return lambda frame: frame.to_ndarray(format="rgb24")
    reformat = VideoReformatter().reformat
    return lambda frame: reformat(frame, format="rgb24", threads=1).to_ndarray()


def our_windows(source: Films, places: list[tuple[int, int]]) -> int:
    """The same windows as clips. Returns the frames delivered."""
    return sum(
        source.recording.read(episode, start, start + STEPS, [source.sensor]).stream(source.sensor).steps
        for episode, start in places
    )


def our_cache(source: Films) -> int:
    """A frame cache of the camera, resized to 64 pixels where it is larger, into a fresh folder. Returns its frames."""
    with tempfile.TemporaryDirectory(prefix="monde-decoding-") as folder:
        cache = FrameCache.open_or_build(source.recording, size=SIDE, sensors=[source.sensor], root=Path(folder))
        return cache.frames


def rate(work: Callable[[], int]) -> float:
    """Frames a second of one call."""
    start = time.perf_counter()
    frames = work()
    return frames / (time.perf_counter() - start)


def measure(source: Films, windows: int, repeats: int) -> list[Row]:
    """Ours and the bare loop in turn, after one call of each that does not count."""
    rng = np.random.default_rng(SEED)
    lengths = source.recording.lengths
    weights = np.array([length - STEPS + 1 for length in lengths], dtype=float)
    chosen = rng.choice(len(lengths), windows, p=weights / weights.sum())
    places = [(int(episode), int(rng.integers(lengths[episode] - STEPS + 1))) for episode in chosen]
    bare = Bare(source.paths)
    ways: dict[str, tuple[Callable[[], int], Callable[[bool], int], str]] = {
        "windows": (
            lambda: our_windows(source, places),
            lambda tuned: bare.windows(places, tuned),
            f"{windows} random windows of {STEPS} frames as clips; bare: seek, decode, to_ndarray",
        ),
        "cache": (
            lambda: our_cache(source),
            bare.films,
            f"{sum(lengths)} frames into a cache of {SIDE} px; bare: decode, to_ndarray, FFmpeg's threads",
        ),
    }
    rows = []
    for way, (ours, theirs, note) in ways.items():
        found: list[tuple[float, float, float]] = []
        for repeat in range(repeats + 1):
            rates = rate(ours), rate(lambda: theirs(False)), rate(lambda: theirs(True))  # noqa: B023
            found += [rates] if repeat else []
            print(source.name, way, *(f"{value:,.0f}" for value in rates), flush=True)
        mine, plain, tuned = zip(*found, strict=True)
        rows.append(row(f"ratio_to_pyav/{source.name}/{way}", [a / b for a, b, _ in found], "1", note))
        rows.append(row(f"ratio_to_tuned_pyav/{source.name}/{way}", [a / c for a, _, c in found], "1", note))
        floors = {"bare PyAV": float(np.mean(plain)), "bare PyAV, one converter": float(np.mean(tuned))}
        rows.append(row(f"frames_per_second/{source.name}/{way}", mine, "1/s", note, floors))
    bare.close()
    return rows


def main() -> None:
    """Measure and write the result files."""
    parser = options(__doc__)
    parser.add_argument("--windows", type=int, default=100, help="random windows in each measurement")
    parser.add_argument("--frames", type=int, default=1500, help="frames of each film that is made")
    parser.add_argument("--repeats", type=int, default=5, help="measurements of each kind")
    parser.add_argument(
        "--shared",
        type=Path,
        default=Path(os.environ.get("MONDE_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared/data")),
        help="folder of the real data",
    )
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="monde-films-") as folder:
        for source in films(Path(folder), given.shared, given.frames):
            rows += measure(source, given.windows, given.repeats)
    least = min((found for found in rows if found.metric.startswith("ratio_to_pyav/")), key=lambda found: found.value)
    overall = Row(
        metric="ratio_to_pyav",
        value=least.value,
        unit="1",
        interval=least.interval,
        n=least.n,
        note=f"the least of all: {least.metric.removeprefix('ratio_to_pyav/')}",
    )
    protocol = {
        "steps": STEPS,
        "windows": given.windows,
        "repeats": given.repeats,
        "made_frames": given.frames,
        "cache_side": SIDE,
        "pyav": av.__version__,
        "target": TARGET,
    }
    draw(write("decoding", [overall, *rows], protocol, (SEED,), given.out), given.out / "decoding.svg")


def draw(card: Scorecard, path: Path) -> None:
    """One panel each for windows and cache."""
    panels = []
    for way in ("windows", "cache"):
        metrics = [
            found.metric
            for found in card.rows
            if found.metric.startswith("ratio_to_pyav/") and found.metric.endswith(way)
        ]
        shown = {metric.split("/")[1].replace("_", "\n"): half(card, metric) for metric in metrics}
        panels.append((f"{way}: times the rate of bare PyAV", shown, TARGET))
    bars(panels, path, width=14.0)


if __name__ == "__main__":
    main()
