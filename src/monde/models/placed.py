"""`PlacedModel`: a model that also knows where it is, by the body's pose carried beside the latent."""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monde.dynamics import Dynamics
from monde.errors import ContractError
from monde.models.jepa import JEPA
from monde.nn.place_trunk import BODY
from monde.readouts import BodyMotion
from monde.types import ActionSpec, Belief, Clip, LatentGoal, Latents, Rollout, Sensor
from monde.types.checks import describe


class PlacedModel(nn.Module):
    """Latents of what is seen, each followed by what is known of the body: (x, y, cos yaw, sin yaw) in the frame of a
    pose sensor, and how near to anything it came in the block that led there.

    What is seen does not depend on where the frame's origin is, and needs not be told the pose to be predicted; where
    one gets to is the sum of motions that a head reads off what is seen and done. So a model of scans learned in some
    rooms knows its way in others, and goals may be given as places. Implements `monde.protocols.WorldModel`.

    Args:
        inner: Imagines what is seen; one token a frame.
        motion: Tells motions, fitted on `inner`.
        pose: The sensor that tells where the body is, kind "pose" [3].

    Raises:
        ContractError: A sensor that is no plane pose, or a model of several tokens.
    """

    def __init__(self, inner: JEPA, motion: BodyMotion, pose: Sensor) -> None:
        super().__init__()
        if pose.kind != "pose" or pose.shape != (3,):
            raise ContractError("a place is told by a pose in the plane", got=pose, expected="kind 'pose', shape [3]")
        if motion.config.features != inner.latent:
            raise ContractError("a placed model has one token a frame", got=motion.config, expected=inner.latent)
        self.inner, self.motion, self._pose = inner, motion, pose

    @property
    def sensors(self) -> tuple[Sensor, ...]:
        """What is seen, and the pose."""
        return (*self.inner.sensors, self._pose)

    @property
    def actions(self) -> ActionSpec:
        """The action blocks it is conditioned on."""
        return self.inner.actions

    @property
    def dynamics(self) -> Dynamics:
        """Of what is seen."""
        return self.inner.dynamics

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return self.inner.device

    @property
    def autocast(self) -> bool:
        """Whether matrix products of the inner model run in bfloat16."""
        return self.inner.autocast

    @autocast.setter
    def autocast(self, value: bool) -> None:
        self.inner.autocast = value

    def goal_at(self, places: Float[Tensor, "B 2"]) -> LatentGoal:
        """The goal to be at these places, in metres of the pose sensor's frame; what is seen there is left open."""
        blank = places.new_zeros(len(places), self.inner.latent)
        rest = places.new_tensor([1.0, 0.0, 0.0]).expand(len(places), 3)
        return LatentGoal(torch.cat([blank, places, rest], -1)[:, None].to(self.device))

    def encode(self, clip: Clip) -> Latents:
        """Latents [B, T, 1, D + 5] of each step of an aligned clip."""
        latents = self.inner.encode(clip)
        return replace(latents, values=torch.cat([latents.values.float(), self._body(clip)[:, :, None]], -1))

    def begin(self, clip: Clip) -> Belief:
        """The belief after an aligned clip of one or more steps."""
        return self._placed(self.inner.begin(clip), self._body(clip))

    def recall(self, latents: Latents, actions: Float[Tensor, "B U A"]) -> Belief:
        """The belief after T frames whose latents are known, and the U = T - 1 blocks between them."""
        seen = replace(latents, values=latents.values[..., :-BODY])
        return self._placed(self.inner.recall(seen, actions), latents.values[:, :, 0, -BODY:])

    def update(self, belief: Belief, clip: Clip, action: Float[Tensor, "B A"]) -> Belief:
        """The belief after taking the block `action` and then seeing one step: the pose is what its sensor says."""
        inner = self.inner.update(_seen(belief), clip, action)
        poses = torch.cat([belief.latents[:, :, 0, -BODY:], self._body(clip)], 1)
        return self._placed(inner, poses)

    def imagine(
        self, belief: Belief, actions: Float[Tensor, "B S H A"], hypotheses: int = 1, beliefs: bool = False
    ) -> Rollout:
        """Futures of S action sequences of H blocks, and the way that leads through them."""
        actions = actions.to(self.device)
        rollout = self.inner.imagine(_seen(belief), actions, hypotheses, beliefs)
        _, S, K, H = rollout.latents.shape[:4]
        start = belief.newest[:, None, None, None, :, :-BODY].expand(-1, S, K, -1, -1, -1)
        before = torch.cat([start.to(rollout.latents), rollout.latents[:, :, :, :-1]], 3)
        moved, near = self.motion(before, actions[:, :, None].expand(-1, -1, K, -1, -1))
        pose = belief.newest[:, None, None, 0, -BODY:-1].expand(-1, S, K, -1).float()
        way = []
        for h in range(H):
            pose = _moved(pose, moved[:, :, :, h])
            way.append(pose)
        body = torch.cat([torch.stack(way, 3), near[..., None]], -1)
        latents = torch.cat([rollout.latents, body[:, :, :, :, None]], -1)
        if rollout.beliefs is None:
            return Rollout(latents)
        history = belief.latents[:, :, 0, -BODY:].repeat_interleave(S * K, 0)
        after = self._placed(rollout.beliefs, torch.cat([history.float(), body.flatten(0, 2)], 1))
        return Rollout(latents, after)

    def _body(self, clip: Clip) -> Float[Tensor, "B T 5"]:
        """What the sensors tell of the body. Where no beam is known nothing is known to be clear."""
        stream = clip.stream(self._pose.name)
        if not bool(stream.valid.all()):
            raise ContractError(
                f"the pose {self._pose.name!r} is missing: nobody knows where the body is",
                got=describe(stream.valid),
                expected="a pose at every step",
                remedy="stop, and begin anew when the sensor delivers again",
            )
        told = stream.values.to(self.device).float()
        scan = clip.stream(self.motion.config.scan)
        ranges = scan.values.to(self.device).float()
        known = (ranges > 0) & scan.valid.to(self.device)[..., None]
        near = torch.where(known, ranges, torch.inf).amin(-1).clamp_max(self.motion.config.furthest_m)
        near = torch.where(known.any(-1), near, 0.0)[..., None]
        return torch.cat([told[..., :2], torch.cos(told[..., 2:]), torch.sin(told[..., 2:]), near], -1)

    def _placed(self, inner: Belief, body: Float[Tensor, "B T 5"]) -> Belief:
        W = inner.latents.shape[1]
        window = body[:, -W:]
        padded = nn.functional.pad(window, (0, 0, W - window.shape[1], 0))
        return replace(inner, latents=torch.cat([inner.latents.float(), padded[:, :, None]], -1))


def place(latents: Float[Tensor, "*batch N D"]) -> Float[Tensor, "*batch 2"]:
    """Readout of a placed latent: where the body is, (x, y) in metres."""
    return latents[..., 0, -BODY : -BODY + 2]


def nearest(latents: Float[Tensor, "*batch N D"]) -> Float[Tensor, "*batch 1"]:
    """Readout of a placed latent: the least range that was met in the block that led there, in metres."""
    return latents[..., 0, -1:]


def _seen(belief: Belief) -> Belief:
    return replace(belief, latents=belief.latents[..., :-BODY])


def _moved(pose: Float[Tensor, "... 4"], motion: Float[Tensor, "... 3"]) -> Float[Tensor, "... 4"]:
    """A pose after a motion given in its own frame."""
    x, y, cos, sin = pose.unbind(-1)
    ahead, left, turn = motion.unbind(-1)
    c, s = torch.cos(turn), torch.sin(turn)
    return torch.stack(
        [x + cos * ahead - sin * left, y + sin * ahead + cos * left, cos * c - sin * s, sin * c + cos * s], -1
    )
