"""An actor rolled out in imagination: first guesses for a search."""

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from monde.actors.actor import Actor
from monde.errors import PlanningError
from monde.protocols import Imagines
from monde.types import Belief, Goal, LatentGoal
from monde.types.plans import Propose


def proposal(model: Imagines, actor: Actor, belief: Belief, goal: Goal) -> Propose:
    """What `Problem.propose` asks for: S sequences of H blocks, the first of which is the actor's mode throughout.

    Block h of a sequence is what the actor does at the state that the model imagines after its blocks before; the last
    block needs no imagination. Noise is shared by all rows (common random numbers).

    Args:
        model: Imagines.
        actor: Acts; fitted on this model.
        belief: What is known now, B rows.
        goal: LatentGoal of B rows.

    Raises:
        PlanningError: Another kind of goal, or an actor for other actions than the model's.
    """
    if not isinstance(goal, LatentGoal):
        raise PlanningError(
            "an actor needs a goal in latent space",
            got=type(goal).__name__,
            expected="LatentGoal",
            remedy="turn pictures and frames into one first (monde.agents.resolve_goal), or plan without an actor",
        )
    if actor.config.actions != model.actions:
        raise PlanningError(
            "the actor was fitted for other actions than the model's",
            got=actor.config.actions,
            expected=model.actions,
            remedy="fit an actor on this run: monde actor RUN",
        )
    wanted = goal.latents

    def propose(samples: int, horizon: int, generator: Generator) -> Float[Tensor, "B S H A"]:
        B, width = belief.batch, model.actions.width
        noise = torch.randn(samples, horizon, width, generator=generator, device=generator.device)
        noise[0] = 0
        mean, std = actor.spread(belief.newest, wanted)
        block = _act(actor, mean[:, None], std[:, None], noise[:, 0].expand(B, -1, -1))
        blocks = [block]
        now, target = belief, wanted.repeat_interleave(samples, 0)
        for h in range(1, horizon):
            # The first step imagines S sequences of each row; from then on each is a row of its own.
            actions = block[:, :, None] if h == 1 else block.reshape(B * samples, 1, 1, -1)
            imagined = model.imagine(now, actions, beliefs=True).beliefs
            if imagined is None:
                raise PlanningError("the model gave no beliefs", remedy="imagine(…, beliefs=True) must return them")
            now = imagined
            mean, std = (part.reshape(B, samples, -1) for part in actor.spread(now.newest, target))
            block = _act(actor, mean, std, noise[:, h].expand(B, -1, -1))
            blocks.append(block)
        return torch.stack(blocks, 2)

    return propose


def _act(actor: Actor, mean: Tensor, std: Tensor, noise: Tensor) -> Tensor:
    return actor.around(mean.expand_as(noise), std.expand_as(noise), noise)
