"""From episodes and clips to things to look at (`monde.evaluation.exhibits`)."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from monde.agents import EpisodeResults, device_of, fit_clip
from monde.errors import ContractError, DataError
from monde.evaluation.exhibits import Film, Imagination
from monde.evaluation.latents import ClipSource, encode_clips
from monde.protocols import WorldModel
from monde.readouts import FrameDecoder
from monde.types import Clip, Sensor


def films(results: EpisodeResults, title: str = "") -> tuple[Film, ...]:
    """One film per recorded episode, cut at success.

    Raises:
        ContractError: The episodes were run without frames, or without a picture of the goal.
    """
    if results.frames is None or results.goal_frames is None:
        raise ContractError("these episodes were not filmed", remedy="run them with record_frames=True")
    found = []
    for row, seed in enumerate(results.seeds):
        steps = int(results.steps[row])
        distance = None if results.final_distance is None else float(results.final_distance[row])
        found.append(
            Film(
                frames=torch.from_numpy(results.frames[row, : steps + 1].copy()),
                goal=torch.from_numpy(results.goal_frames[row].copy()),
                success=bool(results.success[row]),
                steps=steps,
                seed=seed,
                goal_distance=distance,
                title=title or f"episode {seed}",
            )
        )
    return tuple(found)


def imagination(
    model: WorldModel, clip: Clip, decoder: FrameDecoder, context_steps: int = 3, title: str = ""
) -> Imagination:
    """What the model imagines of a recorded clip after its first frames, given the actions; decoded, beside reality.

    Args:
        model: Imagines.
        clip: One aligned clip, B = 1, of the model's sensors, with actions, at the model's step.
        decoder: Fitted on the model's latents.
        context_steps: Frames that the model sees.
        title: One line for a caption.

    Raises:
        DataError: A clip without actions, of several rows, or not longer than the context.
        ContractError: The model has no camera.
    """
    camera = camera_of(model)
    seen = fit_clip(clip, model.sensors).to(device_of(model))
    if clip.batch != 1 or seen.actions is None or not 1 <= context_steps < seen.steps:
        raise DataError(
            "this clip cannot be imagined",
            got=f"{clip.batch} rows of {seen.steps} steps, {'no' if seen.actions is None else 'with'} actions",
            expected=f"one row with actions, more than {context_steps} steps",
        )
    with torch.no_grad():
        observed = model.encode(seen).values[0]
        belief = model.begin(seen.window(0, context_steps))
        future = model.imagine(belief, seen.actions.values[:, None, context_steps - 1 :].float())
    dreamt = torch.cat([observed[:context_steps], future.latents[0, 0].mean(0).to(observed)])
    times = seen.stream(camera.name).times_seconds[0]
    return Imagination(
        real=seen.stream(camera.name).values[0].cpu(),
        decoded_observed=decoder.frames(observed).cpu(),
        decoded_imagined=decoder.frames(dreamt).cpu(),
        times_seconds=tuple((times - times[0]).tolist()),
        context_steps=context_steps,
        title=title,
    )


def decoder_data(
    model: WorldModel, source: ClipSource, clips: int = 200
) -> tuple[Float[Tensor, "n N D"], UInt8[Tensor, "n 3 h w"]]:
    """What `fit_decoder` takes: latents of all frames of some clips (model's device), and the frames (CPU).

    Raises:
        ContractError: The model has no camera.
        DataError: No clips, or latents that are not finite.
    """
    name = camera_of(model).name
    encoded = encode_clips(model, source, (), clips)
    frames = torch.cat([clip.clip.stream(name).values[0].cpu() for clip in encoded])
    return torch.cat([clip.latents for clip in encoded]), frames


def camera_of(model: WorldModel) -> Sensor:
    """The first camera that a model reads.

    Raises:
        ContractError: It reads none.
    """
    for sensor in model.sensors:
        if sensor.kind == "rgb":
            return sensor
    raise ContractError(
        "the model has no camera to show",
        got=[sensor.name for sensor in model.sensors],
        expected="a sensor of kind rgb",
    )


def filmed(sensors: Sequence[Sensor]) -> bool:
    """Whether some of these sensors is a camera to film episodes with."""
    return any(sensor.kind == "rgb" for sensor in sensors)
