"""A taught corner on disk: weights and codebooks as safetensors, what they are as JSON, hashes, and what it took."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from monde.bets.corners.lessons import TAUGHT, Taught
from monde.bets.corners.shown import Rendering
from monde.bets.corners.tokens.codes import Codebook
from monde.bets.corners.tokens.predictor import Predictor, PredictorConfig
from monde.errors import StoreError
from monde.store import atomic_folder, content_hash, digest_json, load_artefact, save_artefact
from monde.store.artefact import check_tensors
from monde.store.typed import from_json, to_json

KIND = "bets-token-corner"
"""Of the artefact."""

WEIGHTS = "weights"
"""Folder of the artefact in a corner's."""

_NETS = ("films", "moves", "choices")
_CODES = ("films_codes", "acting_codes")


@dataclass(frozen=True, kw_only=True, eq=False)
class Parts:
    """What a corner is made of.

    Args:
        films: Foretells films.
        moves: Foretells what follows actions.
        choices: Foretells actions of walks.
        films_codes: Codebook of films; none of exact states.
        acting_codes: Codebook of acting; none of exact states.
    """

    films: Predictor
    moves: Predictor
    choices: Predictor
    films_codes: Codebook | None
    acting_codes: Codebook | None


def keep(folder: Path, rendering: Rendering, parts: Parts, taught: Taught) -> None:
    """Write a corner; `folder` appears complete or not at all.

    Raises:
        StoreError: `folder` exists, or the disk is full or read-only.
    """
    tensors: dict[str, Tensor] = {}
    configs: dict[str, object] = {}
    for name, net in (("films", parts.films), ("moves", parts.moves), ("choices", parts.choices)):
        tensors.update({f"{name}.{key}": value for key, value in net.state_dict().items()})
        configs[name] = to_json(net.config)
    for name, codes in (("films_codes", parts.films_codes), ("acting_codes", parts.acting_codes)):
        if codes is not None:
            tensors.update({f"{name}.{key}": value for key, value in codes.tensors().items()})
    meta = {"rendering": rendering, "configs": configs, "taught": digest_json([taught.document()])}
    with atomic_folder(folder) as temporary:
        save_artefact(temporary / WEIGHTS, KIND, tensors, meta)
        taught.save(temporary)


def kept(folder: Path) -> tuple[Rendering, Parts, Taught, str]:
    """What `keep` wrote, and the hash of the weights.

    Raises:
        StoreError: Missing, altered since it was written, or of another kind.
    """
    artefact = load_artefact(folder / WEIGHTS, KIND)
    taught = Taught.load(folder)
    if digest_json([taught.document()]) != artefact.meta.get("taught"):
        raise StoreError(f"{folder / TAUGHT} was altered after it was written", remedy="teach the corner again")
    configs, rendering = artefact.meta.get("configs"), artefact.meta.get("rendering")
    if not isinstance(configs, dict) or rendering not in ("sensors", "state"):
        raise StoreError(f"{folder / WEIGHTS} is no corner of token prediction", got=rendering)
    nets = [_net(folder, name, configs.get(name), _named(artefact.tensors, name)) for name in _NETS]
    codes = [_named(artefact.tensors, name) for name in _CODES]
    if any((rendering == "sensors") != bool(found) for found in codes):
        raise StoreError(f"{folder / WEIGHTS} lacks its codebooks", got=sorted(artefact.tensors)[:3])
    parts = Parts(
        films=nets[0],
        moves=nets[1],
        choices=nets[2],
        films_codes=Codebook.of(codes[0]) if codes[0] else None,
        acting_codes=Codebook.of(codes[1]) if codes[1] else None,
    )
    return "sensors" if rendering == "sensors" else "state", parts, taught, content_hash(folder / WEIGHTS, KIND)


def _named(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    return {key.removeprefix(f"{name}."): value for key, value in tensors.items() if key.startswith(f"{name}.")}


def _net(folder: Path, name: str, config: object, tensors: dict[str, Tensor]) -> Predictor:
    net = Predictor(from_json(PredictorConfig, config, name))
    check_tensors(folder / WEIGHTS, tensors, net.state_dict())
    net.load_state_dict(tensors)
    return net.eval()
