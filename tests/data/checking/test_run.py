"""Every defect is found, named and graded; a sound recording has none."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import torch

from monde.agents.recording import record as record_world
from monde.data import Finding, check_dataset, open_recording
from monde.errors import ContractError
from monde.store.typed import from_json, to_json
from monde.types import Clip, Sensor, Stream
from tests.data.checking.defective import SENSORS, Altered, Parts, coded, declare, overwrite, record

DATA = Path(os.environ.get("MONDE_SHARED_DATA", Path(__file__).resolve().parents[4] / "shared" / "data"))


def test_a_sound_world_has_no_warning_and_its_actions_explain_it(tmp_path: Path) -> None:
    record_world("tworoom", tmp_path, episodes=12, steps=40, batch=12)
    findings = check_dataset(tmp_path)
    assert [str(finding) for finding in findings if finding.level != "note"] == []
    state, pixels = coded(findings, "actions-explain")
    assert "change of state" in state.what
    assert "change of pixels" in pixels.what
    assert state.figures["gain_low"] > 0.5
    assert pixels.figures["gain_low"] > 0
    (amount,) = coded(findings, "amount")
    assert amount.figures["frames"] == 12 * 41
    assert "less than any size wants" in amount.what
    assert findings == check_dataset(open_recording(tmp_path)), "the same seed gives the same findings"


@pytest.mark.parametrize(
    ("change", "code", "level", "words"),
    [
        (lambda p: p["state"].fill(3), "constant", "warning", "sensor 'state' never changes"),
        (lambda p: p["state"][:, 1].fill(3), "constant-components", "note", "never change: 1 (y)"),
        (lambda p: p["top"].fill(9), "constant", "warning", "camera 'top' never changes"),
        (lambda p: p["actions"].fill(0), "constant", "warning", "action never changes"),
        (lambda p: np.copyto(p["actions"][3:], 1), "saturated", "warning", "component 0 (push) is at a bound in"),
        (lambda p: np.copyto(p["actions"], np.sign(p["actions"])), "switch", "note", "component 0 (push) is a switch"),
        (
            lambda p: np.copyto(p["times"][7:], p["times"][7:] + 1),
            "gap",
            "warning",
            "1.1 s before frame 7 of episode 0",
        ),
        (
            lambda p: np.copyto(p["times"], p["times"] + 0.04 * (np.arange(len(p["times"])) % 2)),
            "jitter",
            "warning",
            "deviate by 40%",
        ),
        (
            lambda p: np.copyto(p["times"], p["times"] * 3),
            "rate-disagrees",
            "error",
            "10 Hz, but the times say 3.333 Hz",
        ),
        (
            lambda p: np.copyto(p["state"], np.random.default_rng(int(1e6 * p["state"][0, 0])).normal(size=(24, 2))),
            "noise",
            "note",
            "state changes like noise",
        ),
        (lambda p: np.copyto(p["state"][1:], p["actions"] * [3.0, 2.0]), "no-such", "note", ""),
    ],
)
def test_finds(tmp_path: Path, change: Callable[[Parts], None], code: str, level: str, words: str) -> None:
    findings = coded(check_dataset(record(tmp_path, change)), code)
    if code == "no-such":
        assert findings == []
        return
    assert [finding.level for finding in findings] == [level]
    assert words in findings[0].what
    assert findings[0].remedy


def test_nan_is_named_by_component_and_the_rest_is_still_looked_at(tmp_path: Path) -> None:
    record(tmp_path, lambda p: p["top"].fill(0))
    for episode in (1, 4):
        overwrite(tmp_path, episode, "observation.state", lambda rows: [*rows[:4], [0.0, float("nan")], *rows[5:]])
    findings = check_dataset(tmp_path)
    (found,) = coded(findings, "not-finite")
    assert found.level == "error"
    assert "component 1 (y)" in found.what
    assert "the same in 1 episode more: 4" in found.what
    assert coded(findings, "constant"), "the camera's own defect is found beside it"


def test_nan_that_a_reader_lets_through(tmp_path: Path) -> None:
    def poison(clip: Clip) -> Clip:
        if "state" not in clip.streams:
            return clip
        values = clip.stream("state").values.clone()
        values[:, 3, 1] = torch.nan
        return replace(clip, streams={**clip.streams, "state": replace(clip.stream("state"), values=values)})

    findings = check_dataset(Altered(open_recording(record(tmp_path)), poison))
    (found,) = coded(findings, "not-finite")
    assert (found.level, found.figures["values"]) == ("error", 6)
    assert "components 1 (y)" in found.what


def test_a_truncated_file_is_one_finding(tmp_path: Path) -> None:
    record(tmp_path)
    path = tmp_path / "data/chunk-000/file-002.parquet"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    findings = check_dataset(tmp_path)
    assert findings[0].level == "error"
    assert findings[0].code == "unreadable"
    assert "file-002" in findings[0].what


def test_actions_out_of_bounds(tmp_path: Path) -> None:
    overwrite(record(tmp_path), 0, "action", lambda rows: [5.0, *rows[1:]])
    (found,) = coded(check_dataset(tmp_path), "out-of-bounds")
    assert (found.level, found.figures["outside"]) == ("error", 1)
    assert "0 (push)" in found.what


def test_a_rate_that_the_times_contradict(tmp_path: Path) -> None:
    declare(record(tmp_path), fps=25)
    (found,) = coded(check_dataset(tmp_path), "rate-disagrees")
    assert found.level == "error"
    assert found.figures == pytest.approx({"declared_hz": 25, "measured_hz": 10}, rel=1e-3)


def test_time_that_goes_back(tmp_path: Path) -> None:
    def back(clip: Clip) -> Clip:
        streams = {}
        for name, stream in clip.streams.items():
            times = stream.times_seconds.clone()
            times[:, 9:] -= 0.5
            streams[name] = replace(stream, times_seconds=times)
        return replace(clip, streams=streams)

    (found,) = coded(check_dataset(Altered(open_recording(record(tmp_path)), back)), "time-back")
    assert found.level == "error"
    assert "episode 0, frame 9" in found.what


def test_clocks_that_differ(tmp_path: Path) -> None:
    sensors = (*SENSORS, Sensor(name="slow", kind="state", shape=(1,), rate_hz=10.0))

    def change(parts: Parts) -> None:
        parts["slow"] = np.cos(parts["times"])[:, None]

    inner = open_recording(record(tmp_path, change, sensors=sensors))

    def thin(clip: Clip) -> Clip:
        if "slow" not in clip.streams:
            return clip
        slow = clip.stream("slow")
        half = Stream(slow.values[:, ::2], slow.times_seconds[:, ::2], slow.valid[:, ::2])
        return replace(clip, streams={**clip.streams, "slow": half})

    findings = check_dataset(Altered(inner, thin))
    (found,) = coded(findings, "clocks-differ")
    assert (found.figures["samples"], found.figures["frames"]) == (12, 24)
    assert coded(findings, "rate-disagrees")[0].figures["measured_hz"] == pytest.approx(5)

    def late(clip: Clip) -> Clip:
        if "top" not in clip.streams:
            return clip
        top = clip.stream("top")
        moved = replace(top, times_seconds=top.times_seconds + 0.3)
        return replace(clip, streams={**clip.streams, "top": moved})

    (found,) = coded(check_dataset(Altered(inner, late)), "clocks-differ")
    assert "'top' is up to 0.3 s off" in found.what


def test_samples_that_are_missing_and_shapes_that_differ(tmp_path: Path) -> None:
    inner = open_recording(record(tmp_path))

    def drop(clip: Clip) -> Clip:
        streams = {n: replace(s, valid=s.valid & (torch.arange(s.steps) != 0)) for n, s in clip.streams.items()}
        return replace(clip, streams=streams)

    assert {found.level for found in coded(check_dataset(Altered(inner, drop)), "missing-samples")} == {"warning"}

    def narrow(clip: Clip) -> Clip:
        return replace(clip, streams={n: replace(s, values=s.values[..., :1]) for n, s in clip.streams.items()})

    found = coded(check_dataset(Altered(inner, narrow)), "shape-disagrees")
    assert {finding.level for finding in found} == {"error"}
    assert any("[3, 8, 1] instead of [3, 8, 8]" in finding.what for finding in found)


def test_copied_episodes(tmp_path: Path) -> None:
    record(tmp_path, copies={5: 1, 4: 1}, episodes=8)
    (found,) = coded(check_dataset(tmp_path), "duplicate-episodes")
    assert found.level == "warning"
    assert "1 = 4 = 5" in found.what
    assert found.figures["copies"] == 2


def test_copies_on_both_sides_of_a_split_are_an_error(tmp_path: Path) -> None:
    # All are copies of the first: whatever is held out is learned from too.
    record(tmp_path, copies=dict.fromkeys(range(1, 6), 0))
    findings = check_dataset(tmp_path)
    (found,) = coded(findings, "split-leak")
    assert (found.level, found.figures["shared"]) == ("error", 1)
    assert "too few" in coded(findings, "actions-not-judged")[0].what, "copies do not count as episodes"


def test_the_bridge_sample_is_found_out() -> None:
    if not (DATA / "bridge-octo-debug").is_dir():
        pytest.skip("the shared data is not there; set MONDE_SHARED_DATA")
    findings = check_dataset(DATA / "bridge-octo-debug")
    leak = next(found for found in coded(findings, "split-leak") if "'train' and 'val'" in found.what)
    assert (leak.level, leak.figures["shared"], leak.figures["episodes"]) == ("error", 25, 25)
    assert [found.what for found in coded(findings, "constant")] == ["camera 'image_3' never changes"]


def test_what_does_not_open_is_one_finding(tmp_path: Path) -> None:
    (found,) = check_dataset(tmp_path / "nowhere")
    assert (found.level, found.code) == ("error", "unreadable")
    assert found.remedy


def test_absent_episodes_and_files_are_counted_and_named(tmp_path: Path) -> None:
    inner = open_recording(record(tmp_path))

    class Absent(Altered):
        absent = (3, 7)
        absent_files = MappingProxyType({"a.mp4": "it is empty"})

    episodes, files = coded(check_dataset(Absent(inner, lambda clip: clip)), "absent")
    assert "2 of 8 listed episodes" in episodes.what
    assert "3, 7" in episodes.what
    assert "a.mp4: it is empty" in files.what


def test_single_frames_and_single_episodes(tmp_path: Path) -> None:
    codes = {found.code for found in check_dataset(record(tmp_path, episodes=1, length=2))}
    assert "one-episode" in codes
    (found,) = coded(check_dataset(record(tmp_path / "short", length=1)), "single-frame")
    assert (found.level, found.figures["episodes"]) == ("warning", 6)


def test_progress_and_json(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    findings = check_dataset(record(tmp_path), progress=lambda done, wanted: told.append((done, wanted)))
    assert told == [(done, 6) for done in range(7)]
    for finding in findings:
        assert from_json(Finding, to_json(finding)) == finding
    with pytest.raises(ContractError, match="finite"):
        Finding(level="note", code="x", what="x", remedy="x", figures={"a": float("nan")})
