"""What a readout may look at: the belief after each step of a film, as one row of numbers.

A belief is read as its newest latent beside its memory *with* that latent in it, so that what is out of sight can be
read from what was seen before.
"""

import hashlib

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from monde.errors import ContractError, DataError
from monde.models import JEPA
from monde.types import Belief, Clip, Latents, Stream

_REMEMBERED = 64
"""Batches of films that are remembered."""


def frames_per_step(model: JEPA, rate_hz: float) -> int:
    """Frames of a film in one step of a model that reads one camera and is told no actions.

    Raises:
        ContractError: A model that is told actions or reads other sensors.
        DataError: Films whose frames do not fit into its step.
    """
    if not model.actions.unactuated or len(model.sensors) != 1 or model.sensors[0].kind != "rgb":
        raise ContractError(
            "films are shown to a model that reads one camera and is told no actions",
            got=f"{', '.join(sensor.name for sensor in model.sensors)}; actions of width {model.actions.width}",
            remedy="train one with --action-free and one of --sensors",
        )
    frames = model.actions.block_seconds * rate_hz
    stride = max(1, round(frames))
    if abs(frames - stride) > 0.05 * stride:
        raise DataError(
            "these films have a rate that does not fit the model's step",
            got=f"{rate_hz:g} Hz for steps of {model.actions.block_seconds:g} s",
            expected="a whole number of frames in a step",
            remedy="resample the films (`monde surprise` does), or train with a --step-seconds that fits",
        )
    return stride


@torch.no_grad()
def encode_films(model: JEPA, films: UInt8[np.ndarray, "n t 3 h w"]) -> Latents:
    """Latents of films at the model's step.

    Raises:
        ContractError: Films of another size than the model's camera.
    """
    camera, (n, T) = model.sensors[0], films.shape[:2]
    if films.shape[2:] != camera.shape:
        raise ContractError(
            "these films have another size than the model's camera",
            got="×".join(map(str, films.shape[2:])),
            expected="×".join(map(str, camera.shape)),
            remedy="resize them first; `monde surprise` does",
        )
    times = (torch.arange(T, dtype=torch.float64) * model.actions.block_seconds).expand(n, T)
    values = torch.from_numpy(np.ascontiguousarray(films))
    return model.encode(Clip({camera.name: Stream(values, times, torch.ones(n, T, dtype=torch.bool))}))


class Seen:
    """`encode_films` for models that see alike: films that one has just looked at are not looked at again.

    Args:
        alike: Whether they do; else each looks for itself.
    """

    def __init__(self, alike: bool) -> None:
        self._alike = alike
        self._latents: dict[bytes, Latents] = {}

    def __call__(self, model: JEPA, films: UInt8[np.ndarray, "n t 3 h w"]) -> Latents:
        """Latents of films at the model's step."""
        if not self._alike:
            return encode_films(model, films)
        key = hashlib.blake2b(np.ascontiguousarray(films).data).digest()
        if key not in self._latents:
            if len(self._latents) >= _REMEMBERED:
                self._latents.clear()
            self._latents[key] = encode_films(model, films)
        return self._latents[key]


@torch.no_grad()
def read_belief(model: JEPA, belief: Belief) -> Float[Tensor, "B F"]:
    """A belief as numbers: its newest latent, then its memory with that latent in it.

    Raises:
        ContractError: Dynamics whose memory is not of constant size.
    """
    if not model.dynamics.recurrent:
        raise ContractError(
            "this model's memory is not of constant size",
            got=type(model.dynamics).__name__,
            expected="recurrent dynamics",
            remedy='train one of size "memory" or "things"',
        )
    memory = model.dynamics.advance(belief, belief.latents.new_zeros(belief.batch, model.actions.width))
    return torch.cat([belief.newest.flatten(1), *(part.flatten(1) for part in memory)], dim=1).float().cpu()


@torch.no_grad()
def beliefs_along(model: JEPA, latents: Latents) -> Float[Tensor, "n T F"]:
    """The belief after each step of films, as numbers."""
    n, T = latents.values.shape[:2]
    beliefs = model.recall_each(latents, latents.values.new_zeros(n, T - 1, 0), tuple(range(1, T + 1)))
    return read_belief(model, beliefs).unflatten(0, (T, n)).transpose(0, 1)


@torch.no_grad()
def imagined_belief(model: JEPA, latents: Latents, horizon: int) -> Float[Tensor, "n F"]:
    """The belief `horizon` steps after the last of these, none of which is seen, as numbers."""
    n, T = latents.values.shape[:2]
    seen = model.recall(latents, latents.values.new_zeros(n, T - 1, 0))
    rollout = model.imagine(seen, latents.values.new_zeros(n, 1, horizon, 0), beliefs=True)
    assert rollout.beliefs is not None
    return read_belief(model, rollout.beliefs)


@torch.no_grad()
def thoughts_along(model: JEPA, latents: Latents) -> Float[Tensor, "n T N D"]:
    """Each frame of films as it is thought of once it is seen (`Dynamics.thought`)."""
    n, T = latents.values.shape[:2]
    beliefs = model.recall_each(latents, latents.values.new_zeros(n, T - 1, 0), tuple(range(1, T + 1)))
    return model.dynamics.thought(beliefs).float().cpu().unflatten(0, (T, n)).transpose(0, 1)


@torch.no_grad()
def imagined_thoughts(model: JEPA, latents: Latents, horizon: int) -> Float[Tensor, "n H N D"]:
    """Each of `horizon` frames after the last of these as it is thought of, none of them seen."""
    n, T = latents.values.shape[:2]
    belief, thoughts = model.recall(latents, latents.values.new_zeros(n, T - 1, 0)), list[Tensor]()
    for _ in range(horizon):
        imagined = model.imagine(belief, latents.values.new_zeros(n, 1, 1, 0), beliefs=True)
        assert imagined.beliefs is not None
        belief = imagined.beliefs
        thoughts.append(model.dynamics.thought(belief).float().cpu())
    return torch.stack(thoughts, dim=1)
