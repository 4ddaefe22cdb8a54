"""Looking through a run's recording once more, for what is familiar, usual and can be read; and for a decoder."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from monde.data import Windows
from monde.mind.knowledge import Knowledge, KnownReadout
from monde.models import JEPA
from monde.readouts import REFERENCES, FrameDecoder, LinearReadout, fit_decoder, fit_familiarity, fit_linear
from monde.training.frame_latents import FRAMES_AT_ONCE, encode_steps
from monde.training.setup import Setup
from monde.types import Clip, Sensor

READ_FRAMES = 8192
"""Training frames that readouts are fitted on; a quarter as many held-out ones tell how surely they read."""
AHEAD_BLOCKS = 8
"""Furthest that the errors of readouts are known in imagination; beyond it they count as there."""
AHEAD_WINDOWS = 512
USUAL_FRAMES = 256
COVERED = 0.95
"""Share of held-out errors that an interval covers, and of held-out steps that are not surprising."""
DECODER_FRAMES = 4096
DECODER_STEPS = 600
DECODER_SECONDS = 45.0


@torch.no_grad()
def fit_knowledge(model: JEPA, setup: Setup) -> Knowledge:
    """Look through the recording once more.

    Raises:
        DataError: Latents that are not finite, or hardly any held-out frame.
    """
    steps = (encode_steps(model, setup, part, REFERENCES) for part in (setup.split.train, setup.split.held_out))
    states = [sensor for sensor in setup.recording.sensors if sensor.kind == "state"]
    latents, values = _frames(model, setup, setup.split.train, READ_FRAMES, states)
    held, truth = _frames(model, setup, setup.split.held_out, READ_FRAMES // 4, states)
    ahead = _ahead(model, setup, states)
    readouts = {}
    for sensor in states:
        readout = fit_linear(latents, values[sensor.name], name=sensor.name, unit=sensor.unit, names=sensor.names)
        readout = readout.to(model.device)
        errors = [(readout(held) - truth[sensor.name])[None], *_errors(readout, ahead)]
        half = torch.cat([torch.quantile(one.abs(), COVERED, dim=1) for one in errors])
        readouts[sensor.name] = KnownReadout(readout=readout, half=half)
    return Knowledge(
        familiarity=fit_familiarity(*steps),
        readouts=readouts,
        usual={s.name: _usual(setup, s) for s in model.sensors if s.kind == "rgb"},
        usual_error=_usual_error(model, setup),
    )


@torch.no_grad()
def _camera_frames(model: JEPA, setup: Setup, camera: str) -> tuple[Float[Tensor, "m N D"], UInt8[Tensor, "m 3 h w"]]:
    windows = Windows(setup.cache, setup.split.train, [sensor.name for sensor in model.sensors], 1, model.actions)
    clips = [windows.clip(part) for part in spread_parts(len(windows), DECODER_FRAMES)]
    latents = torch.cat([model.encode(_seen(model, clip)).values[:, 0].float() for clip in clips])
    return latents, torch.cat([clip.stream(camera).values[:, 0] for clip in clips])


def fit_drawing(model: JEPA, setup: Setup, camera: str, progress: Callable[[int, int], None]) -> FrameDecoder:
    """A decoder of one camera's pictures, as `monde score` fits it."""
    latents, frames = _camera_frames(model, setup, camera)
    generator = torch.Generator().manual_seed(0)
    return fit_decoder(
        latents,
        frames,
        DECODER_STEPS,
        generator,
        progress=lambda done, wanted, _: progress(done, wanted),
        limit_seconds=DECODER_SECONDS,
    )


_Ahead = tuple[Float[Tensor, "m H N D"], Mapping[str, Float[Tensor, "m H n"]]]


def _errors(readout: LinearReadout, ahead: _Ahead | None) -> list[Float[Tensor, "H m n"]]:
    if ahead is None:
        return []
    imagined, truth = ahead
    return [(readout(imagined) - truth[readout.name]).transpose(0, 1)]


def _frames(
    model: JEPA, setup: Setup, episodes: Sequence[int], most: int, states: Sequence[Sensor]
) -> tuple[Float[Tensor, "m N D"], dict[str, Float[Tensor, "m n"]]]:
    """Latents of up to `most` frames spread over some episodes, and the states that were recorded with them."""
    names = list(dict.fromkeys([*(sensor.name for sensor in model.sensors), *(sensor.name for sensor in states)]))
    windows = Windows(setup.cache, tuple(episodes), names, 1, model.actions)
    clips = [windows.clip(part) for part in spread_parts(len(windows), most)]
    latents = torch.cat([model.encode(_seen(model, clip)).values[:, 0].float() for clip in clips])
    return latents, {sensor.name: _states(clips, sensor, model.device)[:, 0] for sensor in states}


def _ahead(model: JEPA, setup: Setup, states: Sequence[Sensor]) -> _Ahead | None:
    """What is imagined from held-out frames under the actions that were taken, and the states that came of them; none
    where episodes are shorter than two steps."""
    lengths = [setup.cache.lengths[episode] for episode in setup.split.held_out]
    blocks = min(AHEAD_BLOCKS, (int(max(lengths)) - 1) // model.actions.block)
    if blocks < 1 or not states:
        return None
    names = list(dict.fromkeys([*(sensor.name for sensor in model.sensors), *(sensor.name for sensor in states)]))
    windows = Windows(setup.cache, setup.split.held_out, names, 1 + blocks, model.actions)
    clips = [windows.clip(part) for part in spread_parts(len(windows), AHEAD_WINDOWS)]
    imagined = []
    for clip in clips:
        actions = clip.actions.values if clip.actions is not None else torch.zeros(clip.batch, blocks, 0)
        belief = model.begin(_seen(model, clip.window(0, 1)))
        imagined.append(model.imagine(belief, actions[:, None].to(model.device)).latents[:, 0, 0])
    truth = {sensor.name: _states(clips, sensor, model.device)[:, 1:] for sensor in states}
    return torch.cat(imagined), truth


def _states(clips: Sequence[Clip], sensor: Sensor, device: torch.device) -> Float[Tensor, "m T n"]:
    return torch.cat([clip.stream(sensor.name).values.flatten(2).float() for clip in clips]).to(device)


def _seen(model: JEPA, clip: Clip) -> Clip:
    return Clip({sensor.name: clip.stream(sensor.name) for sensor in model.sensors}).to(model.device)


def _usual(setup: Setup, sensor: Sensor) -> UInt8[Tensor, "3 h w"]:
    windows = Windows(setup.cache, setup.split.train, [sensor.name], 1, None)
    frames = [windows.clip(part).stream(sensor.name).values[:, 0] for part in spread_parts(len(windows), USUAL_FRAMES)]
    return torch.cat(frames).median(0).values


def _usual_error(model: JEPA, setup: Setup) -> float:
    names = [sensor.name for sensor in model.sensors]
    windows = Windows(setup.cache, setup.split.held_out, names, setup.held_out.steps, model.actions)
    errors = []
    for part in spread_parts(len(windows), READ_FRAMES // 4):
        clip = windows.clip(part).to(model.device)
        latents = model.encode(clip)
        actions = latents.values.new_zeros(clip.batch, clip.steps - 1, 0)
        if clip.actions is not None:
            actions = model.normalise(clip.actions.values)
        predicted = model.predict(latents, actions).one_step.mean(0).float()
        errors.append((predicted - latents.values[:, 1:]).square().mean((-2, -1)).sqrt().flatten())
    return float(torch.quantile(torch.cat(errors), COVERED))


def spread_parts(total: int, most: int) -> list[Int64[np.ndarray, " m"]]:
    """At most `most` indices, evenly over `total`, in parts."""
    index = np.unique(np.linspace(0, total - 1, min(most, total)).round().astype(np.int64))
    return np.array_split(index, max(1, -(-len(index) // FRAMES_AT_ONCE)))
