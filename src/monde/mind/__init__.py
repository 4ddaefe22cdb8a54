"""What one may ask a trained model: typed questions, typed answers, each with how far it can be trusted.

Questions and answers hold NumPy arrays only, and importing them loads no torch: `Mind` is loaded on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from monde.mind.answers import (
    Answer,
    Cause,
    CompareAnswer,
    ExplainAnswer,
    GoalExplained,
    GoalOfAnswer,
    ImagineAnswer,
    Outcome,
    PerceiveAnswer,
    PlanAnswer,
    StateAnswer,
    SurpriseAnswer,
    Surprising,
    UpdateAnswer,
)
from monde.mind.requests import (
    CompareRequest,
    ExplainRequest,
    GoalOfRequest,
    ImagineRequest,
    Keep,
    PerceiveRequest,
    PlanRequest,
    Request,
    StateRequest,
    SurpriseRequest,
    UpdateRequest,
)
from monde.mind.values import (
    AnyBelief,
    AnyConstraint,
    AnyGoal,
    Avoid,
    BeliefHandle,
    BeliefValue,
    Box,
    Course,
    Future,
    GoalBelief,
    GoalFrame,
    GoalPicture,
    GoalReadout,
    Observed,
    Reading,
    Trusted,
    Within,
)

if TYPE_CHECKING:
    from monde.mind.asking import Mind as Mind

VERBS = {
    "perceive": (PerceiveRequest, PerceiveAnswer),
    "update": (UpdateRequest, UpdateAnswer),
    "imagine": (ImagineRequest, ImagineAnswer),
    "compare": (CompareRequest, CompareAnswer),
    "plan": (PlanRequest, PlanAnswer),
    "surprise": (SurpriseRequest, SurpriseAnswer),
    "explain": (ExplainRequest, ExplainAnswer),
    "goal_of": (GoalOfRequest, GoalOfAnswer),
    "state": (StateRequest, StateAnswer),
}
"""Request and answer of each verb: what a `Mind` method of that name takes and gives."""

__all__ = [
    "VERBS",
    "Answer",
    "AnyBelief",
    "AnyConstraint",
    "AnyGoal",
    "Avoid",
    "BeliefHandle",
    "BeliefValue",
    "Box",
    "Cause",
    "CompareAnswer",
    "CompareRequest",
    "Course",
    "ExplainAnswer",
    "ExplainRequest",
    "Future",
    "GoalBelief",
    "GoalExplained",
    "GoalFrame",
    "GoalOfAnswer",
    "GoalOfRequest",
    "GoalPicture",
    "GoalReadout",
    "ImagineAnswer",
    "ImagineRequest",
    "Keep",
    "Mind",
    "Observed",
    "Outcome",
    "PerceiveAnswer",
    "PerceiveRequest",
    "PlanAnswer",
    "PlanRequest",
    "Reading",
    "Request",
    "StateAnswer",
    "StateRequest",
    "SurpriseAnswer",
    "SurpriseRequest",
    "Surprising",
    "Trusted",
    "UpdateAnswer",
    "UpdateRequest",
    "Within",
]


def __getattr__(name: str) -> object:
    if name == "Mind":
        return import_module("monde.mind.asking").Mind
    raise AttributeError(f"module 'monde.mind' has no attribute {name!r}")
