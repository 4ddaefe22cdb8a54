"""`check_model`: for people who bring a world model of their own."""

import torch

from monde.errors import MondeError
from monde.protocols import WorldModel
from monde.types import Clip, Stream


@torch.no_grad()
def check_model(model: WorldModel, steps: int = 4, samples: int = 3, horizon: int = 3) -> list[str]:
    """What is wrong with a world model's verbs; empty when nothing is.

    It is shown random clips of its own sensors, and must: encode each step by itself; believe the same whether the
    history is shown at once or step by step; imagine the same future for a sequence whatever others are beside it, and
    for a row whatever other rows are; stay finite; and do the same when asked twice.

    Args:
        model: In evaluation mode.
        steps: Length of the history that it is shown.
        samples: Action sequences imagined.
        horizon: Their length in blocks.
    """
    generator = torch.Generator().manual_seed(0)
    clip = _clip(model, steps, generator)
    low, high = model.actions.bounds()
    actions = low + (high - low) * torch.rand(2, samples, horizon, model.actions.width, generator=generator)
    try:
        return _check(model, clip, actions)
    except MondeError as error:
        return [f"it raised: {error}"]


def _check(model: WorldModel, clip: Clip, actions: torch.Tensor) -> list[str]:
    found: list[str] = []

    def same(what: str, a: torch.Tensor, b: torch.Tensor) -> None:
        if a.shape != b.shape:
            found.append(f"{what}: shapes {list(a.shape)} and {list(b.shape)} differ")
        elif not torch.allclose(a.float(), b.float(), atol=1e-3, rtol=1e-2):
            found.append(f"{what}: differs by up to {float((a.float() - b.float()).abs().max()):.3g}")

    latents = model.encode(clip).values
    if not bool(torch.isfinite(latents).all()):
        found.append("encode: latents that are not finite")
    same("encode: a step alone against the whole clip", model.encode(clip.window(1, 2)).values, latents[:, 1:2])
    belief = model.begin(clip)
    future = model.imagine(belief, actions).latents
    if future.shape[:4] != (*actions.shape[:2], 1, actions.shape[2]):
        found.append(
            f"imagine: latents {list(future.shape)} are not [B, S, K, H, N, D] for actions {list(actions.shape)}"
        )
        return found
    same("imagine: asked twice", model.imagine(belief, actions).latents, future)
    same("imagine: one sequence alone", model.imagine(belief, actions[:, :1]).latents, future[:, :1])
    same("imagine: one row alone", model.imagine(belief.rows(slice(0, 1)), actions[:1]).latents, future[:1])
    stepwise = model.begin(clip.window(0, 1))
    if clip.actions is not None:
        for t in range(1, clip.steps):
            stepwise = model.update(stepwise, clip.window(t, t + 1), clip.actions.values[:, t - 1])
    same("update: step by step against begin", model.imagine(stepwise, actions).latents, future)
    chained = model.imagine(belief, actions, beliefs=True).beliefs
    if chained is None or chained.batch != actions.shape[0] * actions.shape[1]:
        found.append("imagine(beliefs=True): no belief for each imagined sequence")
    return found


def _clip(model: WorldModel, steps: int, generator: torch.Generator) -> Clip:
    streams = {}
    for sensor in model.sensors:
        shape = (2, steps, *sensor.shape)
        if sensor.kind == "rgb":
            values = torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)
        else:
            values = torch.randn(shape, generator=generator)
        streams[sensor.name] = Stream.regular(values, 1 / model.actions.block_seconds)
    low, high = model.actions.bounds()
    blocks = low + (high - low) * torch.rand(2, steps - 1, model.actions.width, generator=generator)
    return Clip(streams, Stream.regular(blocks, 1 / model.actions.block_seconds))
