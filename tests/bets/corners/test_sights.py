"""How models of films are read: things as tokens in no order, everything else as rows."""

import numpy as np
import pytest
import torch
from torch import Tensor

from monde.bets.corners.latents.sights import ThingSight, sight_of
from monde.bets.corners.states import SLOT_OF, SLOTS
from monde.errors import StoreError
from monde.models import JEPA, model_config
from monde.models.untrained import initialised
from monde.readouts import MLPReadout, TokenReadout
from monde.types import ActionSpec, Latents, Sensor
from monde.types.things import LOOKS, OWN, SEEN, WIDTH

CAMERA = Sensor(name="top", kind="rgb", shape=(3, 64, 64), rate_hz=20.0)
ACTIONS = ActionSpec(unactuated=True, dt_seconds=0.05).with_block(4)
SUBJECT, MET, FAR, NEAR_AT_THE_END = "blue", "green", "orange", "pink"


class Told(TokenReadout):
    """Slots in the order of the files, each of radius 2 px, a screen that fills the frame."""

    def __init__(self) -> None: ...

    def __call__(self, tokens: Tensor) -> Tensor:
        places = 32 * (tokens[..., :SLOTS, OWN][..., :2] + 1)
        box = [0.0, 0.0, 64.0, 64.0]
        rest = torch.tensor([2.0] * SLOTS + box + [1.0] * SLOTS).expand(*tokens.shape[:-2], -1)
        return torch.cat([places.flatten(-2), rest], dim=-1)


@pytest.fixture
def model() -> JEPA:
    """Before it has learned anything: what moves goes on moving."""
    return initialised(model_config("things", (CAMERA,), ACTIONS), 0).eval()


def film(steps: int = 4) -> Latents:
    """The subject moves by 6.4 px a step at y 32, past what is at x 30, towards what is at x 60."""
    tokens = torch.zeros(1, steps, SLOTS + 2, WIDTH)
    places = {MET: (30.0, 37.0), FAR: (30.0, 5.0), NEAR_AT_THE_END: (60.0, 42.0)}
    for step in range(steps):
        for name, (x, y) in (places | {SUBJECT: (10.0 + 6.4 * step, 32.0)}).items():
            token = tokens[0, step, SLOT_OF[name]]
            token[SEEN], token[OWN][:2] = 1.0, torch.tensor([x, y]) / 32 - 1
            token[OWN][LOOKS.index("log_area")] = 1.0
    return Latents(tokens, torch.zeros(1, steps, dtype=torch.float64))


def test_the_disc_that_came_nearest_on_the_way_made_the_difference(model: JEPA) -> None:
    sight = ThingSight(model, {"things": Told()})
    discs = [FAR, NEAR_AT_THE_END, MET]
    gaps = sight.gaps(film(), 3, SUBJECT, discs)
    assert gaps.argmin() == 2
    assert gaps[2] == pytest.approx(1.0, abs=0.5)  # 5 px between centres, less two radii
    end = sight.expected(film(), 3)[: 2 * SLOTS].reshape(SLOTS, 2)
    ends = [np.linalg.norm(end[SLOT_OF[name]] - end[SLOT_OF[SUBJECT]]) for name in discs]
    assert np.argmin(ends) == 1  # where the nearest at the end is another


def test_what_is_now_and_what_is_ahead_are_read_alike(model: JEPA) -> None:
    sight = sight_of(model, {"things": Told()})
    place = 2 * SLOT_OF[SUBJECT]
    assert sight.expected(film(), 0)[place] == pytest.approx(29.2, abs=0.01)
    assert sight.expected(film(), 2)[place] == pytest.approx(42.0, abs=2.0)
    assert sight.now(film(1))[0, place] == pytest.approx(10.0, abs=0.01)


def test_readouts_of_another_kind_of_model_are_refused(model: JEPA) -> None:
    with pytest.raises(StoreError, match="not those of such a model"):
        sight_of(model, {"ahead": Told()})
    recurrent = initialised(model_config("memory", (CAMERA,), ACTIONS), 0).eval()
    for readouts in ({"things": Told()}, {"ahead": Told(), "now": Told()}):
        with pytest.raises(StoreError, match=MLPReadout.__name__):
            sight_of(recurrent, readouts)
