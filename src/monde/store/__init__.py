"""Artefacts on disk: written whole or not at all, hashed, and never a pickle.

Each name loads its module on first use: questions and answers travel (`typed`) where there is no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monde.store.artefact import Artefact as Artefact
    from monde.store.artefact import content_hash as content_hash
    from monde.store.artefact import load_artefact as load_artefact
    from monde.store.artefact import load_bound as load_bound
    from monde.store.artefact import read_manifest as read_manifest
    from monde.store.artefact import remove_artefact as remove_artefact
    from monde.store.artefact import save_artefact as save_artefact
    from monde.store.atomic import atomic_file as atomic_file
    from monde.store.atomic import atomic_folder as atomic_folder
    from monde.store.atomic import require_room as require_room
    from monde.store.atomic import write_bytes as write_bytes
    from monde.store.atomic import write_json as write_json
    from monde.store.hashing import digest_json as digest_json
    from monde.store.hashing import sha256_bytes as sha256_bytes
    from monde.store.hashing import sha256_file as sha256_file
    from monde.store.jsons import read_json as read_json
    from monde.store.memory import PeakMemory as PeakMemory
    from monde.store.memory import anonymous_bytes as anonymous_bytes
    from monde.store.modules import load_module as load_module
    from monde.store.modules import save_module as save_module
    from monde.store.provenance import commit as commit
    from monde.store.provenance import machine as machine
    from monde.store.provenance import utc_now as utc_now
    from monde.store.run import RunFolder as RunFolder

_MODULES = {
    "artefact": (
        "Artefact",
        "content_hash",
        "load_artefact",
        "load_bound",
        "read_manifest",
        "remove_artefact",
        "save_artefact",
    ),
    "atomic": ("atomic_file", "atomic_folder", "require_room", "write_bytes", "write_json"),
    "hashing": ("digest_json", "sha256_bytes", "sha256_file"),
    "jsons": ("read_json",),
    "memory": ("PeakMemory", "anonymous_bytes"),
    "modules": ("load_module", "save_module"),
    "provenance": ("commit", "machine", "utc_now"),
    "run": ("RunFolder",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

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
    "load_module",
    "machine",
    "read_json",
    "read_manifest",
    "remove_artefact",
    "require_room",
    "save_artefact",
    "save_module",
    "sha256_bytes",
    "sha256_file",
    "utc_now",
    "write_bytes",
    "write_json",
]


def __getattr__(name: str) -> object:
    if name in _MODULE_OF:
        return getattr(import_module(f"monde.store.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module 'monde.store' has no attribute {name!r}")
