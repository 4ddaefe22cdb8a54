"""Artefacts on disk: written whole or not at all, hashed, and never a pickle."""

from monde.store.artefact import (
    Artefact,
    content_hash,
    load_artefact,
    load_bound,
    read_manifest,
    remove_artefact,
    save_artefact,
)
from monde.store.atomic import atomic_file, atomic_folder, require_room, write_bytes, write_json
from monde.store.hashing import digest_json, sha256_bytes, sha256_file
from monde.store.jsons import read_json
from monde.store.memory import PeakMemory, anonymous_bytes
from monde.store.provenance import commit, machine, utc_now
from monde.store.run import RunFolder

__all__ = [
    "Artefact",
    "PeakMemory",
    "RunFolder",
    "anonymous_bytes",
    "atomic_file",
    "atomic_folder",
    "commit",
    "content_hash",
    "digest_json",
    "load_artefact",
    "load_bound",
    "machine",
    "read_json",
    "read_manifest",
    "remove_artefact",
    "require_room",
    "save_artefact",
    "sha256_bytes",
    "sha256_file",
    "utc_now",
    "write_bytes",
    "write_json",
]
