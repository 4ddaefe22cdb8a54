"""What a LeRobot v3 dataset says of itself: its sensors and actions, from meta/monde.json or from the features."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from monde.data.bounds import box_around
from monde.data.lerobot.depth import DepthForm, depth_form
from monde.data.lerobot.layout import (
    ACTION,
    AGE,
    CHUNK_FILES,
    EPISODES_STATS_V2,
    INFO,
    OURS,
    OURS_SCHEMA,
    STATS,
    VALID,
    Feature,
    feature_key,
)
from monde.data.lerobot.lines import read_lines
from monde.data.lerobot.tables import shape_of
from monde.errors import ContractError, DataError, MondeError, StoreError
from monde.store import read_json
from monde.store.typed import from_json
from monde.types import ActionSpec, Sensor

IMAGES = frozenset({"image", "video"})
"""The dtypes of features that hold pictures."""

_IMAGES = "observation.images."
_OBSERVATION = "observation."


@dataclass(frozen=True, kw_only=True)
class Description:
    """A dataset in words.

    Args:
        sensors: What was recorded.
        keys: The feature that holds each sensor, by sensor name.
        actions: The action space, or none.
        features: `features` of info.json.
        data_path: Template of the data files.
        totals: `total_episodes` and `total_frames` of info.json.
        fps: Frames per second.
        video_path: Template of the video files, or none.
        chunk_files: Files in one chunk folder.
        depths: What the stored numbers of each depth map mean, by feature.
        gaps: The column that says which samples were delivered, by sensor name.
        aged: The column that says how old samples are, by sensor name.
    """

    sensors: tuple[Sensor, ...]
    keys: Mapping[str, str]
    actions: ActionSpec | None
    features: Mapping[str, Feature]
    data_path: str
    totals: tuple[int, int]
    fps: float
    video_path: str | None = None
    chunk_files: int = CHUNK_FILES
    depths: Mapping[str, DepthForm] = field(default_factory=dict)
    gaps: Mapping[str, str] = field(default_factory=dict)
    aged: Mapping[str, str] = field(default_factory=dict)


def describe_dataset(root: Path) -> Description:
    """Read the JSON files of a dataset.

    Raises:
        DataError: A file is missing or malformed.
    """
    path = root / INFO
    info = _json(path)
    features = info.get("features")
    try:
        fps = float(str(info["fps"]))
        totals = int(str(info["total_episodes"])), int(str(info["total_frames"]))
        data_path = str(info["data_path"])
        video_path = None if info.get("video_path") is None else str(info["video_path"])
        chunk_files = int(str(info.get("chunks_size", CHUNK_FILES)))
    except (KeyError, ValueError) as error:
        raise _malformed(path, error) from error
    if not isinstance(features, dict) or not all(isinstance(f, dict) and "dtype" in f for f in features.values()):
        raise _malformed(path, "features without a dtype")
    if not 0 < fps < float("inf"):
        raise _malformed(path, f"fps = {fps}")
    if (root / OURS).exists():
        sensors, keys, actions = _ours(root, features)
        # What we wrote is in the sensor's unit as it is.
        depths = {keys[sensor.name]: DepthForm(unit=sensor.unit) for sensor in sensors if sensor.kind == "depth"}
        gaps = {name: VALID + name for name in keys if VALID + name in features}
        aged = {name: AGE + name for name in keys if AGE + name in features}
    else:
        found = {key: depth_form(key, feature) for key, feature in features.items() if feature["dtype"] in IMAGES}
        depths = {key: form for key, form in found.items() if form is not None}
        sensors, keys = _sensors(root, features, fps, depths)
        actions = _actions(root, features, fps)
        gaps, aged = {}, {}
    if not sensors:
        raise DataError(f"{path} lists no sensor", got=", ".join(features), expected="features named observation.…")
    return Description(
        sensors=sensors,
        keys=keys,
        actions=actions,
        features=features,
        data_path=data_path,
        totals=totals,
        fps=fps,
        video_path=video_path,
        chunk_files=max(1, chunk_files),
        depths=depths,
        gaps=gaps,
        aged=aged,
    )


def read_ours(root: Path) -> tuple[tuple[Sensor, ...], ActionSpec | None, dict[str, object]]:
    """Sensors, actions and source from meta/monde.json.

    Raises:
        DataError: Missing, malformed, or of another schema.
    """
    path = root / OURS
    document = _json(path)
    listed, actions, source = (document.get(part) for part in ("sensors", "actions", "source"))
    if document.get("schema") != OURS_SCHEMA or not isinstance(listed, list) or not isinstance(source, dict):
        raise DataError(
            f"{path} is of an unknown schema",
            got=document.get("schema"),
            expected=OURS_SCHEMA,
            remedy="update monde, or remove the file to have bounds and units guessed from the statistics",
        )
    try:
        sensors = tuple(from_json(Sensor, item, "sensor") for item in listed)
        return sensors, None if actions is None else from_json(ActionSpec, actions, "actions"), source
    except MondeError as error:
        raise DataError(f"{path} is malformed: {error.what}", got=error.got, expected=error.expected) from error


def _ours(root: Path, features: Mapping[str, Feature]) -> tuple[tuple[Sensor, ...], dict[str, str], ActionSpec | None]:
    sensors, actions, _ = read_ours(root)
    keys = {sensor.name: feature_key(sensor) for sensor in sensors}
    missing = [key for key in [*keys.values(), *([ACTION] if actions else [])] if key not in features]
    if missing:
        raise DataError(
            f"{root / OURS} and {INFO} disagree",
            got=f"no feature {', '.join(missing)}",
            expected="a feature for each sensor and for the actions",
            remedy="restore both files from where they came",
        )
    for sensor in sensors:
        feature, shape = features[keys[sensor.name]], shape_of(features[keys[sensor.name]])
        if (_image_shape(feature, shape) if feature["dtype"] in IMAGES else shape) != sensor.shape:
            raise _disagree(root, f"sensor {sensor.name!r}", sensor.shape, shape)
    if actions is not None and shape_of(features[ACTION]) != (actions.dim,):
        raise _disagree(root, "the actions", (actions.dim,), shape_of(features[ACTION]))
    return sensors, keys, actions


def _disagree(root: Path, what: str, ours: tuple[int, ...], theirs: tuple[int, ...]) -> DataError:
    return DataError(
        f"{root / OURS} and {INFO} disagree on the shape of {what}",
        got=f"{list(ours)} and {list(theirs)}",
        remedy="restore both files from where they came",
    )


def _sensors(
    root: Path, features: Mapping[str, Feature], fps: float, depths: Mapping[str, DepthForm]
) -> tuple[tuple[Sensor, ...], dict[str, str]]:
    sensors: list[Sensor] = []
    keys: dict[str, str] = {}
    for key, feature in features.items():
        image = feature["dtype"] in IMAGES
        if not image and not (key.startswith(_OBSERVATION) and feature["dtype"] in {"float32", "float64"}):
            continue
        name = key.removeprefix(_IMAGES).removeprefix(_OBSERVATION)
        name = key.removeprefix(_OBSERVATION) if name in keys else name
        shape = shape_of(feature)
        try:
            if key in depths:
                sides = _image_shape(feature, shape)[1:]
                sensor = Sensor(name=name, kind="depth", shape=(1, *sides), unit=depths[key].unit, rate_hz=fps)
            elif image:
                sensor = Sensor(name=name, kind="rgb", shape=_image_shape(feature, shape), rate_hz=fps)
            else:
                names = component_names(feature, shape[0]) if len(shape) == 1 else ()
                sensor = Sensor(name=name, kind="state", shape=shape, rate_hz=fps, names=names)
        except ContractError as error:
            raise DataError(f"{root / INFO}: feature {key!r} is unusable", got=error) from error
        sensors.append(sensor)
        keys[name] = key
    return tuple(sensors), keys


def _image_shape(feature: Feature, shape: tuple[int, ...]) -> tuple[int, ...]:
    """[C, h, w], whichever order the feature has: LeRobot allows both and tells them apart by `names`."""
    if len(shape) != 3:
        return shape
    names = feature.get("names")
    first = str(names[0]) if isinstance(names, list) and names else ""
    if first.startswith("c") or (not first.startswith("h") and shape[0] in {1, 3}):
        return shape
    return (shape[2], shape[0], shape[1])


def component_names(feature: Feature, count: int) -> tuple[str, ...]:
    """The names of a vector's components; none where the dataset's do not fit (they come in many forms)."""
    names = feature.get("names")
    if isinstance(names, dict):
        names = next((value for value in names.values() if isinstance(value, list)), list(names))
    while isinstance(names, list) and len(names) == 1 and isinstance(names[0], list):
        names = names[0]
    if not isinstance(names, list) or len(names) != count:
        return ()
    return tuple(str(name) for name in names)


def _actions(root: Path, features: Mapping[str, Feature], fps: float) -> ActionSpec | None:
    if ACTION not in features:
        return None
    feature = features[ACTION]
    (dim, *rest) = shape_of(feature)
    stats, path = _action_stats(root)
    try:
        if rest or not stats:
            raise ValueError(f"shape {shape_of(feature)}, {len(stats)} statistics")
        low = np.min([np.array(part["min"], dtype=np.float64).reshape(dim) for part in stats], axis=0)
        high = np.max([np.array(part["max"], dtype=np.float64).reshape(dim) for part in stats], axis=0)
        return box_around(low, high, fps, component_names(feature, dim))
    except (KeyError, TypeError, ValueError, ContractError) as error:
        raise DataError(
            f"{path} does not give the range of the actions",
            got=error,
            expected="min and max of `action`, finite",
            remedy="compute the dataset's statistics again with the tool that made it",
        ) from error


def _action_stats(root: Path) -> tuple[list[dict[str, object]], Path]:
    """Statistics of the actions, of the whole (v3, v2.0) or episode by episode (v2.1), and where they are."""
    path = root / EPISODES_STATS_V2
    if (root / STATS).exists() or not path.exists():
        found: list[object] = [_json(root / STATS).get(ACTION)]
        path = root / STATS
    else:
        found = [line["stats"].get(ACTION) for line in read_lines(path, ("stats",))]
    return [part for part in found if isinstance(part, dict)], path


def _json(path: Path) -> dict[str, object]:
    try:
        return read_json(path)
    except StoreError as error:
        raise DataError(error.what, got=error.got, expected=error.expected, remedy=error.remedy) from error


def _malformed(path: Path, error: object) -> DataError:
    return DataError(
        f"{path} is malformed",
        got=error,
        expected="the info.json of a LeRobot dataset",
        remedy="restore the file from where the dataset came",
    )
