"""Settings that are no numbers are refused by their names before anything is read or fitted."""

import math
from collections.abc import Callable
from functools import partial

import pytest

from monde.cli import main
from monde.errors import UsageError
from monde.evaluation.trust_config import TrustConfig
from monde.training import (
    AdaptConfig,
    FitActorConfig,
    FitBodyMotionConfig,
    FitLandmarksConfig,
    FitLevelsConfig,
    RefineConfig,
    TrainConfig,
)
from monde.training.points import PointTrainConfig

TRAIN = partial(TrainConfig, data="data", run="run", steps=1)
ADAPT = partial(AdaptConfig, run="run", out="out")
POSITIVE: tuple[tuple[Callable[..., object], str], ...] = (
    (FitLandmarksConfig, "radius_blocks"),
    (FitLandmarksConfig, "reach_blocks"),
    (FitLevelsConfig, "minutes"),
    (FitLevelsConfig, "learning_rate"),
    (FitActorConfig, "minutes"),
    (FitActorConfig, "learning_rate"),
    (FitActorConfig, "furthest_blocks"),
    (FitBodyMotionConfig, "learning_rate"),
    (PointTrainConfig, "peak"),
    (RefineConfig, "minutes"),
    (RefineConfig, "learning_rate"),
    (ADAPT, "minutes"),
    (ADAPT, "learning_rate"),
    (TRAIN, "learning_rate"),
    (TRAIN, "rate_hz"),
    (TRAIN, "gradient_norm"),
)
NOT_NEGATIVE: tuple[tuple[Callable[..., object], str], ...] = (
    (FitLevelsConfig, "kl_weight"),
    (FitBodyMotionConfig, "clear_m"),
    (PointTrainConfig, "latent_weight"),
    (ADAPT, "checkpoint_seconds"),
    (TRAIN, "weight_decay"),
    (TRAIN, "log_seconds"),
    (TRAIN, "checkpoint_seconds"),
)


@pytest.mark.parametrize("value", [math.nan, math.inf, 0.0, -1.0])
@pytest.mark.parametrize(("make", "name"), POSITIVE)
def test_what_is_no_positive_number_is_refused_by_name(make: Callable[..., object], name: str, value: float) -> None:
    with pytest.raises(UsageError, match=rf"\.{name} is an empty size, or no number"):
        make(**{name: value})


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0])
@pytest.mark.parametrize(("make", "name"), NOT_NEGATIVE)
def test_what_is_negative_or_no_number_is_refused_by_name(make: Callable[..., object], name: str, value: float) -> None:
    with pytest.raises(UsageError, match=rf"\.{name} is negative, or no number"):
        make(**{name: value})
    make(**{name: 0.0})


@pytest.mark.parametrize("value", [math.nan, 2.0, -0.1])
def test_a_probability_that_is_none_is_refused_before_any_episode(value: float) -> None:
    with pytest.raises(UsageError, match="least_probability is no probability"):
        TrustConfig(least_probability=value)


@pytest.mark.parametrize(
    ("flag", "value", "said"),
    [
        ("--megabytes", "nan", "--megabytes is an empty size, or no number"),
        ("--megabytes", "inf", "--megabytes is an empty size, or no number"),
        ("--megabytes", "0", "--megabytes is an empty size, or no number"),
        ("--reach", "nan", "reach_blocks is an empty size, or no number"),
        ("--minutes", "nan", "--minutes nan"),
        ("--levels", "0", "--levels 0"),
        ("--levels", "-3", "--levels -3"),
        ("--landmarks", "-1", "--landmarks -1"),
    ],
)
def test_far_refuses_what_is_no_size(flag: str, value: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["far", "nowhere", flag, value]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told
