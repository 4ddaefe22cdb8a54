"""How episodes are planned."""

from dataclasses import dataclass

from monde.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class PlanConfig:
    """How episodes are planned.

    Args:
        goal: "env" for the world's own goals, EPISODE:FRAME of the recording, the path of a picture, a target of a
            recorded state (state=40,20±3) or a predicate over such (state.x>40,state.y<20).
        episodes: Episodes planned side by side.
        budget_steps: Control steps allowed in each.
        seed: Of starts, of the world's goals and of the planner's noise.
        world: World to act in, or none for the one that was recorded.
        device: "auto", "cpu", "cuda", …
        precision: "auto", "fp32" or "bf16".
        abstain: Whether the agent may give up a goal before it acts.

    Raises:
        UsageError: Nothing to plan.
    """

    goal: str = "env"
    episodes: int = 8
    budget_steps: int = 100
    seed: int = 0
    world: str | None = None
    device: str = "auto"
    precision: str = "auto"
    abstain: bool = False

    def __post_init__(self) -> None:
        if min(self.episodes, self.budget_steps) < 1:
            raise UsageError("there is nothing to plan", got=self, remedy="give --episodes 8 --budget 100, say")
