"""The pages on serving and deploying: their code in order, against a small run that is served in a thread."""

import ast
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from monde.agents import record
from monde.cli import main
from monde.mind import learning
from monde.serving import ServeConfig, find_token, open_desk
from monde.training import FitActorConfig, TrainConfig, fit_actor, train
from monde.worlds import make
from tests.serving.served import served

ROOT = Path(__file__).resolve().parent.parent


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder with a run and a token, as the pages begin with; and the address of a server of both."""
    out = tmp_path_factory.mktemp("served")
    record("tworoom", out / "data/tworoom", episodes=40, steps=40, seed=1, batch=40)
    run = out / "runs/tworoom"
    train(TrainConfig(data=str(out / "data/tworoom"), run=str(run), steps=40, batch=16, precision="fp32"))
    fit_actor(run, FitActorConfig(minutes=None, steps=20, frames=16))
    (out / "token").write_text("the-token-of-the-page\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learning, "DECODER_STEPS", 3)
        config = ServeConfig(token=find_token(out / "token"), port=0, deadline_seconds=30.0, stale_seconds=60.0)
        with served(open_desk(run, config, device="cpu"), config.token) as server:
            yield out, server.url


class Arm:
    """A robot class whose camera looks at TwoRoom."""

    def __init__(self) -> None:
        self.world = make("tworoom", 1)
        self.seen = self.world.reset([7])
        self.sent = 0

    def get_observation(self) -> dict[str, object]:
        return {"front": self.seen.values["top"][0].transpose(1, 2, 0)}

    def send_action(self, action: dict[str, float]) -> dict[str, float]:
        self.sent += 1
        self.seen = self.world.step(np.float32([[action["x.vel"], action["y.vel"]]])).observation
        return action


def test_serve(place: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    out, url = place
    monkeypatch.chdir(out)
    names: dict[str, object] = {}
    for code in blocks("serve.md", "python"):
        exec(code.replace("http://127.0.0.1:8420", url), names)
    told = capfd.readouterr().out.splitlines()
    assert {"left", "right", "wait"} == set(re.findall(r"'(\w+)', -?[\d.]+", told[0]))
    assert sorted(ast.literal_eval(told[1])) == ["left", "right", "wait"]


def test_deploy(place: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    out, url = place
    monkeypatch.chdir(out)
    arms: list[Arm] = []

    def make_arm() -> Arm:
        arms.append(Arm())
        return arms[-1]

    goal = make("tworoom", 1).reset([8]).values["top"][0]
    names: dict[str, object] = {"make_arm": make_arm, "picture_of_the_goal": goal}
    for code in blocks("deploy.md", "python"):
        small = code.replace("http://127.0.0.1:8420", url).replace(
            "steps=100, realtime=True", "steps=10, realtime=True"
        )
        exec(small, names)
    assert "steps=10" in capsys.readouterr().out
    # Ten steps and rest; a dry run that only rests; four episodes, each with its rest.
    assert arms[0].sent == 11 + 1 + 4 * 41
    (commands,) = blocks("deploy.md", "sh")
    for command in commands.splitlines():
        words = shlex.split(command.replace("--minutes 2", "--steps 2"))[1:]
        if words[0] != "serve":
            assert main(words) == 0, command
    assert (out / "runs/arm/run.json").exists()


def test_the_example(place: tuple[Path, str]) -> None:
    words = [sys.executable, str(ROOT / "examples/drive_over_the_network.py"), str(place[0] / "runs/tworoom"), "1"]
    told = subprocess.run(words, capture_output=True, text=True, timeout=200, check=True).stdout
    assert re.fullmatch(r"goal 0: (not )?reached after \d+ control steps, slowest answer \d+ ms\n", told)
