"""Baselines that a prediction must beat: they know the latents, but have no model of the world."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from monde.errors import DataError
from monde.evaluation.latents import EncodedClip
from monde.readouts import LinearReadout, fit_linear

MAX_FEATURES = 4096
"""Most features of a linear autoregression; beyond it the closed form takes too long and the floor is left out."""


@dataclass(frozen=True)
class LinearAutoregression:
    """The next latent as an affine function of the last `lags` latents (and the action block, where `acting`).

    Fitted by ridge regression on consecutive frames of training clips. With actions it is more than a floor: a linear
    world model.
    """

    step: LinearReadout
    lags: int
    acting: bool

    @classmethod
    def fit(cls, clips: list[EncodedClip], lags: int, acting: bool) -> "LinearAutoregression | None":
        """Fit it; none where it would have too many features.

        Raises:
            DataError: Clips too short or too few.
        """
        features, following = [], []
        for clip in clips:
            flat = clip.latents.flatten(1)
            if len(flat) <= lags:
                continue
            parts = [flat[lags - 1 - lag : len(flat) - 1 - lag] for lag in range(lags)]
            if acting:
                parts.append(actions_of(clip)[lags - 1 :])
            features.append(torch.cat(parts, 1))
            following.append(flat[lags:])
        if not features:
            raise DataError("no clip is long enough for an autoregression", expected=f"more than {lags} steps")
        if features[0].shape[1] > MAX_FEATURES:
            return None
        step = fit_linear(torch.cat(features), torch.cat(following), name="autoregression", unit="1")
        return cls(step, lags, acting)

    def roll(self, history: Float[Tensor, "W C N D"], actions: Float[Tensor, "W H A"]) -> Float[Tensor, "W H N D"]:
        """The H latents that follow `history`, fed back one by one."""
        recent = [history[:, -1 - lag].flatten(1) for lag in range(self.lags)]
        found = []
        for block in actions.unbind(1):
            parts = [*recent, block] if self.acting else recent
            recent = [self.step(torch.cat(parts, 1)[:, None]), *recent[:-1]]
            found.append(recent[0])
        return torch.stack(found, 1).reshape(len(history), actions.shape[1], *history.shape[2:])


def actions_of(clip: EncodedClip) -> Float[Tensor, "T A"]:
    """The action blocks between the frames of a clip, [T-1, A].

    Raises:
        DataError: The recording has no actions, or they are not finite.
    """
    actions = clip.clip.actions
    if actions is None or not bool(torch.isfinite(actions.values).all()):
        raise DataError(
            "prediction is judged by what actions do",
            got="no actions" if actions is None else "actions that are not finite",
            remedy="score prediction on a recording with actions",
        )
    return actions.values[0].float()
