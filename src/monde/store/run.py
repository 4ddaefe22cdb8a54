"""The layout of a run folder: what training leaves and everything later reads.

RUN/
  run.json                 recipe, sensors, actions, data fingerprint, split, commit, machine
  checkpoints/step-NNNNNN/ artefacts of kind "checkpoint" (weights, optimiser, generators)
  metrics.jsonl            one line per logging step
  tensorboard/             the same, where tensorboard is installed
  readouts/NAME/           artefacts of kind "readout" (decoder, probes)
  actor/ temporal_distance/  artefacts of these kinds: the fast path and the learned cost
  motion/                  artefact of this kind: how blocks of actions move the body, where a pose is recorded
  landmarks/               artefact of this kind: places visited and the ways between them
  levels/N/                artefacts of a level of time (N = 2, 3, …): its dynamics, actor and temporal distance
  trust/                   artefact: probability of success, and what is familiar
  mind/                    artefact: what is usual, familiar and can be read, for questions
  score.json               Scorecard
  trust.json               Scorecard of the probability of success
  physics.json             Scorecard of minimal pairs
  hidden.json              Scorecard of objects out of sight
  sets/SET.json            Scorecard of one of the field's own sets
  plans/*.npz              films of planned episodes
  report.html
"""

from dataclasses import dataclass
from pathlib import Path

from monde.errors import StoreError
from monde.store.artefact import MANIFEST
from monde.store.jsons import read_json

LEVEL_PARTS = ("dynamics", "actor", "temporal_distance")
"""Artefacts of a level of time, in the order in which they are written: it is whole once it has the last."""


@dataclass(frozen=True)
class RunFolder:
    """Paths inside one run folder."""

    root: Path

    @property
    def config(self) -> Path:
        """run.json."""
        return self.root / "run.json"

    @property
    def checkpoints(self) -> Path:
        """Folder of checkpoints."""
        return self.root / "checkpoints"

    @property
    def metrics(self) -> Path:
        """metrics.jsonl."""
        return self.root / "metrics.jsonl"

    @property
    def tensorboard(self) -> Path:
        """TensorBoard events."""
        return self.root / "tensorboard"

    @property
    def readouts(self) -> Path:
        """Folder of fitted readouts."""
        return self.root / "readouts"

    @property
    def actor(self) -> Path:
        """Folder of the actor."""
        return self.root / "actor"

    @property
    def temporal_distance(self) -> Path:
        """Folder of the temporal distance."""
        return self.root / "temporal_distance"

    @property
    def motion(self) -> Path:
        """Folder of the motion head."""
        return self.root / "motion"

    @property
    def landmarks(self) -> Path:
        """Folder of the landmarks."""
        return self.root / "landmarks"

    def level(self, number: int) -> Path:
        """Folder of a level of time above the model's own, which is 1."""
        return self.root / "levels" / str(number)

    def levels(self) -> list[int]:
        """Numbers of the levels of time that are whole, from 2 on without a gap."""
        found: list[int] = []
        while (self.level(len(found) + 2) / LEVEL_PARTS[-1]).exists():
            found.append(len(found) + 2)
        return found

    @property
    def trust(self) -> Path:
        """Folder of the trust."""
        return self.root / "trust"

    @property
    def mind(self) -> Path:
        """Folder of what questions need beside the model."""
        return self.root / "mind"

    @property
    def trust_score(self) -> Path:
        """trust.json: how good the probability of success is."""
        return self.root / "trust.json"

    @property
    def score(self) -> Path:
        """score.json."""
        return self.root / "score.json"

    @property
    def physics(self) -> Path:
        """physics.json: minimal pairs scored by surprise."""
        return self.root / "physics.json"

    @property
    def hidden(self) -> Path:
        """hidden.json: what is known of objects out of sight, over the time that they are."""
        return self.root / "hidden.json"

    def field_set(self, name: str) -> Path:
        """Scorecard of one of the field's own sets."""
        return self.root / "sets" / f"{name}.json"

    @property
    def exhibits(self) -> Path:
        """Folder of things to look at: films, imaginations, scatters, surprised films."""
        return self.root / "exhibits"

    @property
    def report(self) -> Path:
        """report.html."""
        return self.root / "report.html"

    def checkpoint(self, step: int) -> Path:
        """Folder of the checkpoint of one step."""
        return self.checkpoints / f"step-{step:08d}"

    def steps(self) -> list[int]:
        """Steps of the complete checkpoints, ascending."""
        if not self.checkpoints.is_dir():
            return []
        found = (folder for folder in self.checkpoints.glob("step-*") if (folder / MANIFEST).exists())
        return sorted(int(folder.name.removeprefix("step-")) for folder in found)

    def latest(self) -> Path:
        """Folder of the newest complete checkpoint.

        Raises:
            StoreError: There is none.
        """
        steps = self.steps()
        if not steps:
            raise StoreError(
                f"{self.root} holds no checkpoint", remedy="train it first: monde train DATA --run " + str(self.root)
            )
        return self.checkpoint(steps[-1])

    def read_config(self) -> dict[str, object]:
        """run.json.

        Raises:
            StoreError: The folder is not a run.
        """
        if not self.config.exists():
            raise StoreError(
                f"{self.root} is not a run", got="no run.json", remedy="give the folder that `monde train` wrote"
            )
        return read_json(self.config)
