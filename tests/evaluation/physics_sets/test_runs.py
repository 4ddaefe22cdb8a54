"""From a run to the score of each set: films in the sets' layouts, by a network that has learned nothing."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.filming import write_film
from evaluation.physics_sets import makers
from monde.agents import record_scenes
from monde.cli import main
from monde.evaluation.physics import surprise, surprise_of_film
from monde.evaluation.physics.run import watching_model
from monde.evaluation.physics_sets import open_physics_set, survey
from monde.scorecard import Scorecard
from monde.store import read_json
from monde.training import TrainConfig, train

FRAMES = 32
"""Of a film: 1.6 to 2.2 s: longer than the surprise of a step of 0.1 s looks back."""

SCENES = {"0": ("solidity", "Easy", "Fixed"), "1": ("permanence", "Hard", "Fixed")}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sets")
    record_scenes("gravity", root / "data", films=6, seed=3)
    config = TrainConfig(
        data=str(root / "data"),
        run=str(root / "run"),
        size="memory",
        block=2,
        window=6,
        batch=4,
        steps=1,
        device="cpu",
        precision="fp32",
    )
    train(config)
    return root / "run"


def drawn(number: int, frames: int = FRAMES, height: int = 48) -> np.ndarray:
    """A light square that goes its own way, [T, h, w, 3]."""
    film = np.full((frames, height, 64, 3), (40, 90, 140), dtype=np.uint8)
    for t in range(frames):
        top = (7 * number + t * (1 + number % 3)) % 32
        film[t, top : top + 12, t : t + 12] = (230, 200, 60)
    return film


def film(path: Path, number: int, frames: int = FRAMES, rate: float = 20.0, height: int = 48) -> Path:
    return write_film(path, drawn(number, frames, height), rate=rate)


def scored(run: Path, folder: Path) -> tuple[Scorecard, dict[str, object]]:
    target = folder.parent / "score.json"
    assert main(["physics", str(run), "--set", str(folder), "--quiet", "--json", str(target)]) == 0
    document = read_json(target)
    return Scorecard.from_json(document["score"]), document


def test_intphys(run: Path, tmp_path: Path) -> None:
    root = tmp_path / "dev"
    for scene, truth in {"O1/01": (True, True, False, False), "O1/02": (False, True, True, False)}.items():
        for movie, possible in enumerate(truth, 1):
            folder = makers_movie(root / scene / str(movie), movie + 4 * int(scene[-1]))
            (folder / "status.json").write_text(json.dumps({"header": {"is_possible": possible}}))
    (root / "O1/02/3/scene/scene_007.png").write_bytes(b"no picture")
    (root / "O1/02/4/scene/scene_009.png").unlink()
    score, document = scored(run, tmp_path)
    metrics = {row.metric for row in score.rows}
    assert {"intphys/relative_error/all", "intphys/absolute_error/all"} <= metrics
    # One scene is whole; of the other a film is damaged and a picture of another is missing.
    assert score["intphys/relative_error/all"].n == 1
    assert "1 of 2 quadruplets left out (O1/02)" in score["intphys/relative_error/all"].note
    absent = document["absent"]
    assert isinstance(absent, list)
    assert {one["film"] for one in absent} == {"O1/02/3", "O1/02/4", "O2", "O3"}
    assert any("15 Hz" in line for line in document["told"])  # type: ignore[union-attr]
    assert Scorecard.from_json(read_json(run / "sets/intphys-dev.json")).rows == score.rows
    # Judged as `monde surprise` judges any film: by mean in pairs and quadruplets, by the highest one by one.
    curves = [surprise_of_film(run, root / f"O1/01/{movie}/scene", 15.0).curve for movie in (1, 2, 3, 4)]
    means = [curve.mean() for curve in curves]
    wrong = float(sum(means[2:]) < sum(means[:2]))
    assert score["intphys/relative_error/all"].value == wrong
    highest = [curve.max() for curve in curves]
    missed = np.mean([one < other for one in highest[2:] for other in highest[:2]])
    assert score["intphys/absolute_error/all"].value == pytest.approx(missed)


def makers_movie(folder: Path, number: int) -> Path:
    (folder / "scene").mkdir(parents=True)
    for index, frame in enumerate(drawn(number), 1):
        Image.fromarray(frame).save(folder / f"scene/scene_{index:03}.png")
    return folder


def test_intphys2(run: Path, tmp_path: Path) -> None:
    root = makers.intphys2(tmp_path / "set/Main", SCENES)
    for number, path in enumerate(sorted((root / "Videos").glob("*.mp4"))):
        film(path, number)
    (root / "Videos/1_2_i.mp4").unlink()
    film(root / "Videos/1_1_i.mp4", 3, frames=4)
    film(root / "Videos/1_1_p.mp4", 4, frames=4)
    score, document = scored(run, tmp_path / "set")
    assert score["intphys2/pairwise_accuracy/all"].n == 2
    assert score.protocol["films"] == 5
    absent = {one["film"]: one["why"] for one in document["absent"]}  # type: ignore[union-attr]
    assert set(absent) == {"1_2_i", "1_1_i", "1_1_p"}
    assert "shorter than the context" in absent["1_1_i"]
    model, wins = watching_model(run), []
    for pair in (1, 2):
        curves = [surprise_of_film(run, root / f"Videos/0_{pair}_{kind}.mp4").curve.mean() for kind in "pi"]
        wins.append(float(curves[1] > curves[0]))
    assert score["intphys2/pairwise_accuracy/solidity"].value == np.mean(wins)
    assert not model.autocast


def test_grasp_and_inflevel(run: Path, tmp_path: Path) -> None:
    root = makers.grasp(tmp_path / "grasp", {"Continuity": 1})
    for number, path in enumerate(sorted(root.rglob("*.mp4"))):
        film(path, number, frames=90, rate=50.0)
    score, document = scored(run, root)
    assert score["grasp/pairwise_accuracy/all"].n == 1
    assert any("brought from 50 Hz to the 20 Hz" in line for line in document["told"])  # type: ignore[union-attr]
    stem, lengths = "gravity/center__gravity__cup__crayon", {"ui": 34, "cv": 36, "uv": 34, "ci": 33}
    root = tmp_path / "lab/inflevel_lab"
    for number, (event, frames) in enumerate(lengths.items()):
        film(root / f"{stem}__{event}.mp4", number, frames=frames, height=64)
    score, _ = scored(run, root.parent)
    assert score["inflevel/accuracy/all"].n == 1
    assert score["inflevel/pairwise_accuracy/all"].n == 2
    # Films of a pair are aligned at their ends: the first frames of the longer one are not looked at.
    held = survey(open_physics_set(root))
    assert sorted(item.first_frame for item in held.items) == [0, 0, 0, 3]
    model = watching_model(run)
    means = {item.id[-2:]: surprise(model, held.frames(item)[None], 20.0).of_film[0] for item in held.items}
    wins = [float(means[magic] > means[real]) for real in ("ui", "cv") for magic in ("uv", "ci")]
    assert score["inflevel/accuracy/all"].value == np.mean(wins)


def test_what_cannot_be_scored_is_refused_before_films_are_watched(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(folder: Path, *more: str) -> str:
        capsys.readouterr()
        assert main(["physics", str(run), "--set", str(folder), "--quiet", *more]) == 2
        return " ".join(capsys.readouterr().err.split())

    makers.mvp(tmp_path / "mvp", {"human_object_interactions": ["a"]})
    assert "mvp is not scored by surprise" in refused(tmp_path / "mvp")
    makers.intphys(tmp_path / "test", {"O1/01": (True, True, False, False)}, labelled=False)
    assert "labels of this set are withheld" in refused(tmp_path / "test")
    makers.intphys(tmp_path / "dev", {"O1/01": (True, True, False, False)})
    assert "no film of" in refused(tmp_path / "dev")  # films of four frames
    assert "none of the sets that are known" in refused(run)
    for flag in (["--hidden"], ["--grades", "easy"], ["--n", "4"], ["--space", "2d"]):
        assert f"leave out {flag[0]}" in refused(tmp_path / "dev", *flag)
    assert not list((run / "sets").glob("*test*"))
