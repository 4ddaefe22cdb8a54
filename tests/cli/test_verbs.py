"""Record and check on a real world; progress; a scorecard on a terminal."""

import json
from pathlib import Path

import pytest

from monde.cli import main
from monde.cli.progress import Reporter
from monde.cli.record import Record
from monde.cli.scores import score_table
from monde.cli.train import Train
from tests.report.fake_run import scorecard


def test_record_then_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["record", "tworoom", "--out", str(tmp_path / "data"), "--episodes", "6", "--steps", "12", "--batch", "6"]
    assert main([*words, "--json", str(tmp_path / "r.json")]) == 0
    out, err = capsys.readouterr()
    assert "recorded 6 episodes, 78 frames" in out
    assert "recording tworoom: 6 of 6 episodes, 100%" in err
    document = json.loads((tmp_path / "r.json").read_text())
    assert (document["episodes"], document["new_episodes"], document["new_frames"]) == (6, 6, 78)
    assert main(words) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert main(["check", str(tmp_path / "data"), "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["usable"], found["episodes"], found["frames"]) == (True, 6, 78)
    assert {"rgb", "state"} <= {sensor["kind"] for sensor in found["sensors"]}
    assert found["actions"]["dim"] == 2


def test_check_fails_on_what_is_no_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path), "--json", "-"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["usable"] is False
    assert "remedy:" in err


def test_record_refuses_an_unknown_world_before_a_folder_is_made(tmp_path: Path) -> None:
    assert main(["record", "tworom", "--out", str(tmp_path / "data")]) == 2
    assert not (tmp_path / "data").exists()


def test_default_folders() -> None:
    assert Record(env="gym:ALE/Pong-v5").folder == Path("data/gym-ALE-Pong-v5")
    assert Train(data=Path("data/tworoom")).folder == Path("runs/tworoom")
    assert Train(data=Path("data/tworoom"), name="second").folder == Path("runs/second")
    assert Train(data=Path("data/tworoom"), name="second", run=Path("x")).folder == Path("x")


def test_plain_progress_tells_first_and_last_once(capsys: pytest.CaptureFixture[str]) -> None:
    with Reporter().track("working", "parts") as advance:
        for done in [*range(1001), 1000]:
            advance(done, 1000, "note")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("working: 0 of 1,000 parts, 0%")
    assert lines[-1].startswith("working: 1,000 of 1,000 parts, 100%")
    assert sum("100%" in line for line in lines) == 1
    assert len(lines) < 10


def test_quiet_progress_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with Reporter(quiet=True).count("working", "parts") as progress:
        progress(1, 1)
    Reporter(quiet=True).say("word")
    assert capsys.readouterr() == ("", "")


def test_a_scorecard_stands_beside_its_floors() -> None:
    lines = score_table(scorecard()).splitlines()
    (success,) = [line for line in lines if line.startswith("success ")]
    assert success.split() == ["success", "64%", "50", "to", "76", "50", "random", "4%,", "stay", "0%"]
    assert len({line.index("floors") for line in lines if "floors" in line}) == 1
