"""From logs to a recording: the reference clock, the rules, the steps; and a word on clocks that do not go together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from monde.data.bounds import ActionRange
from monde.data.clocks.config import LogConfig, config_digest, config_path
from monde.data.clocks.recording import AlignedRecording, Episode, LogDescription
from monde.data.clocks.rules import Rule
from monde.data.clocks.tracks import Log, nominal_hz
from monde.errors import ContractError, DataError, unknown_name
from monde.limits import MAX_CLOCK_GAP_SECONDS, MAX_EPISODE_STEPS, MAX_SENSORS
from monde.store.typed import to_json
from monde.types import ActionSpec, Sensor, SensorKind

_REFERENCES: tuple[SensorKind, ...] = ("rgb", "depth", "points", "scan")
_TOLERANCE_PERIODS = 3.0


@dataclass(frozen=True, kw_only=True)
class Opened:
    """What a layout found.

    Args:
        root: The folder or file that was opened.
        layout: What the layout is called.
        sensors: What was logged; their rates are set here.
        logs: One for each episode.
        files: The files that hold them.
        config: How they are to be read.
        absent: Files that are left out, and why.
        told: What else is to be said about it (JSON), by name.
        actions: The action space, where it is declared; else a box around the commands.
        action_names: One for each component of the commands, or empty.
        tasks: What was to be done in each log, in words; or empty.
        step_hz: Steps per second, where it is declared; else the nominal rate of the reference.
    """

    root: Path
    layout: str
    sensors: tuple[Sensor, ...]
    logs: tuple[Log, ...]
    files: tuple[Path, ...]
    config: LogConfig
    absent: Mapping[str, str] = field(default_factory=dict)
    told: Mapping[str, object] = field(default_factory=dict)
    actions: ActionSpec | None = None
    action_names: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    step_hz: float | None = None


def aligned(opened: Opened) -> AlignedRecording:
    """The recording that was found, on one clock.

    Raises:
        DataError: No sensors, too many, clocks of different epochs, or a configuration that names what is not there.
    """
    if not 0 < len(opened.sensors) <= MAX_SENSORS:
        raise DataError(
            f"{opened.root} has no usable sensors, or too many",
            got=len(opened.sensors),
            expected=f"1 to {MAX_SENSORS}",
            remedy="leave some out with `without` in the log's monde.json" if opened.sensors else None,
        )
    rates = {sensor.name: _rate(opened.logs, sensor.name) for sensor in opened.sensors}
    reference = _reference(opened, rates)
    step_hz = opened.config.rate_hz or opened.step_hz or _rate(opened.logs, reference) or 1.0
    rules = _rules(opened, rates)
    absent, episodes, tasks = dict(opened.absent), [], []
    for number, log in enumerate(opened.logs):
        _check_epochs(log, reference)
        episode = _episode(log, reference, [sensor.name for sensor in opened.sensors], opened.config)
        if episode is None:
            absent[log.name] = f"holds nothing of {reference}, whose samples make the steps"
            continue
        episodes.append(episode)
        tasks += [opened.tasks[number]] if opened.tasks else []
    if not episodes:
        raise DataError(
            f"{opened.root} holds no step", got=f"no sample of {reference}", remedy="name another `reference`"
        )
    clock = {
        "reference": reference,
        "step_hz": step_hz,
        "sensors": {name: {"rate_hz": rates[name], "rule": to_json(rule)} for name, rule in rules.items()},
    }
    beside = config_path(opened.root)
    return AlignedRecording(
        LogDescription(
            root=opened.root,
            layout=opened.layout,
            sensors=tuple(replace(sensor, rate_hz=step_hz) for sensor in opened.sensors),
            rules=rules,
            episodes=tuple(episodes),
            actions=opened.actions or _actions(opened, episodes, step_hz),
            files=tuple(path for path in opened.files if path != beside),
            settings=config_digest(opened.config),
            absent=absent,
            tasks=tuple(tasks),
            source={"layout": opened.layout, "clock": clock, **opened.told},
        )
    )


def default_rule(sensor: Sensor, rate_hz: float | None) -> Rule:
    """The last sample, no older than three periods of its sensor; a grid holds until there is a new one."""
    if sensor.kind == "grid" or rate_hz is None:
        return Rule()
    return Rule(tolerance_seconds=_TOLERANCE_PERIODS / rate_hz)


def _rate(logs: Sequence[Log], name: str) -> float | None:
    found = (nominal_hz(log.times.get(name, np.empty(0))) for log in logs)
    return next((rate for rate in found if rate is not None), None)


def _reference(opened: Opened, rates: Mapping[str, float | None]) -> str:
    wanted = opened.config.reference
    if wanted is not None:
        known = {*rates, *(name for log in opened.logs for name in log.times)}
        if wanted not in known:
            raise unknown_name("reference sensor", wanted, sorted(known), DataError)
        return wanted
    told = [(sensor, rates[sensor.name] or 0.0) for sensor in opened.sensors]
    for kind in _REFERENCES:
        of_kind = [(rate, sensor.name) for sensor, rate in told if sensor.kind == kind and rate]
        if of_kind:
            return min(of_kind)[1]
    return max((rate, sensor.name) for sensor, rate in told)[1]


def _rules(opened: Opened, rates: Mapping[str, float | None]) -> dict[str, Rule]:
    for name in opened.config.rules:
        if name not in rates:
            raise unknown_name("sensor in `rules`", name, list(rates), DataError)
    rules = {}
    for sensor in opened.sensors:
        rule = opened.config.rules.get(sensor.name) or default_rule(sensor, rates[sensor.name])
        if rule.kind == "interpolate" and (sensor.kind, sensor.shape) != ("pose", (7,)):
            raise DataError(
                f"samples of {sensor.name!r} cannot be interpolated",
                got=f"a {sensor.kind} of shape {list(sensor.shape)}",
                expected="a pose (x, y, z, qx, qy, qz, qw)",
                remedy="give it the rule 'last' or 'nearest'",
            )
        rules[sensor.name] = rule
    return rules


def _check_epochs(log: Log, reference: str) -> None:
    """Refuse sensors whose samples all lie far before or after those of the reference."""
    base = log.times.get(reference, np.empty(0))
    if not len(base):
        return
    others = dict(log.times) | ({"the commands": log.commands.times_seconds} if log.commands is not None else {})
    for name, times in others.items():
        apart = 0.0 if not len(times) else max(float(times[0] - base[-1]), float(base[0] - times[-1]))
        if apart > MAX_CLOCK_GAP_SECONDS:
            raise DataError(
                f"{log.name}: the clocks of {name} and {reference} have different zeros",
                got=f"{times[0]:.3f} to {times[-1]:.3f} s beside {base[0]:.3f} to {base[-1]:.3f} s",
                expected=f"times that overlap, or lie at most {MAX_CLOCK_GAP_SECONDS:g} s apart",
                remedy=f'say what to add in the log\'s monde.json: "offsets": {{"{name}": SECONDS}} (if both began '
                f"together: {base[0] - times[0]:.3f}); or leave it out with `without`",
            )


def _episode(log: Log, reference: str, names: Sequence[str], config: LogConfig) -> Episode | None:
    base = log.times.get(reference, np.empty(0))
    base = base[np.concatenate([[True], np.diff(base) > 0])] if len(base) else base
    if not len(base):
        return None
    begins = [float(times[0]) for times in (log.times.get(name, np.empty(0)) for name in names) if len(times)]
    if log.commands is not None and len(log.commands.times_seconds):
        begins.append(float(log.commands.times_seconds[0]))
    latest = max((moment for moment in begins if moment <= base[0] + config.settle_seconds), default=float(base[0]))
    if config.rate_hz is None:
        steps = base[base >= min(latest, base[-1])]
    else:
        steps = _grid(min(max(latest, float(base[0])), float(base[-1])), float(base[-1]), config.rate_hz)
    if len(steps) > MAX_EPISODE_STEPS:
        raise DataError(
            f"{log.name} has too many steps",
            got=len(steps),
            expected=f"up to {MAX_EPISODE_STEPS}",
            remedy="give a lower `rate_hz`, or a slower `reference`, in the log's monde.json",
        )
    return Episode(log, float(steps[0]), steps - steps[0])


def _grid(first: float, last: float, rate_hz: float) -> Float64[np.ndarray, " T"]:
    # A last step that only rounding puts after the last sample is one.
    return first + np.arange(int((last - first) * rate_hz + 1e-6) + 1) / rate_hz


def _actions(opened: Opened, episodes: Sequence[Episode], step_hz: float) -> ActionSpec | None:
    known = [(episode, commands) for episode in episodes if (commands := episode.log.commands) is not None]
    dims = {commands.values.shape[1] for _, commands in known}
    if not dims:
        return None
    if len(dims) > 1:
        raise DataError(f"{opened.root} has commands of different widths", got=sorted(dims), expected="one width")
    spread = ActionRange(dims.pop())
    for episode, commands in known:
        if not np.isfinite(commands.values).all():
            raise DataError(f"{episode.log.name} has commands that are not finite", expected="finite numbers")
        spread.add(commands.values)
        if not len(commands.times_seconds) or commands.times_seconds[0] > episode.start_seconds:
            spread.add(np.zeros((1, commands.values.shape[1])))
    try:
        return spread.spec(step_hz, opened.action_names)
    except ContractError as error:
        raise DataError(f"the commands of {opened.root} cannot be used", got=error) from error
