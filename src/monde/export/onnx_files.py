"""A run as ONNX files and a manifest that says what goes in and comes out."""

import contextlib
import io
import json
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from monde.actors import Actor
from monde.errors import StoreError, UsageError
from monde.export.graphs import Graph, graphs_of
from monde.models import JEPA, load_model, weights_hash
from monde.perception import BackboneConfig, ThingsConfig
from monde.readouts import TemporalDistance
from monde.store import RunFolder, atomic_folder, sha256_file
from monde.store.typed import to_json

MANIFEST = "export.json"
SCHEMA = "monde.export/1"
OPSET = 20


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What was written.

    Args:
        folder: Where.
        files: Bytes of each ONNX file, by the name of its graph.
        of: Hash of the weights.
    """

    folder: Path
    files: Mapping[str, int]
    of: str


def open_parts(run: Path) -> tuple[JEPA, Actor | None, TemporalDistance | None]:
    """Model, actor and temporal distance of a run, on the CPU in float32, without gradients.

    Raises:
        StoreError: Not a run, or parts that were altered or belong to other weights.
        UsageError: A frozen backbone, whose own tools export it, or object files, which are no graph.
    """
    folder, of = RunFolder(run), weights_hash(run)
    model = load_model(run).requires_grad_(False)
    if isinstance(model.config.perception, BackboneConfig):
        raise UsageError(
            f"{run} sees through a frozen backbone, which is not exported",
            got=type(model.config.perception).__name__,
            expected="an encoder of monde's own",
            remedy="export the backbone with its own tools, and serve the run with `monde serve`",
        )
    if isinstance(model.config.perception, ThingsConfig):
        raise UsageError(
            f"{run} sees things, and regions of like colour are found by no graph",
            got="size things",
            expected="an encoder that is learned",
            remedy="serve the run with `monde serve`, or train another --size",
        )
    actor = Actor.load(folder.actor, of).requires_grad_(False) if folder.actor.exists() else None
    if not folder.temporal_distance.exists():
        return model, actor, None
    return model, actor, TemporalDistance.load(folder.temporal_distance, of).requires_grad_(False)


def export_run(run: Path, out: Path) -> Exported:
    """Write encoder, begin, step and, where the run has them, actor and distance to a new folder, whole or not at all.

    Args:
        run: Run folder.
        out: Folder to make.

    Raises:
        UsageError: onnx and onnxscript are not installed, a folder that exists, or a run with a frozen backbone.
        StoreError: Not a run, or the disk is full or read-only.
    """
    _require("onnxscript")
    if out.exists():
        raise UsageError(f"{out} exists", remedy="choose another --out, or remove it")
    model, actor, distance = open_parts(run)
    graphs = graphs_of(model, actor, distance)
    of = weights_hash(run)
    with atomic_folder(out) as temporary:
        for graph in graphs:
            write_graph(graph, temporary / f"{graph.name}.onnx")
        manifest = _manifest(model, graphs, temporary, of)
        (temporary / MANIFEST).write_text(json.dumps(manifest, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    files = {graph.name: (out / f"{graph.name}.onnx").stat().st_size for graph in graphs}
    return Exported(folder=out, files=files, of=of)


def read_manifest(folder: Path) -> dict[str, object]:
    """The manifest of an export, its files' hashes verified.

    Raises:
        StoreError: No export, or a file that is missing or was altered.
    """
    from monde.store import read_json

    path = folder / MANIFEST
    if not path.exists():
        raise StoreError(f"{folder} is no export", got=f"no {MANIFEST}", remedy="make one: monde export RUN")
    manifest = read_json(path)
    graphs = manifest.get("graphs")
    if manifest.get("schema") != SCHEMA or not isinstance(graphs, dict):
        raise StoreError(f"{path} has an unknown schema", got=manifest.get("schema"), expected=SCHEMA)
    for name, graph in graphs.items():
        file = folder / f"{name}.onnx"
        if not file.exists() or not isinstance(graph, dict) or sha256_file(file) != graph.get("sha256"):
            raise StoreError(f"{file} is missing or was altered", remedy="export the run again")
    return manifest


def _require(module: str) -> None:
    from importlib.util import find_spec

    if find_spec(module) is None:
        raise UsageError(f"exporting needs {module}", remedy="pip install 'monde[export]'")


def write_graph(graph: Graph, path: Path) -> None:
    """One function as an ONNX file, its batch free.

    Raises:
        StoreError: It cannot be traced.
    """
    rows = {0: torch.export.Dim.DYNAMIC}
    named = 0 if graph.name == "encoder" else 3 if graph.name == "step" else len(graph.inputs)
    several = (rows,) * (len(graph.inputs) - named)
    shapes = (*(rows,) * named, *((several,) if several else ()))
    with _quiet():
        program = torch.onnx.export(
            graph.module,
            tuple(graph.inputs.values()),
            dynamo=True,
            opset_version=OPSET,
            input_names=list(graph.inputs),
            output_names=list(graph.outputs),
            dynamic_shapes=shapes,
            verbose=False,
        )
        if program is None:
            raise StoreError(f"{graph.name} could not be exported")
        program.save(str(path))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporter warns of its own deprecations, and logs at length."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _manifest(model: JEPA, graphs: Sequence[Graph], folder: Path, of: str) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "of": of,
        "opset": OPSET,
        "sensors": [to_json(sensor) for sensor in model.sensors],
        "actions": to_json(model.actions),
        "graphs": {
            graph.name: {
                "sha256": sha256_file(folder / f"{graph.name}.onnx"),
                "inputs": {name: _described(part) for name, part in graph.inputs.items()},
                "outputs": list(graph.outputs),
            }
            for graph in graphs
        },
    }


def _described(part: torch.Tensor) -> dict[str, object]:
    return {"dtype": str(part.dtype).removeprefix("torch."), "shape": ["B", *part.shape[1:]]}
