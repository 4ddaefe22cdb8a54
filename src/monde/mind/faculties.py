"""All that a Mind thinks with, opened once."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from monde.agents import Strategy
from monde.costs import TimeToGoal
from monde.data import open_recording
from monde.errors import DataError, UsageError, unknown_name
from monde.mind.knowledge import Knowledge, KnownReadout
from monde.mind.learning import fit_drawing, fit_knowledge
from monde.models import JEPA, load_model, refuse_placed, weights_hash
from monde.protocols import Recording
from monde.readouts import FrameDecoder, TemporalDistance, load_decoder, save_decoder
from monde.recipes import strategy
from monde.store import RunFolder
from monde.training import choose_device
from monde.training.setup import reopen

Progress = Callable[[str, int, int], None]
"""Told (stage, done, wanted)."""


@dataclass(frozen=True, kw_only=True)
class Faculties:
    """What answers are made with.

    Args:
        run: Run folder.
        model: In evaluation mode.
        strategy: How plans are found.
        distance: Learned time to the goal, or none where the run has none.
        knowledge: What is familiar, usual and can be read, or none where the run has none and its recording is gone.
        decoder: For pictures, or none.
        of: Hash of the weights.
        data: Where the recording is, as the run says.
    """

    run: Path
    model: JEPA
    strategy: Strategy
    distance: TemporalDistance | None
    knowledge: Knowledge | None
    decoder: FrameDecoder | None
    of: str
    data: str | None

    def known(self) -> Knowledge:
        """What the run knows beside its model.

        Raises:
            UsageError: It knows nothing, and its recording is not there to look through.
        """
        if self.knowledge is None:
            raise UsageError(
                f"{self.run} knows no readouts and nothing that is usual",
                got="no mind/ in it, and its recording cannot be opened",
                remedy="ask it once where its recording is; what it learns there is kept in the run",
            )
        return self.knowledge

    def readouts(self, names: tuple[str, ...]) -> tuple[KnownReadout, ...]:
        """The readouts of these names; ("*",) for all, which may be none.

        Raises:
            UsageError: A name that the run does not know.
        """
        if not names or (names == ("*",) and self.knowledge is None):
            return ()
        known = self.known().readouts
        if names == ("*",):
            return tuple(known.values())
        for name in names:
            if name not in known:
                raise unknown_name("readout", name, sorted(known))
        return tuple(known[name] for name in names)

    def bank(self) -> Float[Tensor, "M N D"]:
        """Latents of training frames."""
        flat = self.known().bank
        return flat.reshape(len(flat), -1, self.model.latent)

    def shown(self) -> FrameDecoder:
        """The decoder.

        Raises:
            UsageError: The run has none.
        """
        if self.decoder is None:
            raise UsageError(
                f"{self.run} cannot draw what it imagines", remedy=f"fit a decoder: monde score {self.run}"
            )
        return self.decoder

    def recording(self) -> Recording:
        """The recording that was trained on.

        Raises:
            DataError: It cannot be opened.
            UsageError: The run does not say where it is.
        """
        if self.data is None:
            raise UsageError(f"{self.run} does not say what it was trained on", remedy="give the goal as a picture")
        return open_recording(Path(self.data))


def open_faculties(
    run: Path, planner: str = "auto", cost: str = "auto", device: str = "auto", progress: Progress | None = None
) -> Faculties:
    """Open a run; the first time, look through its recording for what is familiar, usual and can be read.

    Raises:
        StoreError: Not a run, or parts of it that were altered or belong to other weights.
        UsageError: A planner that the run has no parts for.
    """
    tell = progress or (lambda stage, done, wanted: None)
    refuse_placed(run, "asking")
    folder, place, of = RunFolder(run), choose_device(device), weights_hash(run)
    model = load_model(run, place).requires_grad_(False)
    # Before the recording is looked through, which takes a minute: a planner may lack what it needs.
    found = strategy(planner, run, cost=cost, device=str(place))
    if not folder.mind.exists():
        _look_through(folder, model, of, tell)
    data = folder.read_config().get("data_path")
    decoder = folder.readouts / "decoder"
    return Faculties(
        run=run,
        model=model,
        strategy=found,
        distance=found.cost.head if isinstance(found.cost, TimeToGoal) else _distance(folder, of, place),
        knowledge=Knowledge.load(folder.mind, of, place) if folder.mind.exists() else None,
        decoder=load_decoder(decoder).to(place) if decoder.exists() else None,
        of=of,
        data=data if isinstance(data, str) else None,
    )


def _distance(folder: RunFolder, of: str, device: torch.device) -> TemporalDistance | None:
    if not folder.temporal_distance.exists():
        return None
    return TemporalDistance.load(folder.temporal_distance, of).to(device)


def _look_through(folder: RunFolder, model: JEPA, of: str, tell: Progress) -> None:
    try:
        _, setup = reopen(folder.root)
    except DataError:
        return  # without its recording a run still answers; what it cannot tell, it says
    tell("looking through the recording", 0, 1)
    found = fit_knowledge(model, setup)
    camera = next((sensor.name for sensor in model.sensors if sensor.kind == "rgb"), None)
    decoder = folder.readouts / "decoder"
    if camera is not None and not decoder.exists():
        save_decoder(fit_drawing(model, setup, camera, lambda done, wanted: tell("decoder", done, wanted)), decoder)
    found.save(folder.mind, of)
