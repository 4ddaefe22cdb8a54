"""What answers need beside the model: what is familiar, what is usual, what can be read and how surely."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from monde.errors import StoreError
from monde.readouts import Familiarity, LinearReadout
from monde.store import load_bound, save_artefact
from monde.store.artefact import TENSORS
from monde.types import Sensor

KIND = "mind"


@dataclass(frozen=True, kw_only=True)
class KnownReadout:
    """A readout and its errors.

    Args:
        readout: Fitted on training frames.
        half: [1 + H, n] what 95% of its held-out errors stay below, on what is seen and 1 to H blocks ahead.
    """

    readout: LinearReadout
    half: Float[Tensor, "H n"]

    @property
    def sensor(self) -> Sensor:
        """What it reads, as the state that was recorded; its rate is not known any more."""
        width = len(self.readout.bias)
        names = self.readout.names if len(self.readout.names) == width else ()
        return Sensor(
            name=self.readout.name, kind="state", shape=(width,), unit=self.readout.unit, rate_hz=1.0, names=names
        )


@dataclass(frozen=True, kw_only=True)
class Knowledge:
    """Learned once for a run (`monde.mind.learning`), and kept in it.

    Args:
        familiarity: What was trained on.
        readouts: By name; one for each state that was recorded.
        usual: By camera, [3, h, w]: the median of its training frames.
        usual_error: What 95% of held-out steps stay below: root mean squared error of the next latent.
    """

    familiarity: Familiarity
    readouts: Mapping[str, KnownReadout]
    usual: Mapping[str, UInt8[Tensor, "3 h w"]]
    usual_error: float

    @property
    def bank(self) -> Float[Tensor, "M F"]:
        """Features of the training frames that are kept."""
        return self.familiarity.before * self.familiarity.std + self.familiarity.mean

    def save(self, folder: Path, of: str) -> None:
        """Write it as an artefact; `of` names the weights that it was fitted on.

        Raises:
            StoreError: `folder` exists, or the disk is full or read-only.
        """
        tensors = {f"familiarity.{name}": value for name, value in self.familiarity.state_dict().items()}
        tensors |= {f"usual.{name}": value for name, value in self.usual.items()}
        for name, known in self.readouts.items():
            parts = {"centre": known.readout.centre, "weight": known.readout.weight, "bias": known.readout.bias}
            tensors |= {f"readout.{name}.{part}": value for part, value in (parts | {"half": known.half}).items()}
        told = [
            {
                "name": name,
                "unit": known.readout.unit,
                "names": list(known.readout.names),
                "penalty": known.readout.penalty,
            }
            for name, known in self.readouts.items()
        ]
        meta = {"readouts": told, "usual": list(self.usual), "usual_error": self.usual_error, "of": of}
        save_artefact(folder, KIND, tensors, meta)

    @classmethod
    def load(cls, folder: Path, of: str, device: torch.device) -> "Knowledge":
        """Read it back.

        Raises:
            StoreError: Missing, altered, or fitted on other weights than `of`.
        """
        remedy = f"remove {folder}: it is fitted again when the run is asked next"
        what = f"what {folder} knows is of another model"
        artefact = load_bound(folder, KIND, of, what, remedy)
        tensors, meta = artefact.tensors, artefact.meta
        try:
            references, features = tensors["familiarity.before"].shape
            familiarity = Familiarity(features, references)
            familiarity.load_state_dict({name: tensors[f"familiarity.{name}"] for name in familiarity.state_dict()})
            told, usual, error = meta["readouts"], meta["usual"], meta["usual_error"]
            if not isinstance(told, list) or not isinstance(usual, list) or not isinstance(error, float):
                raise KeyError("readouts")
            readouts = {str(one["name"]): _loaded(one, tensors) for one in told}
            frames = {str(name): tensors[f"usual.{name}"].to(device) for name in usual}
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise StoreError(f"{folder / TENSORS} lacks a part", got=str(error)[:80], remedy=remedy) from error
        known = {
            name: KnownReadout(readout=one.readout.to(device), half=one.half.to(device))
            for name, one in readouts.items()
        }
        return cls(familiarity=familiarity.to(device), readouts=known, usual=frames, usual_error=error)


def _loaded(told: Mapping[str, object], tensors: Mapping[str, Tensor]) -> KnownReadout:
    name, names = str(told["name"]), told["names"]
    readout = LinearReadout(
        name=name,
        unit=str(told["unit"]),
        names=tuple(map(str, names)) if isinstance(names, list) else (),
        centre=tensors[f"readout.{name}.centre"],
        weight=tensors[f"readout.{name}.weight"],
        bias=tensors[f"readout.{name}.bias"],
        penalty=float(str(told["penalty"])),
    )
    return KnownReadout(readout=readout, half=tensors[f"readout.{name}.half"])
