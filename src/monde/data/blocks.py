"""Reading a recording at a model's step."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from monde.errors import DataError
from monde.protocols import Recording
from monde.types import ActionSpec, Clip, Stream


def read_blocks(
    recording: Recording,
    actions: ActionSpec,
    episode: int,
    start: int,
    steps: int,
    sensors: Sequence[str] | None = None,
) -> Clip:
    """`steps` model steps of one episode (B = 1): every K-th frame, and the K control steps between as one block.

    Args:
        recording: What to read.
        actions: The model's action blocks (`model.actions`), of K control steps each.
        episode: Episode index.
        start: First frame.
        steps: Model steps, T.
        sensors: Names of the sensors, or all.

    Raises:
        DataError: The episode is not that long.
    """
    block = actions.block
    frames = (steps - 1) * block + 1
    if not 0 <= start <= start + frames <= recording.lengths[episode]:
        raise DataError(
            f"episode {episode} does not hold {steps} model steps from frame {start}",
            got=f"{recording.lengths[episode]} frames",
            expected=f"at least {start + frames}: {steps} steps of {block}",
        )
    clip = recording.read(episode, start, start + frames, sensors)
    streams = {name: stream.every(block) for name, stream in clip.streams.items()}
    if steps == 1 or (clip.actions is None and not actions.unactuated):
        return Clip(streams)
    first = next(iter(streams.values()))
    if actions.unactuated or clip.actions is None:
        nothing = torch.empty(first.batch, steps - 1, 0)
        return Clip(streams, Stream(nothing, first.times_seconds[:, :-1], first.valid[:, :-1]))
    blocks = actions.to_blocks(clip.actions.values.to(torch.float32))
    times = clip.actions.times_seconds[:, ::block]
    return replace(clip, streams=streams, actions=Stream(blocks, times, clip.actions.valid[:, ::block]))
