"""What predictors of acting foresee: ends of actions, goals of ways, and plans."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from monde.bets.corners.tokens.acting import SPAN, Choices, Moments, Moves, acted, actions_of
from monde.bets.corners.tokens.foresight import gumbel
from monde.bets.corners.tokens.predictor import Predictor

END_SPREAD_BINS = 8.0
"""Over which bins of places share their likelihood where the end of many actions is judged: 2 px."""

WAY_SPREAD_BINS = 1.0
"""Likewise where each step of a way is judged."""

MOVE_ROUNDS = 3
"""Rounds in which the picture after one action is settled, from that before it: little of it changes."""

THERE_PIXELS = 0.5
"""A plan that is foreseen to come so near goes no further."""

WARMTH = 0.5
"""Gumbel noise of sampled plans, times this: between the likeliest action and a fair sample."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Played:
    """Plans that were played in the head.

    Args:
        actions: [S, T, 2].
        gaps: [S, T] distance to the goal after each step as foreseen, px; infinite where the disc was lost.
    """

    actions: Float64[np.ndarray, "S T 2"]
    gaps: Float64[np.ndarray, "S T"]

    @property
    def best(self) -> int:
        """The plan that comes nearest."""
        return int(self.gaps.min(axis=1).argmin())


class Player:
    """Both predictors of acting.

    Args:
        moves: Writes moves.
        mover: Foretells them.
        choices: Writes choices.
        chooser: Foretells them.
        samples: Plans that are played.
    """

    def __init__(self, moves: Moves, mover: Predictor, choices: Choices, chooser: Predictor, *, samples: int) -> None:
        self._moves, self._mover, self._choices, self._chooser = moves, mover, choices, chooser
        self._samples = samples
        self._device = next(mover.parameters()).device

    def ends(self, start: np.ndarray, actions: Float64[np.ndarray, "T 2"], options: np.ndarray) -> list[float]:
        """Log-likelihood of each option's frame after these actions; holds but the last are played through."""
        here, ends = self._moves.reads.read(start[-1:]), self._moves.reads.read(options)
        holds = _holds(actions)
        for action, span in holds[:-1]:
            here = self._after(here, acted(action[None]), span)
        action, span = holds[-1]
        n = len(ends)
        here = np.repeat(here, n, axis=0)
        told = np.repeat(acted(action[None]), n, axis=0)
        words = self._moves.write(here, np.zeros_like(here), told, np.full(n, span), ends)
        return self._mover.likelihood(words.on(self._device), END_SPREAD_BINS).sum(dim=1).tolist()

    def goals(self, way: np.ndarray, options: np.ndarray) -> list[float]:
        """Log-likelihood of a way under each goal."""
        path, goals = self._moves.reads.read(way), self._moves.reads.read(options)
        steps = len(path) - 1
        found = []
        for goal in goals:
            nothing = np.zeros((steps, 2), dtype=np.int64)
            to = np.repeat(goal[None], steps, axis=0)
            words = self._moves.write(path[:-1], to, nothing, np.ones(steps, dtype=np.int64), path[1:])
            found.append(float(self._mover.likelihood(words.on(self._device), WAY_SPREAD_BINS).sum()))
        return found

    def play(self, start: np.ndarray, goal: np.ndarray, steps: int) -> Played:
        """The likeliest plan to a goal, and some samples."""
        reads, S = self._moves.reads, self._samples
        here = np.repeat(reads.read(start[-1:]), S, axis=0)
        to = np.repeat(reads.read(goal[:1]), S, axis=0)
        place, actions, gaps = reads.places(to), [], []
        noise = gumbel(self._chooser, S, steps)
        for step in range(steps):
            words = self._choices.write(here, to).on(self._device)
            warm = [WARMTH * one[:, step : step + 1] for one in noise]
            action = self._chooser.tell(words, warm)[:, 0].cpu().numpy()
            here = self._after(here, action, 1)
            actions.append(actions_of(action))
            gap = np.linalg.norm(reads.places(here) - place, axis=1)
            gaps.append(np.where(np.isfinite(gap), gap, np.inf))
            if gaps[-1].min() < THERE_PIXELS:
                break
        return Played(actions=np.stack(actions, axis=1), gaps=np.stack(gaps, axis=1))

    def _after(self, here: Moments, action: np.ndarray, span: int) -> Moments:
        n, M = len(here), self._moves.reads.foretold
        words = self._moves.write(here, np.zeros_like(here), action, np.full(n, span)).on(self._device)
        first: Tensor = torch.from_numpy(here[..., :M]).to(words.target)
        return self._moves.carried(here, self._mover.tell(words.put(first), rounds=MOVE_ROUNDS).cpu().numpy())


def _holds(actions: Float64[np.ndarray, "T 2"]) -> list[tuple[np.ndarray, int]]:
    """Equal actions in a row, at most `SPAN` at once."""
    found: list[tuple[np.ndarray, int]] = []
    for action in actions:
        if found and found[-1][1] < SPAN and np.array_equal(found[-1][0], action):
            found[-1] = (action, found[-1][1] + 1)
        else:
            found.append((action, 1))
    return found
