"""Imagination as CUDA graphs: equal to the plain one where a GPU is at hand; on a CPU nothing changes."""

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from monde.models import JEPA, GraphedModel, graphed, model_config
from monde.types import ActionSpec, Belief, Latents, Sensor

TOP = Sensor(name="top", kind="rgb", shape=(3, 32, 32), rate_hz=10)
BOX = ActionSpec(low=(-1.0, -1.0), high=(1.0, 1.0), block=2, dt_seconds=0.1)
SIZES = ("nano", "memory", "tiny")


def a_model(size: str) -> JEPA:
    torch.manual_seed(0)
    return JEPA(model_config(size, (TOP,), BOX)).eval().requires_grad_(False)


def a_belief(model: JEPA, steps: int, rows: int = 2) -> Belief:
    generator = torch.Generator().manual_seed(steps)
    latents = torch.randn(rows, steps, 1, model.latent, generator=generator).to(model.device)
    times = torch.arange(steps, dtype=torch.float64, device=model.device).expand(rows, -1)
    return model.recall(Latents(latents, times), torch.zeros(rows, steps - 1, BOX.width, device=model.device))


def test_on_a_cpu_the_model_stays_as_it_is() -> None:
    model = a_model("nano")
    assert graphed(model) is model


def test_what_cannot_be_captured_goes_to_the_model_itself() -> None:
    model = a_model("nano")
    belief, actions = a_belief(model, 3), torch.zeros(2, 4, 3, BOX.width)
    with torch.no_grad():
        plain = model.imagine(belief, actions)
        found = GraphedModel(model).imagine(belief, actions)
        full = GraphedModel(model).imagine(belief, actions, beliefs=True)
    assert torch.equal(plain.latents, found.latents)
    assert full.beliefs is not None


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("autocast", [False, True])
def test_nothing_in_imagination_waits_for_a_value(size: str, autocast: bool) -> None:
    """A graph can be captured only where no Python depends on what a tensor holds. Fake tensors hold nothing."""
    model = a_model(size)
    model.autocast = autocast
    belief, actions = a_belief(model, 3), torch.zeros(2, 4, 3, BOX.width)
    with FakeTensorMode(allow_non_fake_inputs=True) as mode, torch.no_grad():
        given = belief.map(mode.from_tensor)
        imagined = model.imagine(given, mode.from_tensor(actions)).latents
    assert imagined.shape == (2, 4, 1, 3, 1, model.latent)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("size", SIZES)
def test_a_replayed_graph_equals_plain_imagination(size: str) -> None:
    model = a_model(size).to("cuda")
    fast = graphed(model)
    assert isinstance(fast, GraphedModel)
    for seed, shape in enumerate([(2, 4, 3), (2, 4, 3), (2, 8, 1), (2, 4, 3)]):
        torch.manual_seed(seed)
        belief = a_belief(model, 2 + seed)
        actions = torch.rand(*shape, BOX.width, device="cuda") * 2 - 1
        with torch.no_grad():
            plain, found = model.imagine(belief, actions), fast.imagine(belief, actions)
        assert torch.equal(plain.latents, found.latents)
    wanted = torch.rand(2, 4, 3, BOX.width, device="cuda").requires_grad_()
    fast.imagine(a_belief(model, 2), wanted).latents.sum().backward()
    assert wanted.grad is not None
    assert bool(wanted.grad.abs().sum() > 0)
