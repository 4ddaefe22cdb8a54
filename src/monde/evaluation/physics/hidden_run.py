"""Hidden objects of a run: films in the plane, an untrained twin, and the scorecard that a report draws as a curve."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from monde.errors import UsageError
from monde.evaluation.physics.hidden import HiddenConfig, score_hidden
from monde.evaluation.physics.run import Progress, recorded_space, resized, watching_model
from monde.evaluation.protocol import scorecard
from monde.models import JEPA, untrained, weights_hash
from monde.readouts import MLPReadoutConfig
from monde.scorecard import Scorecard
from monde.store import RunFolder, write_json
from monde.store.typed import to_json
from monde.types import Clip, Stream
from monde.worlds.minimal_pairs.timing import RATE_HZ
from monde.worlds.scenes import EVENTS, HIDDEN_SECONDS, HiddenFilm, hidden_films

FIT_SEED, JUDGED_SEED = 71, 72
"""Of the films that readouts are fitted on, and of those that are judged."""

TWIN_FILMS = 8
"""Films of each event and time whose statistics the untrained twin takes."""

_GROUP = 32
"""Films in memory at once."""


@dataclass(frozen=True, kw_only=True)
class HiddenFilmsConfig:
    """How many films, and how they are judged.

    Args:
        judged: Films of each event and time that are judged, of objects of the test split.
        fit: Films of each that readouts are fitted on, of objects of the training split.
        seconds: Times out of sight.
        hidden: How they are judged.

    Raises:
        UsageError: Too few films, or no time.
    """

    judged: int = 80
    fit: int = 200
    seconds: tuple[float, ...] = HIDDEN_SECONDS
    hidden: HiddenConfig = HiddenConfig()  # noqa: RUF009 - frozen

    def __post_init__(self) -> None:
        if min(self.judged, self.fit) < 2 or not self.seconds:
            raise UsageError(
                "these films cannot be judged",
                got=f"{self.judged} judged, {self.fit} to fit on, {len(self.seconds)} times",
                expected="at least 2 of each, and a time",
                remedy="--n 80",
            )


def score_hidden_run(run: Path, config: HiddenFilmsConfig | None = None, progress: Progress | None = None) -> Scorecard:
    """Where the newest checkpoint of a run thinks that hidden objects are; writes hidden.json into it.

    Nothing of the run is trained: readouts of position are fitted on its frozen beliefs (see `score_hidden`).

    Args:
        run: Run folder, of a model with a memory of constant size that reads one camera and is told no actions.
        config: How many films; by default those of the published figures.
        progress: Told (stage, done, wanted).

    Raises:
        StoreError: Not a run, or its checkpoint was altered.
        UsageError: The run acts, reads several sensors, or has learned from films in space.
        ContractError: A model whose memory is not of constant size.
        DataError: The recording is gone, or the model's step does not fit the films' rate.
    """
    tell = progress or (lambda stage, done, wanted: None)
    chosen = config or HiddenFilmsConfig()
    tell("opening", 0, 1)
    model = watching_model(run)
    space = recorded_space(run)
    if space != "2d":
        raise UsageError("hidden objects are asked about in the plane", got=f"a run of films in {space}", expected="2d")
    tell("floors", 0, 1)
    blank = untrained_twin(model, chosen.hidden.seed, chosen)
    rows = score_hidden(
        model,
        blank,
        _films("train", chosen.fit, FIT_SEED, chosen, "films to fit on", tell),
        _films("test", chosen.judged, JUDGED_SEED, chosen, "films to judge", tell),
        chosen.hidden,
    )
    folder = RunFolder(run)
    document = folder.read_config()
    protocol = {
        "world": "scenes/hidden",
        "model": {"weights": weights_hash(run), "step_seconds": model.actions.block_seconds},
        "run": {key: document.get(key) for key in ("data", "train", "commit")},
        "checkpoint": folder.latest().name,
        "frames": f"{model.sensors[0].shape[1]}×{model.sensors[0].shape[2]} px at {RATE_HZ:g} Hz",
        "fit": f"{chosen.fit} films of each of {', '.join(EVENTS)} and time; seed {FIT_SEED}; split train",
        "judged": f"{chosen.judged} films of each; seed {JUDGED_SEED}; split test",
        "readout": to_json(MLPReadoutConfig(seed=chosen.hidden.seed)),
        "context_steps": chosen.hidden.context,
        "bfloat16": model.autocast,
        "skill": "1 - median error / median error of constant velocity",
    }
    score = scorecard(run.resolve().name, rows, protocol, (chosen.hidden.seed,))
    write_json(folder.hidden, score.to_json())
    return score


def untrained_twin(model: JEPA, seed: int, config: HiddenFilmsConfig | None = None) -> JEPA:
    """The same network with its first weights, its running statistics those of films that readouts are fitted on.

    Args:
        model: Reads one camera; its precision is taken over.
        seed: Of the weights.
        config: Which films there are; by default those of the published figures.
    """
    chosen = config or HiddenFilmsConfig()
    camera = model.sensors[0]
    clips = []
    for seconds in chosen.seconds:
        shown = [
            made.film.rgb[::8]
            for event in EVENTS
            for made in hidden_films(event, seconds, range(min(TWIN_FILMS, chosen.fit)), FIT_SEED, split="train")
        ]
        films = resized(np.concatenate(shown)[:, None], (camera.shape[1], camera.shape[2]))
        times, valid = torch.zeros(len(films), 1, dtype=torch.float64), torch.ones(len(films), 1, dtype=torch.bool)
        clips.append(Clip({camera.name: Stream(torch.from_numpy(films), times, valid)}))
    blank = untrained(model.config, seed, clips)
    blank.autocast = model.autocast
    return blank.to(model.device)


def _films(
    split: str, n: int, seed: int, config: HiddenFilmsConfig, stage: str, tell: Progress
) -> Iterator[HiddenFilm]:
    """n films of every event and time out of sight."""
    done, wanted = 0, n * len(EVENTS) * len(config.seconds)
    for seconds in config.seconds:
        for event in EVENTS:
            for first in range(0, n, _GROUP):
                tell(stage, done, wanted)
                part = range(first, min(n, first + _GROUP))
                yield from hidden_films(event, seconds, part, seed, split=split)
                done += len(part)
    tell(stage, done, wanted)
