"""The page on pretrained encoders: its commands and its code, in order, with a small encoder of that name."""

import re
import shlex
from pathlib import Path

import pytest

from encoders import write_encoder
from monde.cli import main
from monde.dynamics.lewm_predictor import LewmPredictorConfig
from monde.models import JEPA, ModelConfig, save_lewm
from monde.perception.lewm_vit import LewmPerceptionConfig
from monde.types import ActionSpec, Sensor

ROOT = Path(__file__).resolve().parent.parent
NAME = "facebook/dinov2-small"
SMALL = {
    "--episodes 100 --steps 60": "--episodes 12 --steps 40",
    "--minutes 4": "--steps 3 --batch 16 --grid 2 --frame 32",
}


def test_the_pages_commands_and_code_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs/backbones.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```(sh|python)\n(.*?)```", page, flags=re.DOTALL)
    commands = [line for kind, block in blocks if kind == "sh" for line in block.splitlines() if "pip" not in line]
    assert [shlex.split(command)[1] for command in commands] == ["record", "train", "score", "plan", "report"]
    write_encoder(tmp_path / NAME)
    monkeypatch.chdir(tmp_path)
    for command in commands:
        small = command
        for long, short in SMALL.items():
            small = small.replace(long, short)
        few = {"score": " --n 2 --decoder-seconds 0.1", "plan": " --episodes 2"}.get(shlex.split(small)[1])
        if few is not None:
            small += f"{few} --budget 10 --planner random-shooting"
        assert main(shlex.split(small)[1:]) == 0, small
    assert Path("runs/dino/report.html").stat().st_size > 10_000
    own, published = (block for kind, block in blocks if kind == "python")
    assert "steps=20)" in own
    exec(compile(own.replace("steps=20)", "steps=2)"), "docs/backbones.md", "exec"), {})
    assert list(Path("runs/dino2/checkpoints").glob("step-*"))
    write_lewm(Path("lewm.safetensors"))
    exec(compile(published, "docs/backbones.md", "exec"), {})
    assert Path("again.safetensors").read_bytes() == Path("lewm.safetensors").read_bytes()


def write_lewm(path: Path) -> None:
    """Weights as stable-worldmodel's LeWM has them: of its shape, but small."""
    camera = Sensor(name="top", kind="rgb", shape=(3, 64, 64), rate_hz=10.0)
    actions = ActionSpec(low=(-1.0, -1.0), high=(1.0, 1.0), block=5, dt_seconds=0.1)
    perception = LewmPerceptionConfig(latent=64, patch=8, grid=8, hidden=64, depth=1, heads=1, mlp=96, projector=96)
    dynamics = LewmPredictorConfig(latent=64, actions=10, hidden=64, outputs=64, depth=1, heads=1, mlp=96, projector=96)
    model = JEPA(ModelConfig(sensors=(camera,), actions=actions, perception=perception, dynamics=dynamics))
    save_lewm(model, path)
