"""Which landmarks there are, and which of them a recording joins."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Generator, Tensor

from monde.planning.far.landmarks import TimeBetween
from monde.training.frame_latents import FrameLatents

PAIRS_AT_ONCE = 65_536
"""Pairs of latents whose time apart is asked at once."""

NEAR = 256
"""Candidates nearest in latent space to a new landmark whose time to it is asked."""

LOOKED_AT = 8
"""Landmarks nearest in latent space among which the one nearest in time is sought."""


@dataclass(frozen=True)
class Chosen:
    """Landmarks chosen by farthest-point sampling.

    Args:
        frames: [M] their frames.
        radius_blocks: How far the most remote candidate lies from its nearest landmark.
        radius_latent: How far the candidate furthest in latent space does.
    """

    frames: Int64[Tensor, " M"]
    radius_blocks: float
    radius_latent: float


def both_ways(
    between: TimeBetween, one: Float[Tensor, "... N D"], other: Float[Tensor, "... N D"], error: Float[Tensor, "..."]
) -> Float[Tensor, "..."]:
    """The longer of the times there and back, less what is known to be error: near is what is near both ways."""
    return (torch.maximum(between(one, other), between(other, one)) - error).clamp_min(0)


def to_itself(between: TimeBetween, latents: Float[Tensor, "M N D"]) -> Float[Tensor, " M"]:
    """The learned time from each place to itself, which is error. Where it is large (a place that was rarely seen), all
    that lies beside it would seem far away, and no number of landmarks would cover it."""
    return torch.cat([between(part, part) for part in latents.split(PAIRS_AT_ONCE)])


def candidates(data: FrameLatents, count: int, generator: Generator) -> Int64[Tensor, " C"]:
    """Frames spread over all that was visited: farthest points in latent space, of a few times as many at random."""
    drawn = torch.randperm(len(data), generator=generator, device=data.first.device)[: 4 * count]
    flat = data.goals[drawn].flatten(1)
    if len(drawn) <= count:
        return drawn
    chosen = torch.zeros(count, dtype=torch.int64, device=drawn.device)
    distance = torch.full((len(drawn),), torch.inf, device=drawn.device)
    for index in range(1, count):
        gap = (flat - flat[chosen[index - 1]]).square().sum(1)
        distance = torch.minimum(distance, gap)
        chosen[index] = distance.argmax()
    return drawn[chosen]


@torch.no_grad()
def choose(
    data: FrameLatents, among: Int64[Tensor, " C"], between: TimeBetween, most: int, radius_blocks: float
) -> Chosen:
    """At most `most` landmarks, each the candidate furthest from those before, until none is beyond `radius_blocks`.

    Farthest-point sampling (Gonzalez 1985) under the learned time, as in landmark-based planning with goals
    (arXiv 2011.12491, section 4.2).
    """
    latents = data.goals[among]
    apart, error = torch.full((len(latents),), torch.inf, device=latents.device), to_itself(between, latents)
    picked: list[int] = []
    while float(apart.max()) > radius_blocks and len(picked) < most:
        # What lies far in latent space lies far in time too, and is not asked about. Candidates of which nothing is
        # known yet come first, in their own order: farthest first.
        picked.append(int(apart.argmax()))
        here = latents[picked[-1]]
        near = (latents - here).flatten(1).square().sum(1).topk(min(NEAR, len(latents)), largest=False).indices
        apart[near] = torch.minimum(apart[near], both_ways(between, latents[near], here, error[near]))
    chosen = torch.tensor(picked, device=among.device)
    far = (apart > radius_blocks).nonzero()[:, 0]
    if len(far):
        here, known = latents[far], latents[chosen]
        k = min(LOOKED_AT, len(known))
        index = torch.cdist(here.flatten(1), known.flatten(1)).topk(k, dim=1, largest=False).indices
        apart[far] = torch.minimum(
            apart[far], both_ways(between, here[:, None], known[index], error[far, None]).amin(1)
        )
    # What moves lies further away in latent space than what stands, and is not strange for that.
    gaps = torch.cdist(data.latents[among].flatten(1), latents[chosen].flatten(1)).amin(1)
    return Chosen(among[chosen], float(apart.max()), float(gaps.max()))


@torch.no_grad()
def assign(
    data: FrameLatents,
    frames: Int64[Tensor, " F"],
    landmarks: Float[Tensor, "M N D"],
    between: TimeBetween,
    most_blocks: float,
) -> Int64[np.ndarray, " F"]:
    """The landmark nearest in time to each frame, both ways; -1 where none is within `most_blocks`."""
    known = landmarks.flatten(1)
    k = min(LOOKED_AT, len(known))
    found = []
    for part in frames.split(max(1, PAIRS_AT_ONCE // k)):
        here = data.goals[part]
        index = torch.cdist(here.flatten(1), known).topk(k, dim=1, largest=False).indices
        error = to_itself(between, here)[:, None]
        blocks, nearest = both_ways(between, here[:, None], landmarks[index], error).min(1)
        own = index.gather(1, nearest[:, None])[:, 0]
        found.append(torch.where(blocks <= most_blocks, own, torch.full_like(own, -1)))
    return torch.cat(found).cpu().numpy()


@dataclass(frozen=True)
class Passages:
    """What the recording shows of ways between landmarks.

    Args:
        sources: [P] landmark near which a passage began.
        targets: [P] landmark near which it was after it.
        blocks: [P] the fewest blocks that one took.
        seen: [P] how many there were.
    """

    sources: Int64[np.ndarray, " P"]
    targets: Int64[np.ndarray, " P"]
    blocks: Int64[np.ndarray, " P"]
    seen: Int64[np.ndarray, " P"]


def passages(
    owner: Int64[np.ndarray, " F"], episode: Int64[np.ndarray, " F"], landmarks: int, most_blocks: int
) -> Passages:
    """Which landmark was followed by which other within `most_blocks`; frames of one episode lie a block apart."""
    keys, lags = [], []
    for lag in range(1, most_blocks + 1):
        one, other = owner[:-lag], owner[lag:]
        went = (episode[:-lag] == episode[lag:]) & (one >= 0) & (other >= 0) & (one != other)
        keys.append(one[went] * landmarks + other[went])
        lags.append(np.full(int(went.sum()), lag))
    key, blocks = np.concatenate(keys), np.concatenate(lags)
    order = np.lexsort((blocks, key))
    unique, first, seen = np.unique(key[order], return_index=True, return_counts=True)
    return Passages(unique // landmarks, unique % landmarks, blocks[order][first], seen)


@torch.no_grad()
def times(
    landmarks: Float[Tensor, "M N D"], sources: Int64[Tensor, " E"], targets: Int64[Tensor, " E"], between: TimeBetween
) -> Float[Tensor, " E"]:
    """The learned time of each edge, in blocks."""
    pairs = zip(sources.split(PAIRS_AT_ONCE), targets.split(PAIRS_AT_ONCE), strict=True)
    return torch.cat([between(landmarks[one], landmarks[other]) for one, other in pairs])
