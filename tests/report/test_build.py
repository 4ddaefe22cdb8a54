"""The page: whole, partial, broken, hostile, too large."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
import torch

from monde.errors import StoreError
from monde.evaluation.exhibits import Film, Scatter
from monde.report import build_report
from monde.scorecard import Row
from monde.store import RunFolder, save_artefact, write_json
from tests.report.fake_run import draw, make_run, scorecard, write_metrics

EVIL = '<script>alert("x")</script><img src=http://evil.example/x onerror=alert(1)>'


class Page(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))

    def loads(self) -> list[str]:
        """Everything that a browser would fetch."""
        found = [a.get(key) for _, a in self.tags for key in ("src", "srcset", "href", "data", "poster", "action")]
        return [url for url in found if url is not None and not url.startswith(("data:image/", "#"))]


def test_a_whole_run(whole_page: Path) -> None:
    path = whole_page
    page = Page(path)
    assert path.name == "report.html"
    assert page.loads() == []
    assert not re.search(r"https?://|//cdn|@import|url\((?!#)", path.read_text(encoding="utf-8"))
    assert not [tag for tag, _ in page.tags if tag in {"script", "link", "iframe", "object"}]
    assert any("default-src 'none'" in (a.get("content") or "") for tag, a in page.tags if tag == "meta")
    for words in ("64%", "50 to 76%", "random 4%", "untrained 5.82 px", "size nano", "2,400 steps in 3.2 min"):
        assert words in page.text
    for words in (
        "3 of 4 films end at the goal",
        "reached in 41 steps",
        "not reached in 100 steps, 23.4 away",
        "seed 2",
    ):
        assert words in page.text
    for words in (scorecard().protocol_id, "0123456789ab", "CEMPlanner", "9f1c" * 16, "Held-out episode 361"):
        assert words in page.text
    assert "secret" not in page.text


def test_films_move_and_rest_for_those_who_ask(whole_page: Path) -> None:
    import base64
    import io

    from PIL import Image

    page = Page(whole_page)
    url, *others = [
        str(a["src"]) for tag, a in page.tags if tag == "img" and str(a["src"]).startswith("data:image/webp")
    ]
    assert len(others) == 3
    film = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))
    assert (film.size, getattr(film, "n_frames", 0)) == ((256, 256), 42)
    assert any(tag == "source" and "reduced-motion" in str(a["media"]) for tag, a in page.tags)


def test_ids_are_unique(whole_page: Path) -> None:
    page = Page(whole_page)
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    targets = {str(a["href"]).removeprefix("#") for _, a in page.tags if "href" in a}
    assert targets <= set(ids)


def test_equal_runs_give_equal_bytes(whole_page: Path, tmp_path: Path) -> None:
    again = build_report(whole_page.parent, tmp_path / "again.html")
    assert again.read_bytes() == whole_page.read_bytes()


def test_each_absent_part_names_its_command(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "only-trained")
    run.root.mkdir()
    write_metrics(run, lines=3)
    text = Page(build_report(run.root)).text
    assert f"monde score {run.root}" in text
    assert f"monde train DATA --run {run.root}" in text
    assert "No planned episode has been filmed" in text
    assert "No imagination has been kept" in text


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder in ("empty", "absent"):
        with pytest.raises(StoreError, match="is not a run"):
            build_report(tmp_path / folder)
        assert not (tmp_path / folder / "report.html").exists()


def test_broken_parts_are_named_and_the_rest_is_shown(tmp_path: Path) -> None:
    run = make_run(tmp_path / "demo", films=2)
    run.score.write_text('{"schema": "monde.scorecard/1", "rows": 3}')
    run.metrics.write_text("")
    tensors = run.exhibits / "film-00" / "tensors.safetensors"
    data = bytearray(tensors.read_bytes())
    data[-1] ^= 1
    tensors.write_bytes(data)
    save_artefact(run.exhibits / "strange", "strange", {}, {})
    (run.exhibits / "no-manifest").mkdir()
    empty = {"frames": torch.zeros(0, 3, 8, 8, dtype=torch.uint8), "goal": torch.zeros(3, 8, 8, dtype=torch.uint8)}
    meta = {"success": True, "steps": 1, "seed": 0, "goal_distance": None, "title": ""}
    save_artefact(run.exhibits / "film-empty", "film", empty, meta)
    text = Page(build_report(run.root)).text
    for part in ("score.json", "metrics.jsonl", "exhibits/film-00", "exhibits/strange", "exhibits/no-manifest"):
        assert f"{part} cannot be shown." in text
    assert "exhibits/film-empty cannot be shown. " in text
    assert "altered after it was written" in text
    assert "1 of 1 film ends at the goal" in text
    assert "Position of the agent" in text


def test_nothing_from_a_file_becomes_markup(tmp_path: Path) -> None:
    run = make_run(tmp_path / "demo", films=0)
    run.metrics.write_text(
        f'{{"step": 1, "{EVIL.replace(chr(34), "")}": 1, "loss/$\\\\frac$": 2, "alarm": "<script>1"}}\n'
    )
    rows = (Row(metric=EVIL, value=1.0, unit=EVIL, n=1, floors={EVIL: 0.5}, note=EVIL),)
    card = replace(scorecard(), rows=rows, protocol={EVIL: [EVIL]}, commit=EVIL)
    write_json(run.score, card.to_json())
    write_json(run.config, {"data": {"fingerprint": EVIL}, "train": {"size": EVIL}, EVIL: {EVIL: EVIL}})
    frame = draw(20, 20)
    Film(frames=frame[None].clone(), goal=frame, success=True, steps=1, seed=0, goal_distance=None, title=EVIL).save(
        run.exhibits / 'film" onload="x'
    )
    numbers = torch.rand(5, 1)
    Scatter(truth=numbers, read=numbers.clone(), names=(EVIL,), unit=EVIL, r2=1.0, rmse=0.0, title=EVIL).save(
        run.exhibits / "scatter-evil"
    )
    page = Page(build_report(run.root))
    assert page.loads() == []
    assert not [tag for tag, _ in page.tags if tag == "script"]
    assert not [a for _, a in page.tags if any(key.startswith("on") for key in a)]
    assert EVIL in page.text


def test_films_are_dropped_first_and_that_is_said(tmp_path: Path) -> None:
    run = make_run(tmp_path / "demo", films=3)
    whole = build_report(run.root).stat().st_size
    path = build_report(run.root, max_bytes=whole - 1000)
    assert path.stat().st_size <= whole - 1000
    assert "1 film was left out" in Page(path).text
    assert "Held-out episode 361" in Page(path).text
    with pytest.raises(StoreError, match="too large"):
        build_report(run.root, max_bytes=10_000)
    assert "1 film was left out" in Page(path).text, "the page that was there before must stay"


def test_rows_of_a_scatter_that_are_not_finite_are_counted(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    truth = torch.rand(10, 1)
    read = truth.clone()
    read[3] = torch.nan
    Scatter(truth=truth, read=read, names=("x",), unit="m", r2=0.9, rmse=0.1).save(run.exhibits / "s")
    assert "1 row not finite and left out" in Page(build_report(run.root)).text
