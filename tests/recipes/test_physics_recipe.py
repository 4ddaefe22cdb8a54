"""The recipe of intuitive physics, small: it records, learns, is interrupted for real, and goes on."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from monde.models import load_model
from monde.recipes import PhysicsRecipe, physics
from monde.store import RunFolder
from monde.training import finish_training, is_finished

STEPS, REFINED = 3, 2

LEARN = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from recipes.test_physics_recipe import small
small(Path(sys.argv[1]), steps=int(sys.argv[3])).learn()
"""


def small(out: Path, steps: int = STEPS) -> PhysicsRecipe:
    """The shipped recipe with the time for a few steps; a checkpoint after each."""
    recipe = physics(out, films=8, sets=2, seed=1)
    return replace(
        recipe,
        train=replace(
            recipe.train, minutes=None, steps=steps, batch=4, warmup_steps=1, device="cpu", checkpoint_seconds=0.0
        ),
        refine=replace(recipe.refine, minutes=None, steps=REFINED, batch=4, windows=(6,), device="cpu"),
    )


def is_refined(run: Path) -> bool:
    return "refined" in RunFolder(run).read_config()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_what_is_interrupted_is_not_refined_and_goes_on(tmp_path: Path, number: signal.Signals) -> None:
    recipe = small(tmp_path)
    assert recipe.record().new_episodes == 8
    run = RunFolder(recipe.run)
    words = [sys.executable, "-c", LEARN, str(tmp_path), str(Path(__file__).parent.parent), "100000"]
    worker = subprocess.Popen(words, env=os.environ | {"OMP_NUM_THREADS": "1"}, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 120
        while len(run.steps()) < 2 and worker.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        worker.send_signal(number)
        _, errors = worker.communicate(timeout=60)
    finally:
        worker.kill()
    assert worker.returncode != 0
    if number != signal.SIGKILL:
        assert "KeyboardInterrupt" in errors
    stopped = run.steps()[-1]
    assert not is_refined(recipe.run)
    whole = small(tmp_path, steps=stopped + 2)
    assert not is_finished(whole.train)
    whole.learn()
    assert is_finished(whole.train)
    assert is_refined(recipe.run)
    assert run.steps()[-1] == stopped + 2 + REFINED
    assert load_model(recipe.run).actions.block == 4


def test_what_is_learned_is_left_as_it_is(tmp_path: Path) -> None:
    recipe = small(tmp_path)
    recipe.record()
    finish_training(recipe.train)  # killed after this, before it was refined
    assert not is_refined(recipe.run)
    recipe.learn()
    assert RunFolder(recipe.run).steps()[-1] == STEPS + REFINED
    assert recipe.record().new_episodes == 0
    before = {path: path.stat().st_mtime_ns for path in recipe.run.rglob("*") if path.is_file()}
    recipe.learn()
    assert {path: path.stat().st_mtime_ns for path in recipe.run.rglob("*") if path.is_file()} == before
