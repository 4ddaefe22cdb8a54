"""Films as words: what was seen up to now, and what is asked of a later moment."""

import numpy as np
from jaxtyping import Float32, Int, UInt8

from monde.bets.corners.states import SCREEN_AT, SLOTS, SOLIDS, THING
from monde.bets.corners.tokens.codes import CELLS, CODES, STAGES, Codebook
from monde.bets.corners.tokens.words import LEFT_OUT, PLACE, Field, Words, bins, places

HORIZON_FRAMES = 42
"""The furthest that is foretold; what is asked beyond is asked of that."""

PAST = (-12, -8, -4, 0)
"""Frames that a picture's history is read at, 0.2 s apart."""

SPEEDS = 258
"""Tokens of a component of velocity, from -128 px/s on, and of none."""

PULLS = 258
"""Tokens of gravity, from -50 px/s² on, and of none."""

SIZES = 66
"""Tokens of a radius, 0.25 px each, and of none."""

LOOKS = 3 * 4**3 + 1
"""Tokens of a shape in one of 64 colours, and of none."""

BOXES = 5
"""Words of boxes: the screen and the first solids."""

ASKED = 12
"""Places asked of one moment while learning."""

_CODE = tuple(Field(size=CODES + 1, stage=stage) for stage in range(STAGES))
_AHEAD = Field(size=HORIZON_FRAMES + 2, ordered=True)


class StateFilms:
    """Of exact states: a word a thing, box and surroundings; asked are things, each after some time."""

    fields = (
        Field(size=SLOTS + 4),
        *(Field(size=PLACE, ordered=True) for _ in "xy"),
        *(Field(size=SPEEDS, ordered=True) for _ in "xy"),
        Field(size=SIZES, ordered=True),
        Field(size=LOOKS),
        Field(size=PULLS, ordered=True),
        _AHEAD,
        *(Field(size=PLACE, ordered=True) for _ in "xy"),
    )
    targets = (Field(size=LOOKS), Field(size=PLACE, ordered=True), Field(size=PLACE, ordered=True))
    chained = False

    def lesson(self, film: Float32[np.ndarray, "T S"], n: int, generator: np.random.Generator) -> Words:
        """n sentences, `ASKED` things each; mostly things that are there."""
        now = generator.integers(0, len(film) - 1, size=n)
        longest = np.minimum(HORIZON_FRAMES, len(film) - 1 - now)
        ahead = 1 + (generator.uniform(size=(n, ASKED)) * longest[:, None]).astype(np.int64)
        there = film[now][:, : SLOTS * THING : THING] > 0
        mostly = generator.uniform(size=(n, ASKED, 1)) < 0.9
        chance = generator.uniform(size=(n, ASKED, SLOTS)) + there[:, None] * mostly
        slots = chance.argmax(axis=-1)
        return self.write(film[now], slots, ahead, film[now[:, None] + ahead])

    def write(
        self,
        now: Float32[np.ndarray, "n S"],
        slots: Int[np.ndarray, "n N"],
        ahead: Int[np.ndarray, "n N"],
        then: Float32[np.ndarray, "n N S"] | None = None,
    ) -> Words:
        """Sentences: things of these slots, so many frames later; and what they are then, where it is known."""
        n = len(now)
        things, pull = self._things(now), bins(now[:, -1], -50.0, 1.0, PULLS)
        context = np.zeros((n, 1 + SLOTS + BOXES, len(self.fields)), dtype=np.int64)
        context[:, 0, 0], context[:, 0, 7] = SLOTS + 1, pull
        context[:, 1 : 1 + SLOTS] = things
        context[:, 1 + SLOTS :] = self._boxes(now)
        asked = np.take_along_axis(things, slots[..., None], axis=1)
        asked[..., 0], asked[..., 7], asked[..., 8] = slots + 1, pull[:, None], np.clip(ahead, 0, HORIZON_FRAMES) + 1
        target = np.full((*slots.shape, 3), LEFT_OUT, dtype=np.int64)
        if then is not None:
            flat = self._things(then.reshape(-1, then.shape[-1]))
            found = flat[np.arange(len(flat)), slots.ravel()].reshape(*slots.shape, -1)
            target[..., 0] = found[..., 6]
            target[..., 1:] = np.where(found[..., :1] > 0, found[..., 1:3], LEFT_OUT)
        return Words.of(context, asked, target)

    def _things(self, now: Float32[np.ndarray, "n S"]) -> Int[np.ndarray, "n slots F"]:
        things = now[:, : SLOTS * THING].reshape(len(now), SLOTS, THING)
        words = np.zeros((len(now), SLOTS, len(self.fields)), dtype=np.int64)
        words[..., 0] = np.arange(SLOTS) + 1
        words[..., 1:3] = places(things[..., 1:3])
        words[..., 3:5] = bins(things[..., 3:5], -128.0, 1.0, SPEEDS)
        words[..., 5] = bins(things[..., 5], 0.0, 4.0, SIZES)
        shades = np.clip(np.rint(things[..., 6:9] * 3), 0, 3).astype(np.int64) @ np.array([16, 4, 1])
        words[..., 6] = 1 + shades + 64 * (things[..., 9] > 0) + 128 * (things[..., 10] > 0)
        return words * (things[..., :1] > 0)

    def _boxes(self, now: Float32[np.ndarray, "n S"]) -> Int[np.ndarray, "n boxes F"]:
        """The screen, and the first solids."""
        solids = now[:, SLOTS * THING : SCREEN_AT].reshape(len(now), SOLIDS, 4)[:, : BOXES - 1]
        edges = np.concatenate([now[:, None, SCREEN_AT + 1 : SCREEN_AT + 5], solids], axis=1)
        words = np.zeros((len(now), BOXES, len(self.fields)), dtype=np.int64)
        words[..., 0] = SLOTS + 2 + (np.arange(BOXES) > 0)
        words[..., 1:3], words[..., 9:11] = places(edges[..., :2]), places(edges[..., 2:])
        return words * (edges != 0).any(axis=-1, keepdims=True)


class SensorFilms:
    """Of pictures as codes: a word a patch with its codes at the moments of `PAST`; asked are all patches later."""

    fields = (Field(size=CELLS + 1), *(_CODE * len(PAST)), _AHEAD)
    targets = _CODE
    chained = True

    def __init__(self, codebook: Codebook) -> None:
        self.codebook = codebook

    def lesson(self, film: UInt8[np.ndarray, "T 3 h w"], n: int, generator: np.random.Generator) -> Words:
        """n sentences; the history is cut off at the film's beginning."""
        now = generator.integers(min(6, len(film) - 2), len(film) - 1, size=n)
        longest = np.minimum(HORIZON_FRAMES, len(film) - 1 - now)
        ahead = 1 + (generator.uniform(size=n) * longest).astype(np.int64)
        return self.moments(film, now, ahead)

    def moments(
        self, film: UInt8[np.ndarray, "T 3 h w"], now: Int[np.ndarray, " n"], ahead: Int[np.ndarray, " n"]
    ) -> Words:
        """Sentences of moments of one film, and what was seen so many frames later."""
        wanted = np.concatenate([np.maximum(now[:, None] + np.array(PAST), 0), (now + ahead)[:, None]], axis=1)
        frames, where = np.unique(wanted, return_inverse=True)
        codes = self.codebook.encode(film[frames])[where.reshape(wanted.shape)]
        return self.write(codes[:, :-1], ahead, codes[:, -1])

    def write(
        self,
        past: Int[np.ndarray, "n P N S"],
        ahead: Int[np.ndarray, " n"],
        then: Int[np.ndarray, "n N S"] | None = None,
    ) -> Words:
        """Sentences of histories, so many frames later; and the codes then, where they are known."""
        n = len(past)
        context = np.zeros((n, CELLS, len(self.fields)), dtype=np.int64)
        context[..., 0] = np.arange(CELLS) + 1
        asked = context.copy()
        asked[..., -1] = np.clip(ahead, 0, HORIZON_FRAMES)[:, None] + 1
        now = len(self.fields) - 1 - STAGES
        context[..., 1:-1] = past.transpose(0, 2, 1, 3).reshape(n, CELLS, -1)
        asked[..., now:-1] = context[..., now:-1]
        target = np.full((n, CELLS, STAGES), LEFT_OUT, dtype=np.int64) if then is None else then
        return Words.of(context, asked, target)
