"""What readouts share that are a small network between standardised inputs and values in physical units."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

Moments = tuple[Tensor, Tensor]
"""Mean and spread of each number."""

PREFIX = "network."
"""Of the names of the network's own tensors in a state."""


class StandardisedReadout:
    """A network that is frozen once fitted.

    Args:
        network: From standardised inputs to standardised values.
        moments: Of the inputs.
        scale: Of the values.
    """

    def __init__(self, network: nn.Module, moments: Moments, scale: Moments) -> None:
        self._network, self._moments, self._scale = network.eval().requires_grad_(False), moments, scale

    def state(self) -> dict[str, Tensor]:
        """All that is needed to make it again (`from_state`)."""
        told = {"mean": self._moments[0], "spread": self._moments[1]}
        told |= {"value_mean": self._scale[0], "value_spread": self._scale[1]}
        return told | {f"{PREFIX}{name}": value for name, value in self._network.state_dict().items()}

    def _standardised(self, inputs: Float[Tensor, "*lead F"]) -> Float[Tensor, "*lead F"]:
        return (inputs.float() - self._moments[0]) / self._moments[1]

    def _in_units(self, values: Float[Tensor, "*lead k"]) -> Float[Tensor, "*lead k"]:
        return values * self._scale[1] + self._scale[0]


def parted(state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], Moments, Moments]:
    """What `StandardisedReadout.state` told: the network's tensors, and the moments of inputs and values.

    Raises:
        KeyError: Tensors that are not those of such a readout.
    """
    layers = {name.removeprefix(PREFIX): v for name, v in state.items() if name.startswith(PREFIX)}
    return layers, (state["mean"], state["spread"]), (state["value_mean"], state["value_spread"])


def moments_of(values: Float[Tensor, "n k"], there: Float[Tensor, "n k"]) -> Moments:
    """Mean and spread of those values that are there (1, else 0); a spread of 1 where all are alike."""
    count = there.sum(dim=0).clamp(min=1)
    mean = (values * there).sum(dim=0) / count
    spread = (((values - mean) * there).square().sum(dim=0) / count).sqrt()
    return mean, torch.where(spread > 1e-6, spread, torch.ones_like(spread))
