"""One law for all things: what goes on while nobody looks, and what is learned from."""

import pytest
import torch
from torch import Tensor

from monde.dynamics import ThingDynamics, ThingDynamicsConfig
from monde.dynamics.things import _Foreseen, _looked
from monde.errors import ContractError
from monde.evaluation.physics.beliefs import imagined_thoughts, thoughts_along
from monde.models import JEPA, model_config
from monde.models.untrained import initialised
from monde.types import ActionSpec, Latents, Sensor
from monde.types.things import AGE, DOUBT, LOOKS, OWN, SEEN, WIDTH

CAMERA = Sensor(name="top", kind="rgb", shape=(3, 64, 64), rate_hz=20.0)
ACTIONS = ActionSpec(unactuated=True, dt_seconds=0.05).with_block(4)


@pytest.fixture
def model() -> JEPA:
    return initialised(model_config("things", (CAMERA,), ACTIONS), 0).eval()


def film(steps: int = 6, files: int = 4, hidden: tuple[int, ...] = ()) -> Tensor:
    """[1, T, N, D]: one thing at rest, one that moves to the right by 0.1 a step and may be hidden; the rest empty."""
    tokens = torch.zeros(1, steps, files, WIDTH)
    for t in range(steps):
        for k, x in enumerate((-0.5, -0.4 + 0.1 * t)):
            tokens[0, t, k, SEEN] = 1
            tokens[0, t, k, OWN][0] = x
            tokens[0, t, k, OWN][LOOKS.index("log_area")] = 1.0
    for t in hidden:
        tokens[0, t, 1] = tokens[0, t - 1, 1]
        tokens[0, t, 1, SEEN] = 0
        tokens[0, t, 1, AGE] += 0.1
    return tokens


def told(tokens: Tensor) -> Latents:
    return Latents(tokens, torch.zeros(tokens.shape[:2], dtype=torch.float64))


def nothing(tokens: Tensor) -> Tensor:
    return tokens.new_zeros(len(tokens), tokens.shape[1] - 1, 0)


@torch.no_grad()
def test_what_moves_goes_on_moving_before_anything_is_learned(model: JEPA) -> None:
    tokens = film()
    predicted = model.predict(told(tokens), nothing(tokens)).one_step[0, 0, -1]
    assert float(predicted[1, OWN][0]) == pytest.approx(0.1, abs=0.02)
    assert float(predicted[0, OWN][0]) == pytest.approx(-0.5, abs=0.02)
    assert not predicted[2:, OWN].any()


@torch.no_grad()
def test_a_hidden_thing_goes_on_where_nobody_sees_it(model: JEPA) -> None:
    tokens = film(steps=7, hidden=(4, 5, 6))
    belief = model.recall(told(tokens), nothing(tokens))
    ahead = model.imagine(belief, torch.zeros(1, 1, 2, 0)).latents[0, 0, 0]
    # Three steps unseen and two more: where it was last is -0.1, where it is by now 0.2, and 0.4 at the end.
    assert float(ahead[1, 1, OWN][0]) == pytest.approx(0.4, abs=0.12)


@torch.no_grad()
def test_what_is_out_of_sight_is_thought_of_where_it_is_foreseen(model: JEPA) -> None:
    tokens = film(steps=7, hidden=(4, 5, 6))
    along = thoughts_along(model, told(tokens))
    assert torch.equal(along[0, 3, :2, OWN], tokens[0, 3, :2, OWN])  # in sight: as it is seen
    assert float(along[0, 6, 1, OWN][0]) == pytest.approx(0.2, abs=0.1)
    assert float(along[0, 6, 1, SEEN]) == 0
    assert not along[..., AGE].any()
    assert not along[..., DOUBT].any()
    assert not along[0, :, 2:].any()  # files that hold nothing
    ahead = imagined_thoughts(model, told(tokens), 2)
    belief = model.recall(told(tokens), nothing(tokens))
    imagined = model.imagine(belief, torch.zeros(1, 1, 2, 0)).latents[:, 0, 0]
    assert torch.allclose(ahead[..., :2, OWN], imagined[..., :2, OWN], atol=1e-6)
    assert not ahead[..., 2:, :].any()


def test_rollouts_are_steps_one_after_the_other(model: JEPA) -> None:
    tokens = film()
    belief = model.recall(told(tokens), nothing(tokens))
    three = model.imagine(belief, torch.zeros(1, 1, 3, 0)).latents
    one = model.imagine(belief, torch.zeros(1, 1, 1, 0), beliefs=True)
    assert one.beliefs is not None
    two = model.imagine(one.beliefs, torch.zeros(1, 1, 2, 0)).latents
    torch.testing.assert_close(three, torch.cat([one.latents, two], dim=3))


def test_the_order_of_files_does_not_matter(model: JEPA) -> None:
    tokens, order = film(), [3, 1, 0, 2]
    plain = model.predict(told(tokens), nothing(tokens)).one_step
    turned = model.predict(told(tokens[:, :, order]), nothing(tokens)).one_step
    torch.testing.assert_close(turned, plain[:, :, :, order])


@torch.no_grad()
def test_what_falls_out_of_sight_goes_on_falling(model: JEPA) -> None:
    tokens = film(steps=6)
    for t in range(6):
        tokens[0, t, 1, OWN][1] = 0.02 * t**2
    tokens[0, 4:, 1] = tokens[0, 3, 1]
    tokens[0, 4:, 1, SEEN] = 0
    belief = model.recall(told(tokens), nothing(tokens))
    unseen = _looked(_Foreseen(*belief.memory), belief.newest)
    assert float(unseen.turn[0, 1].abs().max()) > 0
    # It is not where it was last, and further down than at the pace it had then.
    assert float(unseen.looks[0, 1, 1]) > 0.02 * 9 + 2 * 0.02 * 5 - 0.05


@torch.no_grad()
def test_what_things_do_to_each_other_does_not_depend_on_who_sees_them(model: JEPA) -> None:
    tokens = film(steps=4)
    belief = model.recall(told(tokens), nothing(tokens))
    files = _looked(_Foreseen(*belief.memory), belief.newest)
    unseen = files._replace(seen=torch.cat([torch.zeros_like(files.seen[:, :1]), files.seen[:, 1:]], dim=1))
    dynamics = model.dynamics
    assert isinstance(dynamics, ThingDynamics)
    plain, other = (dynamics._next(given)[1] for given in (files, unseen))
    torch.testing.assert_close(plain[:, 1:], other[:, 1:])  # the second thing does not know that the first is hidden
    assert not torch.equal(plain[:, 0], other[:, 0])


@torch.no_grad()
def test_empty_files_stay_empty_however_many_there_are(model: JEPA) -> None:
    for weight in model.dynamics.parameters():
        weight.mul_(3.0)  # as surprised as can be: sight of files that hold nothing is thought likely
    few, many = (model.recall(told(film(files=n)), nothing(film())) for n in (3, 9))
    one, other = (model.imagine(belief, torch.zeros(1, 1, 5, 0)).latents[0, 0, 0] for belief in (few, many))
    assert float(other[..., 2:, SEEN].max()) > 0.5
    torch.testing.assert_close(one[:, :2], other[:, :2])
    assert not other[:, 2:, OWN].any()


@torch.no_grad()
def test_the_dark_is_told_from_being_hidden(model: JEPA) -> None:
    dynamics = model.dynamics
    assert isinstance(dynamics, ThingDynamics)
    belief = model.recall(told(film(steps=4)), nothing(film(steps=4)))
    files = _looked(_Foreseen(*belief.memory), belief.newest)
    hidden = files._replace(seen=torch.tensor([[1.0, 0.0, 0.0, 0.0]]))
    dark = files._replace(seen=torch.zeros(1, 4))
    assert not torch.equal(dynamics._next(hidden)[1][0, 1], dynamics._next(dark)[1][0, 1])


def test_what_comes_back_into_sight_counts_for_more() -> None:
    counts = ThingDynamics(ThingDynamicsConfig()).counts(film(steps=6, hidden=(2, 3)))
    assert counts[0, :, 1].tolist() == [1, 1, 1, 1, 3, 1]
    assert (counts[0, :, [0, 2, 3]] == 1).all()


@torch.no_grad()
def test_excess_is_what_doubt_did_not_expect() -> None:
    dynamics, observed = ThingDynamics(ThingDynamicsConfig()), film()[0, 0]
    sure = observed.clone()
    sure[:2, SEEN], sure[2:, SEEN] = 0.999, 0.001
    sure[:, DOUBT] = -1.5
    wrong = sure.clone()
    wrong[1, OWN][:2] += 0.3
    doubtful = wrong.clone()
    doubtful[1, DOUBT] = 3.0
    right, off, expected = (float(dynamics.excess(told, observed)) for told in (sure, wrong, doubtful))
    assert right <= 0.01
    assert off > 20
    assert expected < off / 10
    vanished = observed.clone()
    vanished[1, SEEN] = 0
    assert float(dynamics.excess(sure, vanished)) > right + 20  # 5 × 6.9, and nothing was lost by looks


@torch.no_grad()
def test_looks_count_only_where_something_is_in_sight() -> None:
    dynamics = ThingDynamics(ThingDynamicsConfig())
    observed = film()[0, 0]
    predicted = observed.clone()
    predicted[:, SEEN] = 0.5
    right = dynamics.error(predicted, observed)
    wrong = predicted.clone()
    wrong[1, OWN] += 1
    assert dynamics.error(wrong, observed)[1] > right[1]
    unseen = observed.clone()
    unseen[1, SEEN] = 0
    assert dynamics.error(wrong, unseen)[1] == dynamics.error(predicted, unseen)[1]


@torch.no_grad()
def test_darkness_says_nothing_of_what_is_there() -> None:
    dynamics = ThingDynamics(ThingDynamicsConfig())
    observed = film()[0, 0]
    dark = observed.clone()
    dark[:, SEEN] = 0
    sure, unsure = observed.clone(), observed.clone()
    sure[:2, SEEN], unsure[:2, SEEN] = 0.99, 0.5
    assert torch.equal(dynamics.error(sure, dark), dynamics.error(unsure, dark))
    gone = observed.clone()
    gone[1, SEEN] = 0
    assert dynamics.surprisal(sure, gone) > dynamics.surprisal(unsure, gone)


@torch.no_grad()
def test_doubt_is_surprised_less_and_pays_for_it() -> None:
    dynamics = ThingDynamics(ThingDynamicsConfig())
    observed = film()[0, 0]
    off = observed.clone()
    off[:2, OWN] += 0.5
    sure, unsure = off.clone(), off.clone()
    unsure[:, DOUBT] = 3
    assert dynamics.surprisal(unsure, observed) < dynamics.surprisal(sure, observed)
    exact = observed.clone()
    exact[:, DOUBT] = 3
    assert dynamics.surprisal(exact, observed) > dynamics.surprisal(observed, observed)


def test_actions_are_refused() -> None:
    with pytest.raises(ContractError, match="no actions"):
        ThingDynamics(ThingDynamicsConfig(actions=2))
    acting = ActionSpec(low=(-1.0, -1.0), high=(1.0, 1.0), dt_seconds=0.1)
    with pytest.raises(ContractError, match="no actions"):
        initialised(model_config("things", (CAMERA,), acting), 0)


@torch.no_grad()
def test_empty_files_cost_nothing_and_change_nothing(model: JEPA, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = torch.cat([film(steps=7, files=10, hidden=(4, 5)), torch.zeros(1, 7, 10, WIDTH)])
    followed = list[int]()
    through = type(model.dynamics.gate).forward

    def counted(cell: torch.nn.GRUCell, entering: Tensor, memory: Tensor) -> Tensor:
        followed.append(len(entering) // len(tokens))
        return through(cell, entering, memory)

    def foretold() -> tuple[Tensor, ...]:
        found = model.predict(told(tokens), nothing(tokens), (3,), 3)
        belief = model.recall(told(tokens), nothing(tokens))
        future = model.imagine(belief, tokens.new_zeros(2, 1, 4, 0), beliefs=True)
        assert future.beliefs is not None
        return found.one_step, found.rollouts[0].latents, future.latents, *belief.memory, *future.beliefs.memory

    monkeypatch.setattr(torch.nn.GRUCell, "forward", counted)
    few = foretold()
    assert set(followed) == {3}  # two things, and one empty file
    followed.clear()
    monkeypatch.setattr("monde.dynamics.things.in_use", lambda held: held.shape[-1])
    every = foretold()
    assert set(followed) == {10}
    for a, b in zip(few, every, strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)
