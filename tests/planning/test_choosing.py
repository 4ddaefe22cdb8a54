"""Who is led, and who is not."""

from dataclasses import replace

import pytest
import torch

from mazes import GOAL, START, belief_at, through_walls, walks
from monde.errors import PlanningError
from monde.planning import ChoosingConfig, ChoosingGuide, LandmarkGuide, Lead, Outcome
from monde.planning.far.guiding import straight
from monde.training.far.landmarks import FitLandmarksConfig, make_landmarks
from monde.types import Belief, LatentGoal

NEAR, ACROSS = (20.0, 12.0), (12.0, 28.0)
"""Two goals: one in the corridor of the start, and one behind its wall, four blocks away in a straight line."""


@pytest.fixture(scope="module")
def landmarks() -> LandmarkGuide:
    config = FitLandmarksConfig(landmarks=100, radius_blocks=1.2, reach_blocks=4.0)
    return LandmarkGuide(make_landmarks(walks(), through_walls, config).landmarks, through_walls)


def test_near_goals_are_pursued_directly_and_far_ones_led_to(landmarks: LandmarkGuide) -> None:
    guide = ChoosingGuide(through_walls, (landmarks,), ChoosingConfig(trusted_blocks=6.0))
    goals = LatentGoal(torch.tensor([NEAR, GOAL])[:, None])
    journey, rows = guide.begin(2), torch.arange(2)
    lead = journey.lead(belief_at([START, START]), goals, rows, torch.Generator())
    assert lead.by == ("flat", "landmarks")
    torch.testing.assert_close(lead.goal.latents[0], goals.latents[0])
    assert float(lead.blocks_left[0]) == pytest.approx(2.0)
    assert float(lead.blocks_left[1]) > 30
    assert lead.waypoints[0] == ()
    alone = guide.begin(2).lead(belief_at([START]), LatentGoal(goals.latents[1:]), rows[1:], torch.Generator())
    torch.testing.assert_close(alone.goal.latents[0], lead.goal.latents[1])
    # Near the goal it is pursued directly again.
    nearly = journey.lead(belief_at([START, GOAL]), goals, rows, torch.Generator())
    assert nearly.by == ("flat", "flat")
    assert guide.settings["guide"] == "auto"


def test_one_who_gets_no_nearer_is_led_after_a_while(landmarks: LandmarkGuide) -> None:
    guide = ChoosingGuide(through_walls, (landmarks,), ChoosingConfig(trusted_blocks=6.0, patience=3))
    journey, goal = guide.begin(1), LatentGoal(torch.tensor([ACROSS])[:, None])
    by = [
        journey.lead(belief_at([START]), goal, torch.zeros(1, dtype=torch.int64), torch.Generator()).by[0]
        for _ in range(6)
    ]
    assert by == ["flat"] * 4 + ["landmarks"] * 2  # and to the end


def test_a_guide_without_a_way_gives_place_to_the_next(landmarks: LandmarkGuide) -> None:
    nowhere = make_landmarks(
        walks(rows=("########", "#......#", *["########"] * 6)),
        through_walls,
        FitLandmarksConfig(landmarks=100, radius_blocks=1.2, reach_blocks=4.0),
    )
    lost = LandmarkGuide(nowhere.landmarks, through_walls)
    config = ChoosingConfig(trusted_blocks=6.0)
    goals = LatentGoal(torch.tensor([GOAL])[:, None])
    rows = torch.zeros(1, dtype=torch.int64)
    for guides, found in (((lost,), False), ((lost, landmarks), True)):
        journey = ChoosingGuide(through_walls, guides, config).begin(1)
        lead = journey.lead(belief_at([START]), goals, rows, torch.Generator())
        assert bool(lead.reachable[0]) is found
        assert (lead.because(0) is None) is found


class _Level:
    """What a level of time is to a choice: it leads anywhere, by no landmarks."""

    settings: dict[str, object] = {"guide": "hierarchical"}  # noqa: RUF012

    def begin(self, batch: int) -> "_Level":
        return self

    def lead(self, belief: Belief, goal: LatentGoal, rows: torch.Tensor, generator: torch.Generator) -> Lead:
        halfway = LatentGoal((belief.newest + goal.latents) / 2)
        return replace(straight(halfway, through_walls(belief.newest, goal.latents)), by=("hierarchical",) * len(rows))


def test_a_level_leads_on_where_no_way_is_known_and_that_is_said(landmarks: LandmarkGuide) -> None:
    parted = ("########", "#......#", "######.#", "########", "#.######", "#......#", "########", "########")
    config = FitLandmarksConfig(landmarks=100, radius_blocks=1.2, reach_blocks=4.0)
    walled = LandmarkGuide(make_landmarks(walks(rows=parted), through_walls, config).landmarks, through_walls)
    goals, rows = LatentGoal(torch.tensor([GOAL, GOAL])[:, None]), torch.arange(2)
    for first, found in ((walled, [Outcome.NO_WAY] * 2), (landmarks, [Outcome.WAY] * 2)):
        journey = ChoosingGuide(through_walls, (first, _Level()), ChoosingConfig(trusted_blocks=6.0)).begin(2)
        lead = journey.lead(belief_at([START, START]), goals, rows, torch.Generator())
        assert lead.outcome.tolist() == found
        assert lead.by == (("hierarchical",) * 2 if first is walled else ("landmarks",) * 2)
        if first is walled:
            assert "no way leads" in (lead.because(0) or "")
            assert bool(torch.isinf(lead.blocks_left).all())
            torch.testing.assert_close(lead.goal.latents[0, 0], (torch.tensor(START) + torch.tensor(GOAL)) / 2)
    alone = ChoosingGuide(through_walls, (_Level(),), ChoosingConfig(trusted_blocks=6.0)).begin(2)
    assert bool(alone.lead(belief_at([START, START]), goals, rows, torch.Generator()).reachable.all())


def test_settings_are_checked(landmarks: LandmarkGuide) -> None:
    with pytest.raises(PlanningError, match="nobody to choose"):
        ChoosingGuide(through_walls, ())
    with pytest.raises(PlanningError, match="empty size"):
        ChoosingConfig(trusted_blocks=0)
