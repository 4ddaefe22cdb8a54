"""Serve a trained TwoRoom run in a process of its own, and close the loop with it from this one.

python examples/drive_over_the_network.py RUN [EPISODES]
"""

import os
import secrets
import subprocess
import sys
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from monde.client import Done, GoalPicture, Seen, Session, run_episode
from monde.worlds import make


class Disc:
    """TwoRoom as a body: what it sees, what it does, how it rests."""

    def __init__(self, seed: int) -> None:
        self.world = make("tworoom", 1)
        self.seen = self.world.reset([seed])

    def observe(self) -> Seen:
        """The camera's picture."""
        return Seen({"top": self.seen.values["top"][0]})

    def apply(self, control: Float32[np.ndarray, " dim"]) -> Done:
        """One control step."""
        self.seen = self.world.step(control[None]).observation
        return Done(control, bool(self.world.success()[0]))

    def rest(self, safe: Float32[np.ndarray, " dim"]) -> None:
        """It stays where it is."""


def main(run: Path, episodes: int) -> None:
    """Serve, drive, stop."""
    token = secrets.token_urlsafe(32)
    command = [sys.executable, "-m", "monde", "serve", str(run), "--port", "0", "--deadline", "5"]
    known = os.environ | {"MONDE_TOKEN": token}
    server = subprocess.Popen(command, env=known, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        url = address(server)
        with Session(url, token, patient=True) as session:
            for seed in range(episodes):
                body = Disc(seed)
                aim = body.world.goal()
                if aim is None:
                    raise SystemExit("this world has no goals")
                episode = run_episode(session, body, GoalPicture(sensors={"top": aim.values["top"][0]}), steps=100)
                end = "reached" if episode.ended else "not reached"
                slowest = max(episode.seconds) * 1e3
                print(f"goal {seed}: {end} after {episode.steps} control steps, slowest answer {slowest:.0f} ms")
    finally:
        server.terminate()
        server.wait()


def address(server: "subprocess.Popen[str]") -> str:
    """Where the server says that it listens."""
    for line in server.stderr or ():
        if " at http" in line:
            return line.split(" at ")[1].split(";")[0]
    raise SystemExit("the server ended before it listened")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) == 3 else 3)
