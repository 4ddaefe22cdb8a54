"""Datasets, and runs, by their name on the Hugging Face Hub: `user/dataset` or `user/dataset@revision`."""

import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Literal

from monde.errors import DataError, UsageError
from monde.limits import MAX_DOWNLOAD_BYTES, MAX_DOWNLOAD_SECONDS_TO_ANSWER

_PART = r"[A-Za-z0-9][\w.-]{0,95}"
_NAME = re.compile(rf"(?P<given>hf:/{{0,2}})?(?P<id>{_PART}/{_PART})(?:@(?P<revision>[\w][\w./-]{{0,99}}))?", re.ASCII)
_PATTERNS = (
    *("*.json", "*.jsonl", "*.parquet", "*.mp4", "*.mov", "*.mkv", "*.avi", "*.webm", "*.m4v"),
    *("*.hdf5", "*.h5", "*.hdf", "*.tfrecord-*", "*.mcap", "*.zarr.zip", "*.zarr/*", ".zgroup", "data/*", "meta/*"),
)
"""The files that some layout reads; models, notebooks and code that lie beside them stay where they are."""
RepoType = Literal["dataset", "model"]
LIMIT = "MONDE_MAX_DOWNLOAD_GIB"
"""The environment variable that says how much may be downloaded."""


@dataclass(frozen=True, kw_only=True)
class HubName:
    """A dataset or a run on the hub.

    Args:
        repository: "user/dataset".
        revision: Branch, tag or commit; none for the newest.
    """

    repository: str
    revision: str | None = None

    def __str__(self) -> str:
        return self.repository + (f"@{self.revision}" if self.revision else "")


def hub_name(text: str) -> HubName | None:
    """What `text` means on the hub, or none where it is no such name.

    `user/dataset` is taken for a path where there is a folder `user`: a typing error then stays on this machine.
    `hf:user/dataset` is always a name.
    """
    match = _NAME.fullmatch(text)
    if match is None or ".." in text or (not match["given"] and Path(match["id"]).parent.exists()):
        return None
    return HubName(repository=match["id"], revision=match["revision"])


def download(name: HubName) -> Path:
    """The folder of a dataset in the hub's own cache (HF_HOME), downloaded where it is not there yet.

    Files that no layout reads are left out. HF_ENDPOINT may name another hub. Without a connection, what was downloaded
    before is used. What is there already does not count towards the limit of a download.

    Raises:
        DataError: huggingface_hub is not installed; no such dataset, no access, no connection, no room; or it is larger
            than MAX_DOWNLOAD_BYTES (MONDE_MAX_DOWNLOAD_GIB says another limit).
        UsageError: MONDE_MAX_DOWNLOAD_GIB is no number.
    """
    return fetch(name, "dataset", _PATTERNS)


def fetch(name: HubName, kind: RepoType, patterns: Sequence[str]) -> Path:
    """The folder of the files of a repository that match some patterns; see `download`.

    Raises:
        DataError: As `download`.
        UsageError: As `download`.
    """
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]  # Of the HTTP client it uses.
    except ImportError as error:
        raise DataError(
            f"{name} does not exist here, and looking on the hub needs huggingface_hub",
            got=error,
            remedy="give a path that exists, or pip install 'monde[hub]'",
        ) from error
    limit = _limit()
    try:
        wanted = _bytes_to_download(name, kind, patterns)
        if wanted > limit:
            raise DataError(
                f"{name} is larger than may be downloaded",
                got=f"{wanted / 2**30:.3g} GiB that are not here yet",
                expected=f"at most {limit / 2**30:.3g} GiB",
                remedy=f"{LIMIT}={math.ceil(wanted / 2**30)} allows it; or download a part of it (`hf download "
                "--include`) and give its folder",
            )
        folder = snapshot_download(
            name.repository,
            repo_type=kind,
            revision=name.revision,
            allow_patterns=list(patterns),
            endpoint=os.environ.get("HF_ENDPOINT") or None,
            etag_timeout=MAX_DOWNLOAD_SECONDS_TO_ANSWER,
        )
    except (HTTPError, OSError, ValueError) as error:
        what, remedy = _explained(error)
        raise DataError(f"{name} {what}", got=" ".join(str(error).split())[:200], remedy=remedy) from error
    return Path(str(folder))


def _limit() -> float:
    said = os.environ.get(LIMIT)
    if not said:
        return MAX_DOWNLOAD_BYTES
    try:
        limit = float(said)
        if not 0 <= limit < math.inf:
            raise ValueError(said)
    except ValueError as error:
        raise UsageError(f"{LIMIT} is no size", got=said, expected="a number of GiB, such as 200") from error
    return limit * 2**30


def _bytes_to_download(name: HubName, kind: RepoType, patterns: Sequence[str]) -> int:
    """What the files that would be fetched take; 0 where nobody answers, for then nothing is fetched."""
    from huggingface_hub import HfApi, try_to_load_from_cache
    from huggingface_hub.errors import HfHubHTTPError, HTTPError  # type: ignore[attr-defined]  # As above.
    from huggingface_hub.hf_api import RepoFile

    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None)
    try:
        # Listing files asks again and again, for 23 seconds, where nobody is.
        if not _is_there(api.endpoint):
            return 0
        tree = api.list_repo_tree(name.repository, recursive=True, revision=name.revision, repo_type=kind)
        sizes = {entry.path: entry.size for entry in tree if isinstance(entry, RepoFile)}
    except HfHubHTTPError:
        raise
    except (HTTPError, OSError):
        return 0
    total = 0
    for path in (path for path in sizes if any(fnmatch(path, pattern) for pattern in patterns)):
        held = try_to_load_from_cache(name.repository, path, revision=name.revision, repo_type=kind)
        total += 0 if isinstance(held, str) else sizes[path]
    return total


def _is_there(endpoint: str) -> bool:
    """Whether a hub takes a connection, however long it then takes to answer."""
    from huggingface_hub import get_session
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]  # As above.

    try:
        get_session().head(endpoint, timeout=MAX_DOWNLOAD_SECONDS_TO_ANSWER)
    except (HTTPError, OSError) as error:
        # By name: which HTTP client huggingface_hub uses differs with its version.
        return type(error).__name__ not in {"ConnectError", "ConnectTimeout", "OfflineModeIsEnabled"}
    return True


def _explained(error: Exception) -> tuple[str, str]:
    """What an error of huggingface_hub means, and its remedy."""
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return "asks for its terms to be accepted", "accept them on its page, then `hf auth login`"
    if isinstance(error, errors.RepositoryNotFoundError):
        return "is neither a path nor on the hub", "check the name; for a private one, `hf auth login` first"
    if isinstance(error, errors.RevisionNotFoundError):
        return "has no such revision", "leave @revision away for the newest"
    if isinstance(error, errors.LocalEntryNotFoundError | errors.OfflineModeIsEnabled):
        return (
            "is no path, was not downloaded before, and the hub cannot be reached",
            "check the connection, HF_ENDPOINT and HF_HUB_OFFLINE, or give the path of a copy",
        )
    return "cannot be downloaded", "try again; what has arrived already is kept"
