"""Whether a thing is in sight, once the rest of the frame is seen."""

import pytest
import torch
from torch import Tensor, nn

from monde.dynamics import ThingDynamics, ThingDynamicsConfig
from monde.dynamics.sight import Sight, _may_hide
from monde.types.things import DOUBT, EDGES, LOOKS, OWN, SEEN, WIDTH

FILES = 4
BALL, SCREEN = 0, 1


def frames(screens: Tensor, in_sight: Tensor | None = None, heights: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """What was foreseen and what came, [n, N, D]: a ball at its height (px below the middle) whose sight is doubted,
    and a screen 24 px wide and as high whose middle is so far (px) above the ball's; files 2 and 3 are empty."""
    n = len(screens)
    ball = torch.zeros(n) if heights is None else heights
    observed = torch.zeros(n, FILES, WIDTH)
    observed[:, BALL, SEEN] = 1.0 if in_sight is None else in_sight
    observed[:, SCREEN, SEEN] = 1
    observed[:, BALL, OWN] = looks(ball, 4.0, 0.98)
    observed[:, SCREEN, OWN] = looks(ball - screens, 12.0, 1.59)
    predicted = observed.clone()
    predicted[:, BALL, SEEN], predicted[:, SCREEN, SEEN] = 0.5, 0.99
    predicted[:, SCREEN, OWN] = looks(ball, 12.0, 1.59)  # where it was; nothing told that it would rise
    return predicted, observed


def looks(y: Tensor, half: float, log_area: float) -> Tensor:
    """[n, 16] of something as wide as it is high, px."""
    told = torch.zeros(len(y), len(LOOKS))
    told[:, LOOKS.index("y")] = y / 32
    told[:, EDGES] = torch.tensor([-half, -half, half, half]) / 32
    told[:, [LOOKS.index("top"), LOOKS.index("bottom")]] += y[:, None] / 32
    told[:, LOOKS.index("log_area")] = log_area
    return told


@pytest.fixture(scope="module")
def taught() -> ThingDynamics:
    """Taught that a ball is in sight unless a screen covers it, wherever the two are."""
    torch.manual_seed(0)
    dynamics = ThingDynamics(ThingDynamicsConfig())
    optimiser = torch.optim.AdamW(dynamics.judgement.sight.parameters(), lr=3e-3)
    for _ in range(400):
        screens = 40 * torch.rand(64) - 5
        predicted, observed = frames(screens, (screens > 12).float(), 60 * torch.rand(64) - 30)
        optimiser.zero_grad()
        dynamics.error(predicted, observed).mean().backward()
        optimiser.step()
    return dynamics.eval()


@torch.no_grad()
def test_what_was_foreseen_stands_before_anything_is_learned() -> None:
    predicted, observed = frames(torch.linspace(-5, 35, 20))
    given = ThingDynamics(ThingDynamicsConfig()).judgement.sight_given_others(predicted, observed)
    torch.testing.assert_close(given[:, :2], predicted[:, :2, SEEN])


@torch.no_grad()
def test_a_screen_that_has_risen_leaves_no_doubt(taught: ThingDynamics) -> None:
    screens, heights = torch.tensor([0.0, 6.0, 20.0, 30.0]), torch.tensor([-20.0, 20.0, 20.0, -20.0])
    predicted, observed = frames(screens, None, heights)
    given = taught.judgement.sight_given_others(predicted, observed)[:, BALL]
    assert (given[:2] < 0.1).all()
    assert (given[2:] > 0.9).all()
    # It does not show though the screen has risen: as likely as not to who foresaw, impossible to who looks.
    gone = frames(screens, torch.zeros(4), heights)[1]
    surprise, excess = taught.surprisal(predicted, gone), taught.excess(predicted, gone)
    assert (surprise[2:] > surprise[:2].max() + 5).all()
    assert (excess[2:] > excess[:2].max() + 5).all()


def test_foreseeing_does_not_learn_from_it(taught: ThingDynamics) -> None:
    def slopes(dynamics: ThingDynamics) -> Tensor:
        predicted, observed = frames(torch.linspace(0, 30, 8))
        predicted.requires_grad_()
        dynamics.error(predicted, observed).sum().backward()
        assert predicted.grad is not None
        return predicted.grad

    plain = ThingDynamics(ThingDynamicsConfig())
    assert slopes(plain)[..., SEEN].any()
    torch.testing.assert_close(slopes(plain), slopes(taught), rtol=0, atol=0)


@torch.no_grad()
def test_the_order_of_files_does_not_matter(taught: ThingDynamics) -> None:
    predicted, observed = frames(torch.linspace(0, 30, 8))
    order = [2, 1, 3, 0]
    given, turned = (
        taught.judgement.sight_given_others(predicted[:, o], observed[:, o]) for o in ([0, 1, 2, 3], order)
    )
    torch.testing.assert_close(turned, given[:, order])


@torch.no_grad()
def test_empty_files_ask_nothing_of_it(taught: ThingDynamics) -> None:
    predicted, observed = frames(torch.linspace(0, 30, 8))
    predicted[:, 2:, SEEN] = 0.3
    many = [nn.functional.pad(tokens, (0, 0, 0, 6)) for tokens in (predicted, observed)]
    few, more = taught.judgement.sight_given_others(predicted, observed), taught.judgement.sight_given_others(*many)
    torch.testing.assert_close(more[:, :FILES], few)
    assert (few[:, 2:] == 0.3).all()  # as it was foreseen


def test_what_may_hide() -> None:
    predicted, observed = frames(torch.zeros(1))
    assert _may_hide(predicted, observed)[0, :2, :2].tolist() == [[False, True], [True, False]]
    unseen = observed.clone()
    unseen[:, SCREEN, SEEN] = 0
    assert not _may_hide(predicted, unseen)[0, BALL].any()
    # What comes from nowhere may hide what is half its size, and may be the thing itself where it is as small.
    new = observed.clone()
    new[:, 2], new[:, 3] = observed[:, SCREEN], observed[:, BALL]
    assert _may_hide(predicted, new)[0, BALL].tolist() == [False, True, True, False]


def test_in_half_precision_nothing_is_lost() -> None:
    torch.manual_seed(0)
    sight, (predicted, observed) = Sight(8), frames(torch.linspace(0, 30, 8))
    nn.init.normal_(sight.head[-1].weight)
    predicted[..., DOUBT] = 0.3
    with torch.autocast("cpu", torch.bfloat16):
        half = sight(predicted, observed)
    torch.testing.assert_close(half, sight(predicted, observed), rtol=0, atol=0)
