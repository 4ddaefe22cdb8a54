"""A laser scan read from a latent: for looking, and for keeping clear of what a scanner would see."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from monde.errors import ContractError, StoreError
from monde.readouts.mlp import MLPReadout, MLPReadoutConfig, fit_mlp
from monde.store import load_artefact, save_artefact
from monde.store.typed import from_json, to_json
from monde.types.checks import describe
from monde.types.geometry import ScanGeometry


@dataclass(frozen=True, kw_only=True)
class ScanReadout:
    """Ranges in metres of every `stride`-th beam, read from the latents of one frame.

    Args:
        name: Of the scanner.
        geometry: Of the beams that are read.
        beams: How many.
        network: Two hidden layers.
    """

    name: str
    geometry: ScanGeometry
    beams: int
    network: MLPReadout

    def __call__(self, latents: Float[Tensor, "... N D"]) -> Float[Tensor, "... R"]:
        """Ranges [..., R] in metres, 0 to the scanner's longest.

        Raises:
            ContractError: Latents of another size than it was fitted on.
        """
        return self.network.read(latents.flatten(-2).float()).clamp(0, self.geometry.most_m)

    def to(self, device: torch.device | str) -> "ScanReadout":
        """The same readout on another device."""
        return replace(self, network=self.network.to(device))

    def save(self, folder: Path) -> None:
        """Write it as an artefact of kind "readout"; raises StoreError if `folder` exists."""
        meta = {"type": "scan", "name": self.name, "beams": self.beams, "geometry": to_json(self.geometry)}
        save_artefact(folder, "readout", self.network.state(), meta)

    @classmethod
    def load(cls, folder: Path) -> "ScanReadout":
        """Read it back; raises StoreError if it is missing, altered or another type of readout."""
        artefact = load_artefact(folder, "readout")
        if artefact.meta.get("type") != "scan":
            raise StoreError(f"{folder} is no scan readout", got=artefact.meta.get("type"), expected="scan")
        return cls(
            name=str(artefact.meta.get("name")),
            geometry=from_json(ScanGeometry, artefact.meta.get("geometry"), "geometry"),
            beams=int(str(artefact.meta.get("beams"))),
            network=MLPReadout.from_state(artefact.tensors),
        )


def fit_scan(
    latents: Float[Tensor, "n N D"],
    ranges: Float[Tensor, "rows R"],
    geometry: ScanGeometry,
    *,
    name: str = "scan",
    stride: int = 1,
    config: MLPReadoutConfig | None = None,
) -> ScanReadout:
    """Fit a readout of scans; beams of which nothing is known (0) do not count.

    Args:
        latents: Of frames, in the order of episodes.
        ranges: What the scanner measured there, in metres.
        geometry: Of the scanner.
        name: Of the scanner.
        stride: Only every so many beams are read: 360 of them say little more than 72.
        config: How it is fitted.

    Raises:
        ContractError: A stride that leaves no beam.
        DataError: Fewer than 10 rows, rows that do not line up, or numbers that are not finite.
    """
    if not 1 <= stride <= ranges.shape[1]:
        raise ContractError("no beam is left to read", got=f"stride {stride} of {describe(ranges)}")
    kept = ranges[:, ::stride].to(latents.device)
    network = fit_mlp(latents.flatten(1), kept, config, known=kept > 0)
    shown = replace(geometry, step_rad=geometry.step_rad * stride)
    return ScanReadout(name=name, geometry=shown, beams=kept.shape[1], network=network)
