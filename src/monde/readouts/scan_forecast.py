"""A scan to come, chosen beam by beam among what past scans say and what may stand where nobody has looked yet.

A scan that is decoded from a latent alone is blurred where a surface ends; the last scan, moved by odometry, is sharp
and wrong by what odometry errs and by what comes into view. So each beam is a mixture: components lie at the ranges
that past scans lead to, at those of neighbouring beams (a turn that odometry missed), and at fixed ranges.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from monde.errors import ContractError
from monde.readouts.scan_inputs import MOVES, PAST, SEEN, ScanInputs
from monde.store import load_module, save_module

KIND = "scan_forecast"


@dataclass(frozen=True, kw_only=True)
class ScanForecastConfig:
    """Sizes.

    Args:
        features: N·D of the imagined latents.
        most_m: The scanner's longest range.
        horizon: Steps ahead that it was fitted for.
        width: Channels.
        shifts: Neighbouring beams on either side whose range may be right.
        fixed: Fixed ranges, evenly spaced in their logarithm from 1 m to `most_m`.
        spread: Width of a mixture's components, in logarithms of metres.

    Raises:
        ContractError: A size that is not positive.
    """

    features: int
    most_m: float
    horizon: int
    width: int = 48
    shifts: int = 8
    fixed: int = 20
    spread: float = 0.03

    def __post_init__(self) -> None:
        sizes = (self.features, self.most_m, self.horizon, self.width, self.shifts, self.fixed, self.spread)
        if min(sizes) <= 0:
            raise ContractError("ScanForecastConfig has an empty size", got=self, expected="everything > 0")


class ScanForecast(nn.Module):
    """Weights over candidate ranges of each beam; how it is fitted: `monde.training.fit_scan_forecast`."""

    def __init__(self, config: ScanForecastConfig) -> None:
        super().__init__()
        self.config = config
        W = config.width
        self.context = nn.Sequential(nn.Linear(config.features + MOVES, 2 * W), nn.GELU(), nn.Linear(2 * W, W))
        self.enter = nn.Conv1d(SEEN + 2, W, 5, padding=2)
        self.down = nn.ModuleList([_layer(W, 2), _layer(W, 2), _layer(W, 2)])
        self.up = nn.ModuleList([_layer(W, 1), _layer(W, 1), _layer(W, 1)])
        self.leave = nn.Conv1d(W, 2 * config.shifts + PAST + config.fixed, 3, padding=1)

    def forward(self, latents: Float[Tensor, "n N D"], inputs: ScanInputs) -> Float[Tensor, "n K R"]:
        """Logarithms of the candidates' weights.

        Args:
            latents: Imagined, of the moment that is foretold.
            inputs: What past scans say of it.
        """
        R = inputs.seen.shape[-1]
        across = torch.linspace(-1, 1, R, device=inputs.seen.device).expand(len(inputs.seen), 1, R)
        known = torch.cat([inputs.seen, across, across.abs()], 1)
        told = self.context(torch.cat([latents.flatten(1), inputs.moves], 1))
        x = torch.nn.functional.gelu(self.enter(known) + told[:, :, None])
        kept = []
        for layer in self.down:
            kept.append(x)
            x = layer(x)
        # What all beams have in common (an error of odometry) is told to each.
        x = x + x.mean(-1, keepdim=True)
        for layer, before in zip(self.up, reversed(kept), strict=True):
            x = layer(nn.functional.interpolate(x, size=before.shape[-1], mode="linear") + before)
        return self.leave(x).log_softmax(1)

    def candidates(self, inputs: ScanInputs) -> Float[Tensor, "n K R"]:
        """Ranges that a beam may have, in metres: neighbours' in the newest scan, older scans', fixed ones."""
        newest, shifts = inputs.warped[:, :1], self.config.shifts
        padded = nn.functional.pad(newest, (shifts, shifts), mode="replicate")
        R = newest.shape[-1]
        near = [padded[..., k : k + R] for k in range(2 * shifts + 1)]
        logs = torch.linspace(0, float(torch.log(torch.tensor(self.config.most_m))), self.config.fixed)
        fixed = logs.exp().to(newest)[None, :, None].expand(len(newest), -1, R)
        return torch.cat([*near, inputs.warped[:, 1:], fixed], 1)

    def likelihood(
        self, latents: Float[Tensor, "n N D"], inputs: ScanInputs, scans: Float[Tensor, "n R"]
    ) -> Float[Tensor, "n R"]:
        """Log-likelihood of the scans that came, up to a constant: Laplace components in the logarithm of the range."""
        away = (torch.log(self.candidates(inputs).clamp_min(0.05)) - torch.log(scans.clamp_min(0.05))[:, None]).abs()
        # Heavy tails: what nobody could foresee must not move all else.
        return torch.logsumexp(self(latents, inputs) - 1.5 * torch.log1p(away / self.config.spread), 1)

    @torch.no_grad()
    def read(self, latents: Float[Tensor, "n N D"], inputs: ScanInputs, cap_m: float = 5.0) -> Float[Tensor, "n R"]:
        """The scan of least expected error among the candidates, errors above `cap_m` counting as much as that."""
        weights, candidates = self(latents, inputs).exp(), self.candidates(inputs)
        found = []
        for w, c in zip(weights, candidates, strict=True):
            expected = ((c[:, None] - c[None]).abs().clamp_max(cap_m) * w[None]).sum(1)
            found.append(c.gather(0, expected.argmin(0, keepdim=True))[0])
        return torch.stack(found)

    def save(self, folder: Path, of: str) -> None:
        """Write it as an artefact; `of` names the weights of the model that it was fitted on.

        Raises:
            StoreError: `folder` exists, or the disk is full or read-only.
        """
        save_module(folder, KIND, self, self.config, of)

    @classmethod
    def load(cls, folder: Path, of: str | None = None) -> "ScanForecast":
        """Read it back, in evaluation mode.

        Raises:
            StoreError: Missing, altered, or fitted on another model than `of`.
        """
        what = f"the scan forecast in {folder} was fitted on the latents of another model"
        return load_module(folder, KIND, cls, ScanForecastConfig, of, what, "fit it again on this run")


def _layer(width: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv1d(width, width, 5, stride, 2), nn.GELU(), nn.Conv1d(width, width, 3, 1, 1), nn.GELU())
