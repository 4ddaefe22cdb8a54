"""Spatial senses: what each encoder depends on, and what it does not."""

import math

import numpy as np
import pytest
import torch

from monde.errors import ContractError
from monde.nn import pose_features
from monde.perception import CloudEncoder, Perception, PerceptionConfig, SenseEncoder
from monde.spatial import from_yaw, unit
from monde.types import Clip, Sensor, Stream
from monde.types.geometry import GridGeometry, ScanGeometry

BEAMS = ScanGeometry(start_rad=-math.pi, step_rad=math.pi / 24, most_m=8.0)
SENSORS = {
    "rgb": Sensor(name="rgb", kind="rgb", shape=(3, 16, 16), rate_hz=10),
    "depth": Sensor(name="depth", kind="depth", shape=(1, 16, 16), unit="m", rate_hz=10),
    "points": Sensor(name="points", kind="points", shape=(30, 4), rate_hz=10),
    "scan": Sensor(name="scan", kind="scan", shape=(48,), rate_hz=10, geometry=BEAMS),
    "pose": Sensor(name="pose", kind="pose", shape=(7,), rate_hz=10),
    "place": Sensor(name="place", kind="pose", shape=(3,), rate_hz=10),
    "twist": Sensor(name="twist", kind="twist", shape=(3,), rate_hz=10),
    "imu": Sensor(name="imu", kind="imu", shape=(6,), rate_hz=10),
    "gnss": Sensor(name="gnss", kind="gnss", shape=(3,), rate_hz=10),
    "grid": Sensor(name="grid", kind="grid", shape=(1, 8, 8), rate_hz=10, geometry=GridGeometry(cell_m=0.5)),
}


def values_of(sensor: Sensor, M: int, generator: torch.Generator) -> torch.Tensor:
    shape = (M, *sensor.shape)
    if sensor.kind == "rgb":
        return torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
    if sensor.kind in {"depth", "scan"}:
        return torch.rand(shape, generator=generator) * 6 * (torch.rand(shape, generator=generator) > 0.2)
    if sensor.kind == "grid":
        return torch.randint(-1, 2, shape, generator=generator).float()
    values = torch.randn(shape, generator=generator)
    if sensor.shape == (7,):
        values[:, 3:] /= values[:, 3:].norm(dim=1, keepdim=True)
    return values


def clip_of(names: list[str], B: int = 8, T: int = 3, seed: int = 0) -> Clip:
    generator = torch.Generator().manual_seed(seed)
    values = {name: values_of(SENSORS[name], B * T, generator).unflatten(0, (B, T)) for name in names}
    return Clip({name: Stream.regular(part, 10) for name, part in values.items()})


def perception_of(names: list[str], encoder: str = "conv", **changes: object) -> Perception:
    torch.manual_seed(0)
    parts: dict[str, object] = {"latent": 16, "encoder": encoder, "patch": 8, "hidden": 32, "depth": 1, "heads": 2}
    return Perception(tuple(SENSORS[name] for name in names), PerceptionConfig(**(parts | changes)))  # type: ignore[arg-type]


def changed(clip: Clip, name: str, **parts: torch.Tensor) -> Clip:
    from dataclasses import replace

    return Clip({**clip.streams, name: replace(clip.stream(name), **parts)})


@pytest.mark.parametrize("encoder", ["conv", "focus", "vit"])
@pytest.mark.parametrize("name", SENSORS)
def test_each_kind_alone_makes_latents_and_learns(name: str, encoder: str) -> None:
    perception = perception_of([name], encoder)
    latents = perception(clip_of([name])).values
    assert latents.shape == (8, 3, 1, 16)
    torch.testing.assert_close(latents.flatten(0, 2).std(0, correction=0), torch.ones(16), atol=0.05, rtol=0)
    (latents**3).sum().backward()
    silent = [n for n, p in perception.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()]
    assert not [n for n in silent if not n.startswith("missing")]


def test_all_kinds_together_and_any_of_them_missing() -> None:
    names = list(SENSORS)
    perception = perception_of(names, fusing="mlp").eval()
    clip = clip_of(names)
    whole = perception(clip).values
    for name in names:
        valid = torch.ones(8, 3, dtype=torch.bool)
        valid[0, 1] = False
        less = changed(clip, name, valid=valid)
        noise = values_of(SENSORS[name], 24, torch.Generator().manual_seed(9)).unflatten(0, (8, 3))
        other = torch.where(valid.reshape(8, 3, *[1] * len(SENSORS[name].shape)), less.stream(name).values, noise)
        seen = perception(less).values
        torch.testing.assert_close(perception(changed(less, name, values=other)).values, seen)  # padding tells nothing
        assert not torch.allclose(seen[0, 1], whole[0, 1])
        rest = torch.ones(8, 3, dtype=torch.bool)
        rest[0, 1] = False
        torch.testing.assert_close(seen[rest], whole[rest])
    nothing = Clip({n: Stream(s.values, s.times_seconds, torch.zeros_like(s.valid)) for n, s in clip.streams.items()})
    assert torch.isfinite(perception(nothing).values).all()


def test_padding_of_missing_frames_does_not_enter_the_statistics() -> None:
    clip = clip_of(["depth"])
    valid = torch.rand(8, 3, generator=torch.Generator().manual_seed(1)) > 0.5
    found = []
    for padding in (0.0, 5.0):
        perception = perception_of(["depth"])
        values = torch.where(valid[..., None, None, None], clip.stream("depth").values, torch.tensor(padding))
        perception(changed(clip, "depth", values=values, valid=valid))
        found.append({n: b.clone() for n, b in perception.named_buffers() if n.startswith("encoders")})
    assert any("running" in name for name in found[0])
    for name, buffer in found[0].items():
        torch.testing.assert_close(found[1][name], buffer)


def test_hidden_sensors_are_as_missing_ones() -> None:
    names = ["rgb", "scan", "pose"]
    perception = perception_of(names).eval()
    clip = clip_of(names)
    hidden = torch.zeros(8, 3, dtype=torch.bool)
    hidden[2, 1] = hidden[5, 0] = hidden[5, 2] = True
    whole, less = perception.with_and_without(clip, hidden)
    torch.testing.assert_close(whole.values, perception(clip).values)
    expected = clip
    for index, name in enumerate(names):
        expected = changed(expected, name, valid=~hidden[:, index, None].expand(8, 3))
    torch.testing.assert_close(less.values, perception(expected).values)
    assert not torch.allclose(less.values[2], whole.values[2])


def test_a_cloud_is_a_set() -> None:
    torch.manual_seed(0)
    encoder = CloudEncoder(4, width=32, foci=4, hidden=32, features=8).eval()
    points = torch.randn(5, 30, 4)
    features = encoder(points)
    order = torch.randperm(30)
    torch.testing.assert_close(encoder(points[:, order]), features, atol=1e-5, rtol=1e-4)
    padded = torch.cat([points, torch.zeros(5, 20, 4)], dim=1)[:, torch.randperm(50)]
    torch.testing.assert_close(encoder(padded), features, atol=1e-5, rtol=1e-4)
    moved = points.clone()
    moved[:, :3, :3] += 1.0
    assert not torch.allclose(encoder(moved), features)


def test_an_empty_cloud_is_as_a_missing_one() -> None:
    perception = perception_of(["points"])
    clip = clip_of(["points"])
    values = clip.stream("points").values.clone()
    values[3, 0] = 0
    assert torch.isfinite(perception(changed(clip, "points", values=values)).values).all()
    perception.eval()
    valid = torch.ones(8, 3, dtype=torch.bool)
    valid[3, 0] = False
    missing = perception(changed(clip, "points", valid=valid)).values
    torch.testing.assert_close(perception(changed(clip, "points", values=values)).values, missing)


def test_a_mask_hides_points() -> None:
    perception = perception_of(["points"]).eval()
    clip = clip_of(["points"])
    mask = torch.ones(8, 3, 30, dtype=torch.bool)
    mask[:, :, 20:] = False
    values = clip.stream("points").values.clone()
    values[:, :, 20:] = 0
    masked = perception(changed(clip, "points", mask=mask)).values
    torch.testing.assert_close(masked, perception(changed(clip, "points", values=values)).values, atol=1e-4, rtol=1e-4)


def test_both_signs_of_a_quaternion_are_one_pose_and_yaw_has_no_jump() -> None:
    poses = values_of(SENSORS["pose"], 20, torch.Generator().manual_seed(0))
    turned = torch.cat([poses[:, :3], -poses[:, 3:]], dim=1)
    torch.testing.assert_close(pose_features(turned), pose_features(poses))
    before, after = (torch.tensor([[1.0, 2.0, yaw]]) for yaw in (math.pi - 1e-4, -math.pi + 1e-4))
    torch.testing.assert_close(pose_features(before), pose_features(after), atol=1e-3, rtol=0)


def test_pose_features_are_columns_of_the_rotation() -> None:
    from monde.spatial import rotate

    quaternions = unit(np.random.default_rng(0).normal(size=(9, 4)), most=np.inf)
    told = pose_features(torch.from_numpy(np.concatenate([np.zeros((9, 3)), quaternions], 1))).numpy()[:, 3:]
    for axis in (0, 1):
        expected = rotate(quaternions, np.eye(3)[axis])
        np.testing.assert_allclose(told[:, 3 * axis : 3 * axis + 3], expected, atol=1e-12)
    flat = np.concatenate([np.zeros((1, 3)), from_yaw(np.array([math.pi / 2]))], 1)
    np.testing.assert_allclose(pose_features(torch.from_numpy(flat)).numpy()[0, 3:6], [0, 1, 0], atol=1e-12)


def test_a_scan_that_sees_all_around_is_convolved_around() -> None:
    perception = perception_of(["scan"])
    layers = [layer for layer in perception.modules() if isinstance(layer, torch.nn.Conv1d)]
    assert [layer.padding_mode for layer in layers] == ["circular"] * 3
    ahead = Sensor(
        name="scan", kind="scan", shape=(48,), rate_hz=10, geometry=ScanGeometry(start_rad=-1, step_rad=0.04, most_m=8)
    )
    torch.manual_seed(0)
    plain = Perception((ahead,), PerceptionConfig(latent=16, encoder="conv"))
    assert {layer.padding_mode for layer in plain.modules() if isinstance(layer, torch.nn.Conv1d)} == {"zeros"}


def test_no_return_and_unknown_are_told_apart() -> None:
    perception = perception_of(["scan"]).eval()
    scans = torch.full((3, 1, 48), 4.0)
    scans[1, 0, :10], scans[2, 0, :10] = 8.0, 0.0
    features = perception(Clip({"scan": Stream.regular(scans, 10)})).values[:, 0, 0]
    assert torch.pdist(features).min() > 1e-3


def test_age_is_part_of_what_is_seen() -> None:
    names = ["rgb", "pose"]
    clip = clip_of(names)
    ages = torch.rand(8, 3, dtype=torch.float64) - 0.5  # some lie ahead of their step
    late = changed(clip, "pose", age_seconds=ages)
    plain, aged = perception_of(names).eval(), perception_of(names, aged=("pose",)).eval()
    torch.testing.assert_close(plain(late).values, plain(clip).values)
    torch.testing.assert_close(aged(late).values, aged(clip).values)  # at first it changes nothing
    torch.nn.init.normal_(aged.ages["pose"].mlp.down.weight)
    assert not torch.allclose(aged(late).values, aged(clip).values)
    assert torch.isfinite(aged(late).values).all()


@pytest.mark.parametrize("name", ["depth", "points", "imu", "pose"])
def test_moments_are_of_what_was_measured(name: str) -> None:
    perception = perception_of([name])
    encoder = perception.encoders[name]
    assert isinstance(encoder, SenseEncoder)
    values = values_of(SENSORS[name], 64, torch.Generator().manual_seed(0))
    seen = encoder.measured(values)
    assert torch.isfinite(seen).all()
    encoder.standardise(seen.mean(0), seen.std(0))
    torch.testing.assert_close(encoder.mean, seen.mean(0))
    assert (encoder.std > 0).all()
    if name == "points":  # padding does not count
        torch.testing.assert_close(encoder.measured(torch.nn.functional.pad(values, (0, 0, 0, 7))), seen)


def test_depth_without_a_unit_is_refused() -> None:
    unknown = Sensor(name="depth", kind="depth", shape=(1, 16, 16), rate_hz=10)
    with pytest.raises(ContractError, match="in metres only"):
        Perception((unknown,), PerceptionConfig(latent=16, encoder="conv"))
