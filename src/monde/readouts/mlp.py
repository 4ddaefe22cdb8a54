"""A small nonlinear readout of frozen features, for what is there and not linearly so."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from monde.errors import ContractError, DataError, StoreError
from monde.readouts.standardised import StandardisedReadout, moments_of, parted
from monde.types.checks import describe

VALIDATION_SHARE = 0.2
"""Last part of the training rows, on which it is decided when to stop."""


@dataclass(frozen=True, kw_only=True)
class MLPReadoutConfig:
    """How it is fitted.

    Args:
        hidden: Width of its two hidden layers.
        dropout: Of the hidden layers.
        epochs: Most passes over the rows.
        patience: Passes without a lower error on the validation rows after which it stops.
        batch: Rows a step.
        learning_rate: AdamW's.
        weight_decay: AdamW's.
        seed: Of first weights, dropout and order.

    Raises:
        ContractError: A size or number that is not positive.
    """

    hidden: int = 256
    dropout: float = 0.2
    epochs: int = 60
    patience: int = 8
    batch: int = 512
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    seed: int = 0

    def __post_init__(self) -> None:
        sizes = (self.hidden, self.epochs, self.patience, self.batch, self.learning_rate)
        if min(sizes) <= 0 or not 0 <= self.dropout < 1:
            raise ContractError("MLPReadoutConfig is out of limits", got=self, expected="sizes > 0, dropout 0 to 1")


class MLPReadout(StandardisedReadout):
    """Standardised features through two hidden layers to values in physical units. Frozen once fitted."""

    @torch.no_grad()
    def __call__(self, features: Float[Tensor, "n F"]) -> Float[Tensor, "n k"]:
        """Values in the unit that it was fitted in.

        Raises:
            ContractError: Features of another width.
        """
        return self.read(features)

    def read(self, features: Float[Tensor, "... F"]) -> Float[Tensor, "... k"]:
        """The same with gradients to the features.

        Raises:
            ContractError: Features of another width.
        """
        width = len(self._moments[0])
        if features.shape[-1] != width:
            raise ContractError("the readout does not fit these features", got=describe(features), expected=width)
        read: Tensor = self._network(self._standardised(features))
        return self._in_units(read)

    def to(self, device: torch.device | str) -> "MLPReadout":
        """The same readout on another device."""
        network = copy.deepcopy(self._network).to(device)
        mean, spread = (part.to(device) for part in self._moments)
        middle, scale = (part.to(device) for part in self._scale)
        return MLPReadout(network, (mean, spread), (middle, scale))

    @classmethod
    def from_state(cls, state: Mapping[str, Tensor]) -> "MLPReadout":
        """What `state` told.

        Raises:
            StoreError: Tensors that are not those of such a readout.
        """
        try:
            layers, moments, scale = parted(state)
            widths = MLPReadoutConfig(hidden=len(layers["0.bias"]))
            network = _network(layers["0.weight"].shape[1], len(layers["6.bias"]), widths)
            network.load_state_dict(layers)
        except (KeyError, RuntimeError, IndexError) as error:
            raise StoreError("these are not the tensors of an MLP readout", got=error) from error
        return cls(network, moments, scale)


def fit_mlp(
    features: Float[Tensor, "n F"],
    values: Float[Tensor, "rows k"],
    config: MLPReadoutConfig | None = None,
    known: Bool[Tensor, "rows k"] | None = None,
) -> MLPReadout:
    """Least squares by AdamW; the weights with the lowest error on the last fifth of the rows are kept, so rows should
    come in the order of episodes.

    Args:
        features: What is read from.
        values: What is to be read.
        config: How it is fitted.
        known: False where a value is not known and does not count, or none where all are.

    Raises:
        DataError: Fewer than 10 rows, rows that do not line up, or numbers that are not finite.
    """
    chosen = config or MLPReadoutConfig()
    x, y = features.detach().float(), values.detach().float()
    if len(x) < 10 or len(x) != len(y):
        raise DataError("the readout cannot be fitted", got=f"{len(x)} rows, {len(y)} values", expected="at least 10")
    if not bool(torch.isfinite(x).all() and torch.isfinite(y).all()):
        raise DataError("the readout cannot be fitted to numbers that are not finite", got=describe(x))
    there = None if known is None else known.to(y)
    moments, scale = _moments(x), _moments(y) if there is None else moments_of(y, there)
    x, y = (x - moments[0]) / moments[1], (y - scale[0]) / scale[1]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(chosen.seed)
        network = _network(x.shape[1], y.shape[1], chosen)
        best = _train(network, x, y, there, chosen)
    network.load_state_dict(best)
    return MLPReadout(network, moments, scale)


def _moments(values: Tensor) -> tuple[Tensor, Tensor]:
    spread = values.std(0)
    return values.mean(0), torch.where(spread > 1e-6, spread, torch.ones_like(spread))


def _network(inputs: int, outputs: int, config: MLPReadoutConfig) -> nn.Sequential:
    def layer(width: int) -> list[nn.Module]:
        return [nn.Linear(width, config.hidden), nn.GELU(), nn.Dropout(config.dropout)]

    return nn.Sequential(*layer(inputs), *layer(config.hidden), nn.Linear(config.hidden, outputs))


def _train(
    network: nn.Module, x: Tensor, y: Tensor, there: Tensor | None, config: MLPReadoutConfig
) -> dict[str, Tensor]:
    held = max(1, int(VALIDATION_SHARE * len(x)))
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, foreach=True
    )
    best, lowest, since = copy.deepcopy(network.state_dict()), float("inf"), 0
    for _ in range(config.epochs):
        network.train()
        for rows in torch.randperm(len(x) - held).split(config.batch):
            optimiser.zero_grad()
            loss = _error(network(x[rows]), y[rows], None if there is None else there[rows])
            loss.backward()
            optimiser.step()
        network.eval()
        with torch.no_grad():
            error = float(_error(network(x[-held:]), y[-held:], None if there is None else there[-held:]))
        since += 1
        if error < lowest:
            best, lowest, since = copy.deepcopy(network.state_dict()), error, 0
        if since >= config.patience:
            break
    return best


def _error(read: Tensor, values: Tensor, there: Tensor | None) -> Tensor:
    if there is None:
        return nn.functional.mse_loss(read, values)
    return ((read - values).square() * there).sum() / there.sum().clamp(min=1)
