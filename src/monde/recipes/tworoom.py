"""TwoRoom: the demo's task, the same with a door that is somewhere else in every episode, or nowhere in some."""

from dataclasses import replace
from pathlib import Path

from monde.objectives import ObjectiveConfig
from monde.recipes.task import Played, Recipe
from monde.training import GoalShares

TWO_ROOM = Played(world="tworoom", episodes=400, steps=100, policy="random", budget_steps=100, actor_share=0.25)


def tworoom(out: Path, *, minutes: float = 4.0, episodes: int = 50, seed: int = 0, planner: str = "auto") -> Recipe:
    """Random play in two rooms, 400 episodes of 100 steps, a nano model, goals anywhere.

    Args:
        out: Folder of everything: the recording and the run lie in it.
        minutes: Training time, and a quarter of it for the actor.
        episodes: Episodes that are planned and scored.
        seed: Of all of it.
        planner: What searches.
    """
    return TWO_ROOM.recipe(out, minutes=minutes, episodes=episodes, seed=seed, planner=planner)


def tworoom_doors(
    out: Path, *, minutes: float = 4.0, episodes: int = 50, seed: int = 0, planner: str = "auto"
) -> Recipe:
    """A door at another height in every episode: what the walls do must be seen, it cannot be learned by heart.

    That takes many layouts (2,000; 400 are not enough), a policy that walks into walls and through doors, inverse
    dynamics (else the latent holds the door alone), goals of the same layout only, and an actor that is fitted for as
    long as the model was trained: docs/log.md.

    Args:
        out: Folder of everything: the recording and the run lie in it.
        minutes: Training time, and again as much for the actor.
        episodes: Episodes that are planned and scored.
        seed: Of all of it.
        planner: What searches.
    """
    fixed = tworoom(out, minutes=minutes, episodes=episodes, seed=seed, planner=planner)
    goals = GoalShares(elsewhere=0.0)
    return replace(
        fixed,
        world="tworoom_doors",
        episodes=2000,
        policy="scripted",
        train=replace(fixed.train, run=str(out / "tworoom_doors"), objective=ObjectiveConfig(inverse_weight=1.0)),
        actor=None if fixed.actor is None else replace(fixed.actor, minutes=minutes, goals=goals),
    )


def tworoom_doorless(
    out: Path, *, minutes: float = 4.0, episodes: int = 50, seed: int = 0, planner: str = "auto"
) -> Recipe:
    """As `tworoom_doors`, with no door at all in a fifth of the layouts: some goals cannot be reached.

    A model should say so: `monde trust`.

    Args:
        out: Folder of everything: the recording and the run lie in it.
        minutes: Training time, and again as much for the actor.
        episodes: Episodes that are planned and scored.
        seed: Of all of it.
        planner: What searches.
    """
    doors = tworoom_doors(out, minutes=minutes, episodes=episodes, seed=seed, planner=planner)
    return replace(doors, world="tworoom_doorless", train=replace(doors.train, run=str(out / "tworoom_doorless")))
