"""Does training make sense: do actions explain what changes, do pictures carry the state, is a sensor there twice.

Linear questions, asked of held-out episodes. A "no" here is a warning, not a proof: an effect that no ridge regression
on small grey pictures sees may still be there. A "yes" is a fact about the data.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Float, Float64, Int64

from monde.data.checking.columns import STILL_LEVELS
from monde.data.checking.commands import Commands, Pairing
from monde.data.checking.findings import Finding
from monde.data.checking.looking import SIDE, Look, Plan
from monde.data.checking.ridge import Gain, compare, principal, products, scaled
from monde.limits import MAX_CHECK_ROWS
from monde.protocols import Recording

LEAST_EPISODES = 5
"""Episodes below which no verdict is given: an interval over fewer says little."""

COMPONENTS = 32
"""Principal components of a picture, at most."""

SAME = 0.999
"""Correlation above which two sensors are the same."""

_STATE, _MIXED, _ACTED = 64, 16, 8


@dataclass(frozen=True)
class _Moments:
    """Of one episode: rows at some moments and a lag later."""

    episode: int
    now: Mapping[str, Float[np.ndarray, "M n"]]
    later: Mapping[str, Float[np.ndarray, "M n"]]
    acted: Float[np.ndarray, "M a"] | None


class Worth:
    """Gathers moments over episodes and answers the questions.

    Args:
        recording: What is checked.
        plan: What is read of it.
        seed: Of folds, shuffles and resampling.
    """

    def __init__(self, recording: Recording, plan: Plan, seed: int) -> None:
        self._recording, self._plan, self._seed = recording, plan, seed
        self._states: list[_Moments] = []
        self._pictures: list[_Moments] = []
        self._commands = Commands(recording, plan.lag)

    def add(self, look: Look) -> None:
        """One episode. What cannot be lined up (clocks of their own, gaps, NaN) is left out."""
        whole = {n: v for n, v in look.values.items() if len(v) == look.length and np.isfinite(v).all()}
        actions = look.actions if look.actions is not None and np.isfinite(look.actions).all() else None
        if look.reach < 1 or look.errors or (actions is not None and len(actions) != look.length - 1):
            return
        most = max(8, MAX_CHECK_ROWS // max(1, len(self._recording.lengths)))
        starts = np.unique(np.linspace(0, look.length - 1 - look.reach, most).astype(int))
        self._states.append(_cut(look, starts, whole, actions))
        shown = {
            n: p.small for n, p in look.pairs.items() if p.small.shape[1] and not p.odd and np.isfinite(p.small).all()
        }
        if shown:
            cut = _cut(look, look.starts, whole, actions)
            now = {**cut.now, **{name: small[:, 0] for name, small in shown.items()}}
            later = {**cut.later, **{name: small[:, 1] for name, small in shown.items()}}
            self._pictures.append(_Moments(look.episode, now, later, cut.acted))
        if actions is not None:
            self._commands.add(whole, actions)

    def findings(self, copies: frozenset[int]) -> Iterator[Finding]:
        """The answers; of episodes that are copies of others only the first is asked."""
        states = [part for part in self._states if part.episode not in copies]
        pictures = [part for part in self._pictures if part.episode not in copies]
        numbers = [sensor.name for sensor in self._plan.whole]
        cameras = [sensor.name for sensor in self._plan.sampled if sensor.kind in {"rgb", "depth"}]
        states = [part for part in states if all(name in part.now for name in numbers)]
        pictures = [part for part in pictures if all(name in part.now for name in [*numbers, *cameras])]
        yield from self._twice(pictures, [*numbers, *cameras]) if pictures else self._twice(states, numbers)
        if self._recording.actions is not None:
            if numbers:
                yield from self._explained(states, numbers, "state")
            if cameras:
                yield from self._explained(pictures, cameras, "pixels")
            yield from self._commands.findings()
        if numbers and cameras:
            yield from self._read_from(pictures, numbers, cameras)

    def _explained(self, parts: list[_Moments], names: list[str], what: str) -> Iterator[Finding]:
        parts = [part for part in parts if part.acted is not None and len(part.acted)]
        lag = self._seconds()
        gain = (
            _gain(parts, names, what == "pixels", self._commands.pairings(), self._seed)
            if len(parts) >= LEAST_EPISODES
            else None
        )
        if gain is None:
            why = "nothing in it changes" if len(parts) >= LEAST_EPISODES else f"{len(parts)} episodes are too few"
            yield Finding(
                level="note",
                code="actions-not-judged",
                what=f"whether actions explain the change of {what} cannot be told: {why}",
                remedy=f"record at least {LEAST_EPISODES} different episodes in which something is done",
                figures={"episodes": len(parts)},
            )
            return
        told = (
            f"the change of {what} over {lag:.2g} s: R² {gain.with_it:.3f} with the actions, {gain.without:.3f} with "
            f"them shuffled (difference {gain.gain:.3f}, 95% interval {gain.low:.3f} to {gain.high:.3f}; "
            f"{gain.episodes} episodes, each held out once, {gain.rows:,} moments{_how(what)})"
        )
        figures = _figures(gain) | {"lag_seconds": lag}
        if gain.exceeds:
            remedy = "go on" if gain.gain > 0.01 else "go on, but expect little: the effect is there and small"
            yield Finding(
                level="note", code="actions-explain", what=f"actions explain {told}", remedy=remedy, figures=figures
            )
            return
        yield Finding(
            level="warning",
            code="actions-do-not-explain",
            what=f"actions are not seen to explain {told}",
            remedy="check that actions and frames are of the same moments (a shift of a few steps is enough), that the "
            "actions are those taken, and that what they move is in view; or record more episodes",
            figures=figures,
        )

    def _read_from(self, parts: list[_Moments], numbers: list[str], cameras: list[str]) -> Iterator[Finding]:
        if len(parts) < LEAST_EPISODES:
            return
        groups = _groups(parts)
        state = _stacked(parts, numbers, later=False)
        state = scaled(state, np.arange(len(state)))
        for camera in cameras:
            grey = _stacked(parts, [camera], later=False)
            if not grey.std(0).max() > STILL_LEVELS / 2:
                continue

            def fold(
                learned: Int64[np.ndarray, " a"], grey: np.ndarray = grey
            ) -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
                return [principal(grey, learned, COMPONENTS)], [], state

            gain = compare(groups, fold, self._seed)
            if gain is not None:
                yield Finding(
                    level="note",
                    code="pixels-carry-state" if gain.exceeds else "pixels-do-not-carry-state",
                    what=f"the state read from camera {camera!r} ({SIDE}×{SIDE} grey, linear) has R² "
                    f"{gain.with_it:.3f} on held-out episodes (95% interval of what it gains on their mean "
                    f"{gain.low:.3f} to {gain.high:.3f})",
                    remedy="a floor, not a ceiling: a trained encoder sees more"
                    if gain.exceeds
                    else "look whether what the state tells of is in view; a trained encoder may still see it",
                    figures=_figures(gain),
                )

    def _twice(self, parts: list[_Moments], names: list[str]) -> Iterator[Finding]:
        columns = {name: _stacked(parts, [name], later=False) for name in names} if parts else {}
        for one, other in combinations(columns, 2):
            a, b = columns[one], columns[other]
            if a.shape != b.shape:
                continue
            a, b = a - a.mean(0), b - b.mean(0)
            norm = float(np.sqrt(np.square(a).sum() * np.square(b).sum()))
            if norm > 0 and abs(alike := float((a * b).sum()) / norm) > SAME:
                yield Finding(
                    level="note",
                    code="duplicate-sensors",
                    what=f"sensors {one!r} and {other!r} show the same (correlation {alike:.4f})",
                    remedy="leave one of them out",
                    figures={"correlation": alike},
                )

    def _seconds(self) -> float:
        spec = self._recording.actions
        return self._plan.lag * (spec.dt_seconds if spec else 1 / self._recording.sensors[0].rate_hz)


def _cut(
    look: Look,
    starts: Int64[np.ndarray, " M"],
    whole: Mapping[str, Float[np.ndarray, "T n"]],
    actions: Float[np.ndarray, "T1 dim"] | None,
) -> _Moments:
    reach = look.reach
    acted = None
    if actions is not None:
        # The mean and the last of the steps between: whatever is added up, and whatever is commanded.
        runs = np.cumsum(np.concatenate([np.zeros((1, actions.shape[1])), actions.astype(np.float64)]), axis=0)
        mean = (runs[starts + reach] - runs[starts]) / reach
        acted = mean if reach == 1 else np.concatenate([mean, actions[starts + reach - 1]], 1)
    now = {name: rows[starts] for name, rows in whole.items()}
    return _Moments(look.episode, now, {name: rows[starts + reach] for name, rows in whole.items()}, acted)


def _gain(
    parts: list[_Moments], names: list[str], pictures: bool, commanded: Mapping[str, Pairing], seed: int
) -> Gain | None:
    groups, now, later = _groups(parts), _stacked(parts, names, later=False), _stacked(parts, names, later=True)
    acted = np.concatenate([part.acted for part in parts if part.acted is not None]).astype(np.float64)
    relative = _relative(parts, acted, commanded)
    order = np.random.default_rng(seed).permutation(len(acted))

    # Each number of the state counts alike; of pictures, what varies most. Not by the fold's own spread: a joint that
    # rests in all episodes but one would outweigh all others there.
    spread = (later - now).std(0)
    moving = spread > 1e-9 * np.maximum(np.abs(now).max(0, initial=0.0), 1e-9)

    def fold(learned: Int64[np.ndarray, " a"]) -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
        if pictures:
            both = principal(np.concatenate([now, later]), learned, COMPONENTS)
            before, change = both[: len(now)], both[len(now) :] - both[: len(now)]
        else:
            before, change = principal(scaled(now, learned), learned, _STATE), (later - now)[:, moving] / spread[moving]

        def inputs(order: np.ndarray) -> list[np.ndarray]:
            if relative.shape[1]:
                return [np.concatenate([before, relative[order]], 1), relative[order]]
            acts = principal(scaled(acted, learned), learned, _STATE)[order]
            linear = np.concatenate([before, acts], 1)
            mixed = products(scaled(before[:, :_MIXED], learned), scaled(acts[:, :_ACTED], learned))
            return [linear, np.concatenate([linear, mixed], 1)]

        return inputs(np.arange(len(acted))), inputs(order), change

    return compare(groups, fold, seed)


def _relative(
    parts: list[_Moments], acted: Float64[np.ndarray, "n a"], commanded: Mapping[str, Pairing]
) -> Float64[np.ndarray, "n r"]:
    """Commanded positions as differences from where the robot is; nothing where actions are none.

    All that such a command does lies in that small difference: a penalty on two large, nearly equal inputs shrinks it
    away, and an episode at other places than those learned from is beyond any fit to the places themselves.
    """
    found = [np.zeros((len(acted), 0))]
    for name, (mine, its, dim) in commanded.items():
        state = _stacked(parts, [name], later=False)[:, its]
        found += [acted[:, first : first + dim][:, mine] - state for first in range(0, acted.shape[1], dim)]
    return np.concatenate(found, 1)


def _groups(parts: list[_Moments]) -> Int64[np.ndarray, " n"]:
    return np.concatenate([np.full(len(next(iter(part.now.values()))), part.episode, np.int64) for part in parts])


def _stacked(parts: list[_Moments], names: list[str], *, later: bool) -> Float64[np.ndarray, "n k"]:
    rows = [np.concatenate([(part.later if later else part.now)[name] for name in names], 1) for part in parts]
    return np.concatenate(rows).astype(np.float64)


def _how(what: str) -> str:
    return f", {SIDE}×{SIDE} grey" if what == "pixels" else ""


def _figures(gain: Gain) -> dict[str, float]:
    return {
        "r2": gain.with_it,
        "r2_floor": gain.without,
        "gain": gain.gain,
        "gain_low": gain.low,
        "gain_high": gain.high,
        "episodes": gain.episodes,
        "moments": gain.rows,
    }
