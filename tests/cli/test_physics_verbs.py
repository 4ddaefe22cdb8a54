"""`monde record scenes/…`, `monde physics` and `monde surprise`, on a model that has hardly learned anything."""

import csv
import json
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from monde.agents import record, record_scenes
from monde.cli import main
from monde.evaluation.exhibits import SurprisedFilms, load_exhibit
from monde.evaluation.physics import surprise, surprise_of_film
from monde.evaluation.physics.run import watching_model
from monde.objectives import ObjectiveConfig
from monde.scorecard import Scorecard
from monde.store import RunFolder, read_json, write_json
from monde.training import TrainConfig, train


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("physics")
    record_scenes("gravity", root / "data", films=6, seed=3)
    train(watched(root))
    return root / "run"


def watched(root: Path) -> TrainConfig:
    """Three steps on what was recorded there."""
    return TrainConfig(
        data=str(root / "data"),
        run=str(root / "run"),
        size="memory",
        block=2,
        window=6,
        batch=4,
        steps=3,
        warmup_steps=1,
        device="cpu",
        objective=ObjectiveConfig(context=2, rollout_steps=2, outliers=0.1),
    )


def moving(frames: int, height: int = 48, width: int = 80) -> np.ndarray:
    """A light square that crosses a coloured picture; uint8 [T, h, w, 3]."""
    film = np.full((frames, height, width, 3), (40, 90, 140), dtype=np.uint8)
    for t in range(frames):
        film[t, 20:32, 4 + t : 16 + t] = (230, 200, 60)
    return film


def write_video(path: Path, film: np.ndarray, times: list[int], rate: int = 25) -> None:
    """Frames at ticks of 1/rate s, without loss."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=rate)
        stream.height, stream.width, stream.pix_fmt = film.shape[1], film.shape[2], "bgr0"
        for frame, time in zip(film, times, strict=True):
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(format="bgr0")
            picture.pts = time
            picture.time_base = Fraction(1, rate)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert main([*words, "--quiet"]) == 2
    text = " ".join(capsys.readouterr().err.split())
    assert "remedy:" in text
    return text


def test_scenes_are_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["record", "scenes/support", "--out", str(tmp_path / "d"), "--episodes", "3", "--quiet", "--json", "-"]
    assert main(words) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["world"], document["episodes"], document["policy"]) == ("scenes/support", 3, "none")
    assert main(words[:6]) == 0
    assert "nothing to do" in capsys.readouterr().out
    for flag, value in (("--steps", "9"), ("--policy", "random"), ("--batch", "4"), ("--workers", "2")):
        assert f"leave out {flag} {value}" in refused([*words[:6], flag, value], capsys)
    assert "did you mean 'support'" in refused(["record", "scenes/suport", "--out", str(tmp_path / "e")], capsys)
    assert "unknown space '4d'" in refused(["record", "scenes/4d/free", "--out", str(tmp_path / "e")], capsys)
    assert not (tmp_path / "e").exists()


def test_refine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record_scenes("gravity", tmp_path / "data", films=6, seed=3)
    train(things := replace(watched(tmp_path), size="things", objective=ObjectiveConfig(context=2)))
    words = ["refine", things.run, "--whole-films", "--optimiser", "muon", "--batch", "4", "--phases", "1"]
    assert "give minutes or steps" in refused(words, capsys)
    assert "whole films have no windows" in refused([*words, "--windows", "8", "13", "--steps", "2"], capsys)
    assert "whole films have no windows" in refused(["refine", things.run, "--windows", "--steps", "2"], capsys)
    assert "shorter windows" in refused(["refine", things.run, "--windows", "99", "--steps", "2"], capsys)
    assert "seed is negative" in refused([*words, "--steps", "2", "--seed", "-1"], capsys)
    assert "look at fewer" in refused([*words, "--minutes", "1e-6"], capsys)
    assert "is not a run" in refused(["refine", str(tmp_path), "--steps", "2"], capsys)
    before = RunFolder(Path(things.run)).latest()
    assert main([*words, "--steps", "3", "--json", "-"]) == 0
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert document["verb"] == "refine"
    assert (document["steps"], document["step"], document["finished"]) == (3, 6, True)  # three of training before it
    assert np.isfinite(document["losses"]["loss"])
    assert "looking at films, " in err
    assert Path(document["checkpoint"]) == RunFolder(Path(things.run)).latest() != before


def test_physics(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["physics", str(run), "--n", "2", "--principles", "gravity", "permanence", "--grades", "easy"]
    assert main([*words, "--json", str(run.parent / "p.json")]) == 0
    out, err = capsys.readouterr()
    assert "physics of" in err
    assert [line.split()[:2] for line in out.splitlines()[3:]] == [
        ["gravity", "easy"],
        ["permanence", "easy"],
        ["mean", "easy"],
    ]
    assert all(floor in out for floor in ("chance 50%", "untrained", "copy last", "pixels"))
    score = Scorecard.from_json(read_json(RunFolder(run).physics))
    assert score == Scorecard.from_json(json.loads((run.parent / "p.json").read_text()))
    row = score["pairwise/2d/gravity/easy"]
    assert set(row.floors) == {"chance", "untrained", "copy_last", "pixels"}
    assert row.floors["untrained"] == score["untrained/2d/gravity/easy"].value
    # In a matched set the impossible films hold the same frames and steps as the possible ones.
    assert row.floors["copy_last"] == 0.5
    shown = load_exhibit(run / "exhibits" / "physics-2d-gravity-easy")
    assert isinstance(shown, SurprisedFilms)
    assert shown.curves.shape == shown.films.shape[:2]
    assert shown.possible.tolist() == [True, True, False, False]
    assert main([*words[:4], "--principles", "inertia", "--grades", "easy", "--quiet"]) == 0
    assert [path.name for path in (run / "exhibits").iterdir()] == ["physics-2d-inertia-easy"]


def test_physics_refuses(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "unknown principle" in refused(["physics", str(run), "--principles", "gravitas"], capsys)
    assert "unknown grade" in refused(["physics", str(run), "--grades", "hard"], capsys)
    assert "named twice" in refused(["physics", str(run), "--grades", "easy", "easy"], capsys)
    assert "n=1" in refused(["physics", str(run), "--n", "1"], capsys)
    hidden = ["physics", str(run), "--hidden"]
    assert "leave out --grades" in refused([*hidden, "--grades", "easy"], capsys)
    assert "leave out --space" in refused([*hidden, "--space", "3d"], capsys)
    assert "n=1" in refused([*hidden, "--n", "1"], capsys)
    assert not RunFolder(run).hidden.exists()
    assert "is not a run" in refused(["physics", str(tmp_path)], capsys)
    record("tworoom", tmp_path / "acted", episodes=6, steps=20, batch=6)
    acting = TrainConfig(data=str(tmp_path / "acted"), run=str(tmp_path / "acting"), steps=1, batch=4, device="cpu")
    train(acting)
    assert "--action-free" in refused(["physics", str(tmp_path / "acting")], capsys)
    assert "--action-free" in refused(["surprise", str(tmp_path / "acting"), "film.mp4"], capsys)


def test_surprise_at_a_video(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film = moving(60)
    film[20] = film[19]  # repeated
    times = [t if t < 40 else t + 5 for t in range(60)]  # five dropped
    write_video(tmp_path / "ball.mkv", film, times)
    assert main(["surprise", str(run), str(tmp_path / "ball.mkv"), "--quiet", "--json", "-"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["rate_hz"] == 20.0
    assert document["film_rate_hz"] == pytest.approx(25, rel=0.01)
    assert document["seconds"] == pytest.approx(64 / 25, abs=0.06)
    told = " | ".join(document["told"])
    for words in ("the middle of 48×80 px", "5 frames are missing, first after 1.56 s", "1 frames amid motion"):
        assert words in told
    assert "grey" not in told
    with (tmp_path / "ball.surprise.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(document["columns"]["surprise"])
    assert rows[0]["surprisal_0.3s_ahead"] == ""
    assert all(np.isfinite(float(row["surprise"])) for row in rows)
    assert float(rows[10]["surprisal_0.3s_ahead"]) == pytest.approx(
        document["columns"]["surprisal_0.3s_ahead"][10], rel=1e-4
    )
    with Image.open(tmp_path / "ball.surprise.png") as picture:
        assert picture.width > 800
    assert main(["surprise", str(run), str(tmp_path / "ball.mkv"), "--out", str(tmp_path / "o")]) == 0
    assert "most surprising: " in capsys.readouterr().out
    assert (tmp_path / "o" / "ball.surprise.csv").read_text() == (tmp_path / "ball.surprise.csv").read_text()


def test_all_verbs_judge_a_run_in_the_precision_that_it_was_trained_with(run: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "film.npy", moving(40, 64, 64))
    curves = {}
    for precision in ("fp32", "bf16"):
        other = tmp_path / precision
        shutil.copytree(run, other)
        document = read_json(RunFolder(other).config)
        train_settings = document["train"]
        assert isinstance(train_settings, dict)
        write_json(RunFolder(other).config, document | {"train": train_settings | {"precision": precision}})
        model = watching_model(other)
        assert model.autocast == (precision == "bf16")
        film = surprise_of_film(other, tmp_path / "film.npy", 20.0)
        as_pairs_are = surprise(model, film.footage.frames[None], film.footage.rate_hz)
        assert np.array_equal(film.curve, as_pairs_are.curve[0])
        curves[precision] = film.curve
    assert not np.array_equal(curves["fp32"], curves["bf16"])


def test_surprise_is_the_same_however_a_film_is_stored(run: Path, tmp_path: Path) -> None:
    film = moving(40, 64, 64)
    np.save(tmp_path / "last.npy", film)
    np.save(tmp_path / "first.npy", film.transpose(0, 3, 1, 2))
    np.save(tmp_path / "alpha.npy", np.concatenate([film, np.full((40, 64, 64, 1), 9, np.uint8)], axis=3))
    (tmp_path / "pictures").mkdir()
    for number, frame in enumerate(film):
        Image.fromarray(frame).save(tmp_path / "pictures" / f"f{number + 7}.png")
    write_video(tmp_path / "video.mkv", film, list(range(40)), rate=20)
    curves = []
    for name in ("last.npy", "first.npy", "alpha.npy", "pictures", "video.mkv"):
        rate = [] if name.endswith("mkv") else ["--rate", "20"]
        target = tmp_path / f"{name}.json"
        assert main(["surprise", str(run), str(tmp_path / name), *rate, "--quiet", "--json", str(target)]) == 0
        document = json.loads(target.read_text())
        curves.append(document["columns"]["surprise"])
        assert document["told"] == (["RGBA converted to RGB: how transparent it is is left out"] * (name[0] == "a"))
    assert all(curve == curves[0] for curve in curves)
    assert (tmp_path / "pictures.surprise.csv").exists()


def test_grey_and_missing_pictures_are_told(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "grey").mkdir()
    for number, frame in enumerate(moving(40, 64, 64)):
        if number != 21:
            Image.fromarray(frame).convert("L").save(tmp_path / "grey" / f"{number:03d}.png")
    words = ["surprise", str(run), str(tmp_path / "grey"), "--rate", "20", "--quiet", "--json", "-"]
    assert main(words) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["missing_seconds"] == [[pytest.approx(1.0), pytest.approx(1.1)]]
    told = " | ".join(document["told"])
    assert "grey frames shown in three equal channels" in told
    assert "1 frames are missing" in told


def test_bad_films_are_refused(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def words(name: str, *more: str) -> list[str]:
        return ["surprise", str(run), str(tmp_path / name), *more]

    film = moving(40)
    np.save(tmp_path / "good.npy", film)
    np.save(tmp_path / "short.npy", film[:8])
    np.save(tmp_path / "float.npy", film.astype(np.float32))
    np.save(tmp_path / "five.npy", np.zeros((9, 5, 64, 64), np.uint8))
    np.save(tmp_path / "long.npy", np.broadcast_to(np.zeros(3, np.uint8), (6001, 2, 2, 3)))
    (tmp_path / "noise.mp4").write_bytes(b"no film at all")
    (tmp_path / "empty").mkdir()
    for name, size in (("sizes", 30), ("deep", 0)):
        (tmp_path / name).mkdir()
        for number, frame in enumerate(film):
            Image.fromarray(frame[: size + number] if size else frame).save(tmp_path / name / f"{number}.png")
    Image.fromarray(np.zeros((48, 80), np.uint16)).save(tmp_path / "deep" / "5.png")
    for expected, given in (
        ("does not exist", words("absent.mp4")),
        ("states no rate", words("good.npy")),
        ("cannot have this rate", words("good.npy", "--rate", "0")),
        ("fewer frames a second than the model has steps", words("good.npy", "--rate", "5")),
        ("is shorter than the context", words("short.npy", "--rate", "20")),
        ("too long to be judged at once", words("long.npy", "--rate", "20")),
        ("holds no film", words("float.npy", "--rate", "20")),
        ("holds no film", words("five.npy", "--rate", "20")),
        ("cannot be read as a video", words("noise.mp4")),
        ("holds no frames", words("empty", "--rate", "20")),
        ("another size than the frames before it", words("sizes", "--rate", "20")),
        ("another colour format", words("deep", "--rate", "20")),
    ):
        assert expected in refused(given, capsys)
    assert not list(tmp_path.glob("*.surprise.*"))
