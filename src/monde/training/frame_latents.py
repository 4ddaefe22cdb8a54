"""The latents of every frame that was trained on, for heads that are fitted on a frozen model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from monde.data import Windows
from monde.dynamics.time_level import TimeLevel
from monde.errors import ContractError, DataError, UsageError
from monde.models import JEPA, PlacedModel
from monde.training.setup import Setup
from monde.types import Belief, Latents

FRAMES_AT_ONCE = 256
CODES_AT_ONCE = 4096


@dataclass(frozen=True, kw_only=True)
class FrameLatents:
    """Frames of many episodes, one after the other, at the rate of the control steps.

    Args:
        latents: [M, N, D].
        controls: [M, dim] what was done at each frame, in the world's units.
        first: [M] index of the first frame of each frame's episode.
        last: [M] index of its last frame.
        block: Control steps of an action block.
        standing: [M, N, D] what each frame would be as a goal, if that is not what it is: see `encode_frames`.
    """

    latents: Float[Tensor, "M N D"]
    controls: Float[Tensor, "M dim"]
    first: Int64[Tensor, " M"]
    last: Int64[Tensor, " M"]
    block: int
    standing: Float[Tensor, "M N D"] | None = None

    @property
    def goals(self) -> Float[Tensor, "M N D"]:
        """What each frame is as a goal."""
        return self.latents if self.standing is None else self.standing

    def __len__(self) -> int:
        return len(self.latents)

    def blocks(self, frames: Int64[Tensor, "..."]) -> Float[Tensor, "... A"]:
        """The action block that was taken from each frame on; the last step of an episode is held to its end."""
        index = frames[..., None] + torch.arange(self.block, device=frames.device)
        # The action of an episode's last frame leads nowhere and is not recorded.
        index = torch.minimum(index, (self.last[frames] - 1)[..., None])
        return self.controls[torch.maximum(index, self.first[frames][..., None])].flatten(-2)

    def belief(self, model: JEPA | PlacedModel, frames: Int64[Tensor, " B"], steps: int) -> Belief:
        """The belief at each frame after up to `steps` model steps that led there; rows of one length."""
        room = int((frames - self.first[frames]).min()) // self.block
        back = torch.arange(min(steps - 1, room), -1, -1, device=frames.device) * self.block
        index = frames[:, None] - back
        times = torch.zeros(index.shape, dtype=torch.float64, device=index.device)
        return model.recall(Latents(self.latents[index], times), self.blocks(index[:, :-1]))

    def outcomes(
        self, model: JEPA | PlacedModel | TimeLevel, frames: Int64[Tensor, " F"], actions: Float[Tensor, "F C A"]
    ) -> Float[Tensor, "F C N D"]:
        """What is imagined to come of each block at each frame, one block later.

        Raises:
            ContractError: A model that does not see these frames as they are.
        """
        if not isinstance(model, JEPA | PlacedModel):
            raise ContractError("a level of time has frames of its own", got="the frames of the level below")
        belief = self.belief(model, frames, model.dynamics.window)
        return model.imagine(belief, actions[:, :, None]).latents[:, :, 0, 0]


@dataclass(frozen=True, kw_only=True)
class LevelFrames(FrameLatents):
    """The same frames as a level of time above sees them: its blocks are macro-actions.

    Args:
        codes: [M, c] the macro-action that was taken from each frame on, within its bounds.
    """

    codes: Float[Tensor, "M c"]

    @classmethod
    @torch.no_grad()
    def above(cls, below: FrameLatents, level: TimeLevel) -> "LevelFrames":
        """The frames of `below` for the level on top of it."""
        low, high = level.actions.bounds(below.latents.device)
        codes = [
            level.code(below.latents[part], sequence(below, part, level.config.span))[0].clamp(low, high)
            for part in torch.arange(len(below), device=below.latents.device).split(CODES_AT_ONCE)
        ]
        return cls(
            latents=below.latents,
            controls=below.controls,
            first=below.first,
            last=below.last,
            block=below.block * level.config.span,
            standing=below.standing,
            codes=torch.cat(codes),
        )

    def blocks(self, frames: Int64[Tensor, "..."]) -> Float[Tensor, "... A"]:
        """The macro-action that was taken from each frame on."""
        return self.codes[frames]

    def outcomes(
        self, model: JEPA | PlacedModel | TimeLevel, frames: Int64[Tensor, " F"], actions: Float[Tensor, "F C A"]
    ) -> Float[Tensor, "F C N D"]:
        """What the level predicts of each macro-action at each frame.

        Raises:
            ContractError: A model that does not see these frames as they are.
        """
        if not isinstance(model, TimeLevel):
            raise ContractError("these are the frames of a level of time", got=type(model).__name__)
        here = self.latents[frames][:, None].expand(-1, actions.shape[1], -1, -1)
        return model.predict(here, actions)


def sequence(data: FrameLatents, frames: Int64[Tensor, "..."], span: int) -> Float[Tensor, "... a"]:
    """The `span` blocks taken from each frame on, one after the other."""
    steps = torch.arange(span, device=frames.device) * data.block
    index = torch.minimum(frames[..., None] + steps, data.last[frames][..., None])
    return data.blocks(index).flatten(-2)


@torch.no_grad()
def encode_frames(
    model: JEPA | PlacedModel,
    setup: Setup,
    episodes: Sequence[int] | None = None,
    standing: Mapping[str, str] | None = None,
) -> FrameLatents:
    """The latents of the frames of some episodes; by default of those that are trained on.

    Args:
        model: Encodes.
        setup: Of its run.
        episodes: Which.
        standing: Sensors that show in a goal's picture what another one shows. A goal is reached at any speed, and its
            picture shows no motion: where `before` shows a moment ago, {"before": "top"}.

    Raises:
        UsageError: `standing` names a sensor that the model does not read.
        DataError: Latents that are not finite.
    """
    chosen = setup.split.train if episodes is None else tuple(episodes)
    windows = Windows(setup.cache, chosen, [s.name for s in model.sensors], 1, model.actions)
    names = {sensor.name for sensor in model.sensors}
    if standing and not {*standing, *standing.values()} <= names:
        raise UsageError("goals cannot stand", got=dict(standing), expected=f"sensors of {sorted(names)}")
    found: list[Tensor] = []
    still: list[Tensor] = []
    for start in range(0, len(windows), FRAMES_AT_ONCE):
        clip = windows.clip(np.arange(start, min(len(windows), start + FRAMES_AT_ONCE)))
        found.append(model.encode(clip).values[:, 0].float())
        if standing:
            shown = {name: clip.streams[standing.get(name, name)] for name in names}
            still.append(model.encode(replace(clip, streams=shown)).values[:, 0].float())
    latents = torch.cat(found)
    if not bool(torch.isfinite(latents).all()):
        raise DataError(
            "the latents of the recording are not finite", remedy="run `monde check` on the recording, or train again"
        )
    episode, _ = windows.locate(np.arange(len(windows)))
    controls = np.concatenate([_controls(setup, index) for index in dict.fromkeys(episode.tolist())])
    starts = np.flatnonzero(np.diff(episode, prepend=-1))
    lengths = np.diff(np.append(starts, len(episode)))
    first = np.repeat(starts, lengths)
    device = latents.device
    return FrameLatents(
        latents=latents,
        controls=torch.from_numpy(controls).to(device),
        first=torch.from_numpy(first).to(device),
        last=torch.from_numpy(first + np.repeat(lengths, lengths) - 1).to(device),
        block=model.actions.block,
        standing=torch.cat(still) if still else None,
    )


@torch.no_grad()
def encode_steps(
    model: JEPA | PlacedModel, setup: Setup, episodes: Sequence[int], most: int
) -> Float[Tensor, "m 2 N D"]:
    """Latents before and after an action block, at up to `most` moments spread evenly over some episodes.

    Raises:
        DataError: Latents that are not finite.
    """
    windows = Windows(setup.cache, tuple(episodes), [s.name for s in model.sensors], 2, model.actions)
    index = np.linspace(0, len(windows) - 1, min(most, len(windows))).round().astype(np.int64)
    parts = np.array_split(index, max(1, len(index) // FRAMES_AT_ONCE))
    found = torch.cat([model.encode(windows.clip(part)).values.float() for part in parts])
    if not bool(torch.isfinite(found).all()):
        raise DataError(
            "the latents of the recording are not finite", remedy="run `monde check` on the recording, or train again"
        )
    return found


def _controls(setup: Setup, episode: int) -> np.ndarray:
    offsets, controls = setup.cache.offsets, setup.cache.controls
    if controls is None:
        raise DataError("an actor cannot be fitted on a recording without actions", remedy="record what was done")
    return np.array(controls[offsets[episode] : offsets[episode + 1]])
