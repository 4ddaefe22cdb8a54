"""Dynamics of object files: every thing by one law, drawn on by the others.

An interaction network (Battaglia et al., arXiv 1612.00222) with a memory for each thing. Where a thing is in sight,
what is seen corrects what was foreseen; where it is not, what was foreseen stands in its place and goes on: that is how
it lives on behind a screen. How far each prediction expects to be off is predicted with it.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from monde.dynamics.base import Dynamics, check_hypotheses
from monde.dynamics.contacts import RELATIONS, relations
from monde.dynamics.sight import DOUBTS, LEAST_ODDS, Sight
from monde.errors import ContractError
from monde.types import Belief
from monde.types.things import ASPECTS, DOUBT, LOOKS, OWN, SEEN, WIDTH, known

_SCALES = (0.03, 0.03, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.1, 0.02, 0.1, 0.1, 0.05, 0.05, 0.05)
"""Differences of each of `LOOKS` that count as one: about a pixel of 64, a twentieth of a colour."""

_LEAST = 0.04
"""Squared difference below which nothing is gained."""

_IMPORTANCE = (0.6, 0.6, 0.15, 0.15, 0.15, 0.15, 0.15, 0.08, 0.08, 0.03, 0.08, 0.08, 0.08, 0.2, 0.2, 0.2)
"""What each of `LOOKS` counts for while it is learned."""

_WEIGHTS = (2.0, 1.0, 1.0, 0.5, 1.0, 1.0)
"""Of each of `ASPECTS`."""

_SEEN_WEIGHT = 5.0
_BACK = 3.0
"""What counts as much as this many others while it is learned: a thing that comes back into sight."""

_NEW = 30.0
"""Negative log likelihood of the looks of a thing that was not known: some 20 px and half of all colours off."""


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
    scales: Tensor
    weights: Tensor
    importance: Tensor

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
        self.sight = Sight(M)
        self.register_buffer("scales", torch.tensor(_SCALES), persistent=False)
        self.register_buffer("weights", torch.tensor(_WEIGHTS), persistent=False)
        self.register_buffer("importance", torch.tensor(_IMPORTANCE), persistent=False)

    def outputs(self) -> tuple[nn.Linear, ...]:
        """The last layers of what is foreseen, and of sight; see `Dynamics.outputs`."""
        return tuple(layer for head in (self.head, self.sight.head) if isinstance(layer := head[-1], nn.Linear))

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
        used = _in_use(known(belief.newest) | (foreseen.times > 0))
        foreseen = _Foreseen(*(part[:, :used] for part in foreseen))
        files, imagined = _looked(foreseen, belief.newest[:, :used]), list[Tensor]()
        for _ in range(H):
            foreseen, token = self._next(files)
            imagined.append(token)
            files = _looked(foreseen, token)
        futures = _with_empty(torch.stack(imagined, dim=1), N, 2)[:, None, None].expand(-1, S, 1, -1, -1, -1)
        if not memory:
            return futures, ()
        return futures, tuple(_with_empty(part, N, 1).repeat_interleave(S, dim=0) for part in foreseen)

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
        """What is learned from: how far looks are off, each in proportion (pseudo-Huber), the surprisal of that, and
        that of sight once more, given the rest of the frame.

        Doubt learns from the looks and not they from it: where errors are great at first, a likelihood would have them
        doubted rather than mended (Seitzer et al., arXiv 2203.09168). Sight given the rest learns from both, and
        neither from it.
        """
        off = (predicted[..., OWN] - observed[..., OWN]) / self.scales
        looks = (((off * off + 1).sqrt() - 1) * self.importance).sum(dim=-1)
        settled = torch.cat([predicted[..., : OWN.start], predicted[..., OWN].detach(), predicted[..., DOUBT]], dim=-1)
        unlikely = self._unlikely(settled, observed, _foreseen_sight(settled))
        return looks * observed[..., SEEN] * known(predicted) + unlikely + self._sight_off(settled.detach(), observed)

    def counts(self, latents: Float[Tensor, "B T N D"]) -> Float[Tensor, "B T N"]:
        """1, and `_BACK` for what was out of sight one frame before: that alone tells what goes on unseen."""
        seen, known_before = latents[..., SEEN], known(latents[:, :-1])
        back = seen[:, 1:] * (1 - seen[:, :-1]) * known_before
        return 1 + (_BACK - 1) * nn.functional.pad(back, (0, 0, 1, 0))

    def surprisal(
        self, predicted: Float[Tensor, "*lead N D"], observed: Float[Tensor, "*lead N D"]
    ) -> Float[Tensor, "*lead"]:
        """Negative log likelihood of all things together: Laplace's law for each aspect of what is in sight, in units
        of `_SCALES`, the odds of being in sight given what else is, and a price for what nobody knew of, whatever it
        looks like."""
        new = observed[..., SEEN] * ~known(predicted)
        sight = self.sight_given_others(predicted, observed)
        return (self._unlikely(predicted, observed, sight) + _NEW * new).sum(dim=-1)

    def excess(
        self, predicted: Float[Tensor, "*lead N D"], observed: Float[Tensor, "*lead N D"]
    ) -> Float[Tensor, "*lead"]:
        """By how much the errors in looks exceed the doubt about them, and how much less likely sight was than the
        entropy of what was to be expected given what else is in sight."""
        looks = (self.differences(predicted, observed) * (-_doubt(predicted)).exp() - 1) * self.weights
        p = self.sight_given_others(predicted, observed)
        entropy = -p * p.log() - (1 - p) * (1 - p).log()
        shown, asked = _shown(predicted, observed), _asked(predicted, observed)
        return (looks.sum(dim=-1) * shown + _SEEN_WEIGHT * (_odds(p, observed) - entropy) * asked).sum(dim=-1)

    def sight_given_others(
        self, predicted: Float[Tensor, "*lead N D"], observed: Float[Tensor, "*lead N D"]
    ) -> Float[Tensor, "*lead N"]:
        """Probability of each thing's being in sight, once all else that the frame shows is seen; that something new
        comes into an empty file is as likely as it was foreseen."""
        used = _in_use(known(predicted) | known(observed))
        logits = self.sight(predicted[..., :used, :], observed[..., :used, :])
        given = nn.functional.pad(
            torch.sigmoid(logits).clamp(LEAST_ODDS, 1 - LEAST_ODDS), (0, observed.shape[-2] - used)
        )
        return torch.where(known(predicted), given, _foreseen_sight(predicted))

    def _sight_off(
        self, predicted: Float[Tensor, "*lead N D"], observed: Float[Tensor, "*lead N D"]
    ) -> Float[Tensor, "*lead N"]:
        """What sight given the rest of the frame learns from."""
        odds = nn.functional.binary_cross_entropy_with_logits(
            self.sight(predicted, observed), observed[..., SEEN], reduction="none"
        )
        return _SEEN_WEIGHT * odds * known(predicted) * _asked(predicted, observed)

    def _unlikely(
        self,
        predicted: Float[Tensor, "*lead N D"],
        observed: Float[Tensor, "*lead N D"],
        sight: Float[Tensor, "*lead N"],
    ) -> Float[Tensor, "*lead N"]:
        doubt = _doubt(predicted)
        looks = (self.differences(predicted, observed) * (-doubt).exp() + doubt) * self.weights
        shown, asked = _shown(predicted, observed), _asked(predicted, observed)
        return looks.sum(dim=-1) * shown + _SEEN_WEIGHT * _odds(sight, observed) * asked

    def differences(
        self, predicted: Float[Tensor, "*lead N D"], observed: Float[Tensor, "*lead N D"]
    ) -> Float[Tensor, "*lead N G"]:
        """How far each aspect is off, in units of `_SCALES`."""
        squares = ((predicted[..., OWN] - observed[..., OWN]) / self.scales).square()
        means = [squares[..., aspect].mean(dim=-1) for aspect in ASPECTS]
        return (torch.stack(means, dim=-1) + _LEAST).sqrt()

    def _followed(self, latents: Float[Tensor, "B T N D"]) -> tuple[Float[Tensor, "1 B T N D"], list[_Foreseen]]:
        """Each frame's successor, and what was foreseen of the first frame, of the second, …"""
        N = latents.shape[2]
        used = latents[:, :, : _in_use(known(latents))]
        foreseen, tokens = [self._blank(used)], list[Tensor]()
        for t in range(latents.shape[1]):
            after, token = self._next(_looked(foreseen[-1], used[:, t]))
            foreseen.append(after)
            tokens.append(token)
        whole = [_Foreseen(*(_with_empty(part, N, 1) for part in one)) for one in foreseen]
        return _with_empty(torch.stack(tokens, dim=1), N, 2)[None] if tokens else latents[None], whole

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


def _in_use(held: Bool[Tensor, "*lead N"]) -> int:
    """Files up to the last that ever holds something, and one more. All empty files are alike: what is foreseen of one
    is foreseen of every one after it, so that no more of them need be followed. While gradients are kept all of them
    are: a step of learning costs the same whatever its films show, and refining draws films of as many things."""
    if torch.is_grad_enabled():
        return held.shape[-1]
    ever = torch.nonzero(held.reshape(-1, held.shape[-1]).any(dim=0))
    return min(int(ever.max()) + 2 if len(ever) else 1, held.shape[-1])


def _with_empty(tensor: Float[Tensor, "..."], files: int, dim: int) -> Float[Tensor, "..."]:
    """As many files as there are: the last that was followed, which is empty, stands for those after it."""
    more = files - tensor.shape[dim]
    if not more:
        return tensor
    last = tensor.narrow(dim, tensor.shape[dim] - 1, 1)
    return torch.cat([tensor, last.expand(*(more if d == dim else -1 for d in range(tensor.ndim)))], dim=dim)


def _doubt(predicted: Float[Tensor, "*lead N D"]) -> Float[Tensor, "*lead N G"]:
    return predicted[..., DOUBT].clamp(*DOUBTS)


def _foreseen_sight(predicted: Float[Tensor, "*lead N D"]) -> Float[Tensor, "*lead N"]:
    return predicted[..., SEEN].clamp(LEAST_ODDS, 1 - LEAST_ODDS)


def _odds(sight: Float[Tensor, "*lead N"], observed: Float[Tensor, "*lead N D"]) -> Float[Tensor, "*lead N"]:
    """How unlikely it was that each thing is in sight, or is not."""
    return nn.functional.binary_cross_entropy(sight, observed[..., SEEN], reduction="none")


def _shown(predicted: Float[Tensor, "*lead N D"], observed: Float[Tensor, "*lead N D"]) -> Float[Tensor, "*lead N"]:
    """Of which things looks can be compared."""
    return observed[..., SEEN] * known(predicted)


def _asked(predicted: Float[Tensor, "*lead N D"], observed: Float[Tensor, "*lead N D"]) -> Bool[Tensor, "*lead N"]:
    """Of which things it is asked whether they are in sight."""
    held = known(predicted)
    # Where nothing at all is seen the light is out, and that says nothing of what is there.
    lit = observed[..., SEEN].sum(dim=-1, keepdim=True) > 0
    # Of the empty files the first alone is asked whether something new will come into it.
    first = ~held & ((~held).cumsum(dim=-1) == 1)
    return lit & (held | first)


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
