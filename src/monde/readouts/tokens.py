"""A readout of latents whose tokens are things in no order: attention picks the thing that each value is about."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from monde.errors import ContractError, DataError, StoreError
from monde.readouts.standardised import PREFIX, StandardisedReadout, moments_of, parted
from monde.types.checks import describe

LEAST_ROWS = 10
"""That a readout is fitted on."""

_UNASKED = -1e4
"""Logit of a token that holds nothing."""

_SCALE = 0.02
"""Error, of values of spread 1, up to which its square is what counts, and beyond which it is its size: what is off for
a reason that no token tells (a thing behind a screen) does not blur all else."""

_FLOOR = 0.01
"""Share of the learning rate that is left at the end."""


@dataclass(frozen=True, kw_only=True)
class TokenReadoutConfig:
    """How it is fitted.

    Args:
        hidden: Width of its two hidden layers.
        epochs: Passes over the rows.
        batch: Rows a step.
        learning_rate: AdamW's at first; it falls as a cosine.
        weight_decay: AdamW's.
        seed: Of first weights and order.

    Raises:
        ContractError: A size or number that is not positive.
    """

    hidden: int = 64
    epochs: int = 30
    batch: int = 128
    learning_rate: float = 5e-3
    weight_decay: float = 1e-4
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.hidden, self.epochs, self.batch, self.learning_rate) <= 0 or self.weight_decay < 0:
            raise ContractError("TokenReadoutConfig is out of limits", got=self, expected="sizes > 0")


class TokenReadout(StandardisedReadout):
    """Values in physical units, each a mean over what tokens tell of it, weighted by how much each is the thing that is
    meant. Whatever the order of the tokens, the values are the same; a token of zeros holds nothing and is not asked.
    It may be that nobody is meant: then what is usual is told. Frozen once fitted.
    """

    @torch.no_grad()
    def __call__(self, tokens: Float[Tensor, "*lead N D"]) -> Float[Tensor, "*lead k"]:
        """Values in the unit that it was fitted in.

        Raises:
            ContractError: Tokens of another width.
        """
        width = len(self._moments[0])
        if tokens.ndim < 2 or tokens.shape[-1] != width:
            raise ContractError(
                "the readout does not fit these tokens",
                got=describe(tokens),
                expected=f"[..., N, {width}]",
                remedy="give tokens of the model that it was fitted on",
            )
        values: Tensor = self._network(self._standardised(tokens), _held(tokens))
        return self._in_units(values)

    @staticmethod
    def is_of(state: Mapping[str, Tensor]) -> bool:
        """Whether a readout of tokens told this `state`: no other has groups."""
        return f"{PREFIX}groups" in state

    @classmethod
    def from_state(cls, state: Mapping[str, Tensor]) -> "TokenReadout":
        """What `state` told.

        Raises:
            StoreError: Tensors that are not those of such a readout.
        """
        try:
            layers, moments, scale = parted(state)
            network = _Network(layers["plain.weight"].shape[1], len(layers["first.bias"]), layers["groups"])
            network.load_state_dict(layers)
        except (KeyError, RuntimeError, IndexError) as error:
            raise StoreError("these are not the tensors of a readout of tokens", got=error) from error
        return cls(network, moments, scale)


class _Network(nn.Module):
    """Each token by itself: a linear part, so that places are exact, and a small network.

    Args:
        inputs: D.
        hidden: Width.
        groups: [k], number of the group of each value: values of one group are of one thing.
    """

    groups: Tensor

    def __init__(self, inputs: int, hidden: int, groups: Int64[Tensor, " k"]) -> None:
        super().__init__()
        self.register_buffer("groups", groups)
        self.asked = int(groups.max()) + 1
        outputs = self.asked + len(groups)
        self.plain = nn.Linear(inputs, outputs)
        self.first, self.second = nn.Linear(inputs, hidden), nn.Linear(hidden, hidden)
        self.last = nn.Linear(hidden, outputs)
        self.nobody, self.usual = nn.Parameter(torch.zeros(self.asked)), nn.Parameter(torch.zeros(len(groups)))

    def forward(self, tokens: Tensor, held: Tensor) -> Tensor:
        """Values, standardised."""
        inner = nn.functional.silu(self.second(nn.functional.silu(self.first(tokens))))
        logits, told = (self.plain(tokens) + self.last(inner)).split([self.asked, len(self.groups)], dim=-1)
        lead = logits.shape[:-2]
        logits = torch.cat([logits.masked_fill(~held[..., None], _UNASKED), self.nobody.expand(*lead, 1, -1)], dim=-2)
        told = torch.cat([told, self.usual.expand(*lead, 1, -1)], dim=-2)
        weights = logits.softmax(dim=-2)
        return (weights[..., self.groups] * told).sum(dim=-2)


def fit_tokens(
    tokens: Float[Tensor, "n N D"],
    values: Float[Tensor, "rows k"],
    groups: Sequence[int],
    config: TokenReadoutConfig | None = None,
    known: Bool[Tensor, "rows k"] | None = None,
) -> TokenReadout:
    """Least errors (pseudo-Huber's) by AdamW.

    Args:
        tokens: What is read from.
        values: What is to be read.
        groups: By value, the number of its group, from 0: those of one group are of one thing.
        config: How it is fitted.
        known: False where a value is not known and does not count, or none where all are.

    Raises:
        DataError: Fewer than 10 rows, rows that do not line up, no token that holds anything, or numbers that are not
            finite.
        ContractError: Another number of groups than of values, or one that is left out.
    """
    chosen = config or TokenReadoutConfig()
    x, y = tokens.detach().float(), values.detach().float()
    if len(x) < LEAST_ROWS or len(x) != len(y):
        got = f"{len(x)} rows, {len(y)} values"
        raise DataError("the readout cannot be fitted", got=got, expected=f"at least {LEAST_ROWS}")
    if len(groups) != y.shape[1] or set(groups) != set(range(max(groups, default=-1) + 1)):
        raise ContractError(
            "every value belongs to a group",
            got=f"groups {list(groups)} of {y.shape[1]} values",
            expected="one number for each value, from 0 on, none left out",
        )
    held = _held(x)
    if not bool(torch.isfinite(x).all() and torch.isfinite(y).all() and held.any()):
        raise DataError(
            "the readout cannot be fitted to nothing, or to numbers that are not finite", got=describe(tokens)
        )
    there = torch.ones_like(y) if known is None else known.to(y)
    moments, scale = moments_of(x[held], torch.ones_like(x[held])), moments_of(y, there)
    x, y = (x - moments[0]) / moments[1], (y - scale[0]) / scale[1]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(chosen.seed)
        network = _Network(x.shape[-1], chosen.hidden, torch.tensor(groups))
        _train(network, x, held, y, there, chosen)
    return TokenReadout(network, moments, scale)


def _held(tokens: Float[Tensor, "*lead N D"]) -> Bool[Tensor, "*lead N"]:
    return (tokens != 0).any(dim=-1)


def _train(network: _Network, x: Tensor, held: Tensor, y: Tensor, there: Tensor, config: TokenReadoutConfig) -> None:
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=config.weight_decay, foreach=True)
    steps = config.epochs * math.ceil(len(x) / config.batch)
    step = 0
    for _ in range(config.epochs):
        for rows in torch.randperm(len(x)).split(config.batch):
            fall = 0.5 * (1 + math.cos(math.pi * step / steps))
            for group in optimiser.param_groups:
                group["lr"] = config.learning_rate * (_FLOOR + (1 - _FLOOR) * fall)
            off = (network(x[rows], held[rows]) - y[rows]) / _SCALE
            loss = (((off.square() + 1).sqrt() - 1) * there[rows]).sum() / there[rows].sum().clamp(min=1)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            step += 1
