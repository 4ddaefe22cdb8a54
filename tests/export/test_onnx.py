"""What onnxruntime says is what torch says, of every kind of dynamics and for any batch.

Exporting traces the package as it is without the runtime checks of the tests, so it runs in a process of its own; a
whole run's export is tested with the page on it (test_page.py).
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from monde.errors import StoreError, UsageError
from monde.export import MANIFEST, export_run
from monde.export.onnx_files import read_manifest
from monde.store import sha256_file

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")


def test_beliefs_step_as_models_update() -> None:
    """A recurrent belief and a transformer's, two sensors, three rows: see the script."""
    script = Path(__file__).with_name("stepping.py")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ["recurrent", "transformer"]


def test_what_was_altered_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="exists"):
        export_run(run, tmp_path)
    with pytest.raises(StoreError, match="no export"):
        read_manifest(tmp_path)
    (tmp_path / "step.onnx").write_bytes(b"a graph")
    told = {"schema": "monde.export/1", "graphs": {"step": {"sha256": sha256_file(tmp_path / "step.onnx")}}}
    (tmp_path / MANIFEST).write_text(json.dumps(told))
    assert read_manifest(tmp_path) == told
    (tmp_path / "step.onnx").write_bytes(b"a grapf")
    with pytest.raises(StoreError, match="altered"):
        read_manifest(tmp_path)
    (tmp_path / MANIFEST).write_text(json.dumps(told | {"schema": "monde.export/9"}))
    with pytest.raises(StoreError, match="unknown schema"):
        read_manifest(tmp_path)
