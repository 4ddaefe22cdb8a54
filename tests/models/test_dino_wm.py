"""DINO-WM's composition: several tokens a frame go through every verb of the model."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from encoders import write_encoder
from monde.costs import LatentDistance
from monde.dynamics import TransformerDynamics
from monde.errors import ContractError, UsageError
from monde.models import JEPA, check_model, dino_wm
from monde.models.config import ModelConfig
from monde.objectives import measure_collapse
from monde.perception import describe_backbone
from monde.readouts import fit_decoder, fit_linear
from monde.store.typed import from_json, to_json
from monde.types import ActionSpec, LatentGoal, Latents, Sensor

TOP = Sensor(name="top", kind="rgb", shape=(3, 32, 32), rate_hz=10)
ACTIONS = ActionSpec(low=(-1.0, -1.0), high=(1.0, 1.0), block=2, dt_seconds=0.1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("encoder") / "e")


def model_of(folder: Path, grid: int = 2) -> JEPA:
    torch.manual_seed(0)
    model, objective = dino_wm((TOP,), ACTIONS, describe_backbone(str(folder), frame=32, grid=grid), "nano")
    assert objective.regulariser_weight == 0
    for parameter in model.dynamics.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return model.eval()


def test_it_is_a_world_model(folder: Path) -> None:
    assert check_model(model_of(folder)) == []


def test_it_holds_no_weight_of_the_encoder(folder: Path) -> None:
    model = model_of(folder)
    names = {name for name in model.state_dict() if not name.startswith("dynamics.")}
    assert names == {"perception.mean", "perception.std", "action_mean", "action_std"}
    again = from_json(ModelConfig, to_json(model.config), "model")
    assert again == model.config
    assert isinstance(JEPA(again).dynamics, TransformerDynamics)


def test_tokens_of_a_frame_see_each_other_and_nothing_sees_the_future(folder: Path) -> None:
    dynamics = model_of(folder).dynamics
    latents, actions = torch.randn(1, 4, 4, 16, requires_grad=True), torch.randn(1, 4, ACTIONS.width)
    predicted = dynamics(latents, actions)[0, 0, 2, 0].sum()  # what follows frame 2, its first token
    (gradient,) = torch.autograd.grad(predicted, latents)
    seen = gradient[0].abs().sum(-1) > 0
    assert seen[:3].all()  # every token of this frame and of the two before it (window 3)
    assert not seen[3].any()


def test_a_goal_is_judged_over_all_tokens(folder: Path) -> None:
    model = model_of(folder)
    latents = torch.randn(2, 1, 4, 16)
    with torch.no_grad():
        belief = model._begin(Latents(latents, torch.zeros(2, 1, dtype=torch.float64)), torch.zeros(2, 0, 4))
        rollout = model.imagine(belief, torch.zeros(2, 3, 2, 4), hypotheses=2)
    assert rollout.latents.shape == (2, 3, 2, 2, 4, 16)
    goal = latents[:, 0].clone()
    energy = LatentDistance(reduce="last")(rollout, torch.zeros(2, 3, 2, 4), LatentGoal(goal))
    expected = (rollout.latents[:, :, :, -1] - goal[:, None, None]).square().sum((-2, -1)).mean(2) / 4
    torch.testing.assert_close(energy, expected)


def test_readouts_of_more_features_than_rows_are_those_of_ridge_regression() -> None:
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(80, 3, generator=generator)
    latents = (hidden @ torch.randn(3, 6 * 16, generator=generator)).unflatten(1, (6, 16))
    latents = latents + 0.01 * torch.randn(latents.shape, generator=generator)
    readout = fit_linear(latents[:60], hidden[:60, :2], name="a", unit="m")
    assert float((readout(latents[60:]) - hidden[60:, :2]).square().mean()) < 1e-3
    x, y = latents[:60].flatten(1).double(), hidden[:60, :2].double()
    z = (x - x.mean(0)) / x.std(0)
    weight = torch.linalg.solve(z.T @ z / 60 + readout.penalty * torch.eye(96), z.T @ (y - y.mean(0)) / 60)
    torch.testing.assert_close(readout.weight, (weight / x.std(0)[:, None]).float(), atol=1e-5, rtol=1e-3)


def test_what_tells_places_of_a_frame_apart_is_no_motion() -> None:
    """A still scene of many different patches, and one that moves in every token."""
    places = 10 * torch.randn(1, 1, 9, 8)
    clips = torch.randn(32, 1, 1, 8).expand(32, 4, 9, 8)
    moving = torch.randn(32, 4, 9, 8)
    assert measure_collapse(places + clips).motion_share < 0.01
    assert measure_collapse(places + moving).motion_share > 0.5
    single = torch.randn(32, 4, 1, 8)
    flat = single.flatten(0, 2)
    within = (single - single.mean(1, keepdim=True)).square().mean((0, 1, 2)).sum()
    assert measure_collapse(single).motion_share == pytest.approx(float(within / flat.var(0, unbiased=False).sum()))


def test_a_decoder_draws_from_all_tokens() -> None:
    frames = torch.zeros(16, 3, 16, 16, dtype=torch.uint8)
    decoder = fit_decoder(torch.randn(16, 4, 8), frames, 2, torch.Generator().manual_seed(0), batch=4)
    assert decoder.frames(torch.randn(2, 5, 4, 8)).shape == (2, 5, 3, 16, 16)


def test_bad_compositions_are_refused(folder: Path) -> None:
    config = describe_backbone(str(folder), frame=32, grid=2)
    with pytest.raises(UsageError, match="size"):
        dino_wm((TOP,), ACTIONS, config, "nanno")
    with pytest.raises(ContractError, match="cameras only"):
        dino_wm((Sensor(name="state", kind="state", shape=(2,), rate_hz=10),), ACTIONS, config)
    altered, _ = dino_wm((TOP,), ACTIONS, replace(config, weights="0" * 64), "nano")
    assert any("another encoder" in problem for problem in check_model(altered.eval()))
