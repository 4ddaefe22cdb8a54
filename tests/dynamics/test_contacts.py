"""What pairs of things are told of each other."""

import math

import torch
from torch import Tensor

from monde.dynamics.contacts import RELATIONS, facing_edges, relations
from monde.types.things import LOOKS

SIDES, OUTLINE, SIDES_THEN, OUTLINE_THEN = slice(0, 4), 4, slice(5, 9), 9
DIRECTION, VELOCITY, CLOSING, DEPTH, INTO = slice(10, 12), slice(12, 14), 14, slice(15, 17), slice(17, 19)


def things(*boxes: tuple[float, float, float, float]) -> Tensor:
    """[1, N, 16] of (x, y, half width, half height), px; areas are those of ellipses."""
    looks = torch.zeros(1, len(boxes), len(LOOKS))
    for k, (x, y, w, h) in enumerate(boxes):
        looks[0, k, :6] = torch.tensor([x, y, x - w, y - h, x + w, y + h]) / 32 - 1
        looks[0, k, LOOKS.index("log_area")] = math.log(math.pi * w * h) / 4
    return looks


def moving(*steps: tuple[float, float]) -> Tensor:
    """[1, N, 16] of changes of place, px."""
    change = torch.zeros(1, len(steps), len(LOOKS))
    for k, (x, y) in enumerate(steps):
        change[0, k, :6] = torch.tensor([x, y, x, y, x, y]) / 32
    return change


def test_discs_that_will_meet() -> None:
    told = relations(things((20, 30, 4, 4), (31, 30, 5, 5)), moving((3, 0), (0, 0)))
    assert told.shape == (1, 2, 2, RELATIONS)
    first = told[0, 0, 1]
    # 2 px apart on the right; far past each other on all other sides.
    torch.testing.assert_close(first[SIDES], torch.tensor([1.0, -3.0, -3.0, -3.0]))
    assert abs(float(first[OUTLINE]) - 1.0) < 0.01
    torch.testing.assert_close(first[SIDES_THEN][:1], torch.tensor([-0.5]))
    assert abs(float(first[OUTLINE_THEN]) + 0.5) < 0.01
    torch.testing.assert_close(first[DIRECTION], torch.tensor([1.0, 0.0]), atol=1e-3, rtol=0)
    torch.testing.assert_close(first[VELOCITY], torch.tensor([-0.75, 0.0]))
    assert abs(float(first[CLOSING]) + 0.75) < 1e-3
    torch.testing.assert_close(first[DEPTH], torch.tensor([0.25, 0.0]), atol=2e-3, rtol=0)  # 1 px of 4
    torch.testing.assert_close(first[INTO], torch.tensor([0.25, 0.0]))


def test_the_other_sees_it_the_other_way_round() -> None:
    told = relations(things((20, 30, 4, 4), (30, 36, 5, 5)), moving((3, 1), (0, -2)))
    for part in (DIRECTION, VELOCITY, DEPTH, INTO):
        torch.testing.assert_close(told[0, 0, 1, part], -told[0, 1, 0, part])


def test_what_lies_on_a_board_is_held_along_one_axis() -> None:
    ball, board = (30.0, 25.0, 4.0, 4.0), (30.0, 31.5, 20.0, 1.5)  # 1 px above it
    falling = relations(things(ball, board), moving((0, 3), (0, 0)))[0, 0, 1]
    torch.testing.assert_close(falling[INTO], torch.tensor([0.0, 0.5]))
    beside = relations(things((55.0, 25.0, 4.0, 4.0), board), moving((0, 3), (0, 0)))[0, 0, 1]
    assert not beside[INTO].any()
    rising = relations(things(ball, board), moving((0, -3), (0, 0)))[0, 0, 1]
    assert not rising[INTO].any()


def test_gaps_between_things_of_two_kinds() -> None:
    gaps = facing_edges(things((20, 30, 4, 4), (50, 10, 2, 6)), things((31, 34, 5, 5)))
    assert gaps.shape == (1, 2, 1, 4)
    # Right of the first: from 24 to 26; below: from 34 to 29; left: from 36 back to 16; above: from 39 back to 26.
    torch.testing.assert_close(gaps[0, :, 0], torch.tensor([[2.0, -5.0, -20.0, -13.0], [-26.0, 13.0, 12.0, -35.0]]))


def test_what_is_far_away_is_bounded() -> None:
    told = relations(things((5, 5, 1, 1), (60, 60, 1, 1)), moving((0, 0), (30, 0)))
    assert float(told.abs().max()) <= 3
