"""How unexpected what was seen is: when, where in the picture, and to which sensor."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from monde.errors import ContractError, DataError
from monde.mind.answers import SurpriseAnswer, Surprising
from monde.mind.faculties import Faculties
from monde.mind.requests import SurpriseRequest
from monde.mind.senses import clip_of, grid_boxes, rows_of, with_box, with_sensor
from monde.mind.trusting import of_states
from monde.mind.values import Box
from monde.models import JEPA
from monde.types import Clip, Latents


@torch.no_grad()
def surprise(faculties: Faculties, asked: SurpriseRequest) -> SurpriseAnswer:
    """The error of the prediction of each moment from all before it, in units of what is usual.

    Where and which sensor: each part of what was seen is replaced by what it showed a moment before, and the surprise
    falls by what that part accounts for (occlusion, Zeiler and Fergus 2014, arXiv 1311.2901, section 4.2).

    Raises:
        ContractError: Sensors or controls that do not fit the model.
        UsageError: A run that does not know what is usual.
        DataError: Predictions that are not finite.
    """
    model, usual = faculties.model, faculties.known().usual_error
    clip = clip_of(model, asked.observed)
    latents = model.encode(clip)
    predicted = expected(model, latents, _blocks(clip, latents))
    errors = _errors(predicted, latents.values[0, 1:]) / usual
    if not bool(torch.isfinite(errors).all()):
        raise DataError("the model's predictions are not finite", remedy="look for NaN in the weights of the model")
    curve = np.concatenate([[0.0], errors.cpu().numpy()]).astype(np.float32)
    order = [int(index) for index in np.argsort(-curve[1:], kind="stable")[: asked.moments] + 1]
    told, maps = [], []
    for index in order:
        moment, heat = _moment(model, clip, predicted[index - 1], index, float(curve[index]), usual, asked.grid)
        told.append(moment)
        maps.append(heat)
    return SurpriseAnswer(
        curve=curve,
        moments=tuple(told),
        sensors=tuple(sensor.name for sensor in model.sensors),
        maps=np.stack([heat for heat in maps if heat is not None]) if maps and maps[0] is not None else None,
        trust=of_states(faculties.knowledge, latents.values[0].float(), "what was seen"),
    )


def expected(model: JEPA, latents: Latents, blocks: Float[Tensor, "1 U A"]) -> Float[Tensor, "U N D"]:
    """What was expected at each moment but the first, of all that was seen before and what was done."""
    T = latents.values.shape[1]
    past = Latents(latents.values[:, :-1], latents.times_seconds[:, :-1])
    beliefs = model.recall_each(past, blocks[:, : T - 2], tuple(range(1, T)))
    return model.imagine(beliefs, blocks[0][:, None, None]).latents[:, 0, 0, 0]


def _moment(
    model: JEPA, clip: Clip, predicted: Float[Tensor, "N D"], index: int, surprise: float, usual: float, grid: int
) -> tuple[Surprising, np.ndarray | None]:
    now, before = clip.window(index, index + 1), clip.window(index - 1, index)
    now, before = Clip(now.streams), Clip(before.streams)
    variants = [with_sensor(now, sensor.name, before) for sensor in model.sensors]
    camera = next((sensor for sensor in model.sensors if sensor.kind == "rgb"), None)
    boxes = () if camera is None or not grid else grid_boxes(camera, grid)
    if camera is not None:
        variants += [with_box(now, box, before.stream(camera.name).values) for box in boxes]
    falls = surprise - _errors(predicted, _encoded(model, variants)).cpu().numpy() / usual
    shares, heat = falls[: len(model.sensors)], falls[len(model.sensors) :]
    several = len(model.sensors) > 1
    told = Surprising(
        index=index,
        time_seconds=float(clip.stream(model.sensors[0].name).times_seconds[0, index]),
        surprise=surprise,
        sensor=model.sensors[int(shares.argmax())].name if several else None,
        shares=tuple(float(share) for share in shares),
        box=_box(boxes, heat),
    )
    return told, heat.reshape(grid, grid).astype(np.float32) if boxes else None


def _box(boxes: tuple[Box, ...], heat: np.ndarray) -> Box | None:
    return boxes[int(heat.argmax())] if boxes else None


def _encoded(model: JEPA, clips: list[Clip], at_once: int = 256) -> Float[Tensor, "m N D"]:
    parts = [clips[start : start + at_once] for start in range(0, len(clips), at_once)]
    return torch.cat([model.encode(rows_of(part)).values[:, 0].float() for part in parts])


def _errors(predicted: Float[Tensor, "*m N D"], seen: Float[Tensor, "m N D"]) -> Float[Tensor, " m"]:
    return (predicted - seen).square().mean((-2, -1)).sqrt()


def _blocks(clip: Clip, latents: Latents) -> Float[Tensor, "1 U A"]:
    if clip.actions is None:
        raise ContractError("what was done between the moments is not known", remedy="give the controls")
    return clip.actions.values.to(latents.values)
