"""How episodes are planned, and what came of it."""

from dataclasses import dataclass

from monde.agents import EpisodeResults
from monde.errors import UsageError
from monde.scorecard import Row


@dataclass(frozen=True, kw_only=True)
class PlanConfig:
    """How episodes are planned.

    Args:
        goal: "env" for the world's own goals, EPISODE:FRAME of the recording, the path of a picture, a target of a
            recorded state (state=40,20±3), a predicate over such (state.x>40,state.y<20), or a pixel of a camera or a
            point of a cloud to which a recorded place is brought (object@camera=40,22±0.03, object@points=17±0.03).
        episodes: Episodes planned side by side.
        budget_steps: Control steps allowed in each.
        seed: Of starts, of the world's goals and of the planner's noise.
        world: World to act in, or none for the one that was recorded.
        device: "auto", "cpu", "cuda", …
        precision: "auto", "fp32" or "bf16".
        abstain: Whether the agent may give up a goal before it acts.
        keep_out: Volumes that recorded states must not enter: a ball (gripper=0,0,0.1±0.05) or a box
            (gripper=0,0,0.1±0.05,0.05,0.1).

    Raises:
        UsageError: Nothing to plan, or volumes that a world's own goals do not know of.
    """

    goal: str = "env"
    episodes: int = 8
    budget_steps: int = 100
    seed: int = 0
    world: str | None = None
    device: str = "auto"
    precision: str = "auto"
    abstain: bool = False
    keep_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if min(self.episodes, self.budget_steps) < 1:
            raise UsageError("there is nothing to plan", got=self, remedy="give --episodes 8 --budget 100, say")
        if self.keep_out and self.goal == "env":
            raise UsageError(
                "a world's own goals do not know of volumes to keep out of",
                got=self.keep_out,
                remedy="give a goal: a frame, a picture, a readout's target, or a point",
            )


@dataclass(frozen=True, kw_only=True)
class PlannedEpisodes:
    """What planning to a goal of one's own came to.

    Args:
        rows: `success` and `steps_to_success` where a readout tells, else `goal_distance_ratio`; what trust tells;
            `no_way` where a guide found none; and `entered` where there are volumes to keep out of.
        results: The episodes, filmed where the world has a camera.
        planner: Settings, for the protocol card.
        seeds: Of the episodes.
    """

    rows: tuple[Row, ...]
    results: EpisodeResults
    planner: dict[str, object]
    seeds: tuple[int, ...]
