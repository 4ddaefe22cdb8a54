"""What sensors deliver: `Sensor` describes one, `Stream` holds a batch of its samples, `Clip` holds several streams."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, Self, get_args

import torch
from jaxtyping import Bool, Float64, Shaped
from torch import Tensor

from monde.errors import ContractError, unknown_name
from monde.limits import MAX_CLOUD_POINTS, MAX_FRAME_SIDE_PIXELS, MAX_SCAN_BEAMS, MAX_SENSORS
from monde.types.checks import check_dtype, check_leading, check_name, check_rank, check_same_device, describe
from monde.types.geometry import Geometry, GridGeometry, Intrinsics, Mount, ScanGeometry

SensorKind = Literal["rgb", "depth", "points", "scan", "state", "pose", "twist", "imu", "gnss", "grid", "tokens"]

_SHAPES: Mapping[str, tuple[tuple[int, ...], ...]] = {
    "pose": ((3,), (7,)),
    "twist": ((3,), (6,)),
    "imu": ((6,),),
    "gnss": ((3,),),
}
_GEOMETRY: Mapping[str, type] = {"rgb": Intrinsics, "depth": Intrinsics, "scan": ScanGeometry, "grid": GridGeometry}


@dataclass(frozen=True, kw_only=True)
class Sensor:
    """What one sensor measures, independently of any sample.

    Args:
        name: Its name in the recording, without any layout's prefix ("top", "state").
        kind: Which family of perception reads it.
        shape: Shape of one sample. Images are [C, h, w] (depth: [1, h, w], 0 in pixels where nothing was measured); a
            state is [n]; a cloud is [P_max, 3+] (x, y, z first; rows at x = y = z = 0 are padding); a scan is [beams]
            (0: nothing known, the scanner's longest range: no return); a pose is [3] or [7] (`monde.types.geometry`); a
            twist is [3] (vx, vy, yaw rate) or [6] (linear, angular); an IMU is [6] (rad/s, m/s²); GNSS is [3], metres
            east, north and up of the recording's first fix; a grid is [1, h, w]; tokens are a frozen encoder's
            features, [h, w, D].
        unit: Unit of the values ("px", "rad", "m", "1" for none). RGB is "1" (uint8 0 to 255).
        rate_hz: Nominal samples per second; each sample's own time is in its `Stream`.
        names: One name per component of a one-dimensional sample, or empty.
        geometry: A camera's intrinsics, a scan's beams or a grid's cells; a scan and a grid must have theirs.
        mount: Where it is fixed, or none where that is not known.

    Raises:
        ContractError: An unusable name, shape or rate, or the geometry of another kind of sensor.
    """

    name: str
    kind: SensorKind
    shape: tuple[int, ...]
    unit: str = "1"
    rate_hz: float
    names: tuple[str, ...] = ()
    geometry: Geometry | None = None
    mount: Mount | None = None

    def __post_init__(self) -> None:
        check_name("Sensor", self.name)
        if self.kind not in get_args(SensorKind):
            raise unknown_name("sensor kind", self.kind, list(get_args(SensorKind)), ContractError)
        if not self.shape or any(side < 1 for side in self.shape):
            raise ContractError(f"Sensor {self.name!r} has an empty shape", got=self.shape, expected="sizes ≥ 1")
        if self.kind in {"rgb", "depth"}:
            channels = 3 if self.kind == "rgb" else 1
            if len(self.shape) != 3 or self.shape[0] != channels or max(self.shape[1:]) > MAX_FRAME_SIDE_PIXELS:
                raise ContractError(
                    f"Sensor {self.name!r} is not a {self.kind} image",
                    got=self.shape,
                    expected=f"[{channels}, h, w] with sides up to {MAX_FRAME_SIDE_PIXELS}",
                )
        if not 0 < self.rate_hz < float("inf"):
            raise ContractError(f"Sensor {self.name!r} has no rate", got=self.rate_hz, expected="a finite rate > 0 Hz")
        if self.names and len(self.names) != self.shape[0]:
            raise ContractError(
                f"Sensor {self.name!r} names its components wrongly",
                got=f"{len(self.names)} names",
                expected=f"{self.shape[0]}",
            )

        self._check_shape()
        self._check_geometry()

    def _check_shape(self) -> None:
        shapes = _SHAPES.get(self.kind)
        if shapes is not None and self.shape not in shapes:
            expected = " or ".join(str(list(shape)) for shape in shapes)
            raise ContractError(f"Sensor {self.name!r} is no {self.kind}", got=list(self.shape), expected=expected)
        if self.kind == "points" and not (
            len(self.shape) == 2 and self.shape[1] >= 3 and self.shape[0] <= MAX_CLOUD_POINTS
        ):
            expected = f"[P, 3 or more] with P up to {MAX_CLOUD_POINTS}"
            raise ContractError(f"Sensor {self.name!r} is no cloud", got=list(self.shape), expected=expected)
        if self.kind == "scan" and not (len(self.shape) == 1 and self.shape[0] <= MAX_SCAN_BEAMS):
            expected = f"[beams], up to {MAX_SCAN_BEAMS}"
            raise ContractError(f"Sensor {self.name!r} is no scan", got=list(self.shape), expected=expected)
        if self.kind == "grid" and not (
            len(self.shape) == 3 and self.shape[0] == 1 and max(self.shape) <= MAX_FRAME_SIDE_PIXELS
        ):
            expected = f"[1, h, w] with sides up to {MAX_FRAME_SIDE_PIXELS}"
            raise ContractError(f"Sensor {self.name!r} is no grid", got=list(self.shape), expected=expected)

    def _check_geometry(self) -> None:
        wanted = _GEOMETRY.get(self.kind)
        if self.geometry is None and self.kind not in {"scan", "grid"}:
            return
        if wanted is None or not isinstance(self.geometry, wanted):
            raise ContractError(
                f"Sensor {self.name!r} has the geometry of another kind of sensor",
                got=type(self.geometry).__name__,
                expected="none" if wanted is None else wanted.__name__,
            )
        if isinstance(self.geometry, Intrinsics) and (self.geometry.height, self.geometry.width) != self.shape[1:]:
            raise ContractError(
                f"the intrinsics of {self.name!r} do not fit the image",
                got=f"intrinsics of {self.geometry.height} × {self.geometry.width}",
                expected=f"{self.shape[1]} × {self.shape[2]}",
                remedy="give the intrinsics of this frame size; `resized` converts those of another",
            )

    @property
    def picture(self) -> bool:
        """Whether its samples are images: colours (uint8) or depth (float32)."""
        return self.kind in {"rgb", "depth"}


@dataclass(frozen=True, repr=False)
class Stream:
    """A batch of samples of one sensor, each with its own time.

    Args:
        values: [B, T, ...]; RGB is uint8 [B, T, 3, h, w]; depth is float32 [B, T, 1, h, w], 0 where nothing
            was measured; clouds are padded to [B, T, P, 3+] with `mask`.
        times_seconds: [B, T] float64, since the start of the episode.
        valid: [B, T]; false where the sensor delivered nothing and `values` is padding.
        mask: [B, T, P] for clouds (false = padding), else none.
        age_seconds: [B, T] float64, how old each sample was at the step that it was aligned to (its own time is
            earlier by that much), or none for a stream that was not aligned: its samples are as old as their step.

    Raises:
        ContractError: Wrong rank or dtype, tensors that do not line up, or on several devices.
    """

    values: Shaped[Tensor, "B T ..."]
    times_seconds: Float64[Tensor, "B T"]
    valid: Bool[Tensor, "B T"]
    mask: Bool[Tensor, "B T P"] | None = None
    age_seconds: Float64[Tensor, "B T"] | None = None

    def __post_init__(self) -> None:
        check_rank("Stream", "values", self.values, "B T ...")
        check_rank("Stream", "times_seconds", self.times_seconds, "B T")
        check_dtype("Stream", "times_seconds", self.times_seconds, torch.float64)
        check_dtype("Stream", "valid", self.valid, torch.bool)
        check_leading("Stream", "times_seconds", self.times_seconds, self.values.shape[:2], "B T")
        check_leading("Stream", "valid", self.valid, self.values.shape[:2], "B T")
        held = {"values": self.values, "times_seconds": self.times_seconds, "valid": self.valid}
        if self.mask is not None:
            check_dtype("Stream", "mask", self.mask, torch.bool)
            check_leading("Stream", "mask", self.mask, self.values.shape[:3], "B T P")
            held["mask"] = self.mask
        if self.age_seconds is not None:
            check_dtype("Stream", "age_seconds", self.age_seconds, torch.float64)
            check_leading("Stream", "age_seconds", self.age_seconds, self.values.shape[:2], "B T")
            held["age_seconds"] = self.age_seconds
        check_same_device("Stream", held)

    @classmethod
    def regular(cls, values: Tensor, rate_hz: float, start_seconds: float = 0.0) -> Self:
        """A stream of `values` [B, T, ...] sampled without gaps at `rate_hz` from `start_seconds`."""
        check_rank("Stream", "values", values, "B T ...")
        B, T = values.shape[:2]
        times = start_seconds + torch.arange(T, dtype=torch.float64, device=values.device) / rate_hz
        return cls(values, times.expand(B, T), torch.ones(B, T, dtype=torch.bool, device=values.device))

    @property
    def batch(self) -> int:
        """B."""
        return int(self.values.shape[0])

    @property
    def steps(self) -> int:
        """T."""
        return int(self.values.shape[1])

    def to(self, device: torch.device | str) -> Self:
        """The same stream on another device."""
        return self.map(lambda held: held.to(device, non_blocking=True))

    def map(self, change: Callable[[Tensor], Tensor]) -> Self:
        """The stream with `change` made to all that it holds: to what changes B and T only."""
        return replace(
            self,
            values=change(self.values),
            times_seconds=change(self.times_seconds),
            valid=change(self.valid),
            mask=None if self.mask is None else change(self.mask),
            age_seconds=None if self.age_seconds is None else change(self.age_seconds),
        )

    @classmethod
    def joined(cls, streams: Sequence[Self]) -> Self:
        """Streams of one sensor and of equal steps, row under row."""
        masks = [stream.mask for stream in streams if stream.mask is not None]
        ages = [stream.age_seconds for stream in streams if stream.age_seconds is not None]
        return cls(
            torch.cat([stream.values for stream in streams]),
            torch.cat([stream.times_seconds for stream in streams]),
            torch.cat([stream.valid for stream in streams]),
            torch.cat(masks) if masks else None,
            torch.cat(ages) if ages else None,
        )

    def every(self, block: int) -> Self:
        """Each `block`-th step of every row, from the first; a view."""
        return self.map(lambda held: held[:, ::block])

    def window(self, start: int, stop: int) -> Self:
        """Steps `start` to `stop` (exclusive) of every row; a view."""
        return self.map(lambda held: held[:, start:stop])

    def __repr__(self) -> str:
        span = ""
        if self.times_seconds.numel():
            span = f", {float(self.times_seconds.min()):.3f} to {float(self.times_seconds.max()):.3f} s"
        missing = int((~self.valid).sum())
        gaps = f", {missing} missing" if missing else ""
        return f"Stream({describe(self.values)}{span}{gaps})"


@dataclass(frozen=True, repr=False)
class Clip:
    """What a model is shown: streams by sensor name, and the actions taken between their steps.

    Streams may have clocks of their own (different T); `aligned` says whether they share one. Models take aligned
    clips, where actions[:, t] is what was done between step t and step t + 1.

    Args:
        streams: At least one stream; all have the same B.
        actions: Stream of [B, T-1, A] action blocks (times are those of their first control step), or none.

    Raises:
        ContractError: No stream, too many, or batches that differ.
    """

    streams: Mapping[str, Stream]
    actions: Stream | None = None

    def __post_init__(self) -> None:
        if not 0 < len(self.streams) <= MAX_SENSORS:
            raise ContractError("Clip has no usable streams", got=len(self.streams), expected=f"1 to {MAX_SENSORS}")
        object.__setattr__(self, "streams", MappingProxyType(dict(self.streams)))
        batches = {name: stream.batch for name, stream in self.streams.items()}
        if self.actions is not None:
            check_rank("Clip", "actions", self.actions.values, "B T A")
            batches["actions"] = self.actions.batch
        # Compared, not put in a set: an exporter traces with sizes that are not numbers yet.
        if any(batch != self.batch for batch in batches.values()):
            raise ContractError("Clip holds streams of different batch sizes", got=batches, expected="one B")

    @property
    def batch(self) -> int:
        """B."""
        return next(iter(self.streams.values())).batch

    @property
    def aligned(self) -> bool:
        """Whether all streams have one T, and actions, where present, T - 1."""
        steps = {stream.steps for stream in self.streams.values()}
        return len(steps) == 1 and (self.actions is None or self.actions.steps == next(iter(steps)) - 1)

    @property
    def steps(self) -> int:
        """T of an aligned clip."""
        if not self.aligned:
            got = {name: stream.steps for name, stream in self.streams.items()}
            if self.actions is not None:
                got["actions"] = self.actions.steps
            raise ContractError(
                "Clip is not aligned to one clock",
                got=got,
                expected="one T for all streams, and T - 1 actions",
                remedy="align the streams to the model's step before the model sees them",
            )
        return next(iter(self.streams.values())).steps

    @classmethod
    def joined(cls, clips: Sequence[Self]) -> Self:
        """Clips of equal sensors and steps, row under row; with actions where all have some.

        Raises:
            ContractError: One lacks a sensor of the first.
        """
        actions = [clip.actions for clip in clips if clip.actions is not None]
        return cls(
            {name: Stream.joined([clip.stream(name) for clip in clips]) for name in clips[0].streams},
            Stream.joined(actions) if len(actions) == len(clips) else None,
        )

    def stream(self, name: str) -> Stream:
        """The stream called `name`; an unknown name raises with the names that exist."""
        if name not in self.streams:
            raise unknown_name("sensor", name, sorted(self.streams), ContractError)
        return self.streams[name]

    def to(self, device: torch.device | str) -> Self:
        """The same clip on another device."""
        streams = {name: stream.to(device) for name, stream in self.streams.items()}
        return replace(self, streams=streams, actions=None if self.actions is None else self.actions.to(device))

    def window(self, start: int, stop: int) -> Self:
        """Steps `start` to `stop` (exclusive) of an aligned clip, with the actions between them."""
        if not 0 <= start < stop <= self.steps:
            raise ContractError(
                "Clip.window is out of range", got=f"{start}:{stop}", expected=f"0 ≤ start < stop ≤ {self.steps}"
            )
        streams = {name: stream.window(start, stop) for name, stream in self.streams.items()}
        actions = None if self.actions is None else self.actions.window(start, stop - 1)
        return replace(self, streams=streams, actions=actions)

    def __repr__(self) -> str:
        parts = [f"{name}={stream!r}" for name, stream in self.streams.items()]
        parts.append(f"actions={self.actions!r}")
        return f"Clip({', '.join(parts)})"
