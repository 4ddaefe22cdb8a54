"""How likely a plan is to succeed, and when it is better not to act: what is known at planning time, weighed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from monde.actors import Actor, Foresight, ForesightConfig, foresee
from monde.errors import PlanningError, StoreError
from monde.models import weights_hash
from monde.protocols import WorldModel
from monde.readouts import Familiarity, SuccessProbability, SuccessProbabilityConfig, TemporalDistance
from monde.store import RunFolder, load_bound, read_manifest, save_artefact
from monde.store.artefact import TENSORS, check_tensors
from monde.store.hashing import digest_json
from monde.store.typed import from_json, to_json
from monde.types import Belief, Goal, LatentGoal, Plan
from monde.types.trust import Forecast, OutOfDistribution, Reason, TooUncertain, Unreachable

KIND = "trust"

ARRIVED_BLOCKS = 1.0
"""A learned time below which an imagined state counts as arrived."""

FEATURES = (
    "time_now",
    "time_now_disagreement",
    "gap_now",
    "cost_first",
    "cost_found",
    "goal_unfamiliar",
    "present_unfamiliar",
    "closest_time",
    "closest_block",
    "last_time",
    "arrival_block",
    "closest_gap",
    "boldest_step",
    "boldest_state",
    "draws_arrived",
    "draws_closest_mean",
    "draws_closest_std",
    "draws_end_spread",
    "members_closest_best",
    "members_closest_worst",
    "members_end_spread",
)
"""What a forecast is made of, in order. Times in action blocks, gaps in spreads of the latents' features."""


@dataclass(frozen=True, kw_only=True)
class TrustSettings:
    """When a goal is given up.

    Args:
        foresight: How far imagination looks: the budget.
        least_probability: Below it a row does not act, if it may abstain.
        never_near_blocks: Least imagined time left that no episode which succeeded stayed above, but one in a thousand.
        planner: The strategy whose episodes it was fitted on, as JSON values; a probability is of that one alone.
        budget_steps: Control steps that success was allowed.

    Raises:
        PlanningError: A threshold that is no probability.
    """

    foresight: ForesightConfig
    least_probability: float = 0.2
    never_near_blocks: float
    planner: str
    budget_steps: int

    def __post_init__(self) -> None:
        if not 0 <= self.least_probability <= 1:
            raise PlanningError("least_probability is no probability", got=self.least_probability, expected="0 to 1")


@dataclass(frozen=True, kw_only=True)
class Trust:
    """Makes forecasts; fitted by `monde.evaluation.fit_trust`.

    Args:
        actor: Rolled out in imagination.
        distance: Learned time to the goal.
        familiarity: What was trained on.
        head: Features to a probability.
        settings: Thresholds, and what it was fitted for.
    """

    actor: Actor
    distance: TemporalDistance
    familiarity: Familiarity
    head: SuccessProbability
    settings: TrustSettings

    @torch.no_grad()
    def forecast(self, model: WorldModel, belief: Belief, goal: Goal, plan: Plan) -> Forecast:
        """What is expected of each row before it acts. A row's forecast does not depend on the rows beside it.

        Raises:
            PlanningError: A goal that is not in latent space.
        """
        heads = (self.actor, self.distance, self.familiarity)
        return self.weigh(features(model, heads, belief, goal, plan, self.settings.foresight))

    @torch.no_grad()
    def weigh(self, found: Float[Tensor, "B F"]) -> Forecast:
        """A forecast from features, in the order of `FEATURES`."""
        probability = self.head(found)
        reasons = tuple(
            self._reason(row, p) for row, p in zip(found.double().tolist(), probability.double().tolist(), strict=True)
        )
        return Forecast(probability=probability, reasons=reasons)

    def _reason(self, row: list[float], probability: float) -> Reason | None:
        told, settings = dict(zip(FEATURES, row, strict=True)), self.settings
        limit = float(self.familiarity.limit)
        if told["goal_unfamiliar"] > limit:
            return OutOfDistribution(what="goal", distance=told["goal_unfamiliar"], limit=limit)
        if told["present_unfamiliar"] > limit:
            return OutOfDistribution(what="present", distance=told["present_unfamiliar"], limit=limit)
        closest = min(told["closest_time"], told["members_closest_best"])
        far = closest > settings.never_near_blocks
        if far or probability < settings.least_probability:
            furthest = self.distance.config.furthest_blocks
            if far or told["draws_arrived"] == 0:
                return Unreachable(blocks_now=told["time_now"], blocks_closest=closest, furthest_blocks=furthest)
            return TooUncertain(probability=probability, least=settings.least_probability)
        return None

    def save(self, folder: Path, of: str) -> None:
        """Write it as an artefact, without actor and distance; `of` names the weights that it was fitted on.

        Raises:
            StoreError: `folder` exists, or the disk is full or read-only.
        """
        tensors = {f"head.{name}": value for name, value in self.head.state_dict().items()}
        tensors |= {f"familiarity.{name}": value for name, value in self.familiarity.state_dict().items()}
        meta = {"head": to_json(self.head.config), "settings": to_json(self.settings), "of": of}
        save_artefact(folder, KIND, tensors, meta)

    @classmethod
    def load(cls, folder: Path, of: str, actor: Actor, distance: TemporalDistance) -> "Trust":
        """Read it back; `of` names the weights of model, actor and distance that it must have been fitted on.

        Raises:
            StoreError: Missing, altered, or fitted on others.
        """
        what = f"the trust in {folder} was fitted on another model or actor"
        artefact = load_bound(folder, KIND, of, what, "fit it again on this run: monde trust RUN")
        head = SuccessProbability(from_json(SuccessProbabilityConfig, artefact.meta.get("head"), "head"))
        settings = from_json(TrustSettings, artefact.meta.get("settings"), "settings")
        if head.config.names != FEATURES or "familiarity.before" not in artefact.tensors:
            raise StoreError(
                f"{folder} was written by another version of monde", remedy="fit it again on this run: monde trust RUN"
            )
        M, F = artefact.tensors["familiarity.before"].shape
        familiarity = Familiarity(F, M)
        expected = {f"head.{name}": value for name, value in head.state_dict().items()}
        expected |= {f"familiarity.{name}": value for name, value in familiarity.state_dict().items()}
        check_tensors(folder / TENSORS, artefact.tensors, expected)
        parts = {part: _part(artefact.tensors, part) for part in ("head", "familiarity")}
        head.load_state_dict(parts["head"])
        familiarity.load_state_dict(parts["familiarity"])
        device = actor.low.device
        return cls(
            actor=actor,
            distance=distance,
            familiarity=familiarity.to(device),
            head=head.eval().to(device),
            settings=settings,
        )


def heads_hash(run: Path) -> str:
    """What trust belongs to: the hash of a run's newest weights, its actor and its temporal distance together.

    Raises:
        StoreError: Not a run, or without those heads.
    """
    folder = RunFolder(run)
    manifests = [read_manifest(place).get("files") for place in (folder.actor, folder.temporal_distance)]
    return digest_json([weights_hash(run), *manifests])


def features(
    model: WorldModel,
    heads: tuple[Actor, TemporalDistance, Familiarity],
    belief: Belief,
    goal: Goal,
    plan: Plan,
    config: ForesightConfig,
) -> Float[Tensor, "B F"]:
    """The numbers that `FEATURES` names, for each row.

    Raises:
        PlanningError: A goal that is not in latent space.
    """
    if not isinstance(goal, LatentGoal):
        raise PlanningError(
            "success can be foretold for goals in latent space only",
            got=type(goal).__name__,
            expected="LatentGoal",
            remedy="turn it into one first (monde.agents.resolve_goal, monde.agents.goal_latents)",
        )
    actor, distance, familiarity = heads
    seen = foresee(model, actor, distance, belief, goal.latents, config)
    found = _now(seen, familiarity, belief, goal.latents, plan) | _imagined(seen, familiarity, belief, goal.latents)
    return torch.stack([found[name].float() for name in FEATURES], 1)


def _now(
    seen: Foresight, familiarity: Familiarity, belief: Belief, goal: Float[Tensor, "B N D"], plan: Plan
) -> dict[str, Float[Tensor, " B"]]:
    return {
        "time_now": seen.now.amax(0),
        "time_now_disagreement": seen.now.amax(0) - seen.now.amin(0),
        "gap_now": familiarity.gap(belief.newest, goal),
        "cost_first": plan.cost_before,
        "cost_found": plan.cost_after,
        "goal_unfamiliar": familiarity.distance(goal),
        "present_unfamiliar": familiarity.distance(belief.newest),
    }


def _imagined(
    seen: Foresight, familiarity: Familiarity, belief: Belief, goal: Float[Tensor, "B N D"]
) -> dict[str, Float[Tensor, " B"]]:
    closest, block = seen.left.min(-1)  # [B, S]
    arrived = seen.left < ARRIVED_BLOCKS
    T = seen.left.shape[-1]
    first = torch.where(arrived.any(-1), arrived.float().argmax(-1), T)
    gaps = familiarity.gap(seen.states, goal[:, None, None])
    # What is imagined after an arrival does not matter.
    going = torch.arange(T, device=first.device) <= first[:, :1]
    begins = torch.cat([belief.newest[:, None], seen.states[:, 0, :-1]], 1)
    steps = familiarity.step(begins, seen.states[:, 0])
    each = seen.left_each.amin(-1)  # [B, K]
    return {
        "closest_time": closest[:, 0],
        "closest_block": block[:, 0],
        "last_time": seen.left[:, 0, -1],
        "arrival_block": first[:, 0],
        "closest_gap": gaps[:, 0].amin(-1),
        "boldest_step": (steps * going).amax(-1),
        "boldest_state": (familiarity.distance(seen.states[:, 0]) * going).amax(-1),
        "draws_arrived": arrived[:, 1:].any(-1).float().mean(-1),
        "draws_closest_mean": closest[:, 1:].mean(-1),
        "draws_closest_std": closest[:, 1:].std(-1, correction=0),
        "draws_end_spread": _spread(familiarity, seen.states[:, 1:, -1]),
        "members_closest_best": each.amin(-1),
        "members_closest_worst": each.amax(-1),
        "members_end_spread": _spread(familiarity, seen.states_each),
    }


def _spread(familiarity: Familiarity, states: Float[Tensor, "B S N D"]) -> Float[Tensor, " B"]:
    return familiarity.standard(states).std(1, correction=0).square().mean(-1).sqrt()


def _part(tensors: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    return {name.removeprefix(f"{part}."): value for name, value in tensors.items() if name.startswith(f"{part}.")}
