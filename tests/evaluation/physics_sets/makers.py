"""Tiny sets in the layouts of the published ones. Films are grey: the level of a frame tells its number."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from data.filming import numbered, write_film

HEADER = "SceneIndex,name,file_name,game_name,condition,env,type,occluder,Difficulty,Camera"


def film(path: Path, frames: int = 4, rate: float = 10.0) -> Path:
    return write_film(path, numbered(frames, 32, 48), rate=rate)


def movie(folder: Path, levels: Sequence[int], possible: bool | None, block: str = "block_O1") -> None:
    """One movie of IntPhys: a picture a level, and its status."""
    (folder / "scene").mkdir(parents=True)
    for number, level in enumerate(levels, 1):
        Image.fromarray(np.full((8, 12, 3), level, np.uint8)).save(folder / f"scene/scene_{number:03}.png")
    if possible is not None:
        status = {"header": {"block_name": block, "is_possible": possible}, "frames": []}
        (folder / "status.json").write_text(json.dumps(status, indent=4))


def intphys(
    root: Path,
    scenes: Mapping[str, Sequence[bool]],
    labelled: bool = True,
    levels: Sequence[Sequence[int]] | None = None,
) -> Path:
    """Scenes by "O1/01", each with the truth of its four movies. Movies 1 and 3, and 2 and 4, begin alike."""
    shown = levels or [[1, 2, 3, 4], [1, 9, 9, 9], [1, 2, 3, 9], [1, 9, 9, 4]]
    for scene, truth in scenes.items():
        for number, possible in enumerate(truth, 1):
            movie(root / scene / str(number), shown[number - 1], possible if labelled else None, scene)
    return root


def intphys2(root: Path, scenes: Mapping[str, tuple[str, str, str]], frames: int = 3) -> Path:
    """Scenes by index: condition, difficulty, camera; four videos each, named <index>_<run>_<p|i>."""
    rows = [HEADER]
    for scene, (condition, difficulty, camera) in scenes.items():
        for kind in ("1_Possible", "1_Impossible", "2_Impossible", "2_Possible"):
            name = f"{scene}_{kind[0]}_{kind[2].lower()}"
            film(root / f"Videos/{name}.mp4", frames)
            rows.append(f"{scene},{name},Videos/{name}.mp4,Game,{condition},Level_0,{kind},None,{difficulty},{camera}")
    (root / "metadata.csv").write_text("\n".join(rows) + "\n")
    return root


def grasp(root: Path, tests: Mapping[str, int]) -> Path:
    """Pairs of Level 2 by test."""
    for test, pairs in tests.items():
        for number in range(pairs):
            for kind in ("P", "IP"):
                film(root / f"level2/{kind}_{test}/{number:03}.mp4", 3, rate=50)
    return root


def inflevel(root: Path, groups: Mapping[str, Mapping[str, int]]) -> Path:
    """Films by "category/camera__category__cover__object" and event ("ii__LR"): how many frames."""
    for group, events in groups.items():
        for event, frames in events.items():
            film(root / f"{group}__{event}.mp4", frames, rate=30)
    return root


def mvp_row(pair: str, number: int, answer: str, path: str) -> dict[str, object]:
    row: dict[str, object] = {"video_id": f"{pair}_{number}", "question": "Does it fall?", "candidates": ["yes", "no"]}
    return row | {"answer": answer, "video_path": path, "source": "grasp"}


def mvp(root: Path, subsets: Mapping[str, Sequence[str]], split: str = "mini") -> Path:
    """Pairs by subset, as JSON lines; the first film of each is answered "yes", the second "no"."""
    for subset, pairs in subsets.items():
        rows = []
        for pair in pairs:
            for number, answer in enumerate(("yes", "no")):
                path = f"grasp/{pair}_{number}.mp4"
                film(root / "videos" / path, 2 + number)
                rows.append(json.dumps(mvp_row(pair, number, answer, path)))
        (root / subset).mkdir(parents=True, exist_ok=True)
        (root / subset / f"{split}.jsonl").write_text("\n".join(rows) + "\n")
    return root
