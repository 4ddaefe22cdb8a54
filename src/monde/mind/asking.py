"""`Mind`: a trained run that answers questions."""

from pathlib import Path
from typing import Self

import numpy as np
import torch

from monde.mind import causes, futures, purposes, reaching, surprises
from monde.mind.answers import (
    Answer,
    CompareAnswer,
    ExplainAnswer,
    GoalOfAnswer,
    ImagineAnswer,
    PerceiveAnswer,
    PlanAnswer,
    StateAnswer,
    SurpriseAnswer,
    UpdateAnswer,
)
from monde.mind.beliefs import Beliefs, Held
from monde.mind.faculties import Faculties, Progress, open_faculties
from monde.mind.requests import (
    CompareRequest,
    ExplainRequest,
    GoalOfRequest,
    ImagineRequest,
    PerceiveRequest,
    PlanRequest,
    Request,
    StateRequest,
    SurpriseRequest,
    UpdateRequest,
)
from monde.mind.senses import clip_of, course_blocks
from monde.mind.trusting import of_states
from monde.mind.values import Observed


class Mind:
    """Answers questions about the world that a run was trained on; each answer says how far it can be trusted.

    The first time a run is asked, its recording is looked through for what is familiar, usual and can be read; what is
    learned is kept in the run (mind/, and readouts/decoder where there was none), and the recording is needed no more.
    Questions may be asked from several threads; none changes what another is answered.

    Args:
        run: Run folder.
        planner: What searches; see `monde.recipes.strategy`.
        cost: What it minimises.
        device: "auto", "cpu", "cuda", …
        progress: Told while a run is looked through.

    Raises:
        StoreError: Not a run, or parts of it that were altered or belong to other weights.
        UsageError: A planner that the run has no parts for.
    """

    def __init__(
        self,
        run: Path | str,
        *,
        planner: str = "auto",
        cost: str = "auto",
        device: str = "auto",
        progress: Progress | None = None,
    ) -> None:
        self._think_with(open_faculties(Path(run), planner, cost, device, progress))

    @classmethod
    def of(cls, faculties: Faculties) -> Self:
        """A mind of faculties that are open already: those of another with a part exchanged, say."""
        mind = cls.__new__(cls)
        mind._think_with(faculties)
        return mind

    def _think_with(self, faculties: Faculties) -> None:
        self.faculties = faculties
        model = faculties.model
        with torch.no_grad():
            nothing = {
                s.name: np.zeros((1, *s.shape), np.uint8 if s.kind == "rgb" else np.float32) for s in model.sensors
            }
            like = model.begin(clip_of(model, Observed(sensors=nothing)))
        self.beliefs = Beliefs(faculties.of, model.device, like)

    def ask(self, request: Request) -> Answer:
        """The answer to a request of any kind; raises as the verb's own method."""
        match request:
            case PerceiveRequest():
                return self.perceive(request)
            case UpdateRequest():
                return self.update(request)
            case ImagineRequest():
                return self.imagine(request)
            case CompareRequest():
                return self.compare(request)
            case PlanRequest():
                return self.plan(request)
            case SurpriseRequest():
                return self.surprise(request)
            case ExplainRequest():
                return self.explain(request)
            case GoalOfRequest():
                return self.goal_of(request)
            case StateRequest():
                return self.state(request)

    @torch.no_grad()
    def perceive(self, request: PerceiveRequest) -> PerceiveAnswer:
        """What the sensors showed, as a belief.

        Raises:
            ContractError: Sensors or controls that do not fit the model.
        """
        model = self.faculties.model
        belief = model.begin(clip_of(model, request.observed))
        trust = of_states(self.faculties.knowledge, belief.newest, "present")
        return PerceiveAnswer(belief=self.beliefs.keep(Held(belief), request.keep), trust=trust)

    @torch.no_grad()
    def update(self, request: UpdateRequest) -> UpdateAnswer:
        """The belief after one more block and what was seen then.

        Raises:
            ContractError: Sensors or controls that do not fit the model.
            UsageError: A belief that is not known.
        """
        faculties, held = self.faculties, self.beliefs.find(request.belief)
        block = course_blocks(faculties.model, request.course)
        clip = clip_of(faculties.model, request.observed)
        belief = faculties.model.update(held.belief, clip, block)
        error = None
        if faculties.knowledge is not None:
            predicted = faculties.model.imagine(held.belief, block[None, None]).latents[:, 0, 0, 0]
            error = float((predicted - belief.newest).square().mean().sqrt()) / faculties.knowledge.usual_error
        trust = of_states(faculties.knowledge, belief.newest, "present")
        return UpdateAnswer(belief=self.beliefs.keep(Held(belief), request.keep), surprise=error, trust=trust)

    @torch.no_grad()
    def imagine(self, request: ImagineRequest) -> ImagineAnswer:
        """What if? See `monde.mind.futures.imagine`."""
        return futures.imagine(self.faculties, self.beliefs, request)

    @torch.no_grad()
    def compare(self, request: CompareRequest) -> CompareAnswer:
        """Which course is best? See `monde.mind.futures.compare`."""
        return futures.compare(self.faculties, self.beliefs, request)

    @torch.no_grad()
    def plan(self, request: PlanRequest) -> PlanAnswer:
        """How is this goal reached? See `monde.mind.reaching.plan`."""
        return reaching.plan(self.faculties, self.beliefs, request)

    @torch.no_grad()
    def surprise(self, request: SurpriseRequest) -> SurpriseAnswer:
        """How unexpected is what was seen? See `monde.mind.surprises.surprise`."""
        return surprises.surprise(self.faculties, request)

    @torch.no_grad()
    def explain(self, request: ExplainRequest) -> ExplainAnswer:
        """What made the difference? See `monde.mind.causes.explain`."""
        return causes.explain(self.faculties, self.beliefs, request)

    @torch.no_grad()
    def goal_of(self, request: GoalOfRequest) -> GoalOfAnswer:
        """Which goal explains this? See `monde.mind.purposes.goal_of`."""
        return purposes.goal_of(self.faculties, self.beliefs, request)

    @torch.no_grad()
    def state(self, request: StateRequest) -> StateAnswer:
        """What is believed about the world's state? See `monde.mind.futures.state`."""
        return futures.state(self.faculties, self.beliefs, request)
