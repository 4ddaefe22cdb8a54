"""Dynamics of object files: every thing by one law, drawn on by the others.

An interaction network (Battaglia et al., arXiv 1612.00222) with a memory for each thing. Where a thing is in sight,
what is seen corrects what was foreseen; where it is not, what was foreseen stands in its place and goes on: that is how
it lives on behind a screen. How far each prediction expects to be off is predicted with it.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monde.dynamics.base import Dynamics, check_hypotheses
from monde.dynamics.contacts import RELATIONS, relations
from monde.dynamics.empty import in_use, with_empty
from monde.dynamics.judgement import Judgement
from monde.errors import ContractError
from monde.types import Belief
from monde.types.things import ASPECTS, LOOKS, OWN, SEEN, WIDTH, known

_BACK = 3.0
"""What counts as much as this many others while it is learned: a thing that comes back into sight."""


@dataclass(frozen=True, kw_only=True)
class ThingDynamicsConfig:
    """Sizes.

    Args:
        latent: D, that of things' tokens.
        actions: A; nobody acts, 0.
        hidden: C, width of the memory of each thing.
        messages: Width of what one thing is told of another.
    """

    latent: int = WIDTH
    actions: int = 0
    hidden: int = 64
    messages: int = 32


class _Files(NamedTuple):
    """What is thought of every thing at one step.

    Attributes:
        memory: [B, N, C].
        looks: [B, N, 16], seen or foreseen.
        change: [B, N, 16] from the step before.
        turn: [B, N, 16] of that change.
        seen: [B, N], or the probability of it.
        times: [B, N], steps in which it was seen, 3 at most.
    """

    memory: Tensor
    looks: Tensor
    change: Tensor
    turn: Tensor
    seen: Tensor
    times: Tensor


class _Foreseen(NamedTuple):
    """What is carried between steps: what was foreseen of a frame before it was looked at.

    Attributes:
        memory: [B, N, C].
        looks: [B, N, 16].
        change: [B, N, 16], from `before`.
        before: [B, N, 16] looks of the step before.
        change_before: [B, N, 16].
        times: [B, N].
    """

    memory: Tensor
    looks: Tensor
    change: Tensor
    before: Tensor
    change_before: Tensor
    times: Tensor


class ThingDynamics(Dynamics):
    """looks' = looks + change + head(memory', messages, looks, change, turn), with the probability that the thing will
    be in sight and the doubt about its looks. Whatever is predicted of a file that holds nothing is nothing. Once a
    frame has come, sight is judged given all else that it shows (`Sight`).

    The memory of a belief is what was foreseen of its newest frame before that was looked at (`_Foreseen`).

    Raises:
        ContractError: Actions, or a width that is not that of things' tokens.
    """

    window = 1
    recurrent = True
    things = True
    horizons = (1, 2, 3, 4, 5)
    members = 1

    def __init__(self, config: ThingDynamicsConfig) -> None:
        super().__init__()
        if config.actions or config.latent != WIDTH:
            raise ContractError(
                "the dynamics of things are told no actions",
                got=f"actions of width {config.actions}, latents of {config.latent}",
                expected=f"0 and {WIDTH}",
                remedy="train with --action-free, or another --size",
            )
        self.hidden = config.hidden
        told = 3 * len(LOOKS) + 3
        C, M = config.hidden, config.messages
        self.inwards = nn.Linear(told, C)
        self.asks = nn.Linear(3 * len(LOOKS), M)
        self.tells = nn.Linear(3 * len(LOOKS), M)
        self.relates = nn.Linear(RELATIONS, M, bias=False)
        self.pair = nn.Sequential(nn.ReLU(), nn.Linear(M, M), nn.ReLU(), nn.Linear(M, M), nn.ReLU())
        self.told = nn.Linear(M, M)
        self.gate = nn.GRUCell(C + M, C)
        last = nn.Linear(C, len(LOOKS) + 1 + len(ASPECTS))
        with torch.no_grad():  # it begins with what moved going on moving
            last.weight.mul_(0.1)
            last.bias.zero_()
        self.head = nn.Sequential(nn.Linear(C + M + told, 2 * C), nn.SiLU(), nn.Linear(2 * C, C), nn.SiLU(), last)
        self.judgement = Judgement(M)

    def outputs(self) -> tuple[nn.Linear, ...]:
        """The last layers of what is foreseen, and of sight; see `Dynamics.outputs`."""
        return _last(self.head), _last(self.judgement.sight.head)

    def forward(self, latents: Float[Tensor, "B T N D"], actions: Float[Tensor, "B T A"]) -> Float[Tensor, "E B T N D"]:
        """Teacher-forced prediction; see `Dynamics.forward`."""
        return self._followed(latents)[0]

    def teacher_forced(
        self, latents: Float[Tensor, "B T N D"], actions: Float[Tensor, "B U A"], lengths: tuple[int, ...]
    ) -> tuple[Float[Tensor, "E B U N D"], tuple[tuple[Tensor, ...], ...]]:
        """`forward` and `begins` in one pass."""
        predicted, foreseen = self._followed(latents[:, :-1])
        return predicted, tuple(tuple(foreseen[length - 1]) for length in lengths)

    def begin(self, latents: Float[Tensor, "B T N D"], actions: Float[Tensor, "B U A"]) -> tuple[Tensor, ...]:
        """What was foreseen of the newest frame."""
        return self.begins(latents, actions, (latents.shape[1],))[0]

    def begins(
        self, latents: Float[Tensor, "B T N D"], actions: Float[Tensor, "B U A"], lengths: tuple[int, ...]
    ) -> tuple[tuple[Tensor, ...], ...]:
        """The memories after several lengths of history, in one pass."""
        foreseen = self._followed(latents[:, : max(lengths) - 1])[1]
        return tuple(tuple(foreseen[length - 1]) for length in lengths)

    def advance(self, belief: Belief, actions: Float[Tensor, "B A"]) -> tuple[Tensor, ...]:
        """What is foreseen of the frame after the newest."""
        return tuple(self._next(_looked(_Foreseen(*belief.memory), belief.newest))[0])

    def rollout(
        self, belief: Belief, actions: Float[Tensor, "B S H A"], hypotheses: int, memory: bool
    ) -> tuple[Float[Tensor, "B S K H N D"], tuple[Tensor, ...]]:
        """Imagined latents; see `Dynamics.rollout`. Nobody acts: all sequences have one future."""
        _, S, H, _ = actions.shape
        check_hypotheses(self, hypotheses, H)
        N, foreseen = belief.newest.shape[1], _Foreseen(*belief.memory)
        used = in_use(known(belief.newest) | (foreseen.times > 0))
        foreseen = _Foreseen(*(part[:, :used] for part in foreseen))
        files, imagined = _looked(foreseen, belief.newest[:, :used]), list[Tensor]()
        for _ in range(H):
            foreseen, token = self._next(files)
            imagined.append(token)
            files = _looked(foreseen, token)
        futures = with_empty(torch.stack(imagined, dim=1), N, 2)[:, None, None].expand(-1, S, 1, -1, -1, -1)
        if not memory:
            return futures, ()
        return futures, tuple(with_empty(part, N, 1).repeat_interleave(S, dim=0) for part in foreseen)

    def thought(self, belief: Belief) -> Float[Tensor, "B N D"]:
        """Each thing as it is seen, or foreseen where it is out of sight; of how long it has been so, and of doubt,
        nothing. A file that holds nothing is 0 throughout."""
        files = _looked(_Foreseen(*belief.memory), belief.newest)
        thought = torch.zeros_like(belief.newest)
        thought[..., SEEN], thought[..., OWN] = files.seen, files.looks
        return thought * known(thought)[..., None]

    def error(
        self, predicted: Float[Tensor, "*lead N D"], observed: Float[Tensor, "*lead N D"]
    ) -> Float[Tensor, "*lead N"]:
        """See `Judgement.error`."""
        return self.judgement.error(predicted, observed)

    def surprisal(
        self, predicted: Float[Tensor, "*lead N D"], observed: Float[Tensor, "*lead N D"]
    ) -> Float[Tensor, "*lead"]:
        """See `Judgement.surprisal`."""
        return self.judgement.surprisal(predicted, observed)

    def excess(
        self, predicted: Float[Tensor, "*lead N D"], observed: Float[Tensor, "*lead N D"]
    ) -> Float[Tensor, "*lead"]:
        """See `Judgement.excess`."""
        return self.judgement.excess(predicted, observed)

    def counts(self, latents: Float[Tensor, "B T N D"]) -> Float[Tensor, "B T N"]:
        """1, and `_BACK` for what was out of sight one frame before: that alone tells what goes on unseen."""
        seen, known_before = latents[..., SEEN], known(latents[:, :-1])
        back = seen[:, 1:] * (1 - seen[:, :-1]) * known_before
        return 1 + (_BACK - 1) * nn.functional.pad(back, (0, 0, 1, 0))

    def _followed(self, latents: Float[Tensor, "B T N D"]) -> tuple[Float[Tensor, "1 B T N D"], list[_Foreseen]]:
        """Each frame's successor, and what was foreseen of the first frame, of the second, …"""
        N = latents.shape[2]
        used = latents[:, :, : in_use(known(latents))]
        foreseen, tokens = [self._blank(used)], list[Tensor]()
        for t in range(latents.shape[1]):
            after, token = self._next(_looked(foreseen[-1], used[:, t]))
            foreseen.append(after)
            tokens.append(token)
        whole = [_Foreseen(*(with_empty(part, N, 1) for part in one)) for one in foreseen]
        return with_empty(torch.stack(tokens, dim=1), N, 2)[None] if tokens else latents[None], whole

    def _blank(self, latents: Float[Tensor, "B T N D"]) -> _Foreseen:
        B, _, N, _ = latents.shape
        looks = latents.new_zeros(B, N, len(LOOKS))
        memory = looks.new_zeros(*looks.shape[:2], self.hidden)
        return _Foreseen(memory, looks, looks, looks, looks, looks[..., 0])

    def _next(self, files: _Files) -> tuple[_Foreseen, Float[Tensor, "B N D"]]:
        """What is foreseen of the next frame."""
        with torch.autocast(files.looks.device.type, enabled=False):  # places in bfloat16 are a quarter of a pixel off
            held = (files.times > 0).float()
            looks = files.looks * held[..., None]
            moving = torch.cat([looks, 4 * files.change, 8 * files.turn], dim=-1)
            # In the dark nothing is seen, and all of it will be again: to be hidden and to be unlit are two things.
            lit = ((files.seen * held).amax(dim=1, keepdim=True) > 0.5).float().expand_as(held)
            told = torch.cat([moving, torch.stack([files.seen, held, lit], dim=-1)], dim=-1)
            # What things do to each other does not depend on whether they are in sight.
            pairs = self.asks(moving)[:, :, None] + self.tells(moving)[:, None]
            near = relations(looks.detach(), files.change.detach())  # no gradient: contact begins at once
            pairs = self.pair(pairs + self.relates(near))
            messages = self.told((pairs * held[:, None, :, None]).sum(dim=2) / 4)
            entering = torch.cat([nn.functional.silu(self.inwards(told)), messages], dim=-1)
            memory = self.gate(entering.flatten(0, 1), files.memory.flatten(0, 1)).unflatten(0, held.shape)
            out = self.head(torch.cat([memory, messages, told], dim=-1))
            change = (out[..., : len(LOOKS)] + files.change) * held[..., None]
            odds = out[..., len(LOOKS)] + 4 * files.seen - 2
            doubt = out[..., len(LOOKS) + 1 :] + 1
            after = _Foreseen(memory, files.looks + change, change, files.looks, files.change, files.times)
            age = torch.zeros_like(odds)
            token = torch.cat([torch.sigmoid(odds)[..., None], age[..., None], after.looks, doubt], dim=-1)
            return after, token


def _last(layers: nn.Sequential) -> nn.Linear:
    last = layers[-1]
    assert isinstance(last, nn.Linear)
    return last


def _looked(foreseen: _Foreseen, token: Float[Tensor, "B N D"]) -> _Files:
    """What is seen, where there is something in sight, in the place of what was foreseen."""
    seen = token[..., SEEN]
    shown = ((seen > 0.5) & known(token))[..., None]  # an empty file stays empty, whatever is thought to come
    first = (foreseen.times < 0.5)[..., None]
    looks = torch.where(shown, token[..., OWN], foreseen.looks)
    change = torch.where(shown, (looks - foreseen.before).masked_fill(first, 0.0), foreseen.change)
    twice = (foreseen.times > 1.5)[..., None]  # what falls behind a screen goes on falling
    turn = torch.where(twice, change - foreseen.change_before, torch.zeros_like(change))
    times = (foreseen.times + shown[..., 0]).clamp(max=3.0)
    return _Files(foreseen.memory, looks, change, turn, seen, times)
