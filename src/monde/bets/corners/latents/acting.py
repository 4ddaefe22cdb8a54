"""The latent corner's model of acting: where actions lead, how long a way is, and which actions lead to a goal."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from monde.agents import decide
from monde.bets.corners.latents.reading import Readouts, load_readouts
from monde.bets.corners.latents.seeing import clip_of, encoded
from monde.bets.corners.shown import Frames, Rendering
from monde.bets.questions.stage import CONFIG
from monde.models import JEPA, load_model
from monde.models.load import weights_hash
from monde.readouts import TemporalDistance
from monde.recipes import strategy
from monde.store import RunFolder
from monde.types import LatentGoal


class Acting:
    """A model of acting with its planner, learned time and readouts.

    Args:
        run: Its run folder.
        rendering: What it sees.

    Raises:
        StoreError: Not a run with all of them, altered, or of another rendering.
    """

    def __init__(self, run: Path, rendering: Rendering) -> None:
        folder, of = RunFolder(run), weights_hash(run)
        self._model: JEPA = load_model(run).requires_grad_(False)
        self._strategy = strategy("hybrid", run, device=str(self._model.device), trust=False)
        self._distance = TemporalDistance.load(folder.temporal_distance, of)
        self._readouts: Readouts = load_readouts(run, rendering)

    @torch.no_grad()
    def after(self, start: Frames, actions: Float64[np.ndarray, "T 2"]) -> Float64[np.ndarray, " 2"]:
        """Where the disc is thought to be after control steps, px: imagined block by block."""
        model = self._model
        blocks = torch.from_numpy(actions).float().reshape(1, 1, -1, model.actions.width)
        future = model.imagine(model.begin(clip_of(model, start[None, :1])), blocks).latents[:, 0, 0, -1]
        return self._layout(future)[0, :2]

    def places(self, frames: Frames) -> Float64[np.ndarray, "n 2"]:
        """Where the disc is in single frames, px."""
        return self._layout(self._latents(frames))[:, :2]

    def reachable(self, start: Frames, goal: Frames) -> float:
        """How sure it is that a way leads from one frame to another: in one room always, else where a door is read."""
        layout = self._layout(self._latents(np.concatenate([start[:1], goal[:1]])))
        middle = CONFIG.side_pixels / 2
        same = (layout[0, 0] < middle) == (layout[1, 0] < middle)
        return 1.0 if same else float(np.clip(layout[0, 2], 0, 1))

    @torch.no_grad()
    def wasted(self, film: Frames, goals: Frames) -> Float64[np.ndarray, " n"]:
        """Blocks that a way so far wastes if it is meant for each goal: its length, and the learned time that is left,
        less the learned time from its beginning (as `Mind.goal_of`)."""
        ends = self._latents(np.stack([film[0], film[-1]]))
        aims = self._latents(goals)
        far = self._distance.distance(ends[:, None], aims[None])
        taken = (len(film) - 1) / self._model.actions.block
        return (taken + far[1] - far[0]).double().cpu().numpy()

    @torch.no_grad()
    def plan(self, start: Frames, goal: Frames, steps: int) -> Float64[np.ndarray, "T 2"]:
        """Control steps to a goal: the planner's, block after block, each from where the one before is imagined to
        lead."""
        model, aim = self._model, LatentGoal(self._latents(goal))
        belief = model.begin(clip_of(model, start[None, :1]))
        generator = torch.Generator(model.device).manual_seed(0)
        found: list[Tensor] = []
        while len(found) * model.actions.block < steps:
            planned, _ = decide(model, self._strategy, belief, aim, generator)
            block = planned.actions[:, :1]
            found.append(block[0, 0])
            imagined = model.imagine(belief, block[:, None], beliefs=True)
            assert imagined.beliefs is not None
            belief = imagined.beliefs
        return torch.cat(found).reshape(-1, model.actions.dim).double().numpy()[:steps]

    def _latents(self, frames: Frames) -> Tensor:
        return encoded(self._model, frames[:, None]).values[:, 0].float()

    def _layout(self, latents: Tensor) -> Float64[np.ndarray, "n 4"]:
        return self._readouts["layout"](latents.flatten(1).float().cpu()).double().numpy()
