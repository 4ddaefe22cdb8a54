"""Making the landmarks of a trained model from the recording that it was trained on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path

import torch
from torch import Tensor

from monde.errors import TrainingError, UsageError
from monde.limits import MAX_LANDMARK_BYTES, MAX_LANDMARK_EDGES, MAX_LANDMARKS
from monde.models import load_model, refuse_placed
from monde.models.load import weights_hash
from monde.planning.far.landmarks import Landmarks, TimeBetween, graph_bytes
from monde.readouts import TemporalDistance
from monde.store import RunFolder, content_hash, remove_artefact
from monde.training.device import choose_device, choose_precision
from monde.training.far.landmark_edges import Passages, assign, candidates, choose, passages, times
from monde.training.frame_latents import FrameLatents, encode_frames
from monde.training.setup import reopen
from monde.training.sizes import check_sizes

EDGES_EACH = 24
"""Edges of a landmark that room is kept for; where there are more, the longest of each are left out."""

LandmarkProgress = Callable[[float, float, str], None]
"""Told of the share that is done, of all (1), and of what is being done."""


@dataclass(frozen=True, kw_only=True)
class FitLandmarksConfig:
    """How landmarks are chosen and joined.

    Args:
        landmarks: The most that are made; fewer where these cover all that was visited.
        radius_blocks: Enough are made when every visited place lies within this of one, there and back.
        reach_blocks: Learned times are believed up to this: no edge is longer.
        least_seen: Passages in the recording that an edge needs.
        most_bytes: Memory of the graph; where it is too little, there are fewer landmarks and fewer edges.
        standing: Sensors, and what they show of a place where one stands; see `encode_frames`.
        candidates: Visited places that they are chosen from, for each landmark.
        frames: Frames that are looked at for passages; whole episodes.
        seed: Of the candidates.
        device: "auto", "cpu", "cuda", …

    Raises:
        UsageError: An empty size, no number, or more than the limits allow.
    """

    landmarks: int = 512
    radius_blocks: float = 1.5
    reach_blocks: float = 5.0
    least_seen: int = 2
    most_bytes: int = MAX_LANDMARK_BYTES
    standing: tuple[tuple[str, str], ...] = ()
    candidates: int = 4
    frames: int = 100_000
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        check_sizes(self, "radius_blocks", "reach_blocks", "least_seen", "most_bytes", "candidates", "frames")
        if not 1 <= self.landmarks <= MAX_LANDMARKS:
            raise UsageError("so many landmarks cannot be made", got=self.landmarks, expected=f"1 to {MAX_LANDMARKS}")


@dataclass(frozen=True, kw_only=True)
class LandmarkSummary:
    """What was made.

    Args:
        landmarks: The graph.
        frames: The frame that each of them is, among all frames trained on.
        joined: Share of ordered pairs of landmarks between which a way leads.
        recall: Share of the passages of at most half of `reach_blocks` that the learned time calls no longer than
            `reach_blocks` from landmark to landmark: near 1 where it can be believed so far.
        unseen: Edges that the learned time alone would have made and that no passage supports, as a share of those
            that are supported: ways through walls, or ways that the recording did not take.
    """

    landmarks: Landmarks
    frames: Tensor = field(repr=False)
    joined: float
    recall: float
    unseen: float


def fit_landmarks(
    run: Path | str, config: FitLandmarksConfig | None = None, progress: LandmarkProgress | None = None
) -> LandmarkSummary:
    """Make the landmarks of a run's newest model, and keep them in its folder.

    Raises:
        UsageError: The run has no temporal distance.
        StoreError: Not a run, or the disk is full or read-only.
        DataError: The recording is gone or altered.
        TrainingError: No edge is supported by the recording.
    """
    config, run = config or FitLandmarksConfig(), Path(run)
    refuse_placed(run, "a graph of landmarks")
    folder, of = RunFolder(run), weights_hash(run)
    if not folder.temporal_distance.exists():
        raise UsageError(
            "landmarks are joined by a learned time", got=f"{run} has none", remedy=f"fit one: monde actor {run}"
        )
    device = choose_device(config.device)
    _, setup = reopen(run)
    head = TemporalDistance.load(folder.temporal_distance, of).to(device)
    model = load_model(run, device).requires_grad_(False)
    model.autocast = choose_precision("auto", device)
    if progress is not None:
        progress(0.0, 1.0, "encoding frames")
    data = encode_frames(model, setup, standing=dict(config.standing))
    summary = make_landmarks(data, head.distance, config, progress)
    remove_artefact(folder.landmarks)
    summary.landmarks.save(folder.landmarks, of, content_hash(folder.temporal_distance))
    return summary


def make_landmarks(
    data: FrameLatents, between: TimeBetween, config: FitLandmarksConfig, progress: LandmarkProgress | None = None
) -> LandmarkSummary:
    """Choose landmarks and join them.

    Nodes are farthest points under the learned time. An edge is kept where the learned time is short enough to be
    believed *and* the recording itself went from near the one to near the other in as short a time: a learned time
    alone joins places on either side of a wall that look much alike (hindsight). Its length is the learned time.

    Raises:
        TrainingError: No edge is supported by the recording.
    """
    tell = progress or (lambda done, whole, what: None)
    generator = torch.Generator(data.latents.device).manual_seed(config.seed)
    most, pruned = _affordable(config, data.latents[0].numel())
    tell(0.1, 1.0, "choosing landmarks")
    chosen = choose(data, candidates(data, config.candidates * most, generator), between, most, config.radius_blocks)
    if chosen.radius_blocks <= config.radius_blocks:
        pruned = None
    elif pruned is not None:
        pruned += f": some places lie {chosen.radius_blocks:.1f} blocks from the nearest, not {config.radius_blocks:g}"
    latents = data.goals[chosen.frames]
    tell(0.5, 1.0, "joining them")
    frames = _in_whole_episodes(data, config.frames, generator)
    owner = assign(data, frames, latents, between, max(config.radius_blocks, chosen.radius_blocks))
    found = passages(owner, data.first[frames].cpu().numpy(), len(latents), ceil(config.reach_blocks))
    sources, targets = (torch.from_numpy(ends).to(latents.device) for ends in (found.sources, found.targets))
    blocks = times(latents, sources, targets, between)
    near = blocks <= config.reach_blocks
    kept = near & torch.from_numpy(found.seen >= config.least_seen).to(near.device)
    found_edges, room = int(kept.sum()), _room_for_edges(config, len(latents), data.latents[0].numel())
    if found_edges > room:
        kept = _shortest_of_each(sources, blocks, kept, room)
        pruned = "" if pruned is None else f"{pruned}; "
        pruned += f"{room:,} of the {found_edges:,} edges fit into {config.most_bytes / 1e6:g} MB"
    if not bool(kept.any()):
        short = most < config.landmarks
        raise TrainingError(
            "no two landmarks are joined",
            got=f"{len(latents)} landmarks, {len(blocks)} passages seen between them, none short and frequent enough",
            expected=f"at least {config.least_seen} passages of at most {config.reach_blocks:g} blocks",
            remedy=f"allow more memory than {config.most_bytes / 1e6:g} MB, which hold {most}"
            if short
            else "fit the actor for longer, make more landmarks, or record more",
        )
    graph = Landmarks(
        latents.cpu(),
        sources[kept].cpu(),
        targets[kept].cpu(),
        blocks[kept].cpu().float().clamp_min(0.05),
        reach_blocks=config.reach_blocks,
        radius_blocks=chosen.radius_blocks,
        radius_latent=chosen.radius_latent,
        wanted=config.landmarks,
        pruned=pruned,
    )
    tell(0.9, 1.0, "looking them over")
    return LandmarkSummary(
        landmarks=graph,
        frames=chosen.frames,
        joined=_joined(graph),
        recall=float(near[torch.from_numpy(found.blocks <= config.reach_blocks / 2)].float().mean()),
        unseen=_unseen(latents, between, config.reach_blocks, found, int(kept.sum())),
    )


def _affordable(config: FitLandmarksConfig, features: int) -> tuple[int, str | None]:
    """How many landmarks there is room for, and what to say if these are too few."""
    room = config.most_bytes // graph_bytes(1, features, EDGES_EACH)
    if room >= config.landmarks:
        return config.landmarks, f"{config.landmarks} landmarks were asked for"
    if room < 2:
        raise UsageError(
            "there is no room for landmarks",
            got=f"{config.most_bytes:,} bytes",
            expected=f"at least {2 * graph_bytes(1, features, EDGES_EACH):,}",
            remedy="raise the memory limit",
        )
    return room, f"{room} of the {config.landmarks} landmarks fit into {config.most_bytes / 1e6:g} MB"


def _room_for_edges(config: FitLandmarksConfig, landmarks: int, features: int) -> int:
    """Edges that the limits allow beside so many landmarks."""
    left = config.most_bytes - graph_bytes(landmarks, features, 0)
    return min(MAX_LANDMARK_EDGES, left // graph_bytes(0, features, 1))


def _shortest_of_each(sources: Tensor, blocks: Tensor, kept: Tensor, room: int) -> Tensor:
    """`room` of the edges that are `kept`: the shortest of every landmark first, so that none is cut off."""
    index = kept.nonzero()[:, 0]
    index = index[blocks[index].argsort(stable=True)]
    index = index[sources[index].argsort(stable=True)]  # by landmark, and then by length
    of = sources[index]
    rank = torch.arange(len(of), device=of.device) - torch.searchsorted(of, of)
    fewer = torch.zeros_like(kept)
    fewer[index[rank.argsort(stable=True)[:room]]] = True
    return fewer


def _in_whole_episodes(data: FrameLatents, most: int, generator: torch.Generator) -> Tensor:
    """Frames a block apart, of as many episodes at random as there is room for, in order."""
    starts = data.first.unique()
    shuffled = starts[torch.randperm(len(starts), generator=generator, device=starts.device)]
    lengths = (data.last[shuffled] - shuffled) // data.block + 1
    taken = shuffled[: max(1, int((lengths.cumsum(0) <= most).sum()))].sort().values
    parts = [torch.arange(int(start), int(data.last[start]) + 1, data.block, device=starts.device) for start in taken]
    return torch.cat(parts)


def _joined(graph: Landmarks) -> float:
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    M = len(graph)
    if M == 1:
        return 1.0
    matrix = csr_array((graph.blocks.numpy(), (graph.sources.numpy(), graph.targets.numpy())), shape=(M, M))
    seen = 0
    for start in range(0, M, 256):
        seen += int((dijkstra(matrix, indices=range(start, min(M, start + 256)), unweighted=True) < float("inf")).sum())
    return (seen - M) / (M * (M - 1))


@torch.no_grad()
def _unseen(latents: Tensor, between: TimeBetween, reach: float, found: Passages, kept: int) -> float:
    """Learned times of pairs that lie near in latent space, short ones among which no passage supports."""
    M, k = len(latents), min(16, len(latents) - 1)
    if k < 1:
        return 0.0
    near = torch.cdist(latents.flatten(1), latents.flatten(1)).topk(k + 1, largest=False).indices[:, 1:]
    sources = torch.arange(M, device=latents.device)[:, None].expand(M, k).flatten()
    short = times(latents, sources, near.flatten(), between) <= reach
    keys = (sources * M + near.flatten())[short].cpu()
    supported = torch.isin(keys, torch.from_numpy(found.sources * M + found.targets))
    return float((~supported).sum()) / max(kept, 1)
