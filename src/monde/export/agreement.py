"""Whether onnxruntime says what torch says, and how long each takes."""

import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch

from monde.errors import StoreError, UsageError
from monde.export.graphs import Graph, graphs_of
from monde.export.onnx_files import open_parts, read_manifest
from monde.models import weights_hash

TOLERANCE = 1e-4
"""Largest difference that counts as the same: float32 in another order of sums."""
BATCHES = (1, 2, 5)
CHAINED_STEPS = 10


@runtime_checkable
class Session(Protocol):
    """What is used of an onnxruntime session."""

    def run(self, outputs: None, inputs: dict[str, np.ndarray]) -> Sequence[np.ndarray]:
        """All outputs."""
        ...


@dataclass(frozen=True, kw_only=True)
class Timed:
    """Wall time of single calls, in seconds: median and quartiles."""

    median: float
    lower: float
    upper: float


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """One graph.

    Args:
        graph: Its name; "chain" for what a robot does: encode, begin, then act, step and see again.
        max_abs_difference: Over all outputs, batches and, in the chain, steps.
        torch_seconds: One call at B = 1 on one thread; none for the chain.
        onnx_seconds: The same of onnxruntime.
        calls: Timed calls of each.
    """

    graph: str
    max_abs_difference: float
    torch_seconds: Timed | None = None
    onnx_seconds: Timed | None = None
    calls: int = 0


@torch.no_grad()
def agreement(run: Path, folder: Path, calls: int = 50) -> tuple[Agreement, ...]:
    """Compare every graph of an export with the run that it was made from.

    Args:
        run: Run folder.
        folder: What `export_run` wrote.
        calls: Timed calls of each graph.

    Raises:
        UsageError: onnxruntime is not installed.
        StoreError: No export, altered files, or an export of other weights.
    """
    if read_manifest(folder).get("of") != weights_hash(run):
        raise StoreError(f"{folder} was exported from other weights than those of {run}", remedy="export the run again")
    parts = open_parts(run)
    graphs = {batch: graphs_of(*parts, batch=batch) for batch in BATCHES}
    names = [graph.name for graph in graphs[1]]
    sessions = {name: session(folder / f"{name}.onnx") for name in names}
    found = []
    for index, name in enumerate(names):
        apart = max(_apart(graphs[batch][index], sessions[name]) for batch in BATCHES)
        seconds = _timed(graphs[1][index], sessions[name], calls)
        found.append(
            Agreement(
                graph=name, max_abs_difference=apart, torch_seconds=seconds[0], onnx_seconds=seconds[1], calls=calls
            )
        )
    by_name = {graph.name: graph for graph in graphs[1]}
    return (*found, Agreement(graph="chain", max_abs_difference=_chain(by_name, sessions)))


def session(path: Path) -> Session:
    """An onnxruntime session on one thread of the CPU.

    Raises:
        UsageError: onnxruntime is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise UsageError("running an export needs onnxruntime", remedy="pip install 'monde[export]'") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    opened: Session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return opened


def _arrays(graph: Graph) -> dict[str, np.ndarray]:
    return {name: part.numpy() for name, part in graph.inputs.items()}


def _outputs(graph: Graph, inputs: Sequence[torch.Tensor]) -> tuple[torch.Tensor, ...]:
    found = graph.module(*inputs)
    return found if isinstance(found, tuple) else (found,)


def _apart(graph: Graph, running: Session) -> float:
    here, there = _outputs(graph, list(graph.inputs.values())), running.run(None, _arrays(graph))
    return max(_difference(one, other) for one, other in zip(here, there, strict=True))


def _difference(one: torch.Tensor, other: np.ndarray) -> float:
    """The largest; infinite where either is not finite, since NaN is lost on `max`."""
    apart = np.abs(one.numpy().astype(np.float64) - other.astype(np.float64)).max()
    return float(apart) if np.isfinite(apart) else math.inf


def _timed(graph: Graph, running: Session, calls: int) -> tuple[Timed, Timed]:
    inputs, arrays = list(graph.inputs.values()), _arrays(graph)
    return _calls(lambda: _outputs(graph, inputs), calls), _calls(lambda: running.run(None, arrays), calls)


def _calls(call: Callable[[], object], calls: int) -> Timed:
    call()
    taken = []
    for _ in range(calls):
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    lower, median, upper = statistics.quantiles(taken, n=4, method="inclusive")
    return Timed(median=median, lower=lower, upper=upper)


def _chain(graphs: dict[str, Graph], sessions: dict[str, Session]) -> float:
    """A robot's loop in both, each on its own outputs: differences that add up would show."""
    step = graphs["step"]
    names = [name.removesuffix("_before") for name in list(step.inputs)[1:]]
    frames = graphs_frames(graphs["encoder"], CHAINED_STEPS + 1)
    seen = [_outputs(graphs["encoder"], frame)[0] for frame in frames]
    there = [sessions["encoder"].run(None, _named(graphs["encoder"], frame))[0] for frame in frames]
    here_belief = _outputs(graphs["begin"], [seen[0]])
    there_belief = sessions["begin"].run(None, {"seen": there[0]})
    apart = 0.0
    for index in range(CHAINED_STEPS):
        goal = seen[-1], there[-1]
        if "actor" in graphs:
            action = graphs["actor"].module(here_belief[0][:, -1], goal[0])
            chosen = sessions["actor"].run(None, {"now": there_belief[0][:, -1], "goal": goal[1]})[0]
        else:
            action, chosen = step.inputs["action"], step.inputs["action"].numpy()
        apart = max(apart, _difference(action, chosen))
        here_belief = _outputs(step, [action, *here_belief])
        inputs = {f"{name}_before": part for name, part in zip(names, there_belief, strict=True)}
        there_belief = sessions["step"].run(None, {"action": chosen, **inputs})
        apart = max(apart, *(_difference(a, b) for a, b in zip(here_belief, there_belief, strict=True)))
        here_belief = (_overwritten(here_belief[0], seen[index + 1]), *here_belief[1:])
        latents = np.array(there_belief[0])
        latents[:, -1] = there[index + 1]
        there_belief = [latents, *there_belief[1:]]
    return apart


def _overwritten(latents: torch.Tensor, newest: torch.Tensor) -> torch.Tensor:
    return torch.cat([latents[:, :-1], newest[:, None]], 1)


def graphs_frames(encoder: Graph, count: int) -> list[list[torch.Tensor]]:
    """Samples for so many moments: the example's, moved about."""
    return [[sample.roll(7 * index, -1) for sample in encoder.inputs.values()] for index in range(count)]


def _named(graph: Graph, samples: Sequence[torch.Tensor]) -> dict[str, np.ndarray]:
    return {name: sample.numpy() for name, sample in zip(graph.inputs, samples, strict=True)}
