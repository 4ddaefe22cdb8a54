"""Retrieval: an imagined latent must find the true future frame among the other frames of its own episode."""

import numpy as np
from jaxtyping import Float
from torch import Tensor

from monde.evaluation.imagining import Windows
from monde.evaluation.latents import EncodedClip
from monde.evaluation.statistics import mean_interval
from monde.scorecard import Row

SAME_FRAME = 1e-3
"""Frames nearer to the true one than this share of a clip's spread (root mean square) show the same: no rivals."""


def retrieval_rows(
    windows: Windows,
    imagined: dict[str, Tensor],
    floors: dict[str, Tensor],
    blocks: int,
    label: str,
    seed: int,
) -> list[Row]:
    ranks, rivals = retrieval_ranks(
        windows.clips, windows.index, windows.last + blocks, imagined["true"][:, blocks - 1]
    )
    others = {
        name: retrieval_ranks(windows.clips, windows.index, windows.last + blocks, latents[:, blocks - 1])[0]
        for name, latents in floors.items()
    }
    top1, top1_interval = mean_interval((ranks == 1).astype(float), seed, windows.index)
    rank, rank_interval = mean_interval(ranks, seed, windows.index)
    top1_floors = {name: float((other == 1).mean()) for name, other in others.items()}
    rank_floors = {name: float(other.mean()) for name, other in others.items()}
    n = len(ranks)
    note = "among the frames of its own clip, those that show the same left out"
    rows = [
        Row(
            metric=f"prediction/retrieval_top1/{label}",
            value=top1,
            interval=top1_interval,
            n=n,
            floors=top1_floors | {"chance": float((1 / (1 + rivals)).mean())},
            note=note,
        ),
        Row(
            metric=f"prediction/retrieval_rank/{label}",
            value=rank,
            interval=rank_interval,
            n=n,
            floors=rank_floors | {"chance": float(1 + rivals.mean() / 2)},
            note=f"{note}; 1 is best",
        ),
    ]
    if "shuffled" not in imagined:
        return rows
    shuffled, _ = retrieval_ranks(
        windows.clips, windows.index, windows.last + blocks, imagined["shuffled"][:, blocks - 1]
    )
    gap, gap_interval = mean_interval((ranks == 1).astype(float) - (shuffled == 1), seed, windows.index)
    return [
        *rows,
        Row(
            metric=f"prediction/action_gap_top1/{label}",
            value=gap,
            interval=gap_interval,
            n=n,
            floors={"none": 0.0},
            note="top-1 with the true actions less top-1 with those of another clip",
        ),
    ]


def retrieval_ranks(
    clips: list[EncodedClip], index: np.ndarray, step: np.ndarray, imagined: Float[Tensor, "W N D"]
) -> tuple[Float[np.ndarray, " W"], Float[np.ndarray, " W"]]:
    """Rank of the true frame `step` of clip `index` by distance to each imagined latent, and the number of its rivals.

    1 is best; a tie counts half. Frames whose latent is that of the true frame (see `SAME_FRAME`) are no rivals.
    """
    ranks, rivals = np.empty(len(index)), np.empty(len(index))
    for row, (number, moment) in enumerate(zip(index, step, strict=True)):
        frames = clips[number].latents.flatten(1)
        true = frames[moment]
        spread = (frames - frames.mean(0)).square().sum(1).mean().sqrt()
        rival = (frames - true).norm(dim=1) > SAME_FRAME * spread
        distance = (frames - imagined[row].flatten()).norm(dim=1)
        nearer, level = distance < distance[moment], distance == distance[moment]
        ranks[row] = 1 + float((nearer & rival).sum()) + 0.5 * float((level & rival).sum())
        rivals[row] = float(rival.sum())
    return ranks, rivals
