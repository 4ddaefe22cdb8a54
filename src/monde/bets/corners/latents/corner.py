"""`LatentCorner`: answers through belief, imagination, learned time, actor and readouts, and nothing else."""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from monde.bets.answering import nearest, of_yes, seconds_of
from monde.bets.corners.episodes import ACTING, FILMS
from monde.bets.corners.latents.acting import Acting
from monde.bets.corners.latents.films import Films
from monde.bets.corners.lessons import Taught
from monde.bets.corners.shown import READ, STAGES, Rendering, Shown, shown
from monde.bets.questions.relations import holds
from monde.bets.types import Answer, Question
from monde.errors import MondeError
from monde.models.load import weights_hash
from monde.store.typed import to_json

ERROR_PIXELS = 3.0
"""By so much expected places err, for confidences."""

SURPRISE_SCALE = 0.05
"""So much more contrast makes a film less likely by a factor e, for confidences."""

WASTED_SCALE_BLOCKS = 1.0
"""So many more wasted blocks make a goal less likely by a factor e, for confidences."""


class LatentCorner:
    """One of the two corners of latent prediction.

    Args:
        folder: That `teach_latents` made.
        rendering: What it sees.

    Raises:
        StoreError: It holds no corner, or an altered one.
    """

    def __init__(self, folder: Path, rendering: Rendering) -> None:
        self._rendering = rendering
        self._films = Films(folder / FILMS, rendering)
        self._acting = Acting(folder / ACTING, rendering)
        self._identity: Mapping[str, object] = {
            "contestant": self.name,
            "weights": [weights_hash(folder / FILMS), weights_hash(folder / ACTING)],
            "lesson": to_json(Taught.load(folder).lesson),
        }

    @property
    def name(self) -> str:
        """sensors-latent or state-latent."""
        return f"{self._rendering}-latent"

    @property
    def identity(self) -> Mapping[str, object]:
        """Weights, and what they were taught with."""
        return self._identity

    def answer(self, question: Question) -> Answer:
        """Its answer; of puzzles and of language alone it can read nothing."""
        began = time.perf_counter()
        ask = str(question.about.get("ask"))
        if ask not in READ:
            return Answer(question=question.id, failure="cannot-read", note="its episodes hold nothing like it")
        try:
            made = self._answer(question, ask, shown(question, self._rendering))
        except MondeError as error:
            made = Answer(question=question.id, failure="error", note=error.what)
        return replace(made, seconds=time.perf_counter() - began)

    def _answer(self, question: Question, ask: str, seen: Shown) -> Answer:
        if ask == "possible":
            assert seen.second is not None
            surprised = np.array([self._films.surprise(film) for film in (seen.film, seen.second)])
            return nearest(question, surprised, SURPRISE_SCALE)
        if ask in STAGES:
            return self._acted(question, ask, seen)
        if ask == "cause":
            return self._cause(question, seen)
        expected = self._films.expected(seen.film, seconds_of(question))
        if ask == "places":
            assert seen.options is not None
            thought = np.stack([expected.places[name] for name in seen.names])
            gaps = np.linalg.norm(self._films.places(seen.options, seen.names) - thought, axis=-1).sum(axis=1)
            return nearest(question, gaps, ERROR_PIXELS)
        if ask == "coordinate":
            axis = "xy".index(str(question.about["axis"]))
            return Answer(question=question.id, number=float(expected.places[seen.names[0]][axis]), confidence=0.5)
        if ask == "hidden-by":
            if not expected.noticed[seen.names[0]]:  # it is there, and nothing else could have hidden it all the time
                return of_yes(question, ERROR_PIXELS, ERROR_PIXELS)
            x0, y0, x1, y1 = expected.screen
            (x, y), radius = expected.places[seen.names[0]], 0.8 * expected.radii[seen.names[0]]
            return of_yes(question, min(x - radius - x0, x1 - x - radius, y - y0, y1 - y), ERROR_PIXELS)
        places = np.stack([expected.places[name] for name in seen.names])
        return of_yes(question, holds(ask, places), ERROR_PIXELS)

    def _cause(self, question: Question, seen: Shown) -> Answer:
        discs = question.about["discs"]
        assert isinstance(discs, list)
        gaps = self._films.causes(seen.film, seconds_of(question), seen.names[0], [str(name) for name in discs])
        return nearest(question, gaps, ERROR_PIXELS)

    def _acted(self, question: Question, ask: str, seen: Shown) -> Answer:
        if ask == "after-actions":
            assert seen.options is not None
            assert seen.actions is not None
            end = self._acting.after(seen.film, seen.actions)
            gaps = np.linalg.norm(self._acting.places(seen.options) - end, axis=-1)
            return nearest(question, gaps, ERROR_PIXELS)
        if ask == "goal":
            assert seen.options is not None
            return nearest(question, self._acting.wasted(seen.film, seen.options), WASTED_SCALE_BLOCKS)
        assert seen.goal is not None
        if ask == "reachable":
            return of_yes(question, self._acting.reachable(seen.film, seen.goal) - 0.5, 0.1)
        steps = self._acting.plan(seen.film, seen.goal, question.rows)
        rows = tuple((float(ax), float(ay), 1.0) for ax, ay in np.clip(steps, -1, 1))
        return Answer(question=question.id, plan=rows, confidence=0.5)


def open_latents(folder: Path, rendering: Rendering) -> LatentCorner:
    """The corner that `teach_latents` made."""
    return LatentCorner(folder, rendering)
