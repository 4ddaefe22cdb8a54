"""A folder of named tensors and metadata: safetensors beside a JSON manifest that holds the hash of every file.

    FOLDER/
      manifest.json        {"schema": "monde.artefact/1", "kind": …, "files": {name: sha256}, "meta": {…}}
      tensors.safetensors

Nothing here can load a pickle. A flipped bit, a missing key or another shape is named, never repaired.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from safetensors.torch import save as save_safetensors
from torch import Tensor

from monde.errors import StoreError
from monde.limits import MAX_SAFETENSORS_HEADER_BYTES
from monde.store.atomic import atomic_folder
from monde.store.hashing import digest_json, sha256_bytes
from monde.store.jsons import read_json

SCHEMA = "monde.artefact/1"
TENSORS = "tensors.safetensors"
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Artefact:
    """What was stored: tensors by name, and metadata (JSON)."""

    kind: str
    tensors: Mapping[str, Tensor]
    meta: Mapping[str, object]


def save_artefact(folder: Path, kind: str, tensors: Mapping[str, Tensor], meta: Mapping[str, object]) -> None:
    """Write an artefact; `folder` appears complete or not at all.

    Raises:
        StoreError: `folder` exists, or the disk is full or read-only.
    """
    import json

    # Copies, because safetensors refuses tensors that share storage (views of one array, tied weights).
    data = save_safetensors({name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()})
    manifest = {"schema": SCHEMA, "kind": kind, "files": {TENSORS: sha256_bytes(data)}, "meta": dict(meta)}
    document = json.dumps(manifest, indent=2, allow_nan=False)
    with atomic_folder(folder) as temporary:
        (temporary / TENSORS).write_bytes(data)
        (temporary / MANIFEST).write_text(document + "\n", encoding="utf-8")


def remove_artefact(folder: Path) -> None:
    """Remove an artefact that is to be made again; nothing happens where there is none.

    Raises:
        StoreError: The folder holds something else: a wrong path must not take anything with it.
    """
    if folder.exists():
        read_manifest(folder)
        shutil.rmtree(folder)


def read_manifest(folder: Path, kind: str | None = None) -> dict[str, object]:
    """The manifest of an artefact, without its tensors.

    Raises:
        StoreError: Missing, malformed, of another schema or kind.
    """
    path = folder / MANIFEST
    if not path.exists():
        raise StoreError(
            f"{folder} is not an artefact of monde",
            got="no manifest.json",
            remedy="give the folder that holds manifest.json and tensors.safetensors",
        )
    manifest = read_json(path)
    if manifest.get("schema") != SCHEMA:
        raise StoreError(f"{path} has an unknown schema", got=manifest.get("schema"), expected=SCHEMA)
    if kind is not None and manifest.get("kind") != kind:
        raise StoreError(f"{folder} holds something else", got=manifest.get("kind"), expected=kind)
    return manifest


def load_artefact(folder: Path, kind: str | None = None, expected: Mapping[str, Tensor] | None = None) -> Artefact:
    """Read an artefact and verify its hash.

    Args:
        folder: Where it is.
        kind: The kind it must be, if given.
        expected: Tensors whose names, shapes and dtypes it must match exactly, if given.

    Raises:
        StoreError: Missing, altered since it was written, a pickle, of another kind, or not as `expected`; the message
            names the file and the key.
    """
    manifest = read_manifest(folder, kind)
    files, meta = manifest.get("files"), manifest.get("meta")
    if not isinstance(files, dict) or not isinstance(meta, dict) or TENSORS not in files:
        raise StoreError(f"{folder / MANIFEST} is malformed", expected="'files' and 'meta'")
    path = folder / TENSORS
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path} cannot be read", got=error.strerror) from error
    refuse_pickle(path, data)
    digest = sha256_bytes(data)
    if digest != files[TENSORS]:
        raise StoreError(
            f"{path} was altered after it was written",
            got=f"sha256 {digest[:16]}…",
            expected=f"{str(files[TENSORS])[:16]}…",
            remedy="use another checkpoint of the run, or restore the file from a copy",
        )
    try:
        tensors = load_safetensors(data)
    except SafetensorError as error:
        raise StoreError(f"{path} is not a readable safetensors file", got=error) from error
    if expected is not None:
        check_tensors(path, tensors, expected)
    return Artefact(kind=str(manifest.get("kind")), tensors=tensors, meta=meta)


def load_bound(folder: Path, kind: str, of: str | None, what: str, remedy: str) -> Artefact:
    """Read an artefact that belongs to certain weights (its `meta["of"]`).

    Args:
        folder: Where it is.
        kind: The kind it must be.
        of: Hash that it must belong to, or none for any.
        what: What is wrong where it belongs to others, for the message.
        remedy: What to do then.

    Raises:
        StoreError: As `load_artefact`; or it belongs to other weights than `of`.
    """
    artefact = load_artefact(folder, kind)
    if of is not None and artefact.meta.get("of") != of:
        got, expected = f"weights {str(artefact.meta.get('of'))[:16]}…", f"{of[:16]}…"
        raise StoreError(what, got=got, expected=expected, remedy=remedy)
    return artefact


def content_hash(folder: Path, kind: str | None = None) -> str:
    """Hex SHA-256 of what an artefact holds and what it belongs to: what others that are made from it belong to.

    Raises:
        StoreError: Not an artefact of monde, or of another kind.
    """
    manifest = read_manifest(folder, kind)
    meta = manifest.get("meta")
    return digest_json([manifest.get("files"), meta.get("of") if isinstance(meta, dict) else None])


def refuse_pickle(path: Path, data: bytes) -> None:
    """Refuse bytes that are a pickle, a PyTorch zip, or otherwise no safetensors.

    Raises:
        StoreError: Naming what it is and how to convert it.
    """
    header = int.from_bytes(data[:8], "little") if len(data) >= 8 else 0
    if 0 < header <= min(MAX_SAFETENSORS_HEADER_BYTES, len(data) - 8) and data[8:9] == b"{":
        return
    zipped, pickled = data[:4] == b"PK\x03\x04", data[:1] == b"\x80"
    got = "a PyTorch archive (pickle inside)" if zipped else "a pickle" if pickled else "something else"
    raise StoreError(
        f"{path} is not a safetensors file and is not loaded",
        got=got,
        expected="safetensors",
        remedy="a pickle can run any code; convert it where you trust it with safetensors.torch.save_file",
    )


_OTHER_MODEL = (
    "load it with the recipe that it was trained with (run.json beside it); train again what an earlier version wrote"
)


def check_tensors(path: Path, tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    """Refuse tensors that differ in name, shape or dtype from `expected`, naming the first few that do."""
    missing = sorted(set(expected) - set(tensors))
    surplus = sorted(set(tensors) - set(expected))
    if missing or surplus:
        raise StoreError(
            f"{path} holds other tensors than this model has",
            got=f"missing {missing[:5]}, surplus {surplus[:5]}",
            expected=f"exactly the model's {len(expected)} tensors",
            remedy=_OTHER_MODEL,
        )
    for name, tensor in expected.items():
        if tensors[name].shape != tensor.shape or tensors[name].dtype != tensor.dtype:
            raise StoreError(
                f"{path}: tensor {name!r} does not fit",
                got=f"{tensors[name].dtype} {list(tensors[name].shape)}",
                expected=f"{tensor.dtype} {list(tensor.shape)}",
                remedy=_OTHER_MODEL,
            )
