"""Camera frames as video: one H.264 file per camera and group of episodes, where LeRobot v3.0 wants it."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from monde.data.lerobot.frames import FrameSource, StoredFrames
from monde.data.lerobot.layout import VIDEO_PATH, Feature, Place, feature_key
from monde.errors import ContractError, StoreError
from monde.store.atomic import atomic_path
from monde.types import Sensor

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.stream import VideoStream

GOP_FRAMES = 12
"""Frames from one key frame to the next: random windows stay fast, and the file grows little."""
CRF = 18
"""x264's constant rate factor: no loss that an eye sees."""
_ENCODER, _PIXELS = "libx264", "yuv420p"
# A fixed number of threads: x264's output depends on it, and must not depend on the machine.
_THREADS = 4
_BT601, _LIMITED = 6, 1


class VideoFrames:
    """LeRobot's `video` type: H.264, 4:2:0, a key frame every 12 frames and at each episode's start. Lossy.

    Equal frames give equal files. A file's times are nominal, k / fps; exact ones are in the data file.

    Args:
        crf: 0 (largest) to 51 (worst).
        gop: Frames from one key frame to the next.

    Raises:
        ContractError: Numbers out of range.
    """

    video_path: str | None = VIDEO_PATH

    def __init__(self, crf: int = CRF, gop: int = GOP_FRAMES) -> None:
        if not 0 <= crf <= 51 or not 1 <= gop <= 600:
            raise ContractError("unusable video settings", got=f"crf {crf}, gop {gop}", expected="crf 0–51, gop 1–600")
        self._crf, self._gop = crf, gop
        self._fps: dict[str, Fraction] = {}

    def feature(self, sensor: Sensor, fps: float) -> Feature:
        """A `video` feature, [h, w, 3], with the description that lerobot keeps of its files.

        Raises:
            ContractError: A side is odd: 4:2:0 halves both.
        """
        channels, height, width = sensor.shape
        if height % 2 or width % 2:
            raise ContractError(
                f"camera {sensor.name!r} cannot be stored as video",
                got=f"{height}×{width} pixels",
                expected="even sides",
                remedy="store its frames as images (--store images), or resize them to even sides",
            )
        rate = Fraction(fps).limit_denominator(1_000_000)
        self._fps[sensor.name] = rate
        return {
            "dtype": "video",
            "shape": [height, width, channels],
            "names": ["height", "width", "channels"],
            "info": {
                "video.height": height,
                "video.width": width,
                "video.codec": "h264",
                "video.pix_fmt": _PIXELS,
                "video.is_depth_map": False,
                "video.fps": int(rate) if rate.denominator == 1 else float(rate),
                "video.channels": channels,
                "has_audio": False,
            },
        }

    def store(self, root: Path, place: Place, sensor: Sensor, episodes: Sequence[FrameSource]) -> StoredFrames:
        """Encode the episodes one after another into one file, which appears whole or not at all.

        Raises:
            StoreError: The disk is full or read-only, or the encoder refuses.
            ContractError: `feature` was not asked before.
        """
        import av

        key = feature_key(sensor)
        path = place.path(root, VIDEO_PATH, video_key=key)
        if sensor.name not in self._fps:
            raise ContractError(f"the rate of camera {sensor.name!r} is not known", remedy="ask for its feature first")
        rate = self._fps[sensor.name]
        with atomic_path(path) as temporary:
            try:
                with av.open(str(temporary), "w", format="mp4", options={"movflags": "+faststart"}) as output:
                    self._encode(output, self._stream(output, sensor, rate), episodes)
                written = _packets(temporary)
            except av.FFmpegError as error:
                if isinstance(error, OSError):
                    raise  # atomic_path tells what a full disk means.
                raise StoreError(f"{path} could not be encoded", got=error, remedy="store images instead") from error
        wanted = sum(len(frames) for frames in episodes)
        if written != wanted:
            path.unlink(missing_ok=True)
            raise StoreError(f"{path} is not what was to be written", got=f"{written} frames", expected=wanted)
        bounds = [float(end / rate) for end in np.cumsum([0, *(len(frames) for frames in episodes)]).tolist()]
        columns: dict[str, list[object]] = {
            f"videos/{key}/chunk_index": [place.chunk] * len(episodes),
            f"videos/{key}/file_index": [place.file] * len(episodes),
            f"videos/{key}/from_timestamp": list(bounds[:-1]),
            f"videos/{key}/to_timestamp": list(bounds[1:]),
        }
        return StoredFrames(episode_columns=columns, files=(path,))

    def _stream(self, output: "OutputContainer", sensor: Sensor, rate: Fraction) -> "VideoStream":
        options = {
            "preset": "veryfast",
            "crf": str(self._crf),
            "g": str(self._gop),
            # No B frames: frames leave the decoder in the order they are asked for, and the first has time 0.
            "bf": "0",
            "sc_threshold": "0",
            "forced-idr": "1",
            # With it, equal frames of 48×64 gave other files in one run of ten: it reads memory that nobody wrote.
            "mbtree": "0",
            "threads": str(_THREADS),
        }
        stream = cast("VideoStream", output.add_stream(_ENCODER, rate=rate, options=options))
        _, stream.height, stream.width = sensor.shape
        stream.pix_fmt = _PIXELS
        # What the conversion below does, said in the file: players guess BT.709 for large frames.
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = _BT601
        context.color_range = _LIMITED
        return stream

    @staticmethod
    def _encode(output: "OutputContainer", stream: "VideoStream", episodes: Sequence[FrameSource]) -> None:
        import av
        from av.video.frame import PictureType
        from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

        # One converter of one thread: made anew for each frame, with threads, it takes longer than encoding.
        convert = VideoReformatter().reformat
        index = 0
        for frames in episodes:
            for number, pixels in enumerate(frames):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)), format="rgb24")
                frame = convert(
                    frame,
                    format=_PIXELS,
                    dst_colorspace=Colorspace.ITU601,
                    dst_color_range=ColorRange.MPEG,
                    threads=1,
                )
                frame.pict_type = PictureType.I if number == 0 else PictureType.NONE
                frame.pts = index
                frame.time_base = 1 / Fraction(stream.codec_context.framerate)
                output.mux(stream.encode(frame))
                index += 1
        output.mux(stream.encode(None))


def _packets(path: Path) -> int:
    """Frames in a file, counted without decoding."""
    import av

    with av.open(str(path)) as container:
        return sum(packet.size > 0 for packet in container.demux(video=0))
