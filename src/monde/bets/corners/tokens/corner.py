"""`TokenCorner`: a contestant that answers by the likelihood of each candidate under its predictors."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from monde.bets.answering import by_chance, chance_of, likeliest, of_yes, seconds_of
from monde.bets.corners.lessons import Taught
from monde.bets.corners.shown import Rendering, Shown, shown
from monde.bets.corners.tokens.acting import Choices, Moves, Reads, SensorReads, StateReads
from monde.bets.corners.tokens.films import SensorFilms
from monde.bets.corners.tokens.foresight import Foresees, SensorForesight, StateForesight
from monde.bets.corners.tokens.keeping import Parts, kept
from monde.bets.corners.tokens.playing import Player
from monde.bets.questions.relations import holds
from monde.bets.questions.stage import CONFIG
from monde.bets.types import Answer, Question
from monde.errors import MondeError, StoreError
from monde.store.typed import to_json

SURE_PIXELS = 3.0
"""A relation is likely (73%) that holds by so many px; how far a cause must move a disc, likewise."""

REACH_STEPS = 70
"""Steps in which a plan that is played must come to a goal for it to be within reach."""

PLANS: Mapping[Rendering, int] = {"state": 8, "sensors": 1}
"""Plans that are played; the first is the likeliest, the rest are samples."""


class TokenCorner:
    """See the module.

    Args:
        rendering: What it reads.
        parts: Its predictors and codebooks.
        taught: What its teaching took.
        weights: Hash of all its weights.
    """

    def __init__(self, rendering: Rendering, parts: Parts, taught: Taught, weights: str) -> None:
        self._rendering, self._taught, self._weights = rendering, taught, weights
        reads: Reads = StateReads() if parts.acting_codes is None else SensorReads(parts.acting_codes)
        codes = parts.films_codes
        self._films: Foresees = (
            StateForesight(parts.films) if codes is None else SensorForesight(parts.films, SensorFilms(codes))
        )
        self._player = Player(Moves(reads), parts.moves, Choices(reads), parts.choices, samples=PLANS[rendering])

    @property
    def name(self) -> str:
        """Of its rendering."""
        return f"{self._rendering}-tokens"

    @property
    def identity(self) -> Mapping[str, object]:
        """Its weights, and the lesson that they are from."""
        return {"contestant": self.name, "weights": self._weights, "lesson": to_json(self._taught.lesson)}

    def answer(self, question: Question) -> Answer:
        """The likeliest candidate, or what is foreseen; of puzzles and of language alone it can read nothing."""
        began = time.perf_counter()
        rule = _RULES.get(str(question.about.get("ask")))
        if rule is None:
            return Answer(question=question.id, failure="cannot-read", note="its episodes hold nothing like it")
        try:
            made = rule(self, question, shown(question, self._rendering))
        except MondeError as error:
            made = Answer(question=question.id, failure="error", note=error.what)
        return replace(made, seconds=time.perf_counter() - began)

    def _options(self, question: Question, seen: Shown) -> Answer:
        return _best(question, self._films.options(seen, seconds_of(question)))

    def _coordinate(self, question: Question, seen: Shown) -> Answer:
        place = self._films.places(seen, seconds_of(question), [str(question.about["disc"])])[0]
        value = float(place["xy".index(str(question.about["axis"]))])
        return Answer(question=question.id, number=value, confidence=0.5)

    def _relation(self, question: Question, seen: Shown) -> Answer:
        names, ask = _discs(question), str(question.about["ask"])
        return of_yes(question, holds(ask, self._films.places(seen, seconds_of(question), names)), SURE_PIXELS)

    def _hidden(self, question: Question, seen: Shown) -> Answer:
        return by_chance(question, self._films.hidden(seen, seconds_of(question), _discs(question)[0]))

    def _cause(self, question: Question, seen: Shown) -> Answer:
        subject, seconds = str(question.about["disc"]), seconds_of(question)
        moved = self._films.changed(seen, seconds, subject, _discs(question))
        return _best(question, [far / SURE_PIXELS for far in moved])

    def _possible(self, question: Question, seen: Shown) -> Answer:
        assert seen.second is not None
        return _best(question, [self._films.film(seen.film), self._films.film(seen.second)])

    def _after(self, question: Question, seen: Shown) -> Answer:
        assert seen.options is not None
        assert seen.actions is not None
        return _best(question, self._player.ends(seen.film, seen.actions, seen.options))

    def _goal(self, question: Question, seen: Shown) -> Answer:
        assert seen.options is not None
        return _best(question, self._player.goals(seen.film, seen.options))

    def _plan(self, question: Question, seen: Shown) -> Answer:
        assert seen.goal is not None
        played = self._player.play(seen.film, seen.goal, question.rows)
        best = played.best
        rows = tuple((float(ax), float(ay), 1.0) for ax, ay in played.actions[best])
        return Answer(question=question.id, plan=rows, confidence=_near(float(played.gaps[best].min())))

    def _reachable(self, question: Question, seen: Shown) -> Answer:
        assert seen.goal is not None
        return by_chance(question, _near(float(self._player.play(seen.film, seen.goal, REACH_STEPS).gaps.min())))


def open_tokens(folder: Path, rendering: Rendering) -> TokenCorner:
    """The corner that `teach_tokens` wrote.

    Raises:
        StoreError: Missing, altered since it was written, of another kind or another rendering.
    """
    reads, parts, taught, weights = kept(folder)
    if reads != rendering:
        remedy = "open the corner by its own name"
        raise StoreError(f"{folder} reads another rendering", got=reads, expected=rendering, remedy=remedy)
    return TokenCorner(reads, parts, taught, weights)


Rule = Callable[[TokenCorner, Question, Shown], Answer]

_RULES: Mapping[str, Rule] = {
    "places": TokenCorner._options,
    "coordinate": TokenCorner._coordinate,
    "left-of": TokenCorner._relation,
    "above": TokenCorner._relation,
    "nearer": TokenCorner._relation,
    "hidden-by": TokenCorner._hidden,
    "cause": TokenCorner._cause,
    "possible": TokenCorner._possible,
    "after-actions": TokenCorner._after,
    "goal": TokenCorner._goal,
    "plan": TokenCorner._plan,
    "reachable": TokenCorner._reachable,
}


def _best(question: Question, scores: list[float]) -> Answer:
    return likeliest(question, np.array(scores, dtype=np.float64))


def _near(gap_pixels: float) -> float:
    """Probability that a foreseen plan arrives, by how near it comes; none where the disc is lost from sight."""
    return chance_of(CONFIG.success_pixels - gap_pixels)


def _discs(question: Question) -> list[str]:
    discs = question.about["discs"]
    assert isinstance(discs, list)
    return [str(name) for name in discs]
