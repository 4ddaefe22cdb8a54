"""`EpisodeData`: one recorded episode in memory, on its way to disk."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import torch
from jaxtyping import Bool, Float64, Shaped

from monde.data.samples import check_samples
from monde.errors import ContractError, DataError
from monde.limits import MAX_EPISODE_STEPS, MAX_NAME_CHARACTERS
from monde.types import ActionSpec, Sensor


class LazyFrames:
    """Pictures [T, C, h, w] that are decoded while they are written, a few at a time: frames of a camera, or depth.

    Args:
        shape: [T, C, h, w].
        pieces: Called once per writing; yields arrays [t, C, h, w], T frames in all.
        dtype: uint8 of a camera's, float32 of depth.
    """

    ndim = 4

    def __init__(
        self,
        shape: tuple[int, int, int, int],
        pieces: Callable[[], Iterable[np.ndarray]],
        dtype: type[np.uint8] | type[np.float32] = np.uint8,
    ) -> None:
        self.shape, self._pieces, self.dtype = shape, pieces, np.dtype(dtype)

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[Shaped[np.ndarray, "C h w"]]:
        """Frame after frame.

        Raises:
            DataError: More or fewer than T, or of another shape.
        """
        told = 0
        for piece in self._pieces():
            if piece.shape[1:] != self.shape[1:] or piece.dtype != self.dtype:
                raise DataError(
                    "camera frames changed while they were read", got=_describe(piece), expected=list(self.shape[1:])
                )
            told += len(piece)
            yield from piece
        if told != len(self):
            raise DataError("a camera gave another number of frames than announced", got=told, expected=len(self))


@dataclass(frozen=True, repr=False)
class EpisodeData:
    """One episode: what each sensor showed at T moments, and the T-1 control steps between them.

    Args:
        values: [T, ...] by sensor name, in each sensor's shape (RGB uint8 [T, 3, h, w] or `LazyFrames`, others
            floating).
        times_seconds: [T] float64 since the start of the episode, strictly increasing.
        actions: [T-1, dim] control steps (discrete ones one-hot), or none.
        task: What was to be done, in words; may be empty.
        valid: [T] by name, of sensors that missed a moment: false where nothing was delivered and the value is padding.
        age_seconds: [T] float64 by name, of sensors with a clock of their own: how much older than its moment a sample
            is.

    Raises:
        ContractError: Lengths that do not line up, a dtype that cannot be stored, or values that are not finite.
    """

    values: Mapping[str, Shaped[np.ndarray, "..."] | LazyFrames]
    times_seconds: Shaped[np.ndarray, "..."]
    actions: Shaped[np.ndarray, "..."] | None
    task: str = ""
    valid: Mapping[str, Bool[np.ndarray, "..."]] = field(default_factory=dict)
    age_seconds: Mapping[str, Float64[np.ndarray, "..."]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for part in ("values", "valid", "age_seconds"):
            object.__setattr__(self, part, MappingProxyType(dict(getattr(self, part))))
        times = self.times_seconds
        if times.ndim != 1 or times.dtype != np.float64 or not 1 <= len(times) <= MAX_EPISODE_STEPS:
            raise ContractError(
                "EpisodeData.times_seconds is unusable", got=_describe(times), expected="float64 [T] with T ≥ 1"
            )
        if not np.isfinite(times).all() or bool((np.diff(times) <= 0).any()):
            raise ContractError(
                "EpisodeData.times_seconds does not go forward",
                got=_describe(times),
                expected="finite and strictly increasing",
            )
        if not self.values:
            raise ContractError("EpisodeData holds no sensor", expected="at least one")
        for name, array in self.values.items():
            if array.ndim < 2 or len(array) != self.steps:
                raise ContractError(
                    f"EpisodeData sensor {name!r} does not line up", got=_describe(array), expected=f"[{self.steps}, …]"
                )
            _check_numbers(f"sensor {name!r}", array)
        if self.actions is not None:
            if self.actions.ndim != 2 or len(self.actions) != self.steps - 1:
                raise ContractError(
                    "EpisodeData.actions does not line up",
                    got=_describe(self.actions),
                    expected=f"[{self.steps - 1}, dim]: one control step between each two moments",
                )
            _check_numbers("actions", self.actions)
        for told, dtype in ((self.valid, np.bool_), (self.age_seconds, np.float64)):
            for name, array in told.items():
                if name not in self.values or array.shape != (self.steps,) or array.dtype != dtype:
                    raise ContractError(
                        f"what EpisodeData says of the samples of {name!r} does not line up",
                        got=_describe(array),
                        expected=f"{np.dtype(dtype)}[{self.steps}] of one of {sorted(self.values)}",
                    )
        for name, ages in self.age_seconds.items():
            if not (np.isfinite(ages).all() and (ages >= 0).all()):
                raise ContractError(
                    f"a sample of {name!r} is from the future, or its age is no number",
                    got=f"{ages.min():g} s",
                    expected="finite ages ≥ 0",
                    remedy="align it to moments that are not before it",
                )
        if len(self.task) > MAX_NAME_CHARACTERS:
            raise ContractError("EpisodeData.task is too long", got=len(self.task), expected=MAX_NAME_CHARACTERS)

    @property
    def steps(self) -> int:
        """T."""
        return len(self.times_seconds)

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """Values by sensor name, of sensors that are in memory."""
        return {name: array for name, array in self.values.items() if not isinstance(array, LazyFrames)}

    def check(self, sensors: tuple[Sensor, ...], actions: ActionSpec | None) -> None:
        """Refuse an episode that is not of these sensors and actions.

        Raises:
            ContractError: A missing or foreign sensor, another shape or dtype, actions of the wrong width, out of
                bounds or not one-hot.
        """
        wanted = {sensor.name for sensor in sensors}
        if set(self.values) != wanted:
            raise ContractError(
                "EpisodeData holds other sensors than the recording", got=sorted(self.values), expected=sorted(wanted)
            )
        for sensor in sensors:
            array = self.values[sensor.name]
            if array.shape[1:] != sensor.shape:
                raise ContractError(
                    f"EpisodeData sensor {sensor.name!r} has the wrong shape",
                    got=_describe(array),
                    expected=f"[T, {', '.join(map(str, sensor.shape))}]",
                )
            if (array.dtype == np.uint8) != (sensor.kind == "rgb"):
                raise ContractError(
                    f"EpisodeData sensor {sensor.name!r} has the wrong dtype",
                    got=_describe(array),
                    expected="uint8" if sensor.kind == "rgb" else "a float dtype",
                )
            if not isinstance(array, LazyFrames):
                check_samples(sensor, array, self.valid.get(sensor.name))
        if (self.actions is None) != (actions is None):
            raise ContractError(
                "EpisodeData and recording disagree on whether there are actions",
                got="none" if self.actions is None else _describe(self.actions),
                expected="none" if actions is None else f"[T-1, {actions.dim}]",
            )
        if self.actions is not None and actions is not None:
            actions.check(torch.from_numpy(np.array(self.actions, dtype=np.float32)))
            if actions.discrete and not bool(
                ((self.actions != 0).sum(1) == 1).all() and (self.actions.max(1) == 1).all()
            ):
                raise ContractError(
                    "EpisodeData.actions are not one-hot",
                    got=_describe(self.actions),
                    expected="a single 1 in each row",
                )

    def __repr__(self) -> str:
        parts = [f"{name}={_describe(array)}" for name, array in self.values.items()]
        parts.append("actions=" + ("none" if self.actions is None else _describe(self.actions)))
        return f"EpisodeData({', '.join(parts)}, task={self.task!r})"


def _describe(array: np.ndarray | LazyFrames) -> str:
    return f"{array.dtype}[{'×'.join(map(str, array.shape))}]"


def _check_numbers(what: str, array: np.ndarray | LazyFrames) -> None:
    if isinstance(array, LazyFrames) or array.dtype == np.uint8:
        return
    if not np.issubdtype(array.dtype, np.floating):
        raise ContractError(
            f"EpisodeData {what} has the wrong dtype",
            got=_describe(array),
            expected="uint8 for RGB, else a float dtype",
        )
    # float32 is what is stored: a float64 that overflows there is not finite either.
    with np.errstate(over="ignore"):
        finite = np.isfinite(array.astype(np.float32, copy=False))
    if not finite.all():
        step = int(np.argwhere(~finite)[0][0])
        raise ContractError(
            f"EpisodeData {what} is not finite",
            got=f"{int((~finite).sum())} NaN or infinite values, the first at step {step}",
            expected="finite numbers",
            remedy="find out why the sensor delivered none; missing values are not invented here",
        )
