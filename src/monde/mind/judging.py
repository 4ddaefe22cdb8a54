"""What a course of action comes to, against a goal of any kind and what must be kept to."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from monde.agents import frame_clip, resolve_goal
from monde.agents.trust import ARRIVED_BLOCKS
from monde.costs import Constraint, KeepOut, Limit
from monde.costs.wanted import predicate_holds, readout_miss
from monde.errors import UsageError
from monde.evaluation.goals import parse_goal
from monde.mind.beliefs import Beliefs
from monde.mind.faculties import Faculties
from monde.mind.requests import Moment
from monde.mind.senses import clip_of
from monde.mind.values import (
    AnyConstraint,
    AnyGoal,
    Avoid,
    GoalBelief,
    GoalPicture,
    GoalReadout,
    Observed,
)
from monde.types import FrameGoal, LatentGoal, PictureGoal, PredicateGoal, ReadoutGoal, Rollout
from monde.types.plans import RolloutFrom

Wanted = LatentGoal | ReadoutGoal | PredicateGoal


def wanted(faculties: Faculties, beliefs: Beliefs, goal: AnyGoal) -> Wanted:
    """A goal of one row, as it is judged.

    Raises:
        ContractError: A picture that lacks a sensor of the model.
        UsageError: A belief or readout that is not known, or text that is no goal.
        PlanningError: A frame that the recording does not have.
    """
    model = faculties.model
    if isinstance(goal, GoalBelief):
        return LatentGoal(beliefs.find(goal.belief).belief.newest)
    if isinstance(goal, GoalReadout):
        sensors = {name: known.sensor for name, known in faculties.known().readouts.items()}
        return parse_goal(goal.text, sensors, 1)
    if isinstance(goal, GoalPicture):
        seen = Observed(sensors={name: values[None] for name, values in goal.sensors.items()})
        found = resolve_goal(model, PictureGoal(clip_of(model, seen)))
    else:
        recording = faculties.recording()
        frame = FrameGoal(str(recording.root), goal.episode, goal.frame)
        clip = frame_clip(frame, recording, [sensor.name for sensor in model.sensors])
        found = resolve_goal(model, PictureGoal(clip))
    if not isinstance(found, LatentGoal):
        raise UsageError("this goal cannot be encoded", got=type(goal).__name__)
    return LatentGoal(found.latents.float())


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Energies of imagined states, lower is better.

    Args:
        faculties: What it judges with.
        goal: Of one row.
        constraints: What must be kept to.
    """

    faculties: Faculties
    goal: Wanted
    constraints: tuple[AnyConstraint, ...] = ()

    @property
    def timed(self) -> bool:
        """Whether energies are learned times to the goal, in action blocks."""
        return isinstance(self.goal, LatentGoal) and self.faculties.distance is not None

    @property
    def unit(self) -> str:
        """Of energies."""
        if isinstance(self.goal, LatentGoal):
            return "blocks" if self.timed else "latent"
        if isinstance(self.goal, PredicateGoal):
            return "1"
        return self.faculties.readouts((self.goal.readout,))[0].readout.unit

    def far(self, latents: Float[Tensor, "*lead N D"]) -> Float[Tensor, "*lead"]:
        """How far each state is from the goal."""
        flat = latents.reshape(-1, *latents.shape[-2:])
        return self._far(flat).float().reshape(latents.shape[:-2])

    def _far(self, flat: Float[Tensor, "m N D"]) -> Float[Tensor, " m"]:
        if isinstance(self.goal, LatentGoal):
            head = self.faculties.distance
            if head is not None:
                return head.distance(flat, self.goal.latents.expand_as(flat))
            return (flat - self.goal.latents).square().sum(-1).mean(-1)
        known = self.faculties.known().readouts
        readouts = {name: one.readout for name, one in known.items()}
        if isinstance(self.goal, PredicateGoal):
            return 1 - predicate_holds(readouts, flat, self.goal).float()
        return readout_miss(readouts, flat[None], self.goal)[0]

    def reached(self, latents: Float[Tensor, "m N D"]) -> Tensor | None:
        """[m] whether the goal is reached there, or none where the run cannot tell. By its readout, where one tells the
        goal; by learned time, where there is one; else by looking alike: as near as held-out frames are to the nearest
        that were trained on."""
        if not isinstance(self.goal, LatentGoal):
            return self._far(latents) <= 0
        if self.timed:
            return self._far(latents) < ARRIVED_BLOCKS
        if self.faculties.knowledge is None:
            return None
        familiarity = self.faculties.knowledge.familiarity
        return familiarity.gap(latents, self.goal.latents.expand_as(latents)) <= familiarity.limit

    def energies(self, latents: Float[Tensor, "*lead H N D"], moment: Moment) -> Float[Tensor, "*lead"]:
        """How far a course stays from the goal: at its end, or at its soonest."""
        if moment == "end":
            return self.far(latents[..., -1, :, :])
        left = self.far(latents)
        if self.timed:
            left = left + torch.arange(1, left.shape[-1] + 1, device=left.device)
        return left.amin(-1)

    def violations(self, rollout: Rollout, actions: Float[Tensor, "1 S H A"], start: Float[Tensor, "1 N D"]) -> Tensor:
        """[S] by how much the constraints are broken on the way."""
        placed = RolloutFrom(rollout.latents, None, start)
        total = torch.zeros(actions.shape[1], device=actions.device)
        for constraint in costs_of(self.faculties, self.constraints, graded=True):
            total = total + constraint(placed, actions, self.goal)[0]
        return total


def costs_of(
    faculties: Faculties, constraints: Sequence[AnyConstraint], graded: bool = False
) -> tuple[Constraint, ...]:
    """Constraints as costs.

    Args:
        faculties: What reads.
        constraints: What must be kept to.
        graded: Whether they tell amounts, whatever is to be made of them.

    Raises:
        UsageError: A readout that is not known.
        PlanningError: A region or range that is none.
    """
    found: list[Constraint] = []
    for one in constraints:
        read = faculties.readouts((one.readout,))[0].readout
        violation = "graded" if graded else one.violation
        if isinstance(one, Avoid):
            found.append(
                KeepOut(
                    readout=read,
                    violation=violation,
                    centre=one.centre,
                    radius=one.radius,
                    half_sides=one.half_sides,
                    margin=one.margin,
                )
            )
        else:
            low = tuple(-math.inf if bound is None else bound for bound in one.low)
            high = tuple(math.inf if bound is None else bound for bound in one.high)
            found.append(Limit(readout=read, violation=violation, low=low, high=high))
    return tuple(found)
