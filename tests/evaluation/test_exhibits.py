from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor

from analytic import AnalyticModel
from monde.agents import run_episodes, stay_agent
from monde.errors import ContractError, DataError, StoreError
from monde.evaluation import Film, Imagination, Scatter, decoder_data, exhibits, films, imagination, load_exhibit
from monde.readouts import fit_decoder
from monde.store import RunFolder, save_artefact
from monde.types import Belief, Clip, Latents, Rollout, Sensor, Stream
from monde.worlds import make

FILM = Film(
    frames=torch.randint(0, 255, (5, 3, 8, 8), dtype=torch.uint8),
    goal=torch.zeros(3, 8, 8, dtype=torch.uint8),
    success=True,
    steps=4,
    seed=17,
    goal_distance=1.5,
    title="a film",
)
IMAGINATION = Imagination(
    real=torch.zeros(4, 3, 8, 8, dtype=torch.uint8),
    decoded_observed=torch.ones(4, 3, 8, 8, dtype=torch.uint8),
    decoded_imagined=torch.full((4, 3, 8, 8), 2, dtype=torch.uint8),
    times_seconds=(0.0, 0.5, 1.0, 1.5),
    context_steps=2,
)
SCATTER = Scatter(truth=torch.rand(9, 2), read=torch.rand(9, 2), names=("x", "y"), unit="px", r2=0.9, rmse=0.5)


@pytest.mark.parametrize("exhibit", [FILM, IMAGINATION, SCATTER, replace(FILM, goal_distance=None, success=False)])
def test_an_exhibit_comes_back_as_it_was(exhibit: Film | Imagination | Scatter, tmp_path: Path) -> None:
    exhibit.save(tmp_path / "it")
    loaded = load_exhibit(tmp_path / "it")
    assert type(loaded) is type(exhibit)
    for name, value in vars(exhibit).items():
        other = getattr(loaded, name)
        assert torch.equal(other, value) if isinstance(value, Tensor) else other == value


def test_exhibits_of_a_run_are_listed_by_name(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    assert exhibits(run) == {}
    SCATTER.save(run.exhibits / "scatter-position")
    FILM.save(run.exhibits / "film-0")
    (run.exhibits / "stray").mkdir()
    assert list(exhibits(run)) == ["film-0", "scatter-position"]


def test_an_exhibit_is_replaced_only_when_asked(tmp_path: Path) -> None:
    FILM.save(tmp_path / "it")
    with pytest.raises(StoreError, match="exists"):
        SCATTER.save(tmp_path / "it")
    SCATTER.save(tmp_path / "it", replace=True)
    assert isinstance(load_exhibit(tmp_path / "it"), Scatter)
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "data").write_text("mine")
    with pytest.raises(StoreError):
        SCATTER.save(tmp_path / "precious", replace=True)
    assert (tmp_path / "precious" / "data").read_text() == "mine"


def test_what_is_no_exhibit_is_refused(tmp_path: Path) -> None:
    save_artefact(tmp_path / "other", "readout", {}, {})
    with pytest.raises(StoreError, match="no exhibit"):
        load_exhibit(tmp_path / "other")
    save_artefact(tmp_path / "bare", "film", {"frames": FILM.frames}, {"success": True})
    with pytest.raises(StoreError, match="lacks"):
        load_exhibit(tmp_path / "bare")
    with pytest.raises(ContractError, match="line up"):
        replace(IMAGINATION, times_seconds=(0.0,))


def test_films_end_where_counting_ended() -> None:
    spec = AnalyticModel().actions
    results = run_episodes(make("tworoom", 2), stay_agent(spec), [3, 4], 7, record_frames=True)
    shown = films(results)
    assert [len(film.frames) for film in shown] == [8, 8]
    assert not any(film.success for film in shown)
    with pytest.raises(ContractError, match="filmed"):
        films(run_episodes(make("tworoom", 1), stay_agent(spec), [3], 2))


class Seeing(AnalyticModel):
    """Sees a bright column: its latent is the column's place in an 8-pixel-wide picture."""

    def __init__(self) -> None:
        super().__init__(block=1, step=1.0)
        self.sensors = (Sensor(name="top", kind="rgb", shape=(3, 8, 8), rate_hz=10.0),)

    def encode(self, clip: Clip) -> Latents:
        stream = clip.stream("top")
        place = stream.values[:, :, 0, 0].float().argmax(-1, keepdim=True).float()
        return Latents(place[:, :, None].repeat(1, 1, 1, 2), stream.times_seconds)

    def imagine(self, belief: Belief, actions: Tensor, hypotheses: int = 1, beliefs: bool = False) -> Rollout:
        return Rollout(belief.newest[:, None, None, None] + actions.cumsum(2)[:, :, None, :, None])


class Columns:
    """The column walks right, one pixel a step."""

    def __len__(self) -> int:
        return 2

    def clip(self, index: int) -> Clip:
        frames = torch.zeros(1, 8, 3, 8, 8, dtype=torch.uint8)
        for step in range(8):
            frames[:, step, :, :, step] = 250
        return Clip({"top": Stream.regular(frames, 10.0)}, Stream.regular(torch.ones(1, 7, 2), 10.0))


def test_imagination_is_shown_beside_reality() -> None:
    model, source = Seeing(), Columns()
    latents, frames = decoder_data(model, source)
    assert latents.shape == (16, 1, 2)
    decoder = fit_decoder(latents, frames, 150, Generator().manual_seed(0))
    shown = imagination(model, source.clip(0), decoder, context_steps=3, title="columns")
    assert torch.equal(shown.real, source.clip(0).stream("top").values[0])
    # The true model imagines what then happens, and the decoder shows it at the right place.
    assert torch.equal(shown.decoded_imagined, shown.decoded_observed)
    columns = shown.decoded_imagined.float().mean((1, 2)).argmax(-1)
    assert columns.tolist() == list(range(8))
    assert shown.times_seconds == pytest.approx([step / 10 for step in range(8)])
    with pytest.raises(DataError, match="imagined"):
        imagination(model, source.clip(0), decoder, context_steps=8)
    with pytest.raises(ContractError, match="camera"):
        decoder_data(AnalyticModel(), source)
