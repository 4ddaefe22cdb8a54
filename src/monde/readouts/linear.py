"""Linear readouts of frozen latents, in physical units."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from monde.errors import ContractError, DataError, StoreError
from monde.store import load_artefact, save_artefact
from monde.types.checks import describe

PENALTIES = tuple(10.0**exponent for exponent in range(-6, 4))
"""Ridge penalties that are tried, as a fraction of the number of rows (features are standardised)."""

VALIDATION_SHARE = 0.2
"""Last part of the training rows, on which the penalty is chosen."""


@dataclass(frozen=True, kw_only=True)
class LinearReadout:
    """An affine map from the latents of one frame to a quantity in physical units.

    Args:
        name: What it reads ("position").
        unit: Unit of what it says.
        names: One name per component, or empty.
        centre: [F] mean latent, F = N·D.
        weight: [F, n].
        bias: [n].
        penalty: Ridge penalty that was chosen.
    """

    name: str
    unit: str
    names: tuple[str, ...] = ()
    centre: Float[Tensor, " F"]
    weight: Float[Tensor, "F n"]
    bias: Float[Tensor, " n"]
    penalty: float

    def __call__(self, latents: Float[Tensor, "... N D"]) -> Float[Tensor, "... n"]:
        """Values [..., n] read from latents [..., N, D].

        Raises:
            ContractError: Latents of another size than it was fitted on.
        """
        features = latents.flatten(-2).to(self.weight.dtype)
        if features.shape[-1] != len(self.centre):
            raise ContractError(
                f"readout {self.name!r} does not fit these latents",
                got=describe(latents),
                expected=f"N·D = {len(self.centre)}",
                remedy="use a readout that was fitted on this model",
            )
        return (features - self.centre) @ self.weight + self.bias

    def __repr__(self) -> str:
        return f"LinearReadout({self.name!r}, {self.unit}, {self.weight.shape[1]} numbers, penalty {self.penalty:g})"

    def to(self, device: torch.device | str) -> "LinearReadout":
        """The same readout on another device."""
        return replace(self, centre=self.centre.to(device), weight=self.weight.to(device), bias=self.bias.to(device))

    def save(self, folder: Path) -> None:
        """Write it as an artefact of kind "readout"; raises StoreError if `folder` exists."""
        meta = {
            "type": "linear",
            "name": self.name,
            "unit": self.unit,
            "names": list(self.names),
            "penalty": self.penalty,
        }
        save_artefact(folder, "readout", {"centre": self.centre, "weight": self.weight, "bias": self.bias}, meta)

    @classmethod
    def load(cls, folder: Path) -> "LinearReadout":
        """Read it back; raises StoreError if it is missing, altered or another type of readout."""
        artefact = load_artefact(folder, "readout")
        meta, tensors = artefact.meta, artefact.tensors
        if meta.get("type") != "linear" or set(tensors) != {"centre", "weight", "bias"}:
            raise StoreError(f"{folder} is no linear readout", got=meta.get("type"), expected="linear")
        names = meta.get("names", [])
        if not isinstance(names, list):
            raise StoreError(f"{folder}: field 'names' is no list", got=repr(names))
        return cls(
            name=str(meta.get("name")),
            unit=str(meta.get("unit")),
            names=tuple(str(name) for name in names),
            centre=tensors["centre"],
            weight=tensors["weight"],
            bias=tensors["bias"],
            penalty=float(str(meta.get("penalty"))),
        )


def fit_linear(
    latents: Float[Tensor, "n *features"],
    values: Float[Tensor, "rows k"],
    *,
    name: str,
    unit: str,
    names: tuple[str, ...] = (),
) -> "LinearReadout":
    """Ridge regression in closed form (float64, standardised features), on the device of `latents`.

    The penalty is chosen by the error on the last fifth of the rows, so rows should come in the order of episodes: then
    it is chosen on episodes that the fit has not seen. The readout is fitted again on all rows.

    Args:
        latents: [n, N, D] or [n, F].
        values: [n, k] true values, in `unit`.
        name: What is read.
        unit: Unit of `values`.
        names: One name per component, or empty.

    Raises:
        DataError: Fewer than 10 rows, rows that do not line up, or values that are not finite.
    """
    features, targets = latents.detach().flatten(1).double(), values.detach().to(latents.device).double()
    if len(features) < 10 or len(features) != len(targets):
        raise DataError(
            f"readout {name!r} cannot be fitted",
            got=f"{len(features)} latents and {len(targets)} values",
            expected="at least 10 of each, one value per latent",
        )
    for what, tensor in (("latents", features), ("values", targets)):
        if not bool(torch.isfinite(tensor).all()):
            raise DataError(f"the {what} of readout {name!r} are not finite", got=describe(tensor))
    held = max(1, int(VALIDATION_SHARE * len(features)))
    candidates = _ridge(features[:-held], targets[:-held], PENALTIES)
    errors = [(_apply(fit, features[-held:]) - targets[-held:]).square().mean() for fit in candidates]
    penalty = PENALTIES[int(torch.stack(errors).argmin())]
    centre, weight, bias = (tensor.float() for tensor in _ridge(features, targets, (penalty,))[0])
    return LinearReadout(name=name, unit=unit, names=names, centre=centre, weight=weight, bias=bias, penalty=penalty)


_Affine = tuple[Tensor, Tensor, Tensor]


def _ridge(features: Tensor, targets: Tensor, penalties: tuple[float, ...]) -> list[_Affine]:
    """Centre, weight and bias for each penalty, from one eigendecomposition."""
    centre, scale = features.mean(0), features.std(0)
    # A feature that never varies in the data carries nothing; scale 1 leaves its weight at zero.
    scale = torch.where(scale > 1e-12, scale, torch.ones_like(scale))
    standard, bias = (features - centre) / scale, targets.mean(0)
    n, F = standard.shape
    # Several tokens a frame make more features than rows: then the rows' products say the same at less cost.
    wide = F > n
    eigenvalues, vectors = torch.linalg.eigh((standard @ standard.T if wide else standard.T @ standard) / n)
    projected = vectors.T @ (targets - bias if wide else standard.T @ (targets - bias)) / n
    back = standard.T @ vectors if wide else vectors
    solutions = (back @ (projected / (eigenvalues.clamp_min(0) + penalty)[:, None]) for penalty in penalties)
    return [(centre, solution / scale[:, None], bias) for solution in solutions]


def _apply(fit: _Affine, features: Tensor) -> Tensor:
    centre, weight, bias = fit
    return (features - centre) @ weight + bias
