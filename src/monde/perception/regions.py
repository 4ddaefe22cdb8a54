"""Regions of like colour: what a frame of a few plain things falls apart into, and what each of them looks like.

Neighbouring pixels belong together where their colours are alike (single linkage, as in Felzenszwalb and Huttenlocher,
IJCV 2004, with a fixed threshold); of vivid colours it is the hue that must be alike, so that a box's lit and unlit
sides are one thing. Colours are taken relative to the frame's own median: light that goes out changes little.
Nothing is learned here, and nothing needs a label.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64, UInt8
from scipy import ndimage
from torch import Tensor, nn

from monde.types.things import LOOKS

LEAST_PIXELS = 4
"""Smaller regions are edges between others."""

_ALIKE = 0.11
"""Difference of logarithmic colour, largest channel, up to which neighbours are one."""
_FLAT = 0.165
"""The same over two by two pixels, one of which a pixel must lie in: blends at edges do not."""
_VIVID = 0.45
"""Distance from grey from which on hue counts."""
_HUE = 0.29
"""Difference of hue, as a share of that distance, up to which vivid neighbours are one."""
_SHADE = 0.6
"""Difference of their brightness up to which they are."""
_MOST_STRETCHED = 2.0
_MOST_SIDED = 1.0
"""Bounds of what tells a disc from a square and a triangle (up to 0.8 and 0.4 of those): of a sliver the moments grow
without end, say nothing more, and would drown all else that a network is told."""
_TOLD = 0.15
"""Share of a pixel below which an edge is not looked for in it."""
_DARK = 8.0
"""Median of a frame, of 255, below which nothing is seen."""
_CHUNK = 64
"""Frames at a time: what they need stays in the cache."""
_CROSS = ndimage.generate_binary_structure(2, 1)


@dataclass(frozen=True, repr=False)
class Regions:
    """The largest regions of M frames, largest first.

    Args:
        looks: [M, N, 16], see `LOOKS`; 0 where there are fewer than N.
        found: [M, N].
    """

    looks: Float[Tensor, "M N 16"]
    found: Bool[Tensor, "M N"]


def find_regions(frames: UInt8[Tensor, "M 3 h w"], most: int) -> Regions:
    """The `most` largest regions of every frame. Runs on the processor, wherever the frames are."""
    device = frames.device
    if not len(frames):
        empty = torch.zeros(0, most, len(LOOKS), device=device)
        return Regions(empty, empty[..., 0] > 0)
    parts = [_regions(chunk, most) for chunk in frames.cpu().split(_CHUNK)]
    return Regions(
        torch.cat([part.looks for part in parts]).to(device), torch.cat([part.found for part in parts]).to(device)
    )


def _regions(frames: UInt8[Tensor, "M 3 h w"], most: int) -> Regions:
    labels, colours = _labelled(frames)
    M, h, w = labels.shape
    count = int(labels.max()) + 1
    frame = torch.zeros(count, dtype=torch.int64).scatter_(
        0, labels.flatten(), torch.arange(M).repeat_interleave(h * w)
    )
    shares = _blended(labels, frames, frame)
    looks, pixels = _looks(labels.flatten(), shares.flatten(), count, colours)
    lit = frames[:, :, ::4, ::4].flatten(2).float().median(dim=2).values.mean(dim=1) >= _DARK
    kept = torch.nonzero((pixels >= LEAST_PIXELS) & lit[frame]).flatten()
    kept = kept[kept > 0]  # 0 is no region
    kept = kept[torch.argsort(-pixels[kept], stable=True)]
    kept = kept[torch.argsort(frame[kept], stable=True)]
    rows = frame[kept]
    rank = torch.arange(len(kept)) - torch.searchsorted(rows, torch.arange(M))[rows]
    rows, rank, kept = (tensor[rank < most] for tensor in (rows, rank, kept))
    found = torch.zeros(M, most, dtype=torch.bool)
    found[rows, rank] = True
    table = torch.zeros(M, most, len(LOOKS))
    table[rows, rank] = looks[kept]
    return Regions(table, found)


def _labelled(frames: UInt8[Tensor, "M 3 h w"]) -> tuple[Int64[Tensor, "M h w"], Float[Tensor, "M 3 h w"]]:
    """A number for each region, 0 for none, and logarithmic colours."""
    M, _, h, w = frames.shape
    values = frames.float()
    brightness = values[:, :, ::4, ::4].flatten(2).median(dim=2).values.mean(dim=1).clamp_min(10.0)
    logs = (values + 0.06 * brightness[:, None, None, None]).log()
    logs -= logs[:, :, ::4, ::4].flatten(2).median(dim=2).values[:, :, None, None]
    shade = logs.mean(dim=1)
    hue = logs - shade[:, None]
    vivid = hue.abs().amax(dim=1)

    rows = torch.maximum(logs[:, :, 1:], logs[:, :, :-1]), torch.minimum(logs[:, :, 1:], logs[:, :, :-1])
    highest = torch.maximum(rows[0][..., 1:], rows[0][..., :-1])
    lowest = torch.minimum(rows[1][..., 1:], rows[1][..., :-1])
    flat = (highest - lowest).amax(dim=1) < _FLAT
    whole = torch.zeros(M, h, w, dtype=torch.bool)
    for dy in (0, 1):
        for dx in (0, 1):
            whole[:, dy : h - 1 + dy, dx : w - 1 + dx] |= flat

    # Pixels and the links between them as one picture of twice the size, so that one labelling does for all frames.
    grid = torch.zeros(M, 2 * h, 2 * w, dtype=torch.bool)
    grid[:, ::2, ::2] = whole
    for axis, links in ((-2, grid[:, 1:-1:2, ::2]), (-1, grid[:, ::2, 1:-1:2])):
        (a, b), (hue_a, hue_b), (vivid_a, vivid_b), (shade_a, shade_b), (whole_a, whole_b) = (
            _neighbours(tensor, axis) for tensor in (logs, hue, vivid, shade, whole)
        )
        alike = (a - b).abs().amax(dim=1) < _ALIKE
        same_hue = (hue_a - hue_b).abs().amax(dim=1) < _HUE * torch.maximum(vivid_a, vivid_b)
        both_vivid = torch.minimum(vivid_a, vivid_b) > _VIVID
        alike |= both_vivid & same_hue & ((shade_a - shade_b).abs() < _SHADE)
        links.copy_(alike & whole_a & whole_b)
    labels, _ = ndimage.label(grid.view(M * 2 * h, 2 * w).numpy(), structure=_CROSS)
    picked = np.ascontiguousarray(labels.reshape(M, 2 * h, 2 * w)[:, ::2, ::2])
    return _thick(torch.from_numpy(picked).long()), logs


def _thick(labels: Int64[Tensor, "M h w"]) -> Int64[Tensor, "M h w"]:
    """Without regions that are nowhere two by two pixels: lines of pixels that blend two others."""
    a, b, c, d = (labels[:, y : y - 1 or None, x : x - 1 or None] for y in (0, 1) for x in (0, 1))
    solid = torch.zeros(int(labels.max()) + 1, dtype=torch.bool)
    solid[a[(a == b) & (a == c) & (a == d)]] = True
    return torch.where(solid[labels], labels, torch.zeros_like(labels))


def _neighbours(tensor: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """All but the first, and all but the last, along one axis."""
    size = tensor.shape[axis] - 1
    return tensor.narrow(axis, 1, size), tensor.narrow(axis, 0, size)


def _blended(
    labels: Int64[Tensor, "M h w"], frames: UInt8[Tensor, "M 3 h w"], frame: Int64[Tensor, " n"]
) -> Float[Tensor, "M h w"]:
    """How much of each pixel belongs to its region: all, but for blends at edges, which are given here to that of their
    neighbours which stands out most, in the share that their colour tells. Writes into `labels`."""
    M, h, w = labels.shape
    flat, n = labels.flatten(), len(frame)
    linear = frames.float()
    linear -= linear[:, :, ::4, ::4].flatten(2).median(dim=2).values[:, :, None, None]
    linear = linear.permute(0, 2, 3, 1).flatten(0, 2)  # [P, 3]
    pixels = torch.bincount(flat, minlength=n).clamp_min(1)
    means = torch.zeros(n, 3).index_add_(0, flat, linear) / pixels[:, None]
    means[0] = 0
    contrast = means.square().sum(dim=1)
    open_pixels = torch.nonzero(flat == 0).flatten()
    padded = nn.functional.pad(labels, (1, 1, 1, 1))
    index, rest = open_pixels // (h * w), open_pixels % (h * w)
    y, x = rest // w, rest % w
    around = torch.stack([padded[index, y + dy, x + dx] for dy in range(3) for dx in range(3) if (dy, dx) != (1, 1)])
    owner = around.gather(0, contrast[around].argmax(dim=0)[None])[0]
    share = (linear[open_pixels] * means[owner]).sum(dim=1) / contrast[owner].clamp_min(1.0)
    shares = torch.ones(M * h * w)
    shares[open_pixels] = share.clamp(0, 1)
    flat[open_pixels] = owner
    return shares.view(M, h, w)


def _looks(
    flat: Int64[Tensor, " P"], shares: Float[Tensor, " P"], count: int, colours: Float[Tensor, "M 3 h w"]
) -> tuple[Float[Tensor, "n 16"], Float[Tensor, " n"]]:
    """What is told of every region, and its pixels."""
    M, _, h, w = colours.shape
    y, x = torch.meshgrid(torch.arange(h) + 0.5, torch.arange(w) + 0.5, indexing="ij")
    x, y = (axis.float().expand(M, h, w).flatten() for axis in (x, y))
    seen = torch.stack([torch.ones_like(x), x, y, *colours.transpose(0, 1).flatten(1)], dim=1)
    sums = torch.zeros(count, 6).index_add_(0, flat, seen * shares[:, None])
    pixels = sums[:, 0]
    mean = sums / pixels.clamp_min(1.0)[:, None]
    dx, dy = x - mean[flat, 1], y - mean[flat, 2]
    xx, yy, xy = dx * dx, dy * dy, dx * dy
    turned = [
        dx * (xx - 3 * yy),
        dy * (3 * xx - yy),
        xx * xx - 6 * xx * yy + yy * yy,
        4 * xy * (xx - yy),
    ]
    moments = torch.zeros(count, 7).index_add_(0, flat, torch.stack([xx, yy, xy, *turned], dim=1) * shares[:, None])
    sxx, syy, sxy, a3, b3, a4, b4 = (moments / pixels.clamp_min(1.0)[:, None]).unbind(dim=1)
    radius = pixels.clamp_min(1.0).sqrt()
    edges = _edges(flat, shares, x, y, count)
    across, down = w / 2, h / 2
    looks = [
        mean[:, 1] / across - 1,
        mean[:, 2] / down - 1,
        edges[0] / across - 1,
        edges[1] / down - 1,
        edges[2] / across - 1,
        edges[3] / down - 1,
        pixels.clamp_min(1.0).log() / 4,
        sxx.sqrt() / across * 4,
        syy.sqrt() / down * 4,
        sxy / radius / across * 4,
        ((sxx + syy) / pixels.clamp_min(1.0) * 4).clamp(max=_MOST_STRETCHED),
        ((a3.square() + b3.square()).sqrt() / radius**3 * 20).clamp(max=_MOST_SIDED),
        ((a4.square() + b4.square()).sqrt() / radius**4 * 20).clamp(max=_MOST_SIDED),
        *mean[:, 3:].unbind(dim=1),
    ]
    return torch.stack(looks, dim=1), pixels


def _edges(
    flat: Int64[Tensor, " P"], shares: Float[Tensor, " P"], x: Float[Tensor, " P"], y: Float[Tensor, " P"], count: int
) -> list[Float[Tensor, " n"]]:
    """Left, top, right and lower edge of every region, px: of the pixels at an edge the one that is filled most tells
    how far into them it reaches."""
    inside = torch.where(shares > _TOLD, flat, torch.zeros_like(flat))
    filled = shares - 0.5
    reach = (
        (x - filled, 1e4, "amin"),
        (y - filled, 1e4, "amin"),
        (x + filled, -1e4, "amax"),
        (y + filled, -1e4, "amax"),
    )
    return [torch.full((count,), start).scatter_reduce_(0, inside, axis, how) for axis, start, how in reach]
