"""Held-out windows, and what a model and the floors imagine to follow them."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from monde.errors import ContractError, DataError
from monde.evaluation.floors import LinearAutoregression, actions_of
from monde.evaluation.latents import EncodedClip, stack_latents
from monde.protocols import WorldModel
from monde.types import Clip


@dataclass(frozen=True, kw_only=True)
class PredictionConfig:
    """What is predicted from what.

    Args:
        context: Frames seen before imagining.
        horizon: Blocks imagined.
        report: Horizons reported, in blocks; those beyond `horizon` are dropped.
        starts: Starts in each clip, evenly spread.
        clips: Most clips used of each source.
        batch: Windows imagined at once.

    Raises:
        ContractError: A size below 1.
    """

    context: int = 3
    horizon: int = 8
    report: tuple[int, ...] = (1, 2, 4, 8)
    starts: int = 4
    clips: int = 100
    batch: int = 256

    def __post_init__(self) -> None:
        if min(self.context, self.horizon, self.starts, self.clips, self.batch, *self.report) < 1:
            raise ContractError("PredictionConfig has an empty size", got=self, expected="everything ≥ 1")


@dataclass(frozen=True)
class Windows:
    """W windows of held-out clips: latents seen [W, C, N, D], true ones that follow [W, H, N, D], actions [W, H, A]."""

    clips: list[EncodedClip]
    index: np.ndarray
    last: np.ndarray
    history: Tensor
    future: Tensor
    actions: Tensor


def cut_windows(clips: list[EncodedClip], config: PredictionConfig) -> Windows:
    index, last = [], []
    for number, clip in enumerate(clips):
        first, final = config.context - 1, len(clip.latents) - 1 - config.horizon
        if final >= first:
            starts = np.unique(np.linspace(first, final, config.starts).round().astype(int))
            index += [number] * len(starts)
            last += starts.tolist()
    if not index:
        raise DataError(
            "no held-out clip is long enough to judge prediction",
            got=f"at most {max(len(clip.latents) for clip in clips)} frames",
            expected=f"{config.context} seen and {config.horizon} imagined",
            remedy="give whole episodes, or a shorter horizon",
        )
    spans = list(zip(index, last, strict=True))
    return Windows(
        clips=clips,
        index=np.array(index),
        last=np.array(last),
        history=torch.stack([clips[i].latents[t + 1 - config.context : t + 1] for i, t in spans]),
        future=torch.stack([clips[i].latents[t + 1 : t + 1 + config.horizon] for i, t in spans]),
        actions=torch.stack([actions_of(clips[i])[t : t + config.horizon] for i, t in spans]),
    )


def predictions(
    model: WorldModel, fit_on: list[EncodedClip], windows: Windows, config: PredictionConfig
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Imagined latents [W, H, N, D] with the true and with shuffled actions; and those of the floors.

    Where nobody acts there is nothing to shuffle, and no floor that is or is not told the actions.
    """
    acted = windows.actions.shape[-1] > 0
    imagined = {"true": imagine_windows(model, windows, windows.actions, config)}
    shape = windows.future.shape
    floors = {
        "copy_last": windows.history[:, -1:].expand(shape),
        "mean": stack_latents(fit_on).mean(0).expand(shape),
    }
    if acted:
        # Windows lie clip by clip: half a turn gives each the actions of another clip, wherever there are two.
        shuffled = windows.actions.roll(max(1, len(windows.actions) // 2), 0)
        imagined["shuffled"] = imagine_windows(model, windows, shuffled, config)
        mean_action = torch.cat([actions_of(clip) for clip in fit_on]).mean(0)
        floors["no_action"] = imagine_windows(model, windows, mean_action.expand_as(windows.actions), config)
    lags = min(2, config.context)
    for name, acting in (("linear_ar", False), *((("linear_ar_actions", True),) if acted else ())):
        fitted = LinearAutoregression.fit(fit_on, lags, acting)
        if fitted is not None:
            floors[name] = fitted.roll(windows.history, windows.actions)
    return imagined, floors


def imagine_windows(model: WorldModel, windows: Windows, actions: Tensor, config: PredictionConfig) -> Tensor:
    found = []
    with torch.no_grad():
        for start in range(0, len(actions), config.batch):
            rows = range(start, min(start + config.batch, len(actions)))
            seen = [
                windows.clips[windows.index[row]].clip.window(
                    int(windows.last[row]) + 1 - config.context, int(windows.last[row]) + 1
                )
                for row in rows
            ]
            belief = model.begin(Clip.joined(seen))
            rollout = model.imagine(belief, actions[start : start + config.batch, None])
            found.append(rollout.latents[:, 0].mean(1).float())
    return torch.cat(found)
