"""Which goal explains a behaviour: inverse planning, with the learned time as the cost of getting there."""

import torch

from monde.errors import UsageError
from monde.mind.answers import GoalExplained, GoalOfAnswer
from monde.mind.beliefs import Beliefs
from monde.mind.faculties import Faculties
from monde.mind.futures import of_goal
from monde.mind.judging import Judge, wanted
from monde.mind.requests import GoalOfRequest
from monde.mind.senses import clip_of
from monde.mind.trusting import of_states, together


@torch.no_grad()
def goal_of(faculties: Faculties, beliefs: Beliefs, asked: GoalOfRequest) -> GoalOfAnswer:
    """Goals by how little the behaviour wastes on the way to each.

    A behaviour that took t blocks, and from whose end the goal is d away, wastes t + d - d₀ blocks where d₀ is the way
    from its beginning. Its likelihood falls off exponentially with that (Ramírez and Geffner 2010, "Probabilistic plan
    recognition using off-the-shelf classical planners", section 4; Baker, Saxe and Tenenbaum 2009), and all goals are
    equally likely before. What was done need not be known: times are between what was seen.

    Raises:
        ContractError: Sensors that do not fit the model.
        UsageError: A run without a learned time to the goal, or a goal that is not known or told by readouts.
    """
    if faculties.distance is None:
        raise UsageError(
            "behaviour is explained by the learned time to a goal",
            got=f"{faculties.run} has none",
            remedy=f"fit it: monde actor {faculties.run}",
        )
    model = faculties.model
    latents = model.encode(clip_of(model, asked.observed, acted=False)).values[0].float()
    taken = len(latents) - 1
    judges = [Judge(faculties=faculties, goal=wanted(faculties, beliefs, goal)) for goal in asked.goals]
    for judge, goal in zip(judges, asked.goals, strict=True):
        if not judge.timed:
            raise UsageError(
                "no time is known to a goal that is told by readouts",
                got=goal.name,
                remedy="give it as a picture, a frame of the recording or a belief",
            )
    ends = torch.stack([judge.far(latents[[0, -1]]) for judge in judges]).double()  # [G, 2]
    wasted = taken + ends[:, 1] - ends[:, 0]
    probability = torch.softmax(-asked.rationality * wasted, 0)
    explained = [
        GoalExplained(
            goal=goal.name,
            index=index,
            probability=float(probability[index]),
            wasted_blocks=float(wasted[index]),
            left_seconds=float(ends[index, 1]) * model.actions.block_seconds,
        )
        for index, goal in enumerate(asked.goals)
    ]
    seen = of_states(faculties.knowledge, latents, "what was seen")
    return GoalOfAnswer(
        goals=tuple(sorted(explained, key=lambda one: -one.probability)),
        trust=together(seen, *(part for judge in judges for part in of_goal(judge))),
    )
