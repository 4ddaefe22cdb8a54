"""What is read off a latent corner's models: places and radii of things, a screen; place and door in two rooms.

Fitted on frozen latents of training episodes; of films on rooms alone, for they are asked of rooms, and elsewhere a
slot of the states is not a colour. Of films two readouts of a belief that is a row of numbers: `ahead` reads it, memory
and all, seen or imagined; `now` reads the latent of a single frame, as options are single frames. Of a belief of things
one readout does for all: `things` reads its tokens as they are thought of, whatever their order.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from monde.bets.corners.episodes import is_room
from monde.bets.corners.latents.seeing import encoded
from monde.bets.corners.lessons import counted
from monde.bets.corners.shown import Rendering
from monde.bets.corners.states import PLACES_AT, SCREEN_AT, SLOTS, THING
from monde.errors import StoreError, UsageError
from monde.evaluation.physics.beliefs import beliefs_along, thoughts_along
from monde.models import JEPA, load_model
from monde.models.load import weights_hash
from monde.readouts import MLPReadout, MLPReadoutConfig, TokenReadout, TokenReadoutConfig, fit_mlp, fit_tokens
from monde.store import RunFolder, load_bound, save_artefact
from monde.training.setup import Setup, reopen
from monde.types import Latents

KIND = "bets_readouts"
"""Of the artefact."""

LEAST_EPISODES, MOST_EPISODES, MOST_OF_THINGS = 20, 2500, 600
"""Training episodes that readouts are fitted on; within these, as many as the compute allows. Things take fewer: their
tokens tell places as they are, and looking at frames takes time that no FLOPs tell of."""

EPOCHS, HIDDEN, HIDDEN_OF_THINGS = 30, 256, 64
"""Passes over the rows, and units of each hidden layer."""

LEAST_CONTEXT = 2
"""Moments of a film after which its belief is read: motion is not seen in one."""

RADII_AT = tuple(k * THING + 5 for k in range(SLOTS))
"""Where in the vector the radii are."""

PRESENT_AT = tuple(k * THING for k in range(SLOTS))
"""Where it says whether there is such a thing."""

SCREEN = slice(SCREEN_AT + 1, SCREEN_AT + 5)
"""Where a screen's box is."""

GROUPS = (*(k for k in range(SLOTS) for _ in "xy"), *range(SLOTS), *(SLOTS for _ in range(4)), *range(SLOTS))
"""Whose each value is that is read of things: place and radius of each slot's, the screen's box, and whether there is
such a thing at all."""

Readouts = Mapping[str, MLPReadout | TokenReadout]
Seen = tuple[Latents, Float[Tensor, "T S"]]


def fit_readouts(run: Path, rendering: Rendering, seed: int, flops: float) -> None:
    """Fit and keep the readouts of one run: of films where nobody acts in it, of acting otherwise.

    Args:
        run: Its folder.
        rendering: What it sees.
        seed: Of first weights and order.
        flops: About what it may take.

    Raises:
        UsageError: No room among the films that were learned from.
    """
    model, (_, setup) = load_model(run), reopen(run)
    films = model.actions.unactuated
    config = MLPReadoutConfig(hidden=HIDDEN, dropout=0.0, epochs=EPOCHS, seed=seed)
    episodes = [number for number in setup.split.train if is_room(number)] if films else list(setup.split.train)
    if not episodes:
        raise UsageError(
            "readouts are fitted on rooms, and there is none among these films",
            got=f"{len(setup.split.train)} films to learn from",
            remedy="learn from more episodes",
        )
    things = model.dynamics.things
    most = MOST_OF_THINGS if things else MOST_EPISODES
    count = int(np.clip(flops / _cost(model, setup, episodes), LEAST_EPISODES, most))
    seen = _episodes(model, setup, episodes[:count])
    if things:
        fitted = _of_things(model, seen, seed)
    else:
        fitted = _of_films(model, seen, config) if films else _of_acting(seen, config)
    tensors = {f"{name}/{key}": value for name, readout in fitted.items() for key, value in readout.state().items()}
    folder = RunFolder(run).readouts / KIND
    save_artefact(folder, KIND, tensors, {"of": weights_hash(run), "names": sorted(fitted), "rendering": rendering})


def load_readouts(run: Path, rendering: Rendering) -> Readouts:
    """As they were fitted.

    Raises:
        StoreError: Missing, altered, fitted on other weights, or of another rendering.
    """
    folder = RunFolder(run).readouts / KIND
    what = f"the readouts in {folder} were fitted on the latents of another model"
    artefact = load_bound(folder, KIND, weights_hash(run), what, "teach the corner again")
    if artefact.meta.get("rendering") != rendering:
        got, remedy = artefact.meta.get("rendering"), "open the corner by its own name"
        raise StoreError(f"the readouts in {folder} read another rendering", got=got, expected=rendering, remedy=remedy)
    by_name: dict[str, dict[str, Tensor]] = {}
    for key, value in artefact.tensors.items():
        name, _, rest = key.partition("/")
        by_name.setdefault(name, {})[rest] = value
    return {
        name: TokenReadout.from_state(state) if TokenReadout.is_of(state) else MLPReadout.from_state(state)
        for name, state in by_name.items()
    }


def _cost(model: JEPA, setup: Setup, episodes: Sequence[int]) -> float:
    """FLOPs of one of these episodes: its latents, and its rows in all passes of fitting."""
    mean = sum(setup.recording.lengths[number] for number in episodes) / len(episodes) / model.actions.block
    (latents, _), encoding = counted(lambda: next(_episodes(model, setup, episodes[:1])))
    if model.dynamics.things:
        weights = latents.values.shape[2] * HIDDEN_OF_THINGS * (2 * model.latent + HIDDEN_OF_THINGS)
    else:
        weights = (2 if model.actions.unactuated else 1) * HIDDEN * (2 * model.latent + HIDDEN)
    return encoding + 6 * weights * mean * EPOCHS


def _of_things(model: JEPA, seen: Iterator[Seen], seed: int) -> Readouts:
    rows, told = [], []
    for latents, states in seen:
        rows.append(thoughts_along(model, latents)[0])
        told.append(states)
    states = torch.cat(told)
    values, known = _things(states)
    there = states[:, list(PRESENT_AT)]
    values, known = torch.cat([values, there], dim=1), torch.cat([known, torch.ones_like(there) > 0], dim=1)
    config = TokenReadoutConfig(hidden=HIDDEN_OF_THINGS, epochs=EPOCHS, seed=seed)
    return {"things": fit_tokens(torch.cat(rows), values, GROUPS, config, known)}


def _of_films(model: JEPA, seen: Iterator[Seen], config: MLPReadoutConfig) -> Readouts:
    rows, now, told = [], [], []
    for latents, states in seen:
        rows.append(beliefs_along(model, latents)[0, LEAST_CONTEXT - 1 :])
        now.append(latents.values[0].flatten(1).float().cpu())
        told.append(states)
    later = torch.cat([states[LEAST_CONTEXT - 1 :] for states in told])
    values, known = _things(later)
    ahead = fit_mlp(torch.cat(rows), values, config, known)
    places, there = _things(torch.cat(told))
    open_view = (torch.cat(told)[:, SCREEN_AT] == 0)[:, None]
    shown = slice(0, 2 * SLOTS)
    return {
        "ahead": ahead,
        "now": fit_mlp(torch.cat(now), places[:, shown], config, there[:, shown] & open_view),
    }


def _things(states: Float[Tensor, "n S"]) -> tuple[Float[Tensor, "n k"], Bool[Tensor, "n k"]]:
    """Places (x, y of each slot), radii, and a screen's box; known where there is such a thing."""
    present = states[:, list(PRESENT_AT)] > 0
    screen = (states[:, SCREEN_AT] > 0)[:, None].expand(-1, 4)
    values = torch.cat([states[:, list(PLACES_AT)], states[:, list(RADII_AT)], states[:, SCREEN]], dim=1)
    return values, torch.cat([present.repeat_interleave(2, dim=1), present, screen], dim=1)


def _of_acting(seen: Iterator[Seen], config: MLPReadoutConfig) -> Readouts:
    latents, told = [], []
    for found, states in seen:
        latents.append(found.values[0].flatten(1).float().cpu())
        told.append(states)
    return {"layout": fit_mlp(torch.cat(latents), torch.cat(told), config)}


def _episodes(model: JEPA, setup: Setup, episodes: Sequence[int]) -> Iterator[Seen]:
    """Latents and states of whole episodes at the model's step."""
    (sensor,) = model.sensors
    stride = model.actions.block
    for episode in episodes:
        clip = setup.recording.read(episode, 0, setup.recording.lengths[episode], [sensor.name, "state"])
        frames = clip.stream(sensor.name).values[:, ::stride].numpy()
        yield encoded(model, frames), clip.stream("state").values[0, ::stride]
