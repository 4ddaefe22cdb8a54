"""A run on the Hugging Face Hub: pushed with a card, pulled and verified. Nothing that is pulled can run code."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from monde.data.hub import HubName, fetch
from monde.errors import DataError, UsageError
from monde.export.card import model_card
from monde.models import load_model, weights_hash
from monde.store import RunFolder, atomic_folder, load_artefact, read_json
from monde.store.artefact import MANIFEST, TENSORS

CARD = "README.md"
SCORES = ("score.json", "trust.json", "physics.json", "hidden.json")
ARTEFACTS = ("actor", "temporal_distance", "landmarks", "trust", "mind")
PULLED = (
    "run.json",
    CARD,
    *SCORES,
    *(f"{folder}/{file}" for folder in ("*", "*/*", "*/*/*") for file in (MANIFEST, TENSORS)),
)
"""What is taken of a repository: JSON, the card, and safetensors with their hashes."""


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """What was pushed.

    Args:
        name: The repository.
        commit: Its commit.
        files: Names of the files, the card among them.
        bytes: Of all of them together.
    """

    name: str
    commit: str
    files: tuple[str, ...]
    bytes: int


def push_run(run: Path, name: str, *, public: bool = False) -> Pushed:
    """Push the newest weights of a run and all that belongs to them, with a model card written from its scorecards.

    What stays here: older checkpoints, logs, films, and where the recording lies on this machine. HF_ENDPOINT may name
    another hub; the token is that of `hf auth login` or HF_TOKEN.

    Args:
        run: Run folder.
        name: user/name; the repository is made where it does not exist.
        public: Whether everybody may see a repository that is made.

    Raises:
        UsageError: No usable name, or huggingface_hub is not installed.
        StoreError: Not a run, or parts of it that were altered.
        DataError: The hub refuses, or cannot be reached.
    """
    wanted = repository(name)
    if wanted.revision is not None:
        raise UsageError("a run is pushed to the newest revision", got=str(wanted), expected=wanted.repository)
    load_model(run)  # what cannot be opened is not pushed
    held = dict(_files(run, wanted.repository))
    try:
        from huggingface_hub import CommitOperationAdd, HfApi
        from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]  # Of the HTTP client it uses.
    except ImportError as error:
        raise UsageError("pushing needs huggingface_hub", got=error, remedy="pip install 'monde[hub]'") from error
    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None)
    try:
        api.create_repo(wanted.repository, repo_type="model", private=not public, exist_ok=True)
        done = api.create_commit(
            wanted.repository,
            [CommitOperationAdd(path_in_repo=path, path_or_fileobj=content) for path, content in held.items()],
            repo_type="model",
            commit_message=f"monde run {run.resolve().name}, weights {weights_hash(run)[:12]}",
        )
    except (HTTPError, OSError, ValueError, RuntimeError) as error:
        raise DataError(
            f"{wanted} cannot be pushed to",
            got=" ".join(str(error).split())[:200],
            remedy="check the name, the connection, HF_ENDPOINT and the token (`hf auth login`), and try again",
        ) from error
    size = sum(len(content) if isinstance(content, bytes) else content.stat().st_size for content in held.values())
    return Pushed(name=wanted.repository, commit=str(done.oid), files=tuple(sorted(held)), bytes=size)


def pull_run(name: str, out: Path) -> Path:
    """Download a run, verify every hash of it, open its model, and only then put it at `out`.

    Args:
        name: user/name, user/name@revision.
        out: Folder to make.

    Raises:
        UsageError: No usable name, or a folder that exists.
        DataError: No such repository, no access, no connection, no room, too large, or no run of monde.
        StoreError: Files that are altered, incomplete, or pickles.
    """
    wanted = repository(name)
    if out.exists():
        raise UsageError(f"{out} exists", remedy="choose another --out, or remove it")
    fetched = fetch(wanted, "model", PULLED)
    if not (fetched / "run.json").exists():
        raise DataError(f"{wanted} holds no run of monde", got="no run.json", expected="what `monde push` wrote")
    with atomic_folder(out) as temporary:
        for path in sorted(fetched.rglob("*")):
            if path.is_file():
                place = temporary / path.relative_to(fetched)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, place)
        for manifest in temporary.rglob(MANIFEST):
            load_artefact(manifest.parent)
        load_model(temporary)
    return out


def repository(name: str) -> HubName:
    """user/name, with @revision or without.

    Raises:
        UsageError: Something else.
    """
    from monde.data.hub import hub_name

    found = hub_name(name if name.startswith("hf:") else f"hf:{name}")
    if found is None:
        raise UsageError(f"{name!r} is no name on the hub", expected="user/name, or user/name@revision")
    return found


def _files(run: Path, name: str) -> Iterator[tuple[str, Path | bytes]]:
    """Names in the repository, and what they hold."""
    folder = RunFolder(run)
    newest = folder.latest()
    places = [newest, *(run / part for part in ARTEFACTS), *sorted(folder.readouts.glob("*"))]
    places += sorted(path.parent for path in (run / "levels").rglob(MANIFEST))
    for place in places:
        if (place / MANIFEST).exists():
            load_artefact(place)
            for file in (MANIFEST, TENSORS):
                yield (place / file).relative_to(run).as_posix(), place / file
    for score in SCORES:
        if (run / score).exists():
            yield score, run / score
    yield "run.json", _anonymous(folder)
    yield CARD, model_card(run, name).encode()


def _anonymous(folder: RunFolder) -> bytes:
    """run.json without the places where recordings lie on this machine."""
    import json

    document = read_json(folder.config)
    document["data_path"] = Path(str(document.get("data_path", ""))).name
    also = document.get("also_paths")
    document["also_paths"] = [Path(str(path)).name for path in also] if isinstance(also, list) else []
    return (json.dumps(document, indent=2, allow_nan=False) + "\n").encode()
