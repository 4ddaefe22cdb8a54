"""Fitting the forecast of scans on a frozen model's imagination."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from monde.data import Windows
from monde.errors import UsageError
from monde.models import JEPA, load_model, weights_hash
from monde.readouts import PAST, ScanForecast, ScanForecastConfig, ScanInputs, scan_inputs
from monde.store import RunFolder, remove_artefact
from monde.training.device import choose_device
from monde.training.guard import check_gradients
from monde.training.setup import Setup, reopen
from monde.training.sizes import check_sizes
from monde.types import Clip, Sensor
from monde.types.geometry import ScanGeometry

CLIPS_AT_ONCE = 256


@dataclass(frozen=True, kw_only=True)
class FitScanForecastConfig:
    """How a scan forecast is fitted.

    Args:
        horizon: Model steps ahead.
        steps: Optimiser steps.
        batch: Forecasts in a step.
        most: Forecasts that are made ready, spread evenly over the recording.
        learning_rate: Of AdamW; it rises and falls (one cycle).
        width: Channels.
        seed: Of weights and batches.
        device: "auto", "cpu", "cuda", …

    Raises:
        UsageError: An empty size, or no number.
    """

    horizon: int = 4
    steps: int = 1500
    batch: int = 32
    most: int = 8_000
    learning_rate: float = 2e-3
    width: int = 48
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        check_sizes(self, "horizon", "steps", "batch", "most", "learning_rate", "width")


@dataclass(frozen=True)
class Forecasts:
    """Scans that came, and what was known of them.

    Args:
        latents: [n, N, D] imagined.
        inputs: What past scans say.
        scans: [n, R] what came.
    """

    latents: Float[Tensor, "n N D"]
    inputs: ScanInputs
    scans: Float[Tensor, "n R"]


def fit_scan_forecast(run: Path | str, config: FitScanForecastConfig | None = None) -> ScanForecast:
    """Fit one on the frozen model of a run and its training episodes, and keep it in its folder.

    Raises:
        UsageError: A recording without a scan and a pose in the plane.
        StoreError: Not a run, or the disk is full or read-only.
        TrainingError: A loss that is not finite.
    """
    config, run = config or FitScanForecastConfig(), Path(run)
    _, setup = reopen(run)
    device = choose_device(config.device)
    model = load_model(run, device).requires_grad_(False)
    known = forecasts(model, setup, setup.split.train, config.horizon, config.most)
    scan = scan_sensor(setup)
    assert isinstance(scan.geometry, ScanGeometry)
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(config.seed)
        sizes = ScanForecastConfig(
            features=known.latents[0].numel(),
            most_m=scan.geometry.most_m,
            horizon=config.horizon,
            width=config.width,
        )
        head = ScanForecast(sizes).to(device)
    _fit(head, known, config)
    place = RunFolder(run).readouts / "scan_forecast"
    remove_artefact(place)
    head.save(place, weights_hash(run))
    return head


def scan_sensor(setup: Setup) -> Sensor:
    """The scan that a run's model reads.

    Raises:
        UsageError: It reads none.
    """
    for sensor in setup.model.sensors:
        if sensor.kind == "scan":
            return sensor
    raise UsageError("nothing is scanned", got=[sensor.name for sensor in setup.model.sensors], expected="a scan")


def forecasts(model: JEPA, setup: Setup, episodes: tuple[int, ...], horizon: int, most: int) -> Forecasts:
    """Up to `most` forecasts `horizon` model steps ahead, spread evenly over some recorded episodes.

    Raises:
        UsageError: No scan is read, or no pose in the plane was recorded.
    """
    scan = scan_sensor(setup)
    pose = next((s.name for s in setup.recording.sensors if s.kind == "pose" and s.shape == (3,)), None)
    if pose is None:
        raise UsageError("no pose in the plane was recorded", expected="odometry, kind 'pose', shape [3]")
    steps = max(horizon + 1, PAST) + horizon
    windows = Windows(setup.cache, episodes, [scan.name, pose], steps, model.actions)
    index = np.linspace(0, len(windows) - 1, min(most, len(windows))).round().astype(np.int64)
    found = [
        forecast_clips(model, windows.clip(part), scan, pose, horizon)
        for part in np.array_split(index, -(-len(index) // CLIPS_AT_ONCE))
    ]
    inputs = ScanInputs(*(torch.cat(list(parts)) for parts in zip(*(vars(f.inputs).values() for f in found))))
    return Forecasts(torch.cat([f.latents for f in found]), inputs, torch.cat([f.scans for f in found]))


@torch.no_grad()
def forecast_clips(model: JEPA, clips: Clip, scan: Sensor, pose: str, horizon: int) -> Forecasts:
    """What was known of the last scan of each clip `horizon` steps before."""
    known = clips.steps - horizon
    scans, poses = clips.stream(scan.name).values.numpy(), clips.stream(pose).values.double().numpy()
    assert isinstance(scan.geometry, ScanGeometry)
    ahead = 0.0 if scan.mount is None else scan.mount.translation[0]
    inputs = scan_inputs(scans[:, :known], poses, scan.geometry, ahead)
    seen = Clip({scan.name: clips.stream(scan.name)}, clips.actions)
    belief = model.begin(seen.window(0, known))
    assert clips.actions is not None
    latents = model.imagine(belief, clips.actions.values[:, None, known - 1 :]).latents[:, 0, 0, -1]
    return Forecasts(latents.cpu(), inputs, torch.from_numpy(scans[:, -1]).float())


def _fit(head: ScanForecast, known: Forecasts, config: FitScanForecastConfig) -> None:
    device = next(head.parameters()).device
    generator = torch.Generator().manual_seed(config.seed)
    optimiser = torch.optim.AdamW(head.parameters(), lr=config.learning_rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, config.learning_rate, total_steps=config.steps)
    returned = (known.scans > 0) & (known.scans < head.config.most_m)
    for _ in range(config.steps):
        index = torch.randint(len(known.scans), (config.batch,), generator=generator)
        inputs = known.inputs.rows(index)
        inputs = ScanInputs(*(part.to(device) for part in vars(inputs).values()))
        scans, counts = known.scans[index].to(device), returned[index].to(device)
        likelihood = head.likelihood(known.latents[index].to(device), inputs, scans)
        loss = -(likelihood * counts).sum() / counts.sum().clamp_min(1)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(head.parameters(), 1.0)
        check_gradients(norm, head, lambda: "a batch of the scan forecast")
        optimiser.step()
        schedule.step()
    head.eval()
