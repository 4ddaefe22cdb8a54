"""The corners of latent prediction: taught within their compute, opened as they were, asked everything."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from monde.bets.corners.episodes import FILMS, Episodes, is_room
from monde.bets.corners.latents import LatentCorner, open_latents, parts, reading, teach_latents, teaching
from monde.bets.corners.lessons import Lesson, Taught, counted
from monde.bets.corners.shown import READ, Rendering
from monde.bets.types import Question
from monde.errors import StoreError, UsageError
from monde.models import JEPA
from monde.training.setup import Setup, reopen

FLOPS = 3e11
Corner = tuple[Path, Taught]


@pytest.fixture(scope="module", params=["sensors", "state"])
def rendering(request: pytest.FixtureRequest) -> Rendering:
    return "sensors" if request.param == "sensors" else "state"


@pytest.fixture(scope="module")
def corner(rendering: Rendering, episodes: Episodes, tmp_path_factory: pytest.TempPathFactory) -> Corner:
    """Taught beside what one left that was killed; the first from more episodes than there are walks to learn from."""
    out = tmp_path_factory.mktemp("corner") / rendering
    left = out.with_name(out.name + ".trial") / "few" / "films"
    left.mkdir(parents=True)
    (left / "checkpoint").write_text("half", encoding="utf-8")
    lesson = Lesson(flops=FLOPS, episodes=40 if rendering == "sensors" else 0)
    return out, teach_latents(episodes, out, rendering, lesson)


def test_flops_are_those_of_torchs_own_counter() -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Linear(8 * 36, 10))
    query = torch.randn(2, 4, 5, 16, requires_grad=True)

    def run() -> None:
        seen = nn.functional.scaled_dot_product_attention(query, query, query, is_causal=True)
        (network(torch.randn(4, 3, 8, 8)).sum() + seen.sum()).backward()

    with FlopCounterMode(display=False) as counter:
        run()
    assert counted(run)[1] == counter.get_total_flops() > 0


def test_compute_is_what_was_asked_for(corner: Corner) -> None:
    folder, taught = corner
    assert taught.total == pytest.approx(FLOPS, rel=0.2)  # a step of some parts is a tenth of so little
    assert min(taught.steps.values()) >= 1
    assert Taught.load(folder) == taught
    assert not folder.with_name(folder.name + ".trial").exists()


def test_every_question_is_answered_the_same_again(
    corner: Corner, rendering: Rendering, validation: tuple[Question, ...]
) -> None:
    first, second = open_latents(corner[0], rendering), open_latents(corner[0], rendering)
    assert first.name == f"{rendering}-latent"
    assert first.identity == second.identity
    asked = set()
    for question in _enough(validation):
        answer = first.answer(question)
        assert answer.failure is None, (question.id, answer.note)
        assert replace(answer, seconds=0) == replace(second.answer(question), seconds=0)
        asked.add(question.about["ask"])
    assert asked == set(READ)


def _enough(questions: Sequence[Question]) -> Iterator[Question]:
    """One of each family and grade, and every relation."""
    seen = set()
    for question in questions:
        if question.family == "spatial-relations" or (question.family, question.grade) not in seen:
            seen.add((question.family, question.grade))
            yield question


def test_readouts_are_fitted_on_rooms_alone(
    corner: Corner, rendering: Rendering, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, of, watched = list[int](), corner[0] / FILMS, reading._episodes

    def noted(model: JEPA, setup: Setup, episodes: Sequence[int]) -> Iterator[reading.Seen]:
        read.extend(episodes)
        return watched(model, setup, episodes)

    monkeypatch.setattr(reading, "_episodes", noted)
    monkeypatch.setattr(reading, "save_artefact", lambda *_: None)
    reading.fit_readouts(of, rendering, 0, 1.0)
    learned = reopen(of)[1].split.train
    assert set(read) <= set(learned)
    assert len(set(read)) == reading.LEAST_EPISODES
    assert all(is_room(number) for number in read)
    assert not all(is_room(number) for number in learned)


def test_a_teaching_that_is_stopped_leaves_no_corner(
    episodes: Episodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`train` swallows the first signal, and says that it did not come to its end."""
    out, lesson = tmp_path / "corner", Lesson(flops=FLOPS)
    monkeypatch.setattr(parts, "train", lambda config: SimpleNamespace(finished=False))
    with pytest.raises(KeyboardInterrupt):
        teach_latents(episodes, out, "state", lesson)
    assert not any(tmp_path.iterdir())
    monkeypatch.setattr(teaching, "_costs", lambda parts, out: {part.name: (1e9, 1e6) for part in parts})
    with pytest.raises(KeyboardInterrupt):
        teach_latents(episodes, out, "state", lesson)
    assert not out.exists()


def test_another_rendering_is_refused(corner: Corner, rendering: Rendering) -> None:
    with pytest.raises(StoreError, match="another rendering"):
        open_latents(corner[0], "state" if rendering == "sensors" else "sensors")


def test_what_it_never_saw_it_cannot_read(corner: Corner, rendering: Rendering) -> None:
    language = Question(
        id="x",
        family="bbh",
        grade="easy",
        kind="choice",
        prompt="?",
        text="t",
        options=("a", "b"),
        about={"ask": "text"},
    )
    assert open_latents(corner[0], rendering).answer(language).failure == "cannot-read"


def test_too_little_compute_is_refused(episodes: Episodes, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not enough for a step"):
        teach_latents(episodes, tmp_path / "little", "state", Lesson(flops=1e6))
    # What is metered cannot do without the steps that come before it.
    part = parts.Part(name="first", share=1.0, run=lambda *_: None, most=4)
    with pytest.raises(UsageError, match="not enough for a step"):
        teaching._taken(part, 3e9, (1e9, 0.0), tmp_path, lambda _: None)
    assert teaching._taken(part, 9e9, (1e9, 0.0), tmp_path, lambda _: None).steps == 4


def test_existing_folders_and_altered_corners_are_refused(
    corner: Corner, rendering: Rendering, episodes: Episodes
) -> None:
    with pytest.raises(UsageError, match="exists already"):
        teach_latents(episodes, corner[0], rendering, Lesson(flops=FLOPS))
    with pytest.raises(UsageError, match="teaches nothing"):
        Lesson(flops=0)
    readouts = next(corner[0].rglob("bets_readouts/tensors.safetensors"))
    kept = readouts.read_bytes()
    readouts.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    try:
        with pytest.raises(StoreError, match="altered"):
            LatentCorner(corner[0], rendering)
    finally:
        readouts.write_bytes(kept)
