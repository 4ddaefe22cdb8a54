"""A calibrated probability of success, from what is known at planning time."""

import copy
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from monde.errors import ContractError, DataError
from monde.types.checks import describe

LEAST_OF_EACH = 5
"""Episodes that succeeded, and that failed, below which there is nothing to learn a difference from."""


@dataclass(frozen=True, kw_only=True)
class SuccessProbabilityConfig:
    """Sizes and fitting.

    Args:
        names: What the features are called, in order.
        hidden: Width of the two hidden layers.
        members: Networks, each fitted without one part of the episodes; their logits are averaged.
        epochs: Most passes over the episodes.
        patience: Passes without a lower loss on the part left out after which a member stops.
        learning_rate: AdamW's.
        weight_decay: AdamW's.
        seed: Of first weights, parts and order.

    Raises:
        ContractError: A size that is not positive.
    """

    names: tuple[str, ...]
    hidden: int = 32
    members: int = 5
    epochs: int = 200
    patience: int = 20
    learning_rate: float = 3e-3
    weight_decay: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        sizes = (self.hidden, self.epochs, self.patience, self.learning_rate, len(self.names))
        if min(sizes) <= 0 or self.members < 2:
            raise ContractError("SuccessProbabilityConfig is out of limits", got=self, expected="members ≥ 2, all > 0")


class SuccessProbability(nn.Module):
    """Features to a probability: the mean logit of a few small networks, divided by a temperature.

    Temperature scaling (Guo et al. 2017, arXiv 1706.04599) on logits of episodes that a member was not fitted on.
    """

    mean: Tensor
    std: Tensor
    temperature: Tensor
    offset: Tensor

    def __init__(self, config: SuccessProbabilityConfig) -> None:
        super().__init__()
        self.config = config
        width = len(config.names)
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("std", torch.ones(width))
        self.register_buffer("temperature", torch.ones(()))
        self.register_buffer("offset", torch.zeros(()))
        self.networks = nn.ModuleList(_network(width, config.hidden) for _ in range(config.members))

    def forward(self, features: Float[Tensor, "n F"]) -> Float[Tensor, " n"]:
        """Probability of success of each row.

        Raises:
            ContractError: Another number of features.
        """
        logits = torch.stack([network(self.standard(features))[:, 0] for network in self.networks]).mean(0)
        return torch.sigmoid(logits / self.temperature + self.offset)

    def standard(self, features: Float[Tensor, "n F"]) -> Float[Tensor, "n F"]:
        """Compressed and in units of their spread: times and distances are heavy-tailed."""
        if features.shape[-1] != len(self.mean):
            raise ContractError("features are missing", got=describe(features), expected=self.config.names)
        return ((_compressed(features.to(self.mean.dtype)) - self.mean) / self.std).clamp(-10, 10)


def fit_success_probability(
    features: Float[Tensor, "n F"], reached: Bool[Tensor, " n"], config: SuccessProbabilityConfig
) -> SuccessProbability:
    """Cross-fitted: each member leaves one part out, stops by it, and the temperature is chosen on all parts left out.

    Raises:
        DataError: Features that are not finite, or hardly any success or failure to learn from.
    """
    if not bool(torch.isfinite(features).all()):
        raise DataError("the features of success are not finite", got=describe(features))
    counts = int(reached.sum()), int((~reached).sum())
    if min(counts) < LEAST_OF_EACH:
        raise DataError(
            "success cannot be told from failure",
            got=f"{counts[0]} episodes that succeeded and {counts[1]} that failed",
            expected=f"at least {LEAST_OF_EACH} of each",
            remedy="fit on more episodes, with a shorter budget or harder goals",
        )
    with torch.random.fork_rng([]):
        torch.manual_seed(config.seed)
        head = SuccessProbability(config)
        compressed = _compressed(features.float().cpu())
        head.mean.copy_(compressed.mean(0))
        head.std.copy_(compressed.std(0).clamp_min(1e-6))
        x, y = head.standard(features.float().cpu()), reached.float().cpu()
        part = torch.arange(len(x)) % config.members
        part = part[torch.randperm(len(x))]
        logits = torch.empty(len(x))
        for member, network in enumerate(head.networks):
            left = part == member
            _fit(network, (x[~left], y[~left]), (x[left], y[left]), config)
            with torch.no_grad():
                logits[left] = network(x[left])[:, 0]
        _calibrate(head, logits, y)
    return head.eval()


def _compressed(features: Tensor) -> Tensor:
    return features.sign() * torch.log1p(features.abs())


def _network(width: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(width, hidden), nn.SiLU(), nn.Dropout(0.1), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, 1)
    )


def _fit(
    network: nn.Module, fitted: tuple[Tensor, Tensor], left: tuple[Tensor, Tensor], config: SuccessProbabilityConfig
) -> None:
    optimiser = torch.optim.AdamW(network.parameters(), config.learning_rate, weight_decay=config.weight_decay)
    loss_of = nn.functional.binary_cross_entropy_with_logits
    best, lowest, since = copy.deepcopy(network.state_dict()), float("inf"), 0
    for _ in range(config.epochs):
        network.train()
        for rows in torch.randperm(len(fitted[0])).split(128):
            optimiser.zero_grad()
            loss_of(network(fitted[0][rows])[:, 0], fitted[1][rows]).backward()
            optimiser.step()
        network.eval()
        with torch.no_grad():
            loss = float(loss_of(network(left[0])[:, 0], left[1]))
        since += 1
        if loss < lowest:
            best, lowest, since = copy.deepcopy(network.state_dict()), loss, 0
        if since >= config.patience:
            break
    network.load_state_dict(best)


def _calibrate(head: SuccessProbability, logits: Tensor, y: Tensor) -> None:
    """Temperature and offset of least loss (Platt 1999), by Newton's method in effect: L-BFGS on two numbers."""
    scale, offset = torch.zeros((), requires_grad=True), torch.zeros((), requires_grad=True)
    optimiser = torch.optim.LBFGS([scale, offset], max_iter=100)

    def closure() -> Tensor:
        optimiser.zero_grad()
        shifted = logits * torch.exp(-scale) + offset
        # A weak prior on "as it is": with hardly any failures the scale would run away.
        loss = nn.functional.binary_cross_entropy_with_logits(shifted, y) + 1e-3 * (scale.square() + offset.square())
        loss.backward()
        return loss

    optimiser.step(closure)
    head.temperature.copy_(torch.exp(scale.detach()))
    head.offset.copy_(offset.detach())
