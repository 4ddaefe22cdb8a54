"""Other packages in environments of their own: pinned, made once, and never a dependency of monde.

python benchmarks/peers/environment.py [NAME ...]

An environment lies in $MONDE_PEERS/NAME, or ~/.cache/monde/peers/NAME. It is made again when its pins change.
"""

import fcntl
import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monde.errors import StoreError, unknown_name
from monde.store import digest_json, read_json, write_json

PEERS: dict[str, tuple[str, ...]] = {
    # transformers holds the ViT that its published LeWM encodes with; imageio and OpenCV are imported, not declared.
    "stable-worldmodel": (
        "torch==2.13.0",
        "torchvision==0.28.0",
        "stable-worldmodel==0.1.1",
        "transformers==5.23.0",
        "imageio==2.38.1",
        "opencv-python-headless==5.0.0.93",
        "safetensors==0.8.0",
    ),
    "torch-world": ("torch==2.13.0", "torch-world==0.2.0", "numpy==2.4.6", "safetensors==0.8.0"),
}
"""What is installed for each peer."""

MADE = "monde-peer.json"


def peer_environment(name: str) -> Path:
    """The Python of a peer's environment, which is made on first use (minutes; it needs a package registry).

    Raises:
        UsageError: An unknown peer.
        StoreError: An installation that failed, with the end of what pip said.
    """
    if name not in PEERS:
        raise unknown_name("peer", name, sorted(PEERS))
    folder = _root() / name
    python = folder / "bin" / "python"
    pins = digest_json({"requirements": PEERS[name], "python": sys.version_info[:2]})
    with _alone(folder.with_suffix(".lock")):
        made = folder / MADE
        if python.exists() and made.exists() and read_json(made).get("pins") == pins:
            return python
        venv.create(folder, symlinks=True, with_pip=True)
        _install(name, python)
        write_json(made, {"pins": pins, "requirements": list(PEERS[name])})
    return python


def _root() -> Path:
    given = os.environ.get("MONDE_PEERS")
    return Path(given) if given else Path.home() / ".cache" / "monde" / "peers"


def _install(name: str, python: Path) -> None:
    command = [str(python), "-m", "pip", "install", "--quiet", *PEERS[name]]
    done = subprocess.run(command, capture_output=True, text=True, env=clean_environment())
    if done.returncode:
        raise StoreError(
            f"the environment of {name} cannot be made",
            got=done.stderr.strip()[-600:],
            remedy="its pins stand in benchmarks/peers/environment.py; pip must reach a package registry",
        )


def clean_environment() -> dict[str, str]:
    """This process's variables without those that would lead a peer's Python to our packages."""
    return {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME"}}


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    for peer in sys.argv[1:] or sorted(PEERS):
        print(peer, peer_environment(peer))
