"""Encoding held-out clips once, for everything that is scored on latents."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from monde.agents import device_of, fit_clip
from monde.data import Windows
from monde.errors import DataError
from monde.protocols import WorldModel
from monde.types import Clip
from monde.types.checks import describe


@runtime_checkable
class ClipSource(Protocol):
    """Clips by index, aligned and at the model's step (one action block between frames), B = 1.

    Evaluators treat one clip as one episode: give whole episodes, or long pieces of different ones.
    """

    def __len__(self) -> int:
        """Number of clips."""
        ...

    def clip(self, index: int) -> Clip:
        """One clip, B = 1, with the model's sensors and every sensor that is asked about."""
        ...


class EpisodeClips:
    """Windows that tile the episodes of `windows` from their first frame on, as clips of one row.

    Args:
        windows: At the model's step, with the model's sensors and every sensor that is asked about; long.
        stride: Frames from one clip of an episode to its next.
    """

    def __init__(self, windows: Windows, stride: int) -> None:
        self._windows = windows
        _, start = windows.locate(np.arange(len(windows)))
        self._first = np.flatnonzero(start % stride == 0)

    def __len__(self) -> int:
        return len(self._first)

    def clip(self, index: int) -> Clip:
        """One window."""
        return self._windows.clip(self._first[index : index + 1])


@dataclass(frozen=True)
class EncodedClip:
    """One clip, and what the model makes of it.

    Args:
        clip: B = 1, on the model's device, the model's sensors only.
        latents: [T, N, D].
        states: Values [T, n] (float64) of the sensors asked about, by name; NaN where they were not delivered, and for
            numbers that are not finite.
    """

    clip: Clip
    latents: Float[Tensor, "T N D"]
    states: dict[str, Float[np.ndarray, "T n"]]


def encode_clips(model: WorldModel, source: ClipSource, states: tuple[str, ...], limit: int) -> list[EncodedClip]:
    """At most `limit` clips, spread evenly over the source, encoded without gradient.

    Raises:
        DataError: An empty source, a clip of several rows, or latents that are not finite.
        ContractError: A clip without the sensors asked for, or not aligned.
    """
    if len(source) == 0:
        raise DataError("there is nothing to score", got="no clips", remedy="hold out some episodes")
    device = device_of(model)
    chosen = np.unique(np.linspace(0, len(source) - 1, min(limit, len(source))).round().astype(int))
    return [_encode(model, source.clip(int(index)), int(index), states, device) for index in chosen]


def _encode(model: WorldModel, clip: Clip, index: int, states: tuple[str, ...], device: torch.device) -> EncodedClip:
    if clip.batch != 1:
        raise DataError("evaluators take clips of one row", got=f"{clip.batch} rows", expected="B = 1")
    seen = fit_clip(clip, model.sensors).to(device)
    with torch.no_grad():
        latents = model.encode(seen).values[0].float()
    if not bool(torch.isfinite(latents).all()):
        raise DataError(
            f"the latents of clip {index} are not finite",
            got=describe(latents),
            remedy="look for NaN in the sensors of the recording and in the weights of the model",
        )
    values = {}
    for name in states:
        stream = clip.stream(name)
        told = stream.values[0].double().flatten(1)
        there = stream.valid[0, :, None] & torch.isfinite(told)
        values[name] = torch.where(there, told, torch.nan).cpu().numpy()
    return EncodedClip(seen, latents, values)


def stack_latents(clips: list[EncodedClip]) -> Float[Tensor, "n N D"]:
    """Latents of all frames, clip after clip."""
    return torch.cat([clip.latents for clip in clips])


def stack_states(clips: list[EncodedClip], name: str) -> Float[np.ndarray, "n k"]:
    """Values of a sensor at all frames, clip after clip."""
    return np.concatenate([clip.states[name] for clip in clips])


def clusters(clips: list[EncodedClip]) -> Int[np.ndarray, " n"]:
    """Which clip each frame belongs to."""
    return np.repeat(np.arange(len(clips)), [len(clip.latents) for clip in clips])
