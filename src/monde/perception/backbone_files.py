"""The files of a pretrained encoder: found in a folder or on the hub, described without loading it, and hashed."""

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from monde.errors import StoreError, UsageError
from monde.limits import MAX_DOWNLOAD_SECONDS_TO_ANSWER
from monde.store import digest_json, read_json, sha256_file

_PART = r"[A-Za-z0-9][\w.-]{0,95}"
_HUB = re.compile(rf"(?P<id>{_PART}/{_PART})(?:@(?P<revision>[\w][\w./-]{{0,99}}))?", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_PREPROCESSING = ("preprocessor_config.json", "video_preprocessor_config.json")
_RESAMPLING = {2: "bilinear", 3: "bicubic"}


@dataclass(frozen=True, kw_only=True)
class BackboneFiles:
    """Where an encoder lies, and what its JSON files say.

    Args:
        folder: Holds config.json, the weights as safetensors and the preprocessing.
        revision: Commit on the hub, or empty for a folder of one's own.
        config: config.json.
        preprocessing: How it was trained to be shown frames.
    """

    folder: Path
    revision: str
    config: dict[str, object]
    preprocessing: dict[str, object]

    def integer(self, key: str, default: int | None = None) -> int:
        """A positive integer of config.json.

        Raises:
            StoreError: Missing, or something else.
        """
        value = self.config.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise StoreError(f"{self.folder / 'config.json'} lacks a usable {key!r}", got=value, expected="an integer")
        return value

    def colours(self, key: str) -> tuple[float, float, float]:
        """Three numbers of the preprocessing, one a channel.

        Raises:
            StoreError: Missing, or something else.
        """
        value = self.preprocessing.get(key)
        if not isinstance(value, list) or len(value) != 3 or not all(isinstance(x, (int, float)) for x in value):
            raise StoreError(f"the preprocessing in {self.folder} lacks {key!r}", got=value, expected="three numbers")
        return float(value[0]), float(value[1]), float(value[2])

    @property
    def side(self) -> int:
        """Side in pixels of the square frames that it was made for."""
        for key in ("crop_size", "size"):
            value = self.preprocessing.get(key)
            if isinstance(value, dict):
                value = value.get("height", value.get("shortest_edge"))
            if isinstance(value, int) and value > 0:
                return value
        raise StoreError(f"the preprocessing in {self.folder} does not say how large frames are")

    @property
    def resample(self) -> str:
        """ "bilinear" or "bicubic": how frames are brought to that side."""
        value = self.preprocessing.get("resample", 2)
        if not isinstance(value, int) or value not in _RESAMPLING:
            raise StoreError(f"the preprocessing in {self.folder} resamples in an unknown way", got=value)
        return _RESAMPLING[value]

    def hash(self) -> str:
        """SHA-256 over names and hashes of everything that decides what the encoder says."""
        names = ["config.json", *_PREPROCESSING]
        paths = [path for name in names if (path := self.folder / name).is_file()] + weights_of(self.folder)
        return digest_json({path.name: sha256_file(path) for path in paths})


def find_backbone(name: str) -> BackboneFiles:
    """The files of the encoder `name`: a folder, or `user/model` or `user/model@revision` on the Hugging Face Hub.

    From the hub only JSON and safetensors are fetched, into its own cache (HF_HOME); what was fetched before is used
    where there is no connection. HF_ENDPOINT may name another hub.

    Raises:
        UsageError: Neither a model folder nor on the hub; no connection; weights that are only there as a pickle.
        StoreError: JSON files that are missing or malformed.
    """
    folder = Path(name).expanduser()
    revision = ""
    if not folder.is_dir():
        match = _HUB.fullmatch(name)
        if match is None or ".." in name:
            raise UsageError(
                f"there is no encoder {name!r}",
                expected="a folder with config.json and model.safetensors, or user/model on the hub",
                remedy="try facebook/dinov2-small",
            )
        folder = _fetched(match["id"], match["revision"])
        revision = folder.name
    if not (folder / "config.json").is_file():
        raise UsageError(
            f"{folder} is no model folder",
            got="no config.json",
            remedy="give the folder that save_pretrained wrote, or a name on the hub such as facebook/dinov2-small",
        )
    weights_of(folder)
    preprocessing = next((folder / n for n in _PREPROCESSING if (folder / n).is_file()), None)
    if preprocessing is None:
        raise StoreError(
            f"{folder} does not say how its encoder is shown frames",
            got=f"no {' or '.join(_PREPROCESSING)}",
            remedy="copy the file from where the encoder came",
        )
    return BackboneFiles(
        folder=folder,
        revision=revision,
        config=read_json(folder / "config.json"),
        preprocessing=read_json(preprocessing),
    )


def weights_of(folder: Path) -> list[Path]:
    """The safetensors files of a model folder.

    Raises:
        UsageError: There are none; said apart where the weights are a pickle.
    """
    found = sorted(folder.glob("*.safetensors"))
    if found:
        return found
    pickles = sorted(path.name for path in [*folder.glob("*.bin"), *folder.glob("*.pt"), *folder.glob("*.pth")])
    raise UsageError(
        f"{folder} holds no weights as safetensors",
        got=f"{', '.join(pickles[:3])}, which may run any code when loaded" if pickles else "no weights",
        expected="model.safetensors",
        remedy="take a revision with safetensors, or convert where you trust it: save_pretrained writes them",
    )


def _fetched(repository: str, revision: str | None) -> Path:
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import (  # type: ignore[attr-defined]  # HTTPError is of the HTTP client it uses.
            HTTPError,
            LocalEntryNotFoundError,
        )
    except ImportError as error:
        raise UsageError(
            f"{repository} is no folder, and looking on the hub needs huggingface_hub",
            got=error,
            remedy="give a folder that exists, or pip install 'monde[backbones]'",
        ) from error
    wanted = ["*.json", "*.safetensors"]
    if revision is not None and _COMMIT.fullmatch(revision):
        # A commit never changes: what is here already need not be asked for, with long retries where nobody answers.
        with contextlib.suppress(LocalEntryNotFoundError):
            kept = snapshot_download(repository, revision=revision, allow_patterns=wanted, local_files_only=True)
            if _complete(Path(str(kept))):
                return Path(str(kept))
    try:
        folder = snapshot_download(
            repository,
            revision=revision,
            allow_patterns=wanted,
            endpoint=os.environ.get("HF_ENDPOINT") or None,
            etag_timeout=MAX_DOWNLOAD_SECONDS_TO_ANSWER,
        )
    except (HTTPError, OSError, ValueError) as error:
        what, remedy = _explained(error)
        raise UsageError(f"{repository} {what}", got=" ".join(str(error).split())[:200], remedy=remedy) from error
    return Path(str(folder))


def _complete(folder: Path) -> bool:
    """Whether all files that a model folder speaks of have arrived."""
    if not (folder / "config.json").is_file() or not any((folder / name).is_file() for name in _PREPROCESSING):
        return False
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return (folder / "model.safetensors").is_file()
    shards = read_json(index).get("weight_map")
    return isinstance(shards, dict) and all((folder / str(name)).is_file() for name in shards.values())


def _explained(error: Exception) -> tuple[str, str]:
    """What an error of huggingface_hub means, and its remedy."""
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return "asks for its terms to be accepted", "accept them on its page, then `hf auth login`"
    if isinstance(error, errors.RepositoryNotFoundError):
        return "is neither a folder nor on the hub", "check the name; for a private one, `hf auth login` first"
    if isinstance(error, errors.RevisionNotFoundError):
        return "has no such revision", "leave @revision away for the newest"
    return (
        "is no folder, was not fetched before, and cannot be fetched now",
        "check the connection, HF_ENDPOINT and HF_HUB_OFFLINE, or give the folder of a copy",
    )
