"""A table-top, seen in colours, in depth, as a cloud of points, or in colours and depth."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

from monde.errors import unknown_name
from monde.objectives import ObjectiveConfig
from monde.recipes.task import Played, Recipe

SENSES: Mapping[str, tuple[str, ...]] = {
    "rgb": ("camera",),
    "depth": ("depth",),
    "points": ("points",),
    "rgbd": ("camera", "depth"),
    "rgb_points": ("camera", "points"),
}
"""Sensors by the name of what is seen with. The last two see what an RGB-D camera tells: depth as it is, or as a cloud
in the frame of the table."""

BESIDE = ("gripper", "rig")
"""Beside each: where the tip is, and where the camera stands."""

OBJECTIVE = ObjectiveConfig(inverse_weight=0.3, regulariser_weight=0.3, kept_weight=3.0)
"""What lies still, as the object does in most clips, is of no use in prediction and would be forgotten: it is kept."""


def tabletop(
    task: Literal["reach", "push"],
    out: Path,
    *,
    minutes: float = 7.0,
    episodes: int = 100,
    seed: int = 0,
    planner: str = "cem",
    senses: str = "rgbd",
) -> Recipe:
    """The scripted policy's reaching, touching and pushing; 960 short episodes, since each has a scene of its own.

    Objects are small, so pictures are pooled by attention (the size "memory"). A batch holds as many scenes as it holds
    windows: those are many and short.

    Args:
        task: What is planned: "reach" or "push".
        out: Folder of everything: the recording and the run lie in it.
        minutes: Training time.
        episodes: Episodes that are planned and scored.
        seed: Of all of it.
        planner: What searches.
        senses: One of `SENSES`.

    Raises:
        UsageError: Unknown senses.
    """
    if senses not in SENSES:
        raise unknown_name("senses", senses, list(SENSES))
    played = Played(
        world=f"tabletop_{task}", episodes=960, steps=24, policy="scripted", budget_steps=24, actor_share=0.5
    )
    recipe = played.recipe(out, minutes=minutes, episodes=episodes, seed=seed, planner=planner)
    train = replace(
        recipe.train,
        run=str(out / f"tabletop_{task}_{senses}"),
        sensors=(*SENSES[senses], *BESIDE),
        size="memory",
        block=3,
        window=3,
        batch=96,
        objective=OBJECTIVE,
    )
    return replace(recipe, train=train)
