"""Landmarks: places that were visited, and how long the way from each to the next takes.

A graph over latents, as in semi-parametric topological memory (arXiv 1803.00653) and search on the replay buffer
(arXiv 1906.05253): what is learned is believed over short distances only, and shortest paths do the rest. How it is
made: `monde.training.fit_landmarks`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from monde.errors import ContractError, StoreError
from monde.limits import MAX_LANDMARK_EDGES, MAX_LANDMARKS
from monde.store import load_artefact, save_artefact
from monde.store.artefact import TENSORS
from monde.store.typed import from_json, to_json
from monde.types.checks import check_floating, check_rank

KIND = "landmarks"
TENSOR_NAMES = ("latents", "sources", "targets", "blocks")

TimeBetween = Callable[[Tensor, Tensor], Tensor]
"""Latents [..., N, D] and goal latents [..., N, D], which broadcast, to action blocks [...] (`TemporalDistance`)."""


@dataclass(frozen=True, repr=False)
class Landmarks:
    """A directed graph of M landmarks.

    Args:
        latents: [M, N, D] what was seen at each.
        sources: [E] landmark that an edge leads from.
        targets: [E] landmark that it leads to.
        blocks: [E] action blocks that it takes; > 0.
        reach_blocks: Learned times are believed up to this; no edge is longer.
        radius_blocks: How far the most remote of the visited places lies from its nearest landmark.
        radius_latent: The same in latent space: what lies further from every landmark is unlike all that was visited.
        wanted: Landmarks that were asked for; more than M where they did not fit into memory, or were not needed.
        pruned: Why there are fewer than it would take to cover all that was visited, or fewer edges than were found;
            none where there are enough.

    Raises:
        ContractError: Empty, beyond the limits, or an edge that leads nowhere or takes no time.
    """

    latents: Float[Tensor, "M N D"]
    sources: Int64[Tensor, " E"]
    targets: Int64[Tensor, " E"]
    blocks: Float[Tensor, " E"]
    reach_blocks: float
    radius_blocks: float
    radius_latent: float
    wanted: int
    pruned: str | None = None

    def __post_init__(self) -> None:
        check_rank("Landmarks", "latents", self.latents, "M N D")
        check_floating("Landmarks", "latents", self.latents)
        edges = len(self.sources)
        if not 0 < len(self) <= MAX_LANDMARKS or edges > MAX_LANDMARK_EDGES:
            raise ContractError(
                "there are too many landmarks, or none",
                got=f"{len(self)} landmarks and {edges} edges",
                expected=f"1 to {MAX_LANDMARKS}, and at most {MAX_LANDMARK_EDGES} edges",
            )
        if not len(self.targets) == len(self.blocks) == edges:
            raise ContractError(
                "edges of landmarks do not line up", got=f"{edges} sources, {len(self.targets)} targets"
            )
        if edges:
            ends = torch.cat([self.sources, self.targets])
            if int(ends.min()) < 0 or int(ends.max()) >= len(self):
                raise ContractError("an edge leads to no landmark", expected=f"0 to {len(self) - 1}")
            if not bool((torch.isfinite(self.blocks) & (self.blocks > 0)).all()):
                raise ContractError("an edge between landmarks takes no time", expected="finite action blocks > 0")

    def __len__(self) -> int:
        return len(self.latents)

    @property
    def bytes(self) -> int:
        """What it takes in memory."""
        return graph_bytes(len(self), self.latents[0].numel(), len(self.sources))

    def to(self, device: torch.device | str) -> Self:
        """The same with its latents on another device; edges stay where they are searched, on the CPU."""
        return replace(self, latents=self.latents.to(device))

    def save(self, folder: Path, of: str, distance: str) -> None:
        """Write it as an artefact; `of` and `distance` are hashes: of the model, and of the temporal distance.

        Raises:
            StoreError: `folder` exists, or the disk is full or read-only.
        """
        tensors = {name: getattr(self, name) for name in TENSOR_NAMES}
        facts = _Facts(self.reach_blocks, self.radius_blocks, self.radius_latent, self.wanted, self.pruned)
        save_artefact(folder, KIND, tensors, {"facts": to_json(facts), "of": of, "distance": distance})

    @classmethod
    def load(cls, folder: Path, of: str | None = None, distance: str | None = None) -> "Landmarks":
        """Read it back.

        Raises:
            StoreError: Missing, altered, or made with another model than `of` or another temporal distance.
        """
        artefact = load_artefact(folder, KIND)
        meta, tensors = artefact.meta, artefact.tensors
        for name, expected in (("of", of), ("distance", distance)):
            if expected is not None and meta.get(name) != expected:
                what = "the latents of another model" if name == "of" else "another temporal distance"
                raise StoreError(
                    f"the landmarks in {folder} were made with {what}",
                    got=f"{str(meta.get(name))[:16]}…",
                    expected=f"{expected[:16]}…",
                    remedy="make them again on this run: monde far RUN",
                )
        if missing := sorted(set(TENSOR_NAMES) - set(tensors)):
            raise StoreError(f"{folder / TENSORS} holds no landmarks", got=f"missing {missing}")
        facts = from_json(_Facts, meta.get("facts"), "facts")
        latents, sources, targets, blocks = (tensors[name] for name in TENSOR_NAMES)
        return cls(
            latents,
            sources,
            targets,
            blocks,
            reach_blocks=facts.reach_blocks,
            radius_blocks=facts.radius_blocks,
            radius_latent=facts.radius_latent,
            wanted=facts.wanted,
            pruned=facts.pruned,
        )

    def __repr__(self) -> str:
        return (
            f"Landmarks({len(self)}, {len(self.sources)} edges of at most {self.reach_blocks:g} blocks, "
            f"{self.bytes / 1e6:.1f} MB)"
        )


def graph_bytes(landmarks: int, features: int, edges: int) -> int:
    """Memory of a graph: float32 latents, and of each edge two int64 and one float32; twice, for the search."""
    return 4 * landmarks * features + 2 * 20 * edges


@dataclass(frozen=True)
class _Facts:
    reach_blocks: float
    radius_blocks: float
    radius_latent: float
    wanted: int
    pruned: str | None
