"""Imports point downwards only: the table of docs/design.md, enforced on the syntax tree."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent / "src" / "monde"

LEVELS = {
    **dict.fromkeys(["errors", "limits", "types", "protocols", "scorecard"], 0),
    **dict.fromkeys(["store", "nn", "spatial"], 1),
    **dict.fromkeys(["data", "worlds", "perception", "dynamics", "objectives", "readouts", "wire"], 2),
    **dict.fromkeys(["models", "costs", "actors", "planning"], 3),
    **dict.fromkeys(["agents", "training"], 4),
    **dict.fromkeys(["evaluation", "export"], 5),
    **dict.fromkeys(["mind", "recipes"], 6),
    **dict.fromkeys(["bets", "client", "serving"], 7),
    **dict.fromkeys(["report", "cli"], 8),
}
# Edges inside a level that the design allows.
SIDEWAYS = {
    ("limits", "errors"),
    *((room, low) for room in ("types", "protocols", "scorecard") for low in ("errors", "limits", "types")),
    ("cli", "report"),
    ("mind", "recipes"),
}


def _edges() -> list[tuple[str, str, str]]:
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[0] in {"__init__", "__main__"}:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module] if node.module != "monde" else [f"monde.{alias.name}" for alias in node.names]
            found += [(parts[0], name.split(".")[1], str(path)) for name in names if name.startswith("monde.")]
    return found


def allowed(importer: str, imported: str) -> bool:
    if importer == imported or (importer, imported) in SIDEWAYS:
        return True
    return LEVELS[importer] > LEVELS[imported]


def test_every_room_has_a_level() -> None:
    rooms = {path.stem for path in ROOT.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert rooms - {"__init__", "__main__"} <= set(LEVELS)


def test_imports_point_downwards() -> None:
    edges = _edges()
    assert edges
    upwards = [f"{path}: {a} imports {b}" for a, b, path in edges if not allowed(a, b)]
    assert not upwards, "\n".join(upwards)


@pytest.mark.parametrize(("importer", "imported"), [("planning", "models"), ("store", "types"), ("types", "store")])
def test_guard_refuses(importer: str, imported: str) -> None:
    if (importer, imported) == ("store", "types"):
        assert allowed(importer, imported)
    else:
        assert not allowed(importer, imported)
