"""Acting as words: moves (what follows an action, or a step of a walk to a goal) and choices (what a walker does).

As in trajectory transformers (arXiv 2106.02039) states, goals and actions are tokens of one kind; a step of either is a
sentence of its own, for where the disc is tells all that matters.
"""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Float32, Float64, Int, UInt8

from monde.bets.corners.tokens.codes import CELLS, CODES, STAGES, Codebook
from monde.bets.corners.tokens.words import LEFT_OUT, PLACE, Field, Words, bins, pixels, places
from monde.bets.questions.acting import HOLD_STEPS
from monde.bets.sensing import spots
from monde.worlds.drawing import AGENT

PER_ACTION = 20
"""Bins of a component of an action, in one."""

ACTIONS = 2 * PER_ACTION + 2
"""Tokens of such a component, nothing among them."""

SPAN = HOLD_STEPS
"""Steps of one move, at most."""

DOORS = 66
"""Tokens of a door's height, px, and of none."""

Moments = Int[np.ndarray, "n N K"]
"""Tokens of frames: N cells of K fields."""


@runtime_checkable
class Reads(Protocol):
    """How frames of one rendering are tokens [n, N, K]: N cells of K fields, the first M of them foretold."""

    @property
    def cells(self) -> int:
        """N."""
        ...

    @property
    def frame(self) -> tuple[Field, ...]:
        """Fields of a cell, K."""
        ...

    @property
    def foretold(self) -> int:
        """M."""
        ...

    def read(self, frames: np.ndarray) -> Moments:
        """Tokens of frames."""
        ...

    def places(self, moments: Moments) -> Float64[np.ndarray, "n 2"]:
        """Where the disc is, px; NaN where it is nowhere."""
        ...


class StateReads:
    """Exact states: one cell of x, y and door."""

    cells = 1
    frame = (Field(size=PLACE, ordered=True), Field(size=PLACE, ordered=True), Field(size=DOORS, ordered=True))
    foretold = 2

    def read(self, frames: Float32[np.ndarray, "n 4"]) -> Moments:
        """Tokens of frames; no door is nothing."""
        door = bins(frames[:, 3:], 0.0, 1.0, DOORS) * (frames[:, 2:3] > 0)
        return np.concatenate([places(frames[:, :2]), door], axis=1)[:, None]

    def places(self, moments: Moments) -> Float64[np.ndarray, "n 2"]:
        """Bins, px."""
        return pixels(moments[:, 0, :2])


class SensorReads:
    """Pictures: 64 cells of two codes.

    Args:
        codebook: Of these pictures.
    """

    cells = CELLS
    frame = tuple(Field(size=CODES + 1, stage=stage) for stage in range(STAGES))
    foretold = STAGES

    def __init__(self, codebook: Codebook) -> None:
        self.codebook = codebook

    def read(self, frames: UInt8[np.ndarray, "n 3 h w"]) -> Moments:
        """Codes of frames."""
        return self.codebook.encode(frames)

    def places(self, moments: Moments) -> Float64[np.ndarray, "n 2"]:
        """Centroids of the disc's colour."""
        return spots(self.codebook.decode(moments), AGENT)[0]


class Moves:
    """What a moment becomes after an action was held for some steps, or (no action) on the way to a goal.

    Args:
        reads: Of the rendering.
    """

    def __init__(self, reads: Reads) -> None:
        self.reads = reads
        action = Field(size=ACTIONS, ordered=True)
        self.fields = (
            *(Field(size=reads.cells + 1), *reads.frame, *reads.frame),
            *(action, action, Field(size=SPAN + 1, ordered=True)),
        )
        self.targets = reads.frame[: reads.foretold]
        self.chained = reads.cells > 1

    def lesson(
        self,
        frames: np.ndarray,
        actions: Float[np.ndarray, "T 2"],
        walk: bool,
        n: int,
        generator: np.random.Generator,
    ) -> Words:
        """n sentences of one episode: of walks half with their goal instead of the action."""
        if walk:
            span = np.ones(n, dtype=np.int64)
            now = generator.integers(0, len(actions), size=n)
            blind = generator.uniform(size=n) < 0.6
        else:
            hold, inside = generator.integers(0, len(actions) // SPAN, size=n), generator.integers(0, SPAN, size=n)
            inside = inside * (generator.uniform(size=n) < 0.5)
            span = np.where(generator.uniform(size=n) < 0.6, SPAN - inside, 1)
            now, blind = hold * SPAN + inside, np.zeros(n, dtype=np.bool_)
        last = np.full(n, len(frames) - 1)
        seen, where = np.unique(np.stack([now, now + span, last]), return_inverse=True)
        here, then, goal = self.reads.read(frames[seen])[where.reshape(3, n)]
        told = np.where(blind[:, None], 0, acted(actions[now]))
        return self.write(here, np.where(blind[:, None, None], goal, 0), told, span, then)

    def write(
        self,
        here: Moments,
        goal: Moments,
        action: Int[np.ndarray, "n 2"],
        span: Int[np.ndarray, " n"],
        then: Moments | None = None,
    ) -> Words:
        """Sentences: moments, goals or nothing, actions or nothing, steps; and what follows, where it is known."""
        context = _known(self.reads, here, goal, len(self.fields))
        asked = context.copy()
        asked[..., -3:-1], asked[..., -1] = action[:, None], span[:, None]
        shape = (len(here), self.reads.cells, self.reads.foretold)
        target = np.full(shape, LEFT_OUT) if then is None else then[..., : self.reads.foretold]
        return Words.of(context, asked, target)

    def carried(self, here: Moments, told: Int[np.ndarray, "n N M"]) -> Moments:
        """The next moments: what was told, and what stays as it is."""
        return np.concatenate([told, here[..., self.reads.foretold :]], axis=-1)


class Choices:
    """What a walker does at a moment on its way to a goal.

    Args:
        reads: Of the rendering.
    """

    targets = (Field(size=ACTIONS, ordered=True), Field(size=ACTIONS, ordered=True))
    chained = False

    def __init__(self, reads: Reads) -> None:
        self.reads = reads
        self.fields = (Field(size=reads.cells + 2), *reads.frame, *reads.frame)

    def lesson(
        self,
        frames: np.ndarray,
        actions: Float[np.ndarray, "T 2"],
        walk: bool,
        n: int,
        generator: np.random.Generator,
    ) -> Words:
        """n sentences of a walk; of an episode that is none, its moments with no action asked."""
        now = generator.integers(0, len(actions), size=n)
        seen, where = np.unique(np.stack([now, np.full(n, len(frames) - 1)]), return_inverse=True)
        here, goal = self.reads.read(frames[seen])[where.reshape(2, n)]
        return self.write(here, goal, acted(actions[now]) if walk else None)

    def write(self, here: Moments, goal: Moments, action: Int[np.ndarray, "n 2"] | None = None) -> Words:
        """Sentences: moments and goals; and the actions taken, where they are known."""
        context = _known(self.reads, here, goal, len(self.fields))
        asked = np.zeros((len(here), 1, len(self.fields)), dtype=np.int64)
        asked[..., 0] = self.reads.cells + 1
        if self.reads.cells == 1:
            asked[..., 1:] = context[..., 1:]
        target = np.full((len(here), 1, 2), LEFT_OUT) if action is None else action[:, None]
        return Words.of(context, asked, target)


def acted(actions: Float[np.ndarray, "n 2"]) -> Int[np.ndarray, "n 2"]:
    """Tokens of actions."""
    return bins(actions, -1.0, PER_ACTION, ACTIONS)


def actions_of(tokens: Int[np.ndarray, "n 2"]) -> Float64[np.ndarray, "n 2"]:
    """Actions of tokens."""
    return np.clip((np.maximum(tokens, 1) - 1) / PER_ACTION - 1.0, -1, 1)


def _known(reads: Reads, here: Moments, goal: Moments, fields: int) -> Int[np.ndarray, "n N F"]:
    K = len(reads.frame)
    words = np.zeros((len(here), reads.cells, fields), dtype=np.int64)
    words[..., 0] = np.arange(reads.cells) + 1
    words[..., 1 : 1 + K], words[..., 1 + K : 1 + 2 * K] = here, goal
    return words
