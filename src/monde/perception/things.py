"""Object files: each thing of a film in a slot of its own, kept while it is out of sight.

What is seen in a frame (`find_regions`) is matched with what was seen before, by place, colour and size; what matches
nothing opens a new file (Kahneman, Treisman and Gibbs, Cognitive Psychology 1992). A file that finds nothing is marked
as unseen and keeps its last looks. So every token of a clip's latents is one thing, and stays that thing: what predicts
them need not find out first which is which (as PLATO is given: Piloto et al., Nature Human Behaviour 2022).
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from monde.errors import ContractError
from monde.perception.frames import camera_frames
from monde.perception.regions import find_regions
from monde.types import Clip, Latents, Sensor
from monde.types.things import AGE, COLOURS, DOUBT, EDGES, LOOKS, OWN, SEEN, WIDTH, known

_NEAR_PIXELS = 8.0
"""Distance, in px of a frame of 64, that weighs as much as `_COLOUR` of colour or `_SIZE` of size."""
_COLOUR = 0.25
_SIZE = 0.3
_MOST = (2.0, 1.5, 1.0)
"""What distance, colour and size weigh at most: a thing may be elsewhere, or of another colour, and still be it."""
_SAME = 2.2
"""Weight up to which what is seen is what was seen before."""
_WANDERS = 5.0
"""How much less a distance weighs for each ten steps out of sight: it is divided by one and this."""
_NEVER = 9.0

_AREA = LOOKS.index("log_area")
_CUT = math.log(0.95) / 4
"""Change of `log_area` below which something that is covered at an edge is taken for partly hidden."""
_APART, _LAPPED = 1.0 / 32, 2.5 / 32
"""Gap between two edges, 1 px of 64, and lap (slanted edges), up to which the one thing may go on behind the other."""
_FRAME = 0.98
"""Edges beyond are those of the frame."""


@dataclass(frozen=True, kw_only=True)
class ThingsConfig:
    """Sizes.

    Args:
        things: N, files that are kept.
        regions: Largest regions of a frame that are looked at.
        latent: D, what a token tells (see `WIDTH`).
    """

    things: int = 10
    regions: int = 10
    latent: int = WIDTH


class ThingPerception(nn.Module):
    """Regions of like colour as object files, N tokens a frame; there is nothing to learn.

    Raises:
        ContractError: Other sensors than one camera, or another width than tokens have.
    """

    def __init__(self, sensors: tuple[Sensor, ...], config: ThingsConfig) -> None:
        super().__init__()
        if len(sensors) != 1 or sensors[0].kind != "rgb":
            raise ContractError(
                "things are seen by one camera",
                got=[f"{sensor.name} ({sensor.kind})" for sensor in sensors],
                expected="one sensor of kind rgb",
                remedy="name one camera with --sensors, or train another --size",
            )
        if config.latent != WIDTH:
            raise ContractError("a thing's token has one width", got=config.latent, expected=str(WIDTH))
        self.sensors, self.config = sensors, config

    def forward(self, clip: Clip, before: Float[Tensor, "B N D"] | None = None) -> Latents:
        """An aligned clip to latents [B, T, N, D], one thing in each file.

        Args:
            clip: Frames of one film a row, one after the other.
            before: The newest latents of what was seen before it, or none.

        Raises:
            ContractError: Frames of another shape or type than the model was made for.
        """
        stream = camera_frames(self.sensors[0], clip)
        B, T = stream.values.shape[:2]
        regions = find_regions(stream.values.flatten(0, 1), self.config.regions)
        looks, found = regions.looks.unflatten(0, (B, T)), regions.found.unflatten(0, (B, T))
        values = follow(looks, found & stream.valid[..., None], self.config.things, before)
        return Latents(values, stream.times_seconds)


def follow(
    looks: Float[Tensor, "B T R 16"],
    found: Bool[Tensor, "B T R"],
    things: int,
    before: Float[Tensor, "B N D"] | None = None,
) -> Float[Tensor, "B T N D"]:
    """The regions of T frames (see `Regions`) as files of things, each in a slot of its own."""
    B, T = found.shape[:2]
    files = looks.new_zeros(B, things, WIDTH) if before is None else before
    sides = _covered(looks, found)
    steps = []
    for t in range(T):
        files = _matched(files, looks[:, t], found[:, t], sides[:, t])
        steps.append(files)
    return torch.stack(steps, dim=1)


def _covered(looks: Float[Tensor, "B T R 16"], found: Bool[Tensor, "B T R"]) -> Bool[Tensor, "B T R 4"]:
    """Whether something larger, or the frame, may go on hiding each region beyond its left, top, right, lower edge."""
    edges, area = looks[..., EDGES], looks[..., _AREA]
    larger = (area[..., None, :] > area[..., :, None]) & found[..., None, :]
    sides = []
    for side in range(4):
        along = 1 - side % 2  # whether they lie beside each other is asked of the other axis
        mine, facing = edges[..., side], edges[..., (side + 2) % 4]
        gap = (mine[..., :, None] - facing[..., None, :]) * (1 if side < 2 else -1)
        touches = (gap < _APART) & (gap > -_LAPPED)
        middle = looks[..., along, None]
        beside = (edges[..., None, :, along] < middle) & (middle < edges[..., None, :, along + 2])
        sides.append((touches & beside & larger).any(dim=-1) | (mine.abs() > _FRAME))
    return torch.stack(sides, dim=-1)


def _completed(
    before: Float[Tensor, "B N 16"], now: Float[Tensor, "B N 16"], covered: Bool[Tensor, "B N 4"]
) -> Float[Tensor, "B N 16"]:
    """What is partly hidden told as if it were whole: of the form that it had, placed by the edges that are its own.

    Amodal completion; whoever took what is left for the thing would have it shrink and slow down as it is covered, and
    a wall run away with the screen that hides it.
    """
    cut = (now[..., _AREA] - before[..., _AREA] < _CUT) & covered.any(dim=-1)
    whole, places = before.clone(), []
    for axis in (0, 1):
        low, high = EDGES.start + axis, EDGES.start + axis + 2
        by_low = now[..., low] + before[..., axis] - before[..., low]
        by_high = now[..., high] + before[..., axis] - before[..., high]
        hidden_low, hidden_high = covered[..., axis], covered[..., axis + 2]
        place = torch.where(hidden_low == hidden_high, (by_low + by_high) / 2, torch.where(hidden_low, by_high, by_low))
        places.append(place - before[..., axis])
    for axis, moved in enumerate(places):
        for index in (axis, EDGES.start + axis, EDGES.start + axis + 2):
            whole[..., index] += moved
    whole[..., COLOURS] = now[..., COLOURS]
    return torch.where(cut[..., None], whole, now)


def _matched(
    files: Float[Tensor, "B N D"],
    looks: Float[Tensor, "B R 16"],
    found: Bool[Tensor, "B R"],
    covered: Bool[Tensor, "B R 4"],
) -> Float[Tensor, "B N D"]:
    """The files after one more frame."""
    B, N, _ = files.shape
    R = found.shape[1]
    opened = known(files)
    rows = torch.arange(B, device=files.device)
    costs = _costs(files, looks).masked_fill(~(opened[:, :, None] & found[:, None]), _NEVER)
    taken = torch.zeros_like(opened)
    source = torch.zeros(B, N, dtype=torch.int64, device=files.device)
    left = found.clone()
    for _ in range(min(N, R)):  # the best match of all first
        least, index = costs.flatten(1).min(dim=1)
        which = least < _SAME
        if not bool(which.any()):
            break
        row, k, r = rows[which], index[which] // R, index[which] % R
        taken[row, k], source[row, k], left[row, r] = True, r, False
        costs[row, k] = _NEVER
        costs[row, :, r] = _NEVER
    again = taken.clone()  # what is seen now was seen before: it may be covered in part
    # Empty files are opened first, then those whose thing has been out of sight for longest are given up.
    order = torch.where(opened, files[..., AGE], 1e6 - torch.arange(N, device=files.device, dtype=files.dtype))
    for region in range(R):
        which = left[:, region]
        if not bool(which.any()):
            continue
        k = (order - 1e9 * taken).argmax(dim=1)
        which = which & ~taken[rows, k]
        row, k = rows[which], k[which]
        taken[row, k], source[row, k] = True, region
    picked = looks.gather(1, source[..., None].expand(-1, -1, looks.shape[-1]))
    sides = covered.gather(1, source[..., None].expand(-1, -1, covered.shape[-1]))
    picked = _completed(files[..., OWN], picked, sides & again[..., None])
    one, nothing = torch.ones_like(files[..., :1]), torch.zeros_like(files)
    seen = torch.cat([one, nothing[..., :1], picked, nothing[..., DOUBT]], dim=-1)
    unseen = files.clone()
    unseen[..., SEEN], unseen[..., DOUBT] = 0.0, 0.0
    unseen[..., AGE] += 0.1 * known(files)
    return torch.where(taken[..., None], seen, unseen)


def _costs(files: Float[Tensor, "B N D"], looks: Float[Tensor, "B R 16"]) -> Float[Tensor, "B N R"]:
    own = files[..., OWN]
    place = torch.cdist(own[..., :2], looks[..., :2]) * (32 / _NEAR_PIXELS)
    place = place / (1 + _WANDERS * files[..., AGE])[..., None]
    colour = torch.cdist(own[..., 13:], looks[..., 13:], p=1) / (3 * _COLOUR)
    size = (own[..., None, 6] - looks[:, None, :, 6]).abs() / _SIZE
    return place.clamp(max=_MOST[0]) + colour.clamp(max=_MOST[1]) + size.clamp(max=_MOST[2])
