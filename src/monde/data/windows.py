"""`Windows`: every stretch of an episode that a model can be shown, gathered from the frame cache."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from monde.data.cache import FrameCache
from monde.errors import ContractError, DataError, unknown_name
from monde.types import ActionSpec, Clip, Stream


class Windows:
    """All windows of `steps` model steps, one every `actions.block` control steps, from any frame of some episodes.

    A window from frame s shows frames s, s + K, …, s + K·(steps-1) and, between each two, the K control steps taken as
    one block. Windows are numbered episode by episode; nothing is stored per window.

    Args:
        cache: Where frames and actions are.
        episodes: Episodes to take windows from.
        sensors: Sensors to show, in this order.
        steps: T, model steps in one window.
        actions: The action blocks; unactuated ones are [B, T-1, 0] whatever was recorded. None for windows of
            consecutive frames, without actions.

    Raises:
        ContractError: An unknown episode or sensor, no steps, or actions that are not of this recording.
        DataError: No episode is long enough.
    """

    def __init__(
        self, cache: FrameCache, episodes: Sequence[int], sensors: Sequence[str], steps: int, actions: ActionSpec | None
    ) -> None:
        _check(cache, episodes, sensors, steps, actions)
        self._cache, self._sensors, self._steps = cache, tuple(sensors), steps
        self._actions, self._block = actions, 1 if actions is None else actions.block
        chosen = np.asarray(episodes, dtype=np.int64)
        counts = cache.lengths[chosen] - self._block * (steps - 1)
        short = counts < 1
        self.too_short: tuple[int, ...] = tuple(chosen[short].tolist())
        """Episodes that are left out because not one window fits in them."""
        if short.all():
            raise DataError(
                "no episode is long enough for one window",
                got=f"{len(chosen)} episodes, the longest of {int(cache.lengths[chosen].max())} frames",
                expected=f"at least {self._block * (steps - 1) + 1} frames: {steps} steps of {self._block}",
                remedy="record longer episodes, or use fewer steps or a smaller action block",
            )
        self._episodes = chosen[~short]
        self._firsts = cache.offsets[self._episodes]
        self._bounds = np.concatenate([[0], np.cumsum(counts[~short])])

    def __len__(self) -> int:
        return int(self._bounds[-1])

    @property
    def steps(self) -> int:
        """T, model steps in one window."""
        return self._steps

    @property
    def sensors(self) -> tuple[str, ...]:
        """Names of the sensors shown."""
        return self._sensors

    @property
    def episodes(self) -> tuple[int, ...]:
        """Episodes that windows are taken from."""
        return tuple(self._episodes.tolist())

    def locate(self, index: Int64[np.ndarray, " B"]) -> tuple[Int64[np.ndarray, " B"], Int64[np.ndarray, " B"]]:
        """Episode and first frame of each window.

        Raises:
            ContractError: An index out of range.
        """
        row, start = self._find(index)
        return self._episodes[row], start

    def clip(self, index: Int64[np.ndarray, " B"]) -> Clip:
        """The windows `index` as an aligned clip: RGB uint8 [B, T, 3, h, w] (channels last in memory), others float32
        [B, T, ...], what is missing as not valid, actions [B, T-1, A].

        Raises:
            ContractError: An index out of range.
        """
        row, start = self._find(index)
        first = self._firsts[row] + start
        B, T, K = len(index), self._steps, self._block
        frames = first[:, None] + K * np.arange(T)
        times = torch.from_numpy(_gather(self._cache.times_seconds, frames))
        valid = torch.ones(B, T, dtype=torch.bool)
        streams = {}
        for name in self._sensors:
            values = torch.from_numpy(_gather(self._cache.values(name), frames))
            if self._cache.sensor(name).picture:
                values = values.permute(0, 1, 4, 2, 3)
            streams[name] = Stream(values, times, *self._said(name, frames, values, valid))
        if self._actions is None:
            return Clip(streams)
        if self._actions.unactuated or self._cache.controls is None:
            return Clip(streams, Stream(torch.empty(B, T - 1, 0), times[:, :-1], valid[:, :-1]))
        controls = _gather(self._cache.controls, first[:, None] + np.arange(K * (T - 1)))
        blocks = torch.from_numpy(controls).reshape(B, T - 1, self._actions.width)
        return Clip(streams, Stream(blocks, times[:, :-1], valid[:, :-1]))

    def _said(
        self, name: str, frames: Int64[np.ndarray, "B T"], values: Tensor, everything: Tensor
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Which samples are there, which points of a cloud, and how old they are."""
        held, ages = self._cache.valid(name), self._cache.age_seconds(name)
        mask = (values[..., :3] != 0).any(-1) if self._cache.sensor(name).kind == "points" else None
        return (
            everything if held is None else torch.from_numpy(_gather(held, frames)),
            mask,
            None if ages is None else torch.from_numpy(_gather(ages, frames)),
        )

    def __repr__(self) -> str:
        return (
            f"Windows({len(self)} of {self._steps} steps × {self._block} from {len(self._episodes)} episodes, "
            f"{len(self.too_short)} too short; {', '.join(self._sensors)})"
        )

    def _find(self, index: Int64[np.ndarray, " B"]) -> tuple[Int64[np.ndarray, " B"], Int64[np.ndarray, " B"]]:
        if len(index) == 0 or int(index.min()) < 0 or int(index.max()) >= len(self):
            got = f"{int(index.min())} to {int(index.max())}" if len(index) else "no index"
            raise ContractError("window indices are out of range", got=got, expected=f"0 to {len(self) - 1}")
        row = np.searchsorted(self._bounds, index, side="right") - 1
        return row, index - self._bounds[row]


def _gather(array: np.ndarray, frames: Int64[np.ndarray, "B T"]) -> np.ndarray:
    """Rows [B, T, ...] copied out of a memory-mapped array."""
    result = np.empty((*frames.shape, *array.shape[1:]), dtype=array.dtype)
    # mode="clip" spares the second copy that the checked mode makes; `_find` has checked already.
    np.take(array, frames, axis=0, out=result, mode="clip")
    return result


def _check(
    cache: FrameCache, episodes: Sequence[int], sensors: Sequence[str], steps: int, actions: ActionSpec | None
) -> None:
    known = [sensor.name for sensor in cache.sensors]
    for name in sensors:
        if name not in known:
            raise unknown_name("sensor", name, known, ContractError)
    if steps < 1 or not sensors or not episodes:
        raise ContractError(
            "Windows would show nothing",
            got=f"{steps} steps of {len(sensors)} sensors from {len(episodes)} episodes",
            expected="at least one of each",
        )
    count = len(cache.offsets) - 1
    unknown = [episode for episode in episodes if not 0 <= episode < count]
    if unknown:
        raise ContractError("there are no such episodes", got=unknown[:5], expected=f"0 to {count - 1}")
    if actions is not None and not actions.unactuated and actions.with_block(1) != cache.actions:
        raise ContractError(
            "these actions are not those of the recording",
            got=actions,
            expected=cache.actions,
            remedy="take recording.actions.with_block(K)",
        )
