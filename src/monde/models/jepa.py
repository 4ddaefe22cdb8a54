"""The joint-embedding predictive world model: perception and dynamics behind the verbs of `monde.protocols`."""

from dataclasses import replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from monde.dynamics import (
    Dynamics,
    MLPDynamics,
    MLPDynamicsConfig,
    RecurrentDynamics,
    RecurrentDynamicsConfig,
    ThingDynamics,
    ThingDynamicsConfig,
    TransformerDynamics,
)
from monde.dynamics.lewm_predictor import LewmPredictor, LewmPredictorConfig
from monde.errors import ContractError
from monde.models.config import ModelConfig
from monde.objectives import Imagined, Predictions
from monde.perception import BackboneConfig, FrozenPerception, Perception, ThingPerception, ThingsConfig
from monde.perception.lewm_vit import LewmPerception, LewmPerceptionConfig
from monde.types import ActionSpec, Belief, Clip, Latents, Rollout, Sensor
from monde.types.checks import describe


class JEPA(nn.Module):
    """A world model that predicts in latent space (LeCun 2022, "A Path Towards Autonomous Machine Intelligence").

    Actions are given in the world's units; they are normalised here, with moments stored beside the weights.

    Attributes:
        config: What it was built from.
        autocast: Whether matrix products run in bfloat16.
    """

    action_mean: Tensor
    action_std: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.autocast = False
        self.perception = _perception(config)
        self.dynamics = _dynamics(config)
        self.register_buffer("action_mean", torch.zeros(config.actions.width))
        self.register_buffer("action_std", torch.ones(config.actions.width))

    @property
    def sensors(self) -> tuple[Sensor, ...]:
        """What it reads."""
        return self.config.sensors

    @property
    def actions(self) -> ActionSpec:
        """The action blocks it is conditioned on."""
        return self.config.actions

    @property
    def latent(self) -> int:
        """D."""
        return self.config.perception.latent

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return self.action_mean.device

    @property
    def perception_learns(self) -> bool:
        """Whether there are weights between what is sensed and its latents."""
        return next(self.perception.parameters(), None) is not None

    @property
    def parameters_total(self) -> int:
        """Number of weights."""
        return sum(parameter.numel() for parameter in self.parameters())

    def normalise(self, actions: Float[Tensor, "... A"]) -> Float[Tensor, "... A"]:
        """Action blocks in the world's units, standardised.

        Raises:
            ContractError: Blocks of the wrong width.
        """
        if actions.shape[-1] != self.actions.width:
            raise ContractError(
                "actions have another width than the model was trained on",
                got=describe(actions),
                expected=f"[..., {self.actions.width}] = {self.actions.block} steps × {self.actions.dim}",
                remedy="give whole action blocks; ActionSpec.to_blocks makes them from control steps",
            )
        return (actions - self.action_mean) / self.action_std

    def encode(self, clip: Clip) -> Latents:
        """Latents [B, T, N, D] of each step of an aligned clip, without history."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast):
            return self.perception(clip.to(self.device))

    def with_and_without(self, clip: Clip, hidden: Bool[Tensor, "B n"]) -> tuple[Latents, Latents]:
        """The latents of an aligned clip, and what they are when in each row some of the n sensors are hidden.

        Raises:
            ContractError: Perception that does not fuse sensors: a frozen encoder's, or a published model's.
        """
        if not isinstance(self.perception, Perception):
            raise ContractError(
                "this model fuses no sensors", got=type(self.perception).__name__, expected="Perception"
            )
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast):
            return self.perception.with_and_without(clip.to(self.device), hidden)

    def begin(self, clip: Clip) -> Belief:
        """The belief after an aligned clip of one or more steps.

        Raises:
            ContractError: A clip of several steps without the actions between them.
        """
        latents = self.encode(clip)
        B, T = latents.values.shape[:2]
        if clip.actions is None and T > 1 and not self.actions.unactuated:
            raise ContractError(
                "a clip of several steps needs the actions between them", got=f"{T} steps and no actions"
            )
        if clip.actions is None:
            actions = latents.values.new_zeros(B, T - 1, self.actions.width)
        else:
            actions = self.normalise(clip.actions.values.to(self.device))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast):
            return self._begin(latents, actions)

    def recall(self, latents: Latents, actions: Float[Tensor, "B U A"]) -> Belief:
        """The belief after T frames whose latents are known, and the U = T - 1 blocks between them (world's units).

        Raises:
            ContractError: Blocks of the wrong width.
        """
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast):
            return self._begin(latents, self.normalise(actions))

    def recall_each(self, latents: Latents, actions: Float[Tensor, "B U A"], lengths: tuple[int, ...]) -> Belief:
        """The beliefs after several lengths of one history, in one pass: rows in the order (length, B) flattened.

        Raises:
            ContractError: Blocks of the wrong width, or a length that the history does not have.
        """
        T = latents.values.shape[1]
        if not lengths or not 1 <= min(lengths) <= max(lengths) <= T:
            raise ContractError("the history has no such length", got=lengths, expected=f"1 to {T}")
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast):
            memories = self.dynamics.begins(latents.values, self.normalise(actions), lengths)
        each = zip(lengths, memories, strict=True)
        return _joined([self._belief(latents.during(slice(length)), memory) for length, memory in each])

    def update(self, belief: Belief, clip: Clip, action: Float[Tensor, "B A"]) -> Belief:
        """The belief after taking the block `action` and then seeing one step. Constant time.

        Raises:
            ContractError: A clip of several steps, or an action of the wrong width.
        """
        if clip.steps != 1:
            raise ContractError("update takes one step at a time", got=f"{clip.steps} steps", expected="1")
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast):
            memory = self.dynamics.advance(belief, self.normalise(action.to(self.device)))
        latents = self._encode_after(belief, clip)
        seen = torch.ones_like(belief.valid[:, :1])
        return Belief(
            torch.cat([belief.latents, latents.values], dim=1)[:, -self.dynamics.window :],
            torch.cat([belief.valid, seen], dim=1)[:, -self.dynamics.window :],
            memory,
            latents.times_seconds[:, -1],
        )

    def imagine(
        self, belief: Belief, actions: Float[Tensor, "B S H A"], hypotheses: int = 1, beliefs: bool = False
    ) -> Rollout:
        """Futures of S action sequences of H blocks: one is the ensemble's mean, several follow a member each.

        Raises:
            ContractError: Actions of the wrong width, too many hypotheses, or a horizon out of limits.
        """
        normalised = self.normalise(actions.to(self.device))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast):
            latents, memory = self.dynamics.rollout(belief, normalised, hypotheses, beliefs)
        latents = latents.float()
        return Rollout(latents, self._after(belief, latents, memory) if beliefs else None)

    def predict(
        self,
        latents: Latents,
        actions: Float[Tensor, "B U A"],
        starts: tuple[int, ...] = (),
        steps: int | None = None,
        alone: tuple[int, ...] = (),
    ) -> Predictions:
        """Predictions of a batch of encoded clips, for the objective; actions are *normalised* blocks.

        Args:
            latents: Of T steps.
            actions: [B, T-1, A].
            starts: Frames that are seen before the future is imagined, one number for each future.
            steps: How far each future goes, the clip's end at most; by default to the end.
            alone: As `starts`, of futures imagined from the newest of these frames alone.

        Raises:
            ContractError: Clips no longer than what is seen of them, or a future of which nothing was seen.
        """
        B, T = latents.values.shape[:2]
        seen = (*starts, *alone)
        if min(seen, default=1) < 1:
            raise ContractError("a future needs a frame that was seen before it", got=min(seen), expected="1 or more")
        if T <= max(seen, default=1):
            raise ContractError(
                "the windows are too short to predict anything",
                got=f"{T} steps",
                expected=f"more than the context of {max(seen, default=1)}",
                remedy="use longer windows",
            )
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast):
            if not seen:
                return Predictions(self.dynamics(latents.values[:, :-1], actions))
            one_step, memories = self.dynamics.teacher_forced(latents.values, actions, starts)
            beliefs = [
                self._belief(latents.during(slice(n)), memory) for n, memory in zip(starts, memories, strict=True)
            ]
            beliefs += [self._begin(latents.during(slice(n - 1, n)), actions[:, :0]) for n in alone]
            H = steps or T - min(seen)
            padded = nn.functional.pad(actions, (0, 0, 0, max(0, max(seen) - 1 + H - (T - 1))))
            acted = torch.cat([padded[:, n - 1 : n - 1 + H] for n in seen])
            imagined = self.dynamics.rollout(_joined(beliefs), acted[:, None], 1, False)[0][:, 0, 0]
            rollouts = [Imagined(n, future[:, : T - n]) for n, future in zip(seen, imagined.split(B), strict=True)]
        return Predictions(one_step, tuple(rollouts))

    def _encode_after(self, belief: Belief, clip: Clip) -> Latents:
        """Latents of one more step; things keep the files that they have in the belief."""
        if not isinstance(self.perception, ThingPerception):
            return self.encode(clip)
        return self.perception(clip.to(self.device), belief.newest)

    def _begin(self, latents: Latents, actions: Tensor) -> Belief:
        memory = self.dynamics.begin(latents.values, actions)
        return self._belief(latents, memory)

    def _belief(self, latents: Latents, memory: tuple[Tensor, ...]) -> Belief:
        W = self.dynamics.window
        window = latents.values[:, -W:]
        padding = W - window.shape[1]
        valid = torch.ones(window.shape[:2], dtype=torch.bool, device=window.device)
        return Belief(
            nn.functional.pad(window, (0, 0, 0, 0, padding, 0)),
            nn.functional.pad(valid, (padding, 0)),
            memory,
            latents.times_seconds[:, -1],
        )

    def _after(self, belief: Belief, latents: Tensor, memory: tuple[Tensor, ...]) -> Belief:
        _, S, K, H = latents.shape[:4]
        repeated = belief.map(lambda tensor: tensor.repeat_interleave(S * K, dim=0))
        imagined = latents.flatten(0, 2)
        W = self.dynamics.window
        seen = torch.ones(imagined.shape[:2], dtype=torch.bool, device=imagined.device)
        return replace(
            repeated,
            latents=torch.cat([repeated.latents, imagined], dim=1)[:, -W:],
            valid=torch.cat([repeated.valid, seen], dim=1)[:, -W:],
            memory=memory,
            times_seconds=repeated.times_seconds + H * self.actions.block_seconds,
        )


def _joined(beliefs: list[Belief]) -> Belief:
    """Several beliefs as one, row under row."""
    memories = zip(*(belief.memory for belief in beliefs), strict=True)
    return Belief(
        torch.cat([belief.latents for belief in beliefs]),
        torch.cat([belief.valid for belief in beliefs]),
        tuple(torch.cat(parts) for parts in memories),
        torch.cat([belief.times_seconds for belief in beliefs]),
    )


def _perception(config: ModelConfig) -> Perception | FrozenPerception | LewmPerception | ThingPerception:
    if isinstance(config.perception, ThingsConfig):
        return ThingPerception(config.sensors, config.perception)
    if isinstance(config.perception, BackboneConfig):
        return FrozenPerception(config.sensors, config.perception)
    if isinstance(config.perception, LewmPerceptionConfig):
        return LewmPerception(config.sensors, config.perception)
    return Perception(config.sensors, config.perception)


def _dynamics(config: ModelConfig) -> Dynamics:
    if isinstance(config.dynamics, MLPDynamicsConfig):
        return MLPDynamics(config.dynamics)
    if isinstance(config.dynamics, RecurrentDynamicsConfig):
        return RecurrentDynamics(config.dynamics)
    if isinstance(config.dynamics, ThingDynamicsConfig):
        return ThingDynamics(config.dynamics)
    if isinstance(config.dynamics, LewmPredictorConfig):
        return LewmPredictor(config.dynamics)
    return TransformerDynamics(config.dynamics)
