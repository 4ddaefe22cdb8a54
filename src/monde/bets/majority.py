"""`Majority`: the floor that answers what was most often right in a training set."""

from collections import Counter
from collections.abc import Mapping
from statistics import median

from monde.bets.files import QuestionSet
from monde.bets.types import Answer, Question


class Majority:
    """Most frequent place of the right option, or text of it where options have a fixed wording; median of numbers.

    Args:
        training: A set of the train split.
    """

    name = "majority"

    def __init__(self, training: QuestionSet) -> None:
        self._hash = training.content_hash
        truths = training.truths()
        said: dict[str, Counter[str]] = {}
        places: dict[str, Counter[int]] = {}
        numbers: dict[str, list[float]] = {}
        for question in training.questions(sensors=False):
            truth = truths[question.id]
            if truth.choice is not None:
                said.setdefault(question.family, Counter())[question.options[truth.choice]] += 1
                places.setdefault(question.family, Counter())[truth.choice] += 1
            elif truth.number is not None:
                numbers.setdefault(question.family, []).append(truth.number)
        self._said, self._places = said, places
        self._median = {family: median(of) for family, of in numbers.items()}

    @property
    def identity(self) -> Mapping[str, object]:
        """What it was fitted on."""
        return {"contestant": self.name, "training": self._hash}

    def answer(self, question: Question) -> Answer:
        """The most frequent; there is none of plans."""
        if question.kind == "choice" and question.family in self._said:
            counts = [self._said[question.family][option] for option in question.options]
            if max(counts) > 1:
                return Answer(question=question.id, choice=counts.index(max(counts)))
            best = self._places[question.family].most_common(1)[0][0]
            return Answer(question=question.id, choice=min(best, len(question.options) - 1))
        if question.kind == "number" and question.family in self._median:
            return Answer(question=question.id, number=self._median[question.family])
        return Answer(question=question.id, failure="cannot-read", note="there is no majority of plans")
