"""Landmarks on a maze whose only way is known; the learned time sees no walls, the recording does."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mazes import CELL, GOAL, ROWS, START, Maze, MazeModel, belief_at, through_walls, walks
from monde.agents import PlanningAgent, Strategy, run_episodes
from monde.costs import LatentDistance
from monde.errors import ContractError, PlanningError, StoreError, TrainingError, UsageError
from monde.evaluation.told import way_rows
from monde.planning import CEMConfig, CEMPlanner, LandmarkConfig, LandmarkGuide, Landmarks, Lead, Outcome
from monde.planning.far.landmarks import graph_bytes
from monde.training.far.landmarks import FitLandmarksConfig, LandmarkSummary, make_landmarks
from monde.types import LatentGoal, ReadoutGoal

SETTINGS = FitLandmarksConfig(landmarks=100, radius_blocks=1.2, reach_blocks=4.0, device="cpu")
SEARCH = CEMPlanner(CEMConfig(horizon=3, samples=32, rounds=3, elites=6))
PARTED = ("########", "#......#", "######.#", "########", "#.######", "#......#", "########", "########")
"""The same maze with its middle corridor walled up: nothing leads from the upper part to the lower one."""


@pytest.fixture(scope="module")
def made() -> LandmarkSummary:
    return make_landmarks(walks(), through_walls, SETTINGS)


def _guide(made: LandmarkSummary, **settings: float) -> LandmarkGuide:
    return LandmarkGuide(made.landmarks, through_walls, LandmarkConfig(**settings))  # type: ignore[arg-type]


def _goal(*places: tuple[float, float]) -> LatentGoal:
    return LatentGoal(torch.tensor(places)[:, None])


def _lead(guide: LandmarkGuide, starts: list[tuple[float, float]], goals: list[tuple[float, float]]) -> Lead:
    rows = torch.arange(len(starts))
    return guide.begin(len(starts)).lead(belief_at(starts), _goal(*goals), rows, torch.Generator())


def test_every_edge_keeps_to_the_corridors(made: LandmarkSummary) -> None:
    graph = made.landmarks
    assert graph.radius_blocks <= 1.2
    assert graph.pruned is None
    assert made.joined == 1.0
    assert made.unseen > 0.1  # what the learned time alone would have joined, through walls
    assert bool((graph.blocks <= 4).all())
    cells = (graph.latents[:, 0] / CELL).long()
    order = {cell: index for index, cell in enumerate(_along_the_way())}
    apart = [
        abs(order[tuple(cells[i].tolist())] - order[tuple(cells[j].tolist())])
        for i, j in zip(graph.sources.tolist(), graph.targets.tolist(), strict=True)
    ]
    assert max(apart) <= 4  # cells along the corridor, of 8 px; 4 blocks are at most 16 px


def test_nobody_is_sent_to_where_he_is(made: LandmarkSummary) -> None:
    """Sub-goals lie at most a block ahead, but edges are longer: at a landmark the next one is made for."""
    guide, rows = _guide(made, ahead_blocks=1.0), torch.arange(9)
    start = guide.landmarks.latents[0, 0].tolist()
    starts = [(start[0] + dx, start[1] + dy) for dx in (-0.5, 0.0, 0.5) for dy in (-0.5, 0.0, 0.5)]
    lead = guide.begin(9).lead(belief_at(starts), _goal(*[GOAL] * 9), rows, torch.Generator())
    assert all(len(way) > 1 for way in lead.waypoints)
    assert float(through_walls(torch.tensor(starts)[:, None], lead.goal.latents).min()) > 0.5


def test_the_way_goes_through_the_whole_maze(made: LandmarkSummary) -> None:
    lead = _lead(_guide(made, ahead_blocks=3.0), [START], [GOAL])
    assert lead.by == ("landmarks",)
    assert lead.because(0) is None
    # 5 + 2 + 5 + 2 + 5 cells of 8 px at 4 px a block are 38 blocks; corners may be cut by a little.
    assert 32 <= float(lead.blocks_left[0]) <= 46
    seen = {tuple((made.landmarks.latents[node, 0] / CELL).long().tolist()) for node in lead.waypoints[0]}
    assert {(6, 2), (1, 4)} <= seen  # both turns
    near = through_walls(lead.goal.latents, torch.tensor([[START]]))
    assert 0 < float(near) <= 4 + 1.2  # one edge, from beside the landmark that it begins at
    assert lead.goal.latents[0, 0, 1] < 16  # still in the upper corridor


def test_near_goals_are_pursued_directly(made: LandmarkSummary) -> None:
    lead = _lead(_guide(made), [START], [(16.0, 12.0)])
    torch.testing.assert_close(lead.goal.latents, _goal((16.0, 12.0)).latents)
    assert float(lead.blocks_left[0]) == pytest.approx(1.0)
    # Across a wall, as near in a straight line, one must go round.
    round_about = _lead(_guide(made), [(20.0, 12.0)], [(20.0, 28.0)])
    assert float(round_about.blocks_left[0]) > 15


def test_rows_do_not_depend_on_each_other(made: LandmarkSummary) -> None:
    starts, goals = [START, (44.0, 28.0), GOAL], [GOAL, START, (52.0, 12.0)]
    guide = _guide(made)
    together = _lead(guide, starts, goals)
    for row in range(3):
        alone = _lead(guide, starts[row : row + 1], goals[row : row + 1])
        torch.testing.assert_close(together.goal.latents[row], alone.goal.latents[0])
        assert together.waypoints[row] == alone.waypoints[0]
    # Rows that have finished are left out: the journey knows the others by their number.
    journey = guide.begin(3)
    journey.lead(belief_at(starts), _goal(*goals), torch.arange(3), torch.Generator())
    later = journey.lead(belief_at(starts[1:]), _goal(*goals[1:]), torch.tensor([1, 2]), torch.Generator())
    assert later.waypoints == together.waypoints[1:]


def test_where_no_way_leads_it_is_said() -> None:
    made = make_landmarks(walks(rows=PARTED), through_walls, SETTINGS)
    assert made.joined < 0.7
    lead = _lead(_guide(made), [START, START, START, (500.0, 0.0)], [GOAL, (28.0, 12.0), (500.0, 0.0), START])
    assert lead.reachable.tolist() == [False, True, False, False]
    assert [Outcome(int(o)) for o in lead.outcome] == [0 + o for o in (3, 0, 2, 1)]
    said = lead.because(0)
    assert said is not None
    assert "no way leads from what is seen to the goal" in said
    assert f"{len(made.landmarks)} landmarks" in said
    assert "the goal is near nothing" in (lead.because(2) or "")
    assert "what is seen is near nothing" in (lead.because(3) or "")
    torch.testing.assert_close(lead.goal.latents[0], _goal(GOAL).latents[0])  # nothing better is known
    assert torch.isinf(lead.blocks_left[0])


def test_episodes_without_a_way_say_why() -> None:
    walled = make_landmarks(walks(rows=PARTED), through_walls, SETTINGS)
    agent = PlanningAgent(MazeModel(), Strategy(SEARCH, LatentDistance(), guide=_guide(walled)), seed=0)
    results = run_episodes(Maze(3), agent, [0, 1, 2], 8)
    assert len(results.lost) == 3
    assert all("no way leads" in (reason or "") for reason in results.lost)
    (row,) = way_rows([results, replace(results, lost=())])
    assert (row.metric, row.value, row.n) == ("no_way", 0.5, 6)
    assert row.note.startswith("3 of 6: the goal cannot be reached, because no way leads")
    assert way_rows([replace(results, lost=())]) == []


def test_an_edge_that_leads_nowhere_is_dropped_for_this_episode(made: LandmarkSummary) -> None:
    """One who is held fast at the first corner is given another edge after a while, and a way all the same."""
    guide = _guide(made, patience=2)
    journey, rows = guide.begin(2), torch.arange(2)
    stuck, goal = belief_at([START, START]), _goal(GOAL, GOAL)
    leads = [journey.lead(stuck, goal, rows, torch.Generator()) for _ in range(40)]
    aims = {tuple(lead.goal.latents[0, 0].tolist()) for lead in leads}
    assert len(aims) > 1
    assert all(bool(lead.reachable.all()) for lead in leads)
    fresh = guide.begin(2).lead(stuck, goal, rows, torch.Generator())
    torch.testing.assert_close(fresh.goal.latents, leads[0].goal.latents)
    # Another episode that makes progress keeps its edges.
    assert leads[0].waypoints[1] == leads[0].waypoints[0]


@pytest.mark.parametrize("ahead", [2.0, 5.0])
def test_one_who_is_held_fast_near_the_goal_is_sent_another_way_in(made: LandmarkSummary, ahead: float) -> None:
    """The last hop is dropped like any edge, and tried again when no other way is left."""
    guide, goal = _guide(made, patience=2, ahead_blocks=ahead), (START[0] + 8.0, START[1])
    journey, rows = guide.begin(2), torch.arange(2)
    stuck, wanted = belief_at([START, GOAL]), _goal(goal, START)
    leads = [journey.lead(stuck, wanted, rows, torch.Generator()) for _ in range(60)]
    at_goal = [bool((lead.goal.latents[0] == wanted.latents[0]).all()) for lead in leads]
    assert at_goal[0]  # two blocks away: at first it is pursued directly
    assert len({tuple(lead.goal.latents[0, 0].tolist()) for lead in leads}) > 2
    assert not any(at_goal[5:8])  # after patience there is another aim
    assert any(at_goal[8:])
    assert all(bool(lead.reachable.all()) for lead in leads)
    # One that has come to the last landmark makes for the goal.
    fresh = guide.begin(1)
    for _ in range(5):
        lead = fresh.lead(stuck.rows(rows[:1]), LatentGoal(wanted.latents[:1]), rows[:1], torch.Generator())
    assert len(lead.waypoints[0]) >= 1
    there = guide.landmarks.latents[lead.waypoints[0][-1], 0].tolist()
    arrived = fresh.lead(belief_at([there]), LatentGoal(wanted.latents[:1]), rows[:1], torch.Generator())
    torch.testing.assert_close(arrived.goal.latents[0], wanted.latents[0])


def test_an_agent_that_is_led_arrives_where_one_that_is_not_does_not(made: LandmarkSummary) -> None:
    seeds = list(range(6))
    flat = Strategy(SEARCH, LatentDistance())
    led = replace(flat, guide=_guide(made, ahead_blocks=3.0))
    lost, found = (
        run_episodes(Maze(6), PlanningAgent(MazeModel(), strategy, seed=0), seeds, 140) for strategy in (flat, led)
    )
    assert int(lost.success.sum()) == 0
    assert int(found.success.sum()) == 6
    again = run_episodes(Maze(6), PlanningAgent(MazeModel(), led, seed=0), seeds, 140)
    assert again.steps_to_success.tolist() == found.steps_to_success.tolist()


def test_too_little_memory_prunes_the_graph_and_says_so() -> None:
    small = make_landmarks(walks(), through_walls, replace(SETTINGS, most_bytes=20_000))
    assert len(small.landmarks) < 25
    assert small.landmarks.bytes <= 20_000
    assert small.landmarks.radius_blocks > 1.2
    said = small.landmarks.pruned or ""
    assert f"{len(small.landmarks)} of the 100 landmarks fit into 0.02 MB" in said
    assert "not 1.2" in said
    few = make_landmarks(walks(), through_walls, replace(SETTINGS, landmarks=12))
    assert "12 landmarks were asked for" in (few.landmarks.pruned or "")
    assert 1.2 < few.landmarks.radius_blocks < 16  # told in blocks, of every place
    with pytest.raises(UsageError, match="no room for landmarks"):
        make_landmarks(walks(), through_walls, replace(SETTINGS, most_bytes=500))
    with pytest.raises(UsageError, match="so many landmarks"):
        FitLandmarksConfig(landmarks=10**6)


def test_dense_edges_are_pruned_to_the_memory_that_is_allowed() -> None:
    """All places of one hall are joined to each other: far more edges than room is kept for."""
    hall = walks(rows=("########", *["#......#"] * 6, "########"))
    dense = replace(SETTINGS, landmarks=40, radius_blocks=0.5, reach_blocks=20.0, least_seen=1)
    free = make_landmarks(hall, through_walls, dense)
    assert len(free.landmarks.sources) > 24 * len(free.landmarks)
    limit = graph_bytes(40, 2, 24 * 40)
    assert free.landmarks.bytes > limit
    tight = make_landmarks(hall, through_walls, replace(dense, most_bytes=limit))
    assert len(tight.landmarks) == 40
    assert limit - 40 < tight.landmarks.bytes <= limit
    assert tight.joined == free.joined == 1.0  # none is cut off
    said = f"960 of the {len(free.landmarks.sources):,} edges fit into {limit / 1e6:g} MB"
    assert said in (tight.landmarks.pruned or "")
    # Those that are kept are the shortest of each landmark.
    for node in range(40):
        mine = free.landmarks.blocks[free.landmarks.sources == node].sort().values
        kept = tight.landmarks.blocks[tight.landmarks.sources == node].sort().values
        assert len(kept) >= min(len(mine), 20)
        torch.testing.assert_close(kept, mine[: len(kept)])


def test_making_them_repeats_by_seed_and_needs_passages(made: LandmarkSummary) -> None:
    again = make_landmarks(walks(), through_walls, SETTINGS)
    for name in ("latents", "sources", "targets", "blocks"):
        assert torch.equal(getattr(again.landmarks, name), getattr(made.landmarks, name))
    with pytest.raises(TrainingError, match="no two landmarks are joined"):
        make_landmarks(walks(), through_walls, replace(SETTINGS, least_seen=10**6))


def test_they_are_kept_and_belong_to_one_model(made: LandmarkSummary, tmp_path: Path) -> None:
    made.landmarks.save(tmp_path / "landmarks", "a" * 64, "b" * 64)
    back = Landmarks.load(tmp_path / "landmarks", "a" * 64, "b" * 64)
    assert torch.equal(back.blocks, made.landmarks.blocks)
    assert (back.reach_blocks, back.wanted, back.pruned) == (4.0, 100, None)
    with pytest.raises(StoreError, match="latents of another model"):
        Landmarks.load(tmp_path / "landmarks", "c" * 64)
    with pytest.raises(StoreError, match="another temporal distance"):
        Landmarks.load(tmp_path / "landmarks", "a" * 64, "c" * 64)


def test_unusable_graphs_goals_and_settings_are_refused(made: LandmarkSummary) -> None:
    with pytest.raises(ContractError, match="leads to no landmark"):
        replace(made.landmarks, targets=made.landmarks.targets + len(made.landmarks))
    with pytest.raises(ContractError, match="takes no time"):
        replace(made.landmarks, blocks=0 * made.landmarks.blocks)
    with pytest.raises(PlanningError, match="empty size"):
        LandmarkConfig(patience=0)
    strategy = Strategy(SEARCH, LatentDistance(), guide=_guide(made))
    agent, world = PlanningAgent(MazeModel(), strategy, seed=0), Maze(1)
    observation = world.reset([0])
    agent.begin(observation, ReadoutGoal("position", torch.tensor([GOAL]), 1.0))
    with pytest.raises(PlanningError, match="goal in latent space"):
        agent.act(observation, np.ones(1, dtype=np.bool_))


def _along_the_way() -> list[tuple[int, int]]:
    """The maze's cells in the order in which one walks through them."""
    there, back = list(range(1, 7)), list(range(6, 0, -1))
    way = [(x, 1) for x in there] + [(6, 2)] + [(x, 3) for x in back] + [(1, 4)] + [(x, 5) for x in there]
    assert all(ROWS[y][x] == "." for x, y in way)
    return way
