"""What the contracts between rooms refuse, and what they say of themselves."""

import math
import subprocess
import sys

import pytest
import torch
from jaxtyping import TypeCheckError

from monde.errors import ContractError
from monde.types import ActionSpec, Belief, Clip, Latents, PictureGoal, Problem, ReadoutGoal, Rollout, Sensor, Stream
from monde.types.checks import describe

REFUSED = (ContractError, TypeCheckError)
"""Tests run with shape checks on, which refuse some of what is wrong before the contract itself does."""


def stream(T: int = 3, B: int = 2, rate_hz: float = 10) -> Stream:
    return Stream.regular(torch.zeros(B, T, 4), rate_hz)


def test_a_description_shows_shape_and_range_but_never_contents() -> None:
    assert describe(torch.tensor([[1.0, -2.0]])) == "float32[1×2] on cpu, -2..1"
    assert describe(torch.tensor([1.0, math.nan])) == "float32[2] on cpu, 1 not finite"
    assert describe(torch.tensor([True, False])) == "bool[2] on cpu, 1 true"
    assert describe(None) == "none"
    assert len(repr(Clip({"state": Stream.regular(torch.rand(1, 1000, 4), 10)}))) < 300


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": ""}, "name"),
        ({"name": "a/b"}, "name"),
        ({"name": "x" * 201}, "200"),
        ({"shape": (1, 64, 64)}, r"\[3, h, w\]"),
        ({"shape": (3, 5000, 64)}, "4096"),
        ({"shape": ()}, "shape"),
        ({"rate_hz": 0.0}, "rate"),
        ({"rate_hz": math.inf}, "rate"),
        ({"names": ("x",)}, "names"),
    ],
)
def test_a_sensor_refuses(change: dict[str, object], said: str) -> None:
    good: dict[str, object] = {"name": "top", "kind": "rgb", "shape": (3, 64, 64), "rate_hz": 10.0}
    with pytest.raises(ContractError, match=said):
        Sensor(**(good | change))  # type: ignore[arg-type]  # what is refused is the point


def test_a_stream_keeps_its_times_to_its_values() -> None:
    values, times, valid = torch.zeros(2, 3, 4), torch.zeros(2, 3, dtype=torch.float64), torch.ones(2, 3).bool()
    assert Stream(values, times, valid).steps == 3
    with pytest.raises(REFUSED):
        Stream(values, times[:, :2], valid[:, :2])
    with pytest.raises(ContractError, match="several devices"):
        Stream(values.to("meta"), times, valid)


def test_regular_times_and_windows_agree() -> None:
    s = stream(T=5, rate_hz=20)
    assert s.times_seconds[0].tolist() == pytest.approx([0, 0.05, 0.1, 0.15, 0.2])
    assert s.window(2, 4).times_seconds[1].tolist() == pytest.approx([0.1, 0.15])


def test_a_clip_knows_whether_its_clocks_agree() -> None:
    actions = Stream.regular(torch.zeros(2, 2, 1), 10)
    aligned = Clip({"a": stream(3), "b": stream(3)}, actions)
    assert aligned.aligned
    assert aligned.steps == 3
    window = aligned.window(1, 3)
    assert window.aligned
    assert window.steps == 2
    loose = Clip({"a": stream(3), "b": stream(6)}, actions)
    assert not loose.aligned
    with pytest.raises(ContractError, match="'b': 6"):
        _ = loose.steps
    with pytest.raises(ContractError, match="batch"):
        Clip({"a": stream(3, B=2), "b": stream(3, B=1)})
    with pytest.raises(ContractError, match="a, b"):
        aligned.stream("c")
    with pytest.raises(ContractError, match="1:4"):
        aligned.window(1, 4)


def test_action_blocks_and_controls_are_inverse() -> None:
    spec = ActionSpec(low=(-1.0, 0.0), high=(1.0, 2.0), block=3, dt_seconds=0.1)
    assert (spec.dim, spec.width) == (2, 6)
    assert spec.block_seconds == pytest.approx(0.3)
    controls = torch.rand(4, 6, 2)
    assert spec.to_blocks(controls).shape == (4, 2, 6)
    assert torch.equal(spec.to_controls(spec.to_blocks(controls)), controls)
    assert spec.bounds()[1].tolist() == [1, 2] * 3
    with pytest.raises(ContractError, match="multiple of 3"):
        spec.to_blocks(torch.rand(4, 5, 2))


@pytest.mark.parametrize(
    ("blocks", "said"),
    [
        (torch.zeros(2, 5), "width"),
        (torch.full((2, 6), math.nan), "finite"),
        (torch.full((2, 6), 1.5), "out of bounds"),
    ],
)
def test_actions_that_no_actuator_takes(blocks: torch.Tensor, said: str) -> None:
    with pytest.raises(ContractError, match=said):
        ActionSpec(low=(-1.0, -1.0), high=(1.0, 1.0), block=3, dt_seconds=0.1).check(blocks)


@pytest.mark.parametrize(
    "change",
    [
        {"high": (1.0,)},
        {"low": (1.0, 1.0)},
        {"high": (1.0, math.inf)},
        {"block": 0},
        {"dt_seconds": 0.0},
        {"choices": 4},
    ],
)
def test_an_action_space_refuses(change: dict[str, object]) -> None:
    good: dict[str, object] = {"low": (-1.0, -1.0), "high": (1.0, 1.0), "block": 1, "dt_seconds": 0.1}
    with pytest.raises(ContractError):
        ActionSpec(**(good | change))  # type: ignore[arg-type]  # what is refused is the point


def test_beliefs_and_rollouts_keep_their_rows() -> None:
    times = torch.zeros(2, dtype=torch.float64)
    belief = Belief(torch.rand(2, 3, 1, 4), torch.ones(2, 3).bool(), (torch.rand(2, 7),), times)
    second = belief.rows(torch.tensor([1]))
    assert torch.equal(second.memory[0], belief.memory[0][1:])
    assert torch.equal(second.newest, belief.newest[1:])
    with pytest.raises(REFUSED, match=r"memory\[0\]"):
        Belief(torch.rand(2, 3, 1, 4), torch.ones(2, 3).bool(), (torch.rand(3, 7),), times)
    with pytest.raises(ContractError, match="B·S·K = 12"):
        Rollout(torch.rand(2, 3, 2, 4, 1, 4), belief)
    with pytest.raises(REFUSED):
        Latents(torch.zeros(1, 1, 1, 4, dtype=torch.int64), torch.zeros(1, 1, dtype=torch.float64))


def test_goals_and_problems_refuse_what_cannot_be_reached() -> None:
    with pytest.raises(ContractError, match="one moment"):
        PictureGoal(Clip({"a": stream(3)}))
    with pytest.raises(ContractError, match="positive"):
        ReadoutGoal("position", torch.zeros(1, 2), tolerance=0.0)
    spec = ActionSpec(low=(-1.0,), high=(1.0,), block=1, dt_seconds=0.1)
    with pytest.raises(ContractError, match="at least one row"):
        Problem(lambda actions: Rollout(actions[:, :, None, :, None]), lambda r, a: a.sum((-2, -1)), spec, batch=0)


def test_contracts_cannot_be_changed() -> None:
    clip = Clip({"a": stream(3)})
    with pytest.raises(AttributeError):
        clip.actions = None  # type: ignore[misc]  # frozen
    with pytest.raises(TypeError):
        clip.streams["b"] = stream(3)  # type: ignore[index]  # a mapping that nobody can write to


def test_bounds_given_as_lists_are_taken_too() -> None:
    """They were refused as unhashable once bounds were kept as tensors; runtime type checks are off for a user."""
    code = (
        "from monde.types import ActionSpec\n"
        "given = ActionSpec(low=[-1.0, 0.0], high=[1.0, 2.0], block=2, dt_seconds=0.1)\n"
        "low, high = given.bounds()\n"
        "assert low.tolist() == [-1, 0, -1, 0] and high.tolist() == [1, 2, 1, 2]\n"
        "assert given == ActionSpec(low=(-1.0, 0.0), high=(1.0, 2.0), block=2, dt_seconds=0.1)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
