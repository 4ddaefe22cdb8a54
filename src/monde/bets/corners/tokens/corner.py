"""`TokenCorner`: a contestant that answers by the likelihood of each candidate under its predictors."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

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
from monde.errors import MondeError
from monde.store.typed import to_json

SURE_PIXELS = 3.0
"""A relation is likely (73%) that holds by so many px; how far a cause must move a disc, likewise."""

REACH_STEPS = 70
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

    @property
    def taught(self) -> Taught:
        """What its teaching took."""
        return self._taught

    def answer(self, question: Question) -> Answer:
        """The likeliest candidate, or what is foreseen; what it does not read is a failure."""
        began = time.perf_counter()
        rule = _RULES.get(str(question.about.get("ask")))
        try:
            if rule is None:
                made = _unread(question, "neither a film nor acting")
            else:
                made = rule(self, question, shown(question, self._rendering))
        except (MondeError, KeyError, ValueError, IndexError, RuntimeError) as error:
            made = _unread(question, f"{type(error).__name__}: {error}"[:200])
        return replace(made, seconds=time.perf_counter() - began)

    def _options(self, question: Question, seen: Shown) -> Answer:
        return _likeliest(question, self._films.options(seen, _seconds(question)))

    def _coordinate(self, question: Question, seen: Shown) -> Answer:
        place = self._films.places(seen, _seconds(question), [str(question.about["disc"])])[0]
        value = float(place["xy".index(str(question.about["axis"]))])
        return Answer(question=question.id, number=value, confidence=0.5)

    def _relation(self, question: Question, seen: Shown) -> Answer:
        names, ask = _discs(question), str(question.about["ask"])
        margin = holds(ask, self._films.places(seen, _seconds(question), names))
        return _yes(question, float(1 / (1 + np.exp(-margin / SURE_PIXELS))))

    def _hidden(self, question: Question, seen: Shown) -> Answer:
        return _yes(question, self._films.hidden(seen, _seconds(question), _discs(question)[0]))

    def _cause(self, question: Question, seen: Shown) -> Answer:
        subject, seconds = str(question.about["disc"]), _seconds(question)
        moved = self._films.changed(seen, seconds, subject, _discs(question))
        return _likeliest(question, [far / SURE_PIXELS for far in moved])

    def _possible(self, question: Question, seen: Shown) -> Answer:
        second = seen.film if seen.second is None else seen.second
        return _likeliest(question, [self._films.film(seen.film), self._films.film(second)])

    def _after(self, question: Question, seen: Shown) -> Answer:
        actions = np.zeros((0, 2)) if seen.actions is None else seen.actions
        return _likeliest(question, self._player.ends(seen.film, actions, _frames(seen)))

    def _goal(self, question: Question, seen: Shown) -> Answer:
        return _likeliest(question, self._player.goals(seen.film, _frames(seen)))

    def _plan(self, question: Question, seen: Shown) -> Answer:
        goal = seen.film[-1:] if seen.goal is None else seen.goal
        played = self._player.play(seen.film, goal, question.rows)
        best = played.best
        rows = tuple((float(ax), float(ay), 1.0) for ax, ay in played.actions[best])
        return Answer(question=question.id, plan=rows, confidence=_near(float(played.gaps[best].min())))

    def _reachable(self, question: Question, seen: Shown) -> Answer:
        goal = seen.film[-1:] if seen.goal is None else seen.goal
        return _yes(question, _near(float(self._player.play(seen.film, goal, REACH_STEPS).gaps.min())))


def open_tokens(folder: Path) -> TokenCorner:
    """The corner that `teach_tokens` wrote.

    Raises:
        StoreError: Missing, altered since it was written, or of another kind.
    """
    return TokenCorner(*kept(folder))


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


def _unread(question: Question, note: str) -> Answer:
    return Answer(question=question.id, failure="cannot-read", note=note)


def _likeliest(question: Question, scores: list[float]) -> Answer:
    """The option of the highest log-likelihood; softmax over the options is its confidence."""
    log = np.nan_to_num(np.array(scores, dtype=np.float64), nan=-1e9)
    chance = np.exp(log - log.max())
    chance /= chance.sum()
    return Answer(question=question.id, choice=int(log.argmax()), confidence=float(min(1.0, chance.max())))


def _yes(question: Question, chance: float) -> Answer:
    choice = question.options.index("yes" if chance >= 0.5 else "no")
    return Answer(question=question.id, choice=choice, confidence=max(chance, 1 - chance))


def _near(gap_pixels: float) -> float:
    """Probability that a foreseen plan arrives, by how near it comes."""
    return float(1 / (1 + np.exp(min(50.0, gap_pixels - CONFIG.success_pixels))))


def _seconds(question: Question) -> float:
    return float(str(question.about["seconds"]))


def _discs(question: Question) -> list[str]:
    discs = question.about["discs"]
    return [str(name) for name in discs] if isinstance(discs, list) else []


def _frames(seen: Shown) -> np.ndarray:
    return seen.film[:0] if seen.options is None else seen.options
