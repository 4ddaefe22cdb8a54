"""A probe while training: can the state be read from the latents better than from an untrained network?"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from monde.data import Windows
from monde.errors import TrainingError
from monde.models import JEPA
from monde.readouts import fit_linear
from monde.types import Sensor


@dataclass(frozen=True)
class Probe:
    """Fits a linear readout of a recorded state on training windows and scores it on held-out ones.

    Args:
        train: Windows to fit on.
        held_out: Windows to score on.
        sensor: The state that is read; the model must not see it.
        rows: Frames to fit on; a quarter as many are scored.
    """

    train: Windows
    held_out: Windows
    sensor: Sensor
    rows: int = 2048

    @torch.no_grad()
    def __call__(self, model: JEPA) -> float:
        """R² on held-out episodes, the mean over components that vary; the model is left in the mode it was in."""
        training = model.training
        model.eval()
        try:
            return self._score(model)
        finally:
            model.train(training)

    def _score(self, model: JEPA) -> float:
        latents, truth = self._collect(model, self.train, self.rows)
        if not bool(torch.isfinite(latents).all()):
            raise TrainingError(
                "the latents are not finite",
                remedy="lower the learning rate or use --precision fp32, and resume from an earlier checkpoint",
            )
        readout = fit_linear(latents, truth, name=self.sensor.name, unit=self.sensor.unit)
        latents, truth = self._collect(model, self.held_out, self.rows // 4)
        residual = (readout(latents[:, None]) - truth).square().sum(0)
        total = (truth - truth.mean(0)).square().sum(0)
        varies = total > 1e-9 * len(truth)
        return float((1 - residual[varies] / total[varies]).mean()) if bool(varies.any()) else 0.0

    def _collect(self, model: JEPA, windows: Windows, rows: int) -> tuple[Tensor, Tensor]:
        # Evenly spread windows, one frame of each: close frames are nearly the same row.
        index = np.linspace(0, len(windows) - 1, min(rows, len(windows))).astype(np.int64)
        latents, truth = [], []
        for piece in np.array_split(index, max(1, len(index) // 256)):
            clip = windows.clip(piece).window(0, 1)
            told = clip.stream(self.sensor.name)
            there = told.valid[:, 0]
            found = model.encode(clip).values[:, 0].flatten(1).float()
            latents.append(found[there.to(found.device)])
            truth.append(told.values[there, 0].float().to(found.device))
        return torch.cat(latents), torch.cat(truth)
