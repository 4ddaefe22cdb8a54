"""Pooling by attention: light and background weigh nothing; place and colour are told before anything is learned."""

import torch
from torch import Tensor

from monde.perception import FocusEncoder
from monde.perception.focus import relative

RED, GREEN = (200, 40, 40), (40, 160, 40)


def scene(x: int, y: int, colour: tuple[int, int, int] = RED, background: int = 220) -> Tensor:
    """A square on a plain background, -1..1."""
    frame = torch.full((3, 64, 64), float(background))
    frame[:, y : y + 6, x : x + 6] = torch.tensor(colour, dtype=torch.float32)[:, None, None]
    return frame / 127.5 - 1


def encoder() -> FocusEncoder:
    torch.manual_seed(0)
    return FocusEncoder(3, 64, 64, base=16, foci=16, hidden=32, features=24)


def test_light_that_dims_changes_little_and_a_dark_frame_shows_nothing() -> None:
    frames = torch.stack([scene(20, 30), (scene(20, 30) + 1) * 0.6 - 1, torch.full((3, 64, 64), -1.0)])
    seen = relative(frames)
    assert float((seen[0] - seen[1]).abs().max()) < 0.25 * float(seen[0].abs().max())
    assert float(seen[2].abs().max()) == 0


def test_an_untrained_encoder_tells_place_and_colour_linearly() -> None:
    generator = torch.Generator().manual_seed(1)
    xs, ys = (torch.randint(4, 54, (400,), generator=generator) for _ in range(2))
    red = torch.rand(400, generator=generator) < 0.5
    frames = torch.stack([scene(int(x), int(y), RED if r else GREEN) for x, y, r in zip(xs, ys, red, strict=True)])
    model = encoder()
    with torch.no_grad():
        model(frames)  # running statistics
        features = model.eval()(frames)
    truth = torch.stack([xs.float(), ys.float(), red.float()], dim=1)
    inputs = torch.cat([features, torch.ones(400, 1)], dim=1)
    found = inputs[:300].double().pinverse(1e-6) @ truth[:300].double()
    residual = inputs[300:].double() @ found - truth[300:]
    explained = 1 - residual.square().sum(0) / (truth[300:] - truth[300:].mean(0)).square().sum(0)
    assert bool((explained > 0.97).all()), explained


def test_every_weight_learns() -> None:
    model = encoder()
    model(torch.stack([scene(10, 10), scene(30, 40, GREEN)])).square().sum().backward()
    for name, weight in model.named_parameters():
        assert weight.grad is not None, name
        assert bool(weight.grad.isfinite().all()), name
