"""Planar laser scans: convolutions over beams."""

import math
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from monde.nn import BatchNorm
from monde.perception.sense import SenseEncoder
from monde.types.geometry import ScanGeometry

NEAR_METRES = 1.0
"""Where the second scale of ranges, which tells near things apart, has fallen to a half."""


class ScanEncoder(SenseEncoder):
    """Each beam's range on two scales, no-return and unknown flags; stride-2 convolutions over beams to at most eight
    places, then one linear layer over all of them. Scanners that see all around are convolved around.

    Args:
        beams: R.
        geometry: Of the scanner.
        base: Channels of the first convolution; the others have twice as many.
        features: Width of the output.
    """

    def __init__(self, beams: int, geometry: ScanGeometry, base: int, features: int) -> None:
        super().__init__(0)  # the scanner's longest range is the scale
        self.most = geometry.most_m
        around = abs(abs(geometry.step_rad) * beams - 2 * math.pi) < 1.5 * abs(geometry.step_rad)
        layers: list[nn.Module] = []
        inputs, outputs, places = 4, base, beams
        while places > 8:
            padding: Literal["circular", "zeros"] = "circular" if around and places >= 4 else "zeros"
            layers += [
                nn.Conv1d(inputs, outputs, 5, 2, 2, bias=False, padding_mode=padding),
                BatchNorm(outputs),
                nn.SiLU(),
            ]
            inputs, outputs, places = outputs, 2 * base, (places - 1) // 2 + 1
        self.convolutions = nn.Sequential(*layers)
        self.head = nn.Linear(inputs * places, features)

    def measured(self, values: Float[Tensor, "M R"]) -> Float[Tensor, "M 0"]:
        """Nothing."""
        return values.new_zeros(len(values), 0)

    def forward(self, values: Float[Tensor, "M R"], mask: Bool[Tensor, "M P"] | None = None) -> Float[Tensor, "M f"]:
        """Ranges in metres, 0 unknown, the longest where nothing was hit, to features [M, features]."""
        known, hit = values > 0, (values > 0) & (values < self.most)
        ranges = torch.where(known, values, torch.full_like(values, self.most))
        near = torch.where(known, NEAR_METRES / (NEAR_METRES + ranges), torch.zeros_like(ranges))
        beams = torch.stack(
            [2 * ranges / self.most - 1, near, (known & ~hit).to(ranges.dtype), (~known).to(ranges.dtype)], dim=1
        )
        return self.head(self.convolutions(beams).flatten(1))
