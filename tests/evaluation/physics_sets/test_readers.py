"""Each layout is read as it lies on disk: items, labels, pairs, frames."""

import json
from pathlib import Path

import numpy as np
import pytest

from data.filming import numbers_of
from evaluation.physics_sets import makers
from monde.evaluation.physics_sets import PhysicsSet, match_movies, open_mvp, open_physics_set, survey


def by_id(physics_set: PhysicsSet) -> dict[str, object]:
    return {item.id: item for item in physics_set.items}


def test_intphys(tmp_path: Path) -> None:
    scenes = {"O1/01": (True, True, False, False), "O3/02_O3_test_occluded_static_nobj1": (False, True, True, False)}
    makers.intphys(tmp_path / "dev", scenes)
    found = open_physics_set(tmp_path)
    assert (found.name, found.version, len(found.items)) == ("intphys", "dev", 8)
    assert found.report.ids == ("O2",)
    first, last = found.items[0], found.items[-1]
    assert (first.id, first.principle, first.group, first.possible) == ("O1/01/1", "object permanence", "O1/01", True)
    assert dict(first.conditions) == {}
    assert dict(last.conditions) == {"visibility": "occluded"}
    assert (last.principle, last.possible, last.pair) == ("continuity", False, None)
    assert found.length(first) == 4
    assert found.rate_hz(first) == 15
    frames = found.frames(first)
    assert (frames.shape, frames.dtype) == ((4, 3, 8, 12), np.uint8)
    assert frames[:, 0, 0, 0].tolist() == [1, 2, 3, 4]
    assert found.frames(first, size=(4, 6), step=3)[:, 0, 0, 0].tolist() == [1, 4]
    assert len(open_physics_set(tmp_path / "dev").items) == 8


def test_intphys_movies_are_paired_by_how_long_they_look_alike(tmp_path: Path) -> None:
    makers.intphys(tmp_path, {"O1/01": (True, True, False, False), "O1/02": (True, False, True, False)})
    paired = {item.id: item.pair for item in match_movies(open_physics_set(tmp_path)).items}
    assert paired["O1/01/1"] == paired["O1/01/3"] == "O1/01/1"
    assert paired["O1/01/2"] == paired["O1/01/4"] == "O1/01/2"
    # Partners that are both possible are no pair: the scene stays without.
    assert [paired[f"O1/02/{movie}"] for movie in "1234"] == [None] * 4


def test_intphys2(tmp_path: Path) -> None:
    makers.intphys2(tmp_path / "Main", {"0": ("solidity", "Easy", "Fixed"), "124_0": ("permanence", "Hard", "Moving")})
    found = open_physics_set(tmp_path)
    assert (found.name, found.version, len(found.items)) == ("intphys2", "Main", 8)
    item = next(item for item in found.items if item.id == "124_0_2_i")
    assert (item.group, item.pair, item.possible, item.principle) == ("124_0", "124_0/2/1", False, "permanence")
    assert dict(item.conditions) == {"difficulty": "Hard", "camera": "Moving"}
    frames = found.frames(item)
    assert frames.shape == (3, 3, 32, 48)
    assert numbers_of(frames) == [0, 1, 2]
    assert numbers_of(found.frames(item, size=(16, 24), step=2)) == [0, 2]
    assert found.rate_hz(item) == pytest.approx(10)


def test_intphys2_repeated_types_are_paired_in_order(tmp_path: Path) -> None:
    """The Debug split films each scene three times."""
    root = makers.intphys2(tmp_path / "Debug", {"0": ("solidity", "Easy", "Fixed"), "1": ("solidity", "Easy", "Fixed")})
    text = (root / "metadata.csv").read_text().replace("\n1,", "\n0,")
    (root / "metadata.csv").write_text(text)
    pairs = {item.id: item.pair for item in open_physics_set(root).items}
    assert pairs["0_1_p"] == pairs["0_1_i"] == "0/1/1"
    assert pairs["1_1_p"] == pairs["1_1_i"] == "0/1/2"


def test_intphys2_held_out(tmp_path: Path) -> None:
    makers.film(tmp_path / "HeldOut/Videos/a.mp4", 2)
    found = open_physics_set(tmp_path)
    assert (found.version, found.labels_withheld, found.items[0].id) == ("HeldOut", True, "Videos/a")


def test_grasp(tmp_path: Path) -> None:
    makers.grasp(tmp_path / "videos", {"Continuity": 1, "GravitySupport": 2})
    for scene in ("ColorRed", "ColorBlue", "MovementTrue", "MovementFalse"):
        makers.film(tmp_path / f"videos/level1/{scene}/000.mp4", 2)
    makers.film(tmp_path / "videos/level1/TwoObjectOrdering/000.mp4", 2)
    (tmp_path / "videos/level1/TwoObjectOrdering/000.txt").write_text("red,green,blue\n")
    makers.film(tmp_path / "videos/level1/TwoObjectOrdering/001.mp4", 2)
    found = open_physics_set(tmp_path)
    assert (found.name, found.version, len(found.items)) == ("grasp", "level2+level1", 11)
    pair = [item for item in found.items if item.pair == "level2/GravitySupport/001"]
    assert {item.id: item.possible for item in pair} == {
        "level2/P_GravitySupport/001": True,
        "level2/IP_GravitySupport/001": False,
    }
    assert found.rate_hz(pair[0]) == pytest.approx(50)
    asked = {item.id: item.question for item in found.items if item.question}
    assert asked["level1/ColorRed/000"].candidates == ("blue", "red")
    assert asked["level1/MovementFalse/000"].answer == "not moving"
    assert asked["level1/TwoObjectOrdering/000"].answer == "green,blue"
    assert asked["level1/TwoObjectOrdering/000"].candidates == ("blue,green", "green,blue")
    assert "level1/TwoObjectOrdering/001" in found.report.ids
    assert sum("the test is not there" in str(absence) for absence in found.report.absent) == 14


GROUP = "continuity/left__continuity__cup__duck"


def test_inflevel(tmp_path: Path) -> None:
    root = tmp_path / "inflevel_lab"
    makers.inflevel(root, {GROUP: {"vv__LR": 5, "vi__LR": 3, "ii__LR": 4, "iv__LR": 4}})
    makers.inflevel(root, {"gravity/left__gravity__bowl__egg": {"ui": 3, "cv": 3, "uv": 3, "ci": 3}})
    found = open_physics_set(tmp_path)
    assert (found.name, found.pair_lengths, len(found.items)) == ("inflevel", "end", 8)
    assert found.report.ids == ("solidity",)
    items = {item.id: item for item in found.items}
    real, magic = items["left__continuity__cup__duck__vv__LR"], items["left__continuity__cup__duck__vi__LR"]
    assert (real.possible, magic.possible) == (True, False)
    assert real.pair == magic.pair == "continuity__left__cup__duck__LR/v"
    assert items["left__gravity__bowl__egg__ui"].pair == "gravity__left__bowl__egg/u"
    assert items["left__gravity__bowl__egg__cv"].possible is True
    # Films of a pair are aligned at their ends: the longer one's first frames are left out.
    examined = {item.id: item for item in survey(found).items}
    assert numbers_of(found.frames(examined[real.id])) == [2, 3, 4]
    assert numbers_of(found.frames(examined[magic.id])) == [0, 1, 2]


def test_inflevel_begins_after_the_priming(tmp_path: Path) -> None:
    makers.inflevel(tmp_path, {GROUP: {"vv__LR": 7, "vi__LR": 6, "ii__LR": 6, "iv__LR": 6}})
    columns = "vid1_path,vid1_label,vid1_end_priming_2,vid2_path,vid2_label,vid2_end_priming_2"
    row = f"{GROUP}__vv__LR.mp4,possible,1,{GROUP}__vi__LR.mp4,impossible,2"
    (tmp_path / "continuity.csv").write_text(f"{columns}\n{row}\n")
    examined = survey(open_physics_set(tmp_path))
    items = {item.id.split("__")[4]: item for item in examined.items}
    # Seven frames from 2 on are five, six from 3 on are three: two more are left out of the first.
    assert (items["vv"].first_frame, items["vi"].first_frame) == (4, 3)
    assert numbers_of(examined.frames(items["vv"])) == [4, 5, 6]
    assert examined.length(items["vv"]) == examined.length(items["vi"]) == 3


def test_mvp(tmp_path: Path) -> None:
    makers.mvp(tmp_path, {"intuitive_physics": ["a_b"], "temporal_reasoning": ["c"]})
    found = open_physics_set(tmp_path)
    assert (found.name, found.version, len(found.items)) == ("mvp", "mini", 4)
    assert found.report.ids == ("human_object_interactions", "robot_object_interactions")
    first, second = found.items[:2]
    assert first.pair == second.pair == "intuitive_physics/a_b"
    assert (first.question.answer, second.question.answer) == ("yes", "no")
    assert first.question.candidates == ("yes", "no")
    assert found.frames(second).shape == (3, 3, 32, 48)
    # Films of a pair come from elsewhere and may be of any length.
    assert len(survey(found).items) == 4


def test_mvp_as_parquet(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    makers.mvp(tmp_path, {"intuitive_physics": ["a"]})
    listed = tmp_path / "intuitive_physics/mini.jsonl"
    rows = [json.loads(line) for line in listed.read_text().splitlines()]
    rows = [row | {"candidates": "['yes', 'no']", "video_path": "/" + row["video_path"]} for row in rows]
    pyarrow.parquet.write_table(
        pyarrow.Table.from_pylist(rows), tmp_path / "intuitive_physics/full-00000-of-00001.parquet"
    )
    full = open_mvp(tmp_path, "full")
    assert full.items == open_physics_set(tmp_path).items
