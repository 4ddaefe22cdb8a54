"""Teaching a corner of token prediction within a budget of FLOPs: codebooks first, then three predictors.

Films take `FILMS_SHARE` of it; of the rest, `MOVES_SHARE` goes to moves and what is left to choices.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from monde.bets.corners.episodes import Episodes
from monde.bets.corners.lessons import FILMS_SHARE, Data, Lesson, Progress, Stopwatch, Taught, counted
from monde.bets.corners.shown import Rendering
from monde.bets.corners.tokens.acting import Choices, Moves, SensorReads, StateReads
from monde.bets.corners.tokens.codes import CODES, ROUNDS, Codebook, learn_codebook
from monde.bets.corners.tokens.films import SensorFilms, StateFilms
from monde.bets.corners.tokens.keeping import Parts, keep
from monde.bets.corners.tokens.predictor import Predictor, PredictorConfig
from monde.bets.corners.tokens.words import Words
from monde.data import open_recording
from monde.errors import UsageError
from monde.protocols import Recording
from monde.training.schedule import learning_rate

MOVES_SHARE = 0.7
"""Of what acting takes, so much goes to moves."""

CODEBOOK_SHARE = 0.05
"""Of films, and of the rest; at most."""

MOST_PATCHES = 32768
"""That a codebook is learned from."""

PATCH_FLOPS = 300_000.0
"""About what learning a codebook takes for each patch."""

LEARNING_RATE = 2e-3
"""The usual one, at its peak."""

WEIGHT_DECAY = 0.01
"""Of AdamW."""

WARMUP_SHARE = 0.05
"""Of the steps, over which the rate rises to its peak."""

CLIP_NORM = 1.0
"""Gradients are no longer than that."""

CODEBOOK_FRAMES = 400
"""That its patches are drawn from, four an episode."""

Draw = Callable[[int, int], Words]
"""Sentences of an episode: its number, and how many."""

_STATE_SIZES, _SENSOR_SIZES, _STATE_ACTING_SIZES = (4, 32), (3, 8), (2, 128)
"""Layers of the transformer, and sentences of a batch."""


def teach_tokens(
    episodes: Episodes, out: Path, rendering: Rendering, lesson: Lesson, progress: Progress | None = None
) -> Taught:
    """Teach the corner of a rendering; `out` appears complete or not at all.

    Args:
        episodes: Both recordings.
        out: Folder to write.
        rendering: sensors or state.
        lesson: Budget, learning rate, episodes and seed.
        progress: Told what is being done.

    Returns:
        What it took; all FLOPs together are the budget, to a sentence.

    Raises:
        UsageError: The budget does not reach for one sentence of each part.
        DataError: A recording is missing or malformed.
        StoreError: `out` exists, or the disk is full or read-only.
    """
    data, watch = Data.of(episodes), Stopwatch()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(lesson.seed)
        course = _Course(lesson, rendering, progress)
        films, films_codes = course.films(open_recording(episodes.films), lesson.flops * FILMS_SHARE)
        left = lesson.flops - sum(course.flops.values())
        moves, choices, acting_codes = course.acting(open_recording(episodes.acting), left)
    taught = Taught(lesson=lesson, flops=course.flops, steps=course.steps, cpu_seconds=watch.seconds, data=data)
    parts = Parts(films=films, moves=moves, choices=choices, films_codes=films_codes, acting_codes=acting_codes)
    keep(out, rendering, parts, taught)
    return taught


class _Course:
    """One teaching: what was spent so far, and what draws."""

    def __init__(self, lesson: Lesson, rendering: Rendering, progress: Progress | None) -> None:
        self.lesson, self.rendering, self.progress = lesson, rendering, progress
        self.flops, self.steps = dict[str, float](), dict[str, int]()
        self.generator = torch.Generator().manual_seed(lesson.seed)
        self.draws = np.random.default_rng([lesson.seed, 0x70C])

    def films(self, recording: Recording, budget: float) -> tuple[Predictor, Codebook | None]:
        numbers = self._numbers(recording)
        codes = self._codebook("films", recording, numbers, budget)
        scribe = StateFilms() if codes is None else SensorFilms(codes)

        def draw(number: int, n: int) -> Words:
            film, _ = _episode(recording, number, self.rendering)
            return scribe.lesson(film, n, self.draws)

        sizes = _STATE_SIZES if codes is None else _SENSOR_SIZES
        config = PredictorConfig(fields=scribe.fields, targets=scribe.targets, chained=scribe.chained, layers=sizes[0])
        left = budget - sum(self.flops.values())
        return self._taught("films", config, codes, draw, numbers, left, sizes[1]), codes

    def acting(self, recording: Recording, budget: float) -> tuple[Predictor, Predictor, Codebook | None]:
        numbers, before = self._numbers(recording), sum(self.flops.values())
        codes = self._codebook("acting", recording, numbers, budget)
        left = budget - (sum(self.flops.values()) - before)
        reads = StateReads() if codes is None else SensorReads(codes)
        found = []
        sizes = _STATE_ACTING_SIZES if codes is None else _SENSOR_SIZES
        scribes: list[tuple[str, Moves | Choices, float, list[int]]] = [
            ("moves", Moves(reads), MOVES_SHARE, numbers),
            ("choices", Choices(reads), 1.0, [number for number in numbers if number % 2 == 0]),
        ]
        for name, scribe, share, of in scribes:

            def draw(number: int, n: int, scribe: Moves | Choices = scribe) -> Words:
                frames, actions = _episode(recording, number, self.rendering)
                return scribe.lesson(frames, actions, number % 2 == 0, n, self.draws)

            config = PredictorConfig(
                fields=scribe.fields, targets=scribe.targets, chained=scribe.chained, layers=sizes[0]
            )
            before = sum(self.flops.values())
            found.append(self._taught(name, config, codes, draw, of, left * share, sizes[1]))
            left -= sum(self.flops.values()) - before
        return found[0], found[1], codes

    def _numbers(self, recording: Recording) -> list[int]:
        count = len(recording.lengths)
        return list(range(min(count, self.lesson.episodes) if self.lesson.episodes else count))

    def _codebook(self, name: str, recording: Recording, numbers: list[int], budget: float) -> Codebook | None:
        """Of some frames of some episodes; none of exact states."""
        if self.rendering == "state":
            return None
        patches = int(min(MOST_PATCHES, max(2 * CODES, budget * CODEBOOK_SHARE / PATCH_FLOPS)))
        frames = []
        for number in self.draws.permutation(numbers)[: CODEBOOK_FRAMES // 4]:
            film, _ = _episode(recording, int(number), self.rendering)
            frames.append(film[self.draws.integers(0, len(film), size=4)])
        codes, spent = counted(lambda: learn_codebook(np.concatenate(frames), patches, self.generator))
        self.flops[f"{name}-codes"], self.steps[f"{name}-codes"] = spent, ROUNDS
        return codes

    def _taught(
        self,
        name: str,
        config: PredictorConfig,
        codes: Codebook | None,
        draw: Draw,
        numbers: list[int],
        budget: float,
        batch: int,
    ) -> Predictor:
        """A predictor that took its whole budget: full batches, and a last one of what is left."""
        predictor = Predictor(config, None if codes is None else codes.centroids)
        sample, writing = counted(lambda: draw(numbers[0], batch))
        _, step = counted(lambda: predictor.loss(sample.on(torch.device("cpu"))).backward())
        predictor.zero_grad()
        each = (writing + step) / batch
        sentences = int(budget / each)
        if sentences < 1:
            remedy = "give it more FLOPs"
            raise UsageError(
                f"nothing can be learned of {name}", got=f"{budget:.3g} FLOPs", expected=each, remedy=remedy
            )
        words = _drawn(draw, numbers, sentences, self.draws)
        if self.progress is not None:
            self.progress(f"{name}, {-(-len(words) // batch)} steps")
        self.steps[name] = _descend(predictor, words, batch, self.lesson.rate)
        self.flops[name] = each * sentences
        return predictor.eval()


def _drawn(draw: Draw, numbers: list[int], sentences: int, generator: np.random.Generator) -> Words:
    """Evenly from all episodes, in random order."""
    counts = np.bincount(generator.permutation(np.arange(sentences) % len(numbers)), minlength=len(numbers))
    order = generator.permutation(len(numbers))
    words = Words.joined([draw(numbers[k], int(counts[k])) for k in order if counts[k] > 0])
    return words.take(torch.from_numpy(generator.permutation(len(words))))


def _descend(predictor: Predictor, words: Words, batch: int, rate: float) -> int:
    """AdamW (arXiv 1711.05101) over each sentence once; returns the steps."""
    device = next(predictor.parameters()).device
    optimiser = torch.optim.AdamW(predictor.parameters(), weight_decay=WEIGHT_DECAY, betas=(0.9, 0.98))
    steps = -(-len(words) // batch)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(rate * LEARNING_RATE, step, int(WARMUP_SHARE * steps) + 1, step / steps)
        loss = predictor.loss(words.take(slice(step * batch, (step + 1) * batch)).on(device))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(predictor.parameters(), CLIP_NORM)
        optimiser.step()
    return steps


def _episode(recording: Recording, number: int, rendering: Rendering) -> tuple[np.ndarray, np.ndarray]:
    """Frames and actions [T - 1, 2] of an episode; no actions of films."""
    sensor = "top" if rendering == "sensors" else "state"
    clip = recording.read(number, 0, recording.lengths[number], [sensor])
    frames = clip.streams[sensor].values[0].numpy()
    actions = np.zeros((len(frames) - 1, 0)) if clip.actions is None else clip.actions.values[0].numpy()
    return frames, actions[: len(frames) - 1]
