"""What adapting draws its batches from: old frames with their latents, old frames in another look, new clips."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from monde.data import Windows
from monde.models import JEPA
from monde.training.adapting.adapt_step import block_actions, prediction_error
from monde.training.adapting.looks import changed_look
from monde.training.adapting.repaint import Repaint, fit_repaint, scenery
from monde.training.setup import Setup
from monde.types import Clip

SCENERY_EPISODES = 20
"""Episodes of each recording that its scenery is taken from, and frames of each of them at most."""

SCENERY_FRAMES = 64

AROUND = 0.25
"""How much looks vary around the new one, as a share of those of any kind."""

JUDGED_CLIPS = 128


class OldFrames:
    """Frames that the run was trained on, and what its encoder makes of them.

    Args:
        windows: Of one step.
        teacher: The encoder, in evaluation mode.
    """

    def __init__(self, windows: Windows, teacher: JEPA) -> None:
        self.windows, self._teacher = windows, teacher

    @torch.no_grad()
    def draw(self, batch: int, generator: Generator) -> tuple[Clip, Float[Tensor, "M N D"]]:
        """Frames [M, 1], and their latents."""
        clip = _without_actions(self.windows.clip(_draw(self.windows, batch, generator)))
        return clip, self._teacher.encode(clip).values[:, 0]


class NewClips:
    """Clips of the new recording.

    Args:
        setup: The new recording.
        steps: Model steps of a clip.
        teacher: Whose sensors and action blocks they are of.
    """

    def __init__(self, setup: Setup, steps: int, teacher: JEPA) -> None:
        sensors = [sensor.name for sensor in teacher.sensors]
        self.singles = Windows(setup.cache, setup.split.train, sensors, 1, teacher.actions)
        self._train = Windows(setup.cache, setup.split.train, sensors, steps, teacher.actions)
        self._held_out = Windows(setup.cache, setup.split.held_out, sensors, steps, teacher.actions)

    def draw(self, clips: int, generator: Generator) -> Clip:
        """Clips [B, T] with what was done."""
        return self._train.clip(_draw(self._train, clips, generator))

    @torch.no_grad()
    def judge(self, model: JEPA) -> float:
        """Error of predicted latents on held-out episodes, as a share of "nothing changes"."""
        index = np.linspace(0, len(self._held_out) - 1, min(JUDGED_CLIPS, len(self._held_out))).astype(np.int64)
        clip = self._held_out.clip(index)
        latents = model.encode(clip).values
        actions = block_actions(model, clip)
        still = (latents[:, 1:] - latents[:, :-1]).square().mean() + (latents[:, 1:] - latents[:, :1]).square().mean()
        return float(prediction_error(model, latents, actions) / still.clamp_min(1e-9))


@dataclass(frozen=True)
class LookedFrames:
    """Old frames in another look: of any kind, or near that of a new recording.

    Args:
        repaints: How the frames of each camera are painted in the new look; none for looks of any kind.
    """

    repaints: Mapping[str, Repaint] = field(default_factory=dict)

    @classmethod
    def like(cls, old: Windows, new: Windows, sensors: Sequence[str], generator: Generator) -> "LookedFrames":
        """Looks near that of the new recording."""
        repaints = {}
        for name in sensors:
            found = [_episodes(windows, name) for windows in (old, new)]
            if found[0]:
                repaints[name] = fit_repaint(scenery(found[0]), scenery(found[1]), generator)
        return cls(repaints)

    def __call__(self, clip: Clip, generator: Generator) -> Clip:
        """The same frames [M, 1] in another look."""
        streams = {}
        for name, stream in clip.streams.items():
            values = stream.values
            if values.dtype == torch.uint8:
                if name in self.repaints:
                    levels = self.repaints[name](values[:, 0].float() / 255)[:, None] * 255
                    values = levels.clamp(0, 255).round().to(torch.uint8)
                values = changed_look(values, generator, AROUND if self.repaints else 1.0)
            streams[name] = replace(stream, values=values)
        return Clip(streams)


def _draw(windows: Windows, count: int, generator: Generator) -> np.ndarray:
    return torch.randint(len(windows), (count,), generator=generator).numpy()


def _without_actions(clip: Clip) -> Clip:
    return Clip(clip.streams)


def _episodes(windows: Windows, sensor: str) -> list[Tensor]:
    """Frames of some episodes, as the model sees them; nothing for a sensor that is no camera."""
    episode, _ = windows.locate(np.arange(len(windows)))
    found = []
    for number in list(dict.fromkeys(episode.tolist()))[:SCENERY_EPISODES]:
        index = np.flatnonzero(episode == number)
        chosen = index[np.linspace(0, len(index) - 1, min(SCENERY_FRAMES, len(index))).astype(np.int64)]
        frames = windows.clip(chosen).stream(sensor).values[:, 0]
        if frames.dtype != torch.uint8:
            return []
        found.append(frames)
    return found
