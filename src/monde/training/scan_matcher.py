"""Fitting the matcher of scans on recorded pairs whose true poses are known: simulated ones."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float64

from monde.errors import UsageError
from monde.models import weights_hash
from monde.readouts import ScanMatcher, ScanMatcherConfig, flow
from monde.spatial import scanner_motion, se2_compose, se2_inverse
from monde.store import RunFolder, remove_artefact
from monde.training.guard import check_gradients
from monde.training.scan_forecast import scan_sensor
from monde.training.setup import reopen
from monde.training.sizes import check_sizes
from monde.types.geometry import ScanGeometry

_UNITS = np.array([0.02, 0.02, 0.004])
"""Errors of these sizes count alike: metres, metres, radians."""


@dataclass(frozen=True, kw_only=True)
class FitScanMatcherConfig:
    """How a scan matcher is fitted.

    Args:
        truth: Sensor that tells the true pose of the body: x, y and yaw are its first numbers.
        steps: Optimiser steps.
        batch: Pairs in a step.
        furthest: Frames between the scans of a pair, at most.
        wrong: Largest standard deviations of guesses (metres, radians); they are drawn up to these.
        learning_rate: Of AdamW; it rises and falls (one cycle).
        seed: Of weights and pairs.

    Raises:
        UsageError: An empty size, or no number.
    """

    truth: str = "state"
    steps: int = 250
    batch: int = 48
    furthest: int = 2
    wrong: tuple[float, float] = (0.3, 0.1)
    learning_rate: float = 3e-3
    seed: int = 0

    def __post_init__(self) -> None:
        check_sizes(self, "steps", "batch", "furthest", "learning_rate")
        if not all(0 < each < math.inf for each in self.wrong):
            raise UsageError(
                "FitScanMatcherConfig.wrong is no pair of spreads", got=self.wrong, expected="two numbers above 0"
            )


def fit_scan_matcher(run: Path | str, config: FitScanMatcherConfig | None = None) -> ScanMatcher:
    """Fit one on a run's training episodes, and keep it in its folder.

    Raises:
        UsageError: A recording without a scan, or without the truth.
        StoreError: Not a run, or the disk is full or read-only.
        TrainingError: A loss that is not finite.
    """
    config, run = config or FitScanMatcherConfig(), Path(run)
    _, setup = reopen(run)
    scan, offsets = scan_sensor(setup), setup.cache.offsets
    if config.truth not in {sensor.name for sensor in setup.cache.sensors}:
        got = [sensor.name for sensor in setup.cache.sensors]
        raise UsageError("nothing tells true poses", got=got, expected=config.truth)
    assert isinstance(scan.geometry, ScanGeometry)
    ahead = 0.0 if scan.mount is None else scan.mount.translation[0]
    ranges, truth = setup.cache.values(scan.name), setup.cache.values(config.truth)
    last = np.concatenate([np.arange(offsets[e], offsets[e + 1] - config.furthest) for e in setup.split.train])
    with torch.random.fork_rng([]):
        torch.manual_seed(config.seed)
        head = ScanMatcher(ScanMatcherConfig())
    generator = np.random.default_rng(config.seed)
    optimiser = torch.optim.AdamW(head.parameters(), lr=config.learning_rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, config.learning_rate, total_steps=config.steps)
    for _ in range(config.steps):
        at = last[generator.integers(len(last), size=config.batch)]
        to = at + generator.integers(1, config.furthest + 1, size=config.batch)
        true = scanner_motion(truth[at, :3].astype(np.float64), truth[to, :3].astype(np.float64), ahead)
        guess = se2_compose(true, _wrong(config, generator))
        pairs = flow(ranges[at].astype(np.float64), ranges[to].astype(np.float64), scan.geometry, guess)
        wanted = torch.from_numpy(se2_compose(se2_inverse(guess), true) / _UNITS).float()
        loss = torch.nn.functional.smooth_l1_loss(head(pairs) / torch.from_numpy(_UNITS).float(), wanted)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(head.parameters(), 1.0)
        check_gradients(norm, head, lambda: "a batch of the scan matcher")
        optimiser.step()
        schedule.step()
    place = RunFolder(run).readouts / "scan_matcher"
    remove_artefact(place)
    head.eval().save(place, weights_hash(run))
    return head


def _wrong(config: FitScanMatcherConfig, generator: np.random.Generator) -> Float64[np.ndarray, "n 3"]:
    """Errors of guesses: small ones as often as large ones, as they are from one iteration to the next."""
    share = 10 ** generator.uniform(-2, 0, size=(config.batch, 1))
    spread = np.array([config.wrong[0], config.wrong[0], config.wrong[1]])
    return generator.normal(size=(config.batch, 3)) * spread * share
