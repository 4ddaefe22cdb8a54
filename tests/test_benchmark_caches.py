"""Benchmarks keep what they measured beside the run, and take it over only for the same model and protocol."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from monde.agents import record
from monde.errors import UsageError
from monde.store import read_json, write_json
from monde.training import FitActorConfig, TrainConfig, fit_actor, train

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
TINY = FitActorConfig(minutes=None, steps=2, frames=8, goals_each=2, recorded=2, hidden=16, depth=1, device="cpu")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("caches")
    record("tworoom", folder / "data", episodes=4, steps=30, seed=1)
    train(TrainConfig(data=str(folder / "data"), run=str(folder / "run"), steps=2, batch=4, frame=32, device="cpu"))
    fit_actor(folder / "run", TINY)
    return folder / "run"


@pytest.fixture(scope="module")
def benchmarks() -> Iterator[dict[str, ModuleType]]:
    sys.path.insert(0, str(BENCHMARKS))
    try:
        import kept  # type: ignore[import-not-found]
        import shift  # type: ignore[import-not-found]
        import tasks  # type: ignore[import-not-found]

        yield {"kept": kept, "shift": shift, "tasks": tasks}
    finally:
        sys.path.remove(str(BENCHMARKS))


def test_arrays_are_made_again_where_their_facts_differ_or_are_not_told(
    benchmarks: dict[str, ModuleType], tmp_path: Path
) -> None:
    made: list[int] = []

    def make() -> dict[str, np.ndarray]:
        made.append(len(made))
        return {"reached": np.array([made[-1]])}

    path, arrays = tmp_path / "trusted" / "case.npz", benchmarks["kept"].arrays
    facts = {"seed": 1, "planner": {"rounds": (1, 2)}}
    assert arrays(path, facts, make)["reached"] == [0]
    assert arrays(path, facts, make)["reached"] == [0]
    assert arrays(path, facts | {"seed": 2}, make)["reached"] == [1]
    assert arrays(path, facts | {"seed": 2, "made_of": "other weights"}, make)["reached"] == [2]
    np.savez(path, reached=np.array([9]))  # as files of old are
    assert arrays(path, facts, make)["reached"] == [3]


def test_success_under_a_shift_is_measured_again_for_another_model_or_protocol(
    benchmarks: dict[str, ModuleType], run: Path, tmp_path: Path
) -> None:
    mine, shift = tmp_path / "run", benchmarks["shift"]
    shutil.copytree(run, mine)
    shift.success(mine, "tworoom", "none", 2)
    path = mine / "shift" / "none.json"
    good = read_json(path)
    write_json(path, good | {"reached": 77})
    assert shift.success(mine, "tworoom", "none", 2) == 77  # what is kept is taken
    write_json(path, {"episodes": 2, "reached": 78})  # as files of old are: enough for a report only
    assert shift.success(mine, "tworoom", "none", 2, report=True) == 78
    assert shift.success(mine, "tworoom", "none", 2) == good["reached"]
    for name, value in (("budget_steps", 1), ("start_seed", 5), ("made_of", "x"), ("planner", {})):
        write_json(path, good | {name: value, "reached": 79})
        with pytest.raises(UsageError, match="measured otherwise"):
            shift.success(mine, "tworoom", "none", 2, report=True)
    assert shift.success(mine, "tworoom", "none", 2) == good["reached"]
    write_json(mine / "shift" / "random-none.json", {"episodes": 2, "reached": 2})
    assert shift.floor(mine, "tworoom", "none", 2, report=True) == 1.0
    assert "budget_steps" in (shift.floor(mine, "tworoom", "none", 2), read_json(mine / "shift/random-none.json"))[1]


def test_tasks_are_counted_again_for_another_model_planner_or_budget(
    benchmarks: dict[str, ModuleType], run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, tasks = tmp_path / "run", benchmarks["tasks"]
    shutil.copytree(run, mine)
    monkeypatch.setitem(tasks.TASKS, "tworoom", tasks.Protocol(distances=(None,), whole=10))
    good = tasks.counted(mine, "tworoom", "actor", None, 2, 1)
    path = tasks.kept_at(mine, "tworoom", "actor", None)
    write_json(path, good | {"reached": 77})
    assert tasks.counted(mine, "tworoom", "actor", None, 2, 1)["reached"] == 77
    old = {name: value for name, value in good.items() if name != "made_of"}
    write_json(path, old | {"reached": 78})
    assert tasks.counted(mine, "tworoom", "actor", None, None, 1)["reached"] == 78
    assert tasks.counted(mine, "tworoom", "actor", None, 2, 1)["reached"] == good["reached"]
    # Another actor, another budget.
    write_json(path, good | {"reached": 79})
    fit_actor(mine, FitActorConfig(minutes=None, steps=1, hidden=16, depth=1, device="cpu"))
    with pytest.raises(UsageError, match=r"differs in made_of"):
        tasks.counted(mine, "tworoom", "actor", None, None, 1)
    again = tasks.counted(mine, "tworoom", "actor", None, 2, 1)
    assert again["reached"] != 79
    assert again["made_of"] != good["made_of"]
    monkeypatch.setitem(tasks.TASKS, "tworoom", tasks.Protocol(distances=(None,), whole=12))
    assert tasks.counted(mine, "tworoom", "actor", None, 2, 1)["budget_steps"] == 12
    row = tasks.seconds_row([again, again], "tworoom", "actor")
    assert row.metric == "plan_seconds/tworoom/actor"
    assert row.value == again["plan_seconds"]
