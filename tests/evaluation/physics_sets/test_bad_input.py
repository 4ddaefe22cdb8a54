"""What is wrong with a set is said, with file and line; what is missing is counted, named, and the rest scored."""

import json
from pathlib import Path

import pytest
from PIL import Image

from evaluation.physics_sets import makers
from monde.errors import ContractError, DataError
from monde.evaluation.physics_sets import films, open_physics_set, score_physics_set, survey

TRUTH = (True, False, False, True)
SCENE = ("solidity", "Easy", "Fixed")


def test_folders_that_are_no_set(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no folder"):
        open_physics_set(tmp_path / "absent")
    with pytest.raises(DataError) as told:
        open_physics_set(tmp_path)
    assert told.value.got == "an empty folder"
    for name in ("IntPhys:", "IntPhys 2:", "GRASP:", "InfLevel-Lab:", "Minimal Video Pairs:"):
        assert name in str(told.value.expected)
    (tmp_path / "notes.txt").write_text("no set")
    with pytest.raises(DataError, match=r"Got: notes\.txt"):
        open_physics_set(tmp_path)


def test_a_folder_of_two_sets(tmp_path: Path) -> None:
    makers.intphys(tmp_path, {"O1/01": TRUTH})
    makers.grasp(tmp_path, {"Gravity": 1})
    with pytest.raises(DataError, match=r"fits several sets.*IntPhys, GRASP"):
        open_physics_set(tmp_path)


def test_a_set_of_which_nothing_is_there(tmp_path: Path) -> None:
    (tmp_path / "O1/01/1").mkdir(parents=True)
    with pytest.raises(DataError, match=r"no movie of IntPhys.*O1/01/1: the movie is not there"):
        open_physics_set(tmp_path)


def test_missing_files_are_named_and_the_rest_is_scored(tmp_path: Path) -> None:
    makers.intphys(tmp_path, {"O1/01": TRUTH, "O1/02": TRUTH, "O1/03": TRUTH})
    (tmp_path / "O1/02/4/scene/scene_003.png").unlink()
    (tmp_path / "O1/03/1/status.json").unlink()
    found = open_physics_set(tmp_path)
    assert set(found.report.ids) == {
        "O2",
        "O3",
        "O1/02/4",
        "O1/03/1",
    }
    assert "no number 3 (1 in all)" in str(found.report)
    assert "4 missing" in repr(found)
    surprise = {item.id: 0.0 if item.possible else 1.0 for item in found.items}
    score = score_physics_set(found, surprise)
    assert (score.rows[0].metric, score.rows[0].value, score.rows[0].n) == ("intphys/relative_error/all", 0, 1)
    assert "2 of 3 quadruplets left out (O1/02, O1/03)" in score.rows[0].note
    assert "O1/02/4" in str(score)


def test_films_without_a_surprise_are_reported(tmp_path: Path) -> None:
    makers.intphys2(tmp_path, {"0": SCENE})
    found = open_physics_set(tmp_path)
    score = score_physics_set(found, {"0_1_p": 1.0, "0_1_i": 2.0})
    assert score.report.ids == ("0_2_i", "0_2_p")
    assert score.rows[0].value == 1


def test_a_missing_video_of_each_list(tmp_path: Path) -> None:
    makers.intphys2(tmp_path / "Main", {"0": SCENE})
    (tmp_path / "Main/Videos/0_1_p.mp4").unlink()
    assert open_physics_set(tmp_path).report.ids == ("0_1_p",)
    makers.grasp(tmp_path / "grasp", {"Gravity": 2})
    (tmp_path / "grasp/level2/IP_Gravity/001.mp4").unlink()
    assert "level2/IP_Gravity/001" in open_physics_set(tmp_path / "grasp").report.ids
    makers.inflevel(tmp_path / "lab", {"gravity/left__gravity__bowl__egg": {"ui": 2, "cv": 2, "uv": 2}})
    makers.film(tmp_path / "lab/gravity/odd__gravity__name.mp4", 2)
    report = open_physics_set(tmp_path / "lab").report
    assert {"continuity", "solidity", "left__gravity__bowl__egg__ci", "odd__gravity__name"} == set(report.ids)
    makers.mvp(tmp_path / "mvp", {"intuitive_physics": ["a"]})
    (tmp_path / "mvp/videos/grasp/a_1.mp4").unlink()
    assert "intuitive_physics/a_1" in open_physics_set(tmp_path / "mvp").report.ids


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("1_Impossible", "1_Odd"), r"line 3 of .*metadata\.csv.*type '1_Odd'"),
        (("solidity", "magic"), r"line 2 of .*condition 'magic'"),
        ((",None,", ",None,None,"), r"line 2 of .*Got: 11 cells"),
        (("file_name", "file"), r"lacks columns.*file_name"),
        (("0_1_i", "0_1_p"), r"line 3 of .*second time"),
        (("Videos/0_1_p.mp4", "../../0_1_p.mp4"), r"line 2 of .*outside the set"),
        (("Videos/0_1_p.mp4", "/etc/passwd"), r"line 2 of .*outside the set"),
        (("Game,", '"Game,'), r"line \d+ of .*malformed"),
    ],
)
def test_a_malformed_csv(change: tuple[str, str], told: str, tmp_path: Path) -> None:
    listed = makers.intphys2(tmp_path, {"0": SCENE}) / "metadata.csv"
    listed.write_text(listed.read_text().replace(*change))
    with pytest.raises(DataError, match=told):
        open_physics_set(tmp_path)


def test_a_csv_that_is_not_text(tmp_path: Path) -> None:
    listed = makers.intphys2(tmp_path, {"0": SCENE}) / "metadata.csv"
    listed.write_bytes(listed.read_bytes() + b"\xff\xfe\n")
    with pytest.raises(DataError, match="is not text"):
        open_physics_set(tmp_path)


def test_a_link_that_leaves_the_folder(tmp_path: Path) -> None:
    root = makers.intphys2(tmp_path / "set", {"0": SCENE})
    outside = makers.film(tmp_path / "elsewhere.mp4", 2)
    (root / "Videos/0_1_p.mp4").unlink()
    (root / "Videos/0_1_p.mp4").symlink_to(outside)
    with pytest.raises(DataError, match="outside the set"):
        open_physics_set(root)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"video_path": "../a.mp4"}, "outside the set"),
        ({"video_id": "a"}, "video_id 'a'"),
        ({"answer": "perhaps"}, "answer 'perhaps'"),
        ({"candidates": ["one"]}, "two, one of them the answer"),
        ({"candidates": "[yes"}, "two, one of them the answer"),
    ],
)
def test_a_malformed_row_of_mvp(changes: dict[str, object], told: str, tmp_path: Path) -> None:
    listed = makers.mvp(tmp_path, {"intuitive_physics": ["a"]}) / "intuitive_physics/mini.jsonl"
    bad = json.dumps(makers.mvp_row("b", 0, "yes", "b.mp4") | changes)
    listed.write_text(listed.read_text() + bad + "\n")
    with pytest.raises(DataError, match=rf"line 3 of .*mini\.jsonl.*{told}"):
        open_physics_set(tmp_path)


@pytest.mark.parametrize(
    ("line", "told"), [("{", "malformed"), ("[1]", "list"), ('{"video_id": "a_0"}', "no question")]
)
def test_malformed_json_lines(line: str, told: str, tmp_path: Path) -> None:
    listed = makers.mvp(tmp_path, {"intuitive_physics": ["a"]}) / "intuitive_physics/mini.jsonl"
    listed.write_text(listed.read_text() + line + "\n")
    with pytest.raises(DataError, match=rf"line 3 of .*{told}"):
        open_physics_set(tmp_path)


@pytest.mark.parametrize(
    ("status", "told"),
    [("{", "line 1 column 2"), ("[]", "JSON object"), ('{"header": {"is_possible": 1}}', r"is_possible = 1")],
)
def test_a_malformed_status(status: str, told: str, tmp_path: Path) -> None:
    makers.intphys(tmp_path, {"O1/01": TRUTH})
    (tmp_path / "O1/01/2/status.json").write_text(status)
    with pytest.raises(DataError, match=rf"O1/01/2/status\.json.*{told}"):
        open_physics_set(tmp_path)


def test_malformed_primings(tmp_path: Path) -> None:
    group = "gravity/left__gravity__bowl__egg"
    makers.inflevel(tmp_path, {group: {"ui": 2, "uv": 2}})
    columns = "vid1_path,vid1_label,vid1_end_priming_2,vid2_path,vid2_label,vid2_end_priming_2"
    for row, told in (
        (f"{group}__ui.mp4,possible,soon,{group}__uv.mp4,impossible,1", "vid1_end_priming_2 = 'soon'"),
        (f"{group}__ui.mp4,impossible,1,{group}__uv.mp4,impossible,1", "called 'impossible'"),
        (f"../{group}__ui.mp4,possible,1,{group}__uv.mp4,impossible,1", "outside the set"),
    ):
        (tmp_path / "gravity.csv").write_text(f"{columns}\n{row}\n")
        with pytest.raises(DataError, match=rf"line 2 of .*gravity\.csv.*{told}"):
            open_physics_set(tmp_path)


def test_films_that_cannot_be_decoded(tmp_path: Path) -> None:
    makers.intphys2(tmp_path, {"0": SCENE})
    (tmp_path / "Videos/0_1_p.mp4").write_bytes(b"no video")
    (tmp_path / "Videos/0_1_i.mp4").write_bytes(b"")
    examined = survey(open_physics_set(tmp_path))
    assert examined.report.ids == ("0_1_p", "0_1_i")
    assert "0_1_p.mp4 cannot be read as a video" in str(examined.report)
    assert [item.id for item in examined.items] == ["0_2_i", "0_2_p"]
    whole = open_physics_set(tmp_path)
    with pytest.raises(DataError, match=r"0_1_p\.mp4"):
        whole.frames(whole.items[0])
    for video in (tmp_path / "Videos").iterdir():
        video.write_bytes(b"no video")
    with pytest.raises(DataError, match=r"no film of .* can be judged"):
        survey(whole)


def test_pictures_that_cannot_be_decoded(tmp_path: Path) -> None:
    makers.intphys(tmp_path, {"O1/01": TRUTH})
    scene = tmp_path / "O1/01/1/scene"
    (scene / "scene_001.png").write_bytes(b"no picture")
    found = open_physics_set(tmp_path)
    assert "O1/01/1" in survey(found).report.ids
    Image.new("RGB", (8, 8)).save(scene / "scene_001.png")
    with pytest.raises(DataError, match=r"scene_002\.png has another size"):
        found.frames(found.items[0])


def test_pairs_of_different_lengths_are_left_out(tmp_path: Path) -> None:
    makers.intphys2(tmp_path, {"0": SCENE})
    makers.film(tmp_path / "Videos/0_1_i.mp4", 5)
    examined = survey(open_physics_set(tmp_path))
    assert set(examined.report.ids) == {"0_1_p", "0_1_i"}
    assert "films of 0/1/1 differ in length: 3, 5 frames" in str(examined.report)
    assert [item.id for item in examined.items] == ["0_2_i", "0_2_p"]
    makers.intphys(tmp_path / "first", {"O1/01": TRUTH}, levels=[[1, 2], [1, 2], [1, 2], [1]])
    with pytest.raises(DataError, match=r"films of O1/01 differ in length: 1, 2 frames"):
        survey(open_physics_set(tmp_path / "first"))


def test_withheld_labels(tmp_path: Path) -> None:
    makers.intphys(tmp_path / "test", {"O1/0001": TRUTH}, labelled=False)
    found = open_physics_set(tmp_path)
    assert (found.version, found.labels_withheld, len(found.items)) == ("test", True, 4)
    with pytest.raises(DataError, match="labels of this set are withheld"):
        score_physics_set(found, {item.id: 1.0 for item in found.items})


def test_a_set_that_is_not_scored_by_surprise(tmp_path: Path) -> None:
    found = open_physics_set(makers.mvp(tmp_path, {"intuitive_physics": ["a"]}))
    with pytest.raises(ContractError, match="mvp_rows"):
        score_physics_set(found, {})


def test_films_too_large_or_asked_for_wrongly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = open_physics_set(makers.intphys(tmp_path, {"O1/01": TRUTH}))
    item = found.items[0]
    with pytest.raises(ContractError, match="step"):
        found.frames(item, step=0)
    with pytest.raises(ContractError, match="size"):
        found.frames(item, size=(0, 4))
    monkeypatch.setattr(films, "MAX_FILM_BYTES", 4 * 8 * 12 * 3 - 1)
    with pytest.raises(DataError, match=r"too large.*smaller frames"):
        found.frames(item)
    assert found.frames(item, step=2).shape == (2, 3, 8, 12)
