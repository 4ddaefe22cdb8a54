"""Scoring a whole run: what it understands and predicts, how well an agent plans with it, and things to look at."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from monde import worlds
from monde.agents import Strategy
from monde.data import Windows
from monde.errors import DataError, UsageError
from monde.evaluation.control import ControlConfig, ControlScore, score_control
from monde.evaluation.imagining import PredictionConfig
from monde.evaluation.latents import EpisodeClips
from monde.evaluation.plannable_range import RangeConfig, score_plannable_range, score_recorded_range
from monde.evaluation.prediction import score_prediction
from monde.evaluation.probes import score_probes, targets
from monde.evaluation.protocol import protocol_card, scorecard
from monde.evaluation.ranking import RankingConfig, score_ranking
from monde.evaluation.senses import score_senses
from monde.evaluation.showing import camera_of, decoder_data, films, imagination
from monde.evaluation.space import score_space
from monde.models import JEPA, PlacedModel, load_acting, load_model
from monde.protocols import Cost, World
from monde.readouts import fit_decoder, save_decoder
from monde.scorecard import Row, Scorecard
from monde.store import RunFolder, remove_artefact, write_json
from monde.training import choose_device, choose_precision
from monde.training.frame_latents import encode_frames
from monde.training.setup import Setup, reopen, untrained_floor

Progress = Callable[[str, int, int], None]
"""Told (stage, done, wanted)."""

MAX_CLIP_STEPS = 24
"""Longest clip, in model steps, that an episode is judged by."""


RANKED_STARTS = 20
"""Starts at which action sequences are ranked."""


@dataclass(frozen=True, kw_only=True)
class ScoreConfig:
    """How a run is scored.

    Args:
        episodes: Episodes of control. Where they are few, ranking and plannable range begin from as few starts, and as
            few plans are timed.
        budget_steps: Control steps allowed in each.
        seed: Of starts, goals and resampling.
        world: World to act in, or none for the one that was recorded (no control for recordings of no world).
        films: Planned episodes kept as films.
        abstain: Whether the agent may give up a goal before it acts.
        imaginations: Held-out clips imagined and decoded for looking.
        decoder_steps: Gradient steps of the decoder.
        decoder_seconds: Wall time of the decoder.
        device: "auto", "cpu", "cuda", …
        precision: "auto", "fp32" or "bf16".

    Raises:
        UsageError: No episodes, no steps in them, or a time for the decoder that is negative or not finite.
    """

    episodes: int = 50
    budget_steps: int = 100
    seed: int = 0
    world: str | None = None
    films: int = 8
    imaginations: int = 3
    decoder_steps: int = 600
    decoder_seconds: float = 45.0
    device: str = "auto"
    precision: str = "auto"
    abstain: bool = False

    def __post_init__(self) -> None:
        if min(self.episodes, self.budget_steps) < 1:
            raise UsageError(
                "there is nothing to score",
                got=f"{self.episodes} episodes of {self.budget_steps} steps",
                expected="1 or more of each",
                remedy="leave them as they are: 50 episodes of 100 steps",
            )
        if not 0 <= self.decoder_seconds < math.inf:
            raise UsageError(
                "a decoder cannot be fitted in that time",
                got=f"{self.decoder_seconds} seconds",
                expected="a number of seconds, 0 or more",
                remedy="leave it as it is: 45 seconds",
            )


@dataclass(frozen=True)
class _Subject:
    """What is scored: the model (and as what acts with it sees it), what it was trained on, clips of either part."""

    folder: RunFolder
    setup: Setup
    model: JEPA
    acting: JEPA | PlacedModel
    blank: JEPA
    train: EpisodeClips
    held_out: EpisodeClips
    world: str | None


def score_run(
    run: Path, strategy: Strategy, config: ScoreConfig | None = None, progress: Progress | None = None
) -> Scorecard:
    """Score the newest checkpoint of a run; writes score.json and the exhibits into it.

    Raises:
        StoreError: Not a run, or its checkpoint was altered.
        DataError: The recording is gone, changed, or too small to judge by.
    """
    config = config or ScoreConfig()
    tell = progress or (lambda stage, done, wanted: None)
    subject = _open(run, config)
    if subject.world is not None:
        check_world(subject.setup, subject.world)
    rows: list[Row] = []
    tell("probes", 0, 1)
    rows += _probes(subject, config)
    control = None
    if subject.world is None and not subject.model.actions.unactuated:
        rows += _recorded_range(subject, strategy.cost, config, tell)
    if subject.world is not None:
        rows += _ranking(subject, strategy.cost, config, tell)
        control = score_control(
            subject.acting,
            strategy,
            subject.world,
            ControlConfig(
                episodes=config.episodes,
                budget_steps=config.budget_steps,
                seed=config.seed,
                films=min(config.films, config.episodes) if has_camera(subject.world) else 0,
                abstain=config.abstain,
                timed_plans=min(ControlConfig().timed_plans, config.episodes),
            ),
            progress=lambda done, wanted: tell("control", done, wanted),
        )
        rows += control.rows
        _show_films(subject.folder, control)
    if any(sensor.kind == "rgb" for sensor in subject.model.sensors):
        _show_imagination(subject, config, tell)
    score = scorecard(f"{run.name}", rows, _card(subject, control, config), _seeds(subject, config))
    write_json(subject.folder.score, score.to_json())
    return score


def recorded_world(setup: Setup) -> str | None:
    """The name of the world that a recording was made in, if it was made by `monde record`."""
    name = setup.recording.source.get("world")
    return name if isinstance(name, str) else None


def _open(run: Path, config: ScoreConfig) -> _Subject:
    train_config, setup = reopen(run)
    device = choose_device(config.device)
    model = load_model(run, device)
    model.autocast = choose_precision(config.precision, device)
    acting = load_acting(run, device)
    acting.autocast = model.autocast
    blank = untrained_floor(setup, train_config.seed).to(device)
    blank.autocast = model.autocast
    block = model.actions.block
    shortest = min(setup.recording.lengths)
    steps = min((shortest - 1) // block + 1, MAX_CLIP_STEPS)
    if steps < 4:
        raise DataError(
            f"the episodes of {setup.recording.root} are too short to judge predictions by",
            got=f"{shortest} frames, {steps} model steps of {block}",
            expected="at least 4 model steps",
            remedy="record longer episodes, or train with a smaller action block",
        )
    names, actions = setup.judged, model.actions
    return _Subject(
        folder=RunFolder(run),
        setup=setup,
        model=model,
        acting=acting,
        blank=blank,
        train=EpisodeClips(Windows(setup.cache, setup.split.train, names, steps, actions), steps * block),
        held_out=EpisodeClips(Windows(setup.cache, setup.split.held_out, names, steps, actions), steps * block),
        # Nobody can plan with a model that knows no actions.
        world=None if actions.unactuated else config.world or recorded_world(setup),
    )


def _probes(subject: _Subject, config: ScoreConfig) -> list[Row]:
    seen = {sensor.name for sensor in subject.model.sensors}
    wanted = targets([sensor for sensor in subject.setup.recording.sensors if sensor.name not in seen])
    rows: list[Row] = []
    readouts = {}
    if wanted:
        probes = score_probes(
            subject.model, subject.train, subject.held_out, wanted, untrained=subject.blank, seed=config.seed
        )
        rows += probes.rows
        readouts = probes.readouts
        wanted = tuple(target for target in wanted if target.name in readouts)
        for name, scatter in probes.scatters.items():
            scatter.save(subject.folder.exhibits / f"probe-{name}", replace=True)
        for name, readout in readouts.items():
            remove_artefact(subject.folder.readouts / name)
            readout.save(subject.folder.readouts / name)
    steps = subject.held_out.clip(0).steps
    context = min(3, steps - 2)
    horizon = min(8, steps - context)
    report = tuple(sorted({1, 2, 4, horizon}))
    prediction = PredictionConfig(context=context, horizon=horizon, report=report)
    rows += score_prediction(
        subject.model, subject.train, subject.held_out, wanted, readouts, prediction, seed=config.seed
    )
    if wanted and len(subject.model.sensors) > 1 and len(subject.held_out) > 1:
        rows += score_senses(subject.model, subject.held_out, wanted, readouts, prediction, seed=config.seed)
    spatial = [sensor for sensor in subject.setup.recording.sensors if sensor.kind in {"pose", "scan"}]
    shown = set(subject.setup.judged)
    space = score_space(
        subject.model,
        subject.train,
        subject.held_out,
        [sensor for sensor in spatial if sensor.name in shown],
        prediction,
        seed=config.seed,
    )
    for kind, heads in (("motion", space.motions), ("scan", space.scans)):
        for name, head in heads.items():
            remove_artefact(subject.folder.readouts / f"{kind}-{name}")
            head.save(subject.folder.readouts / f"{kind}-{name}")
    return [*rows, *space.rows]


def _ranking(subject: _Subject, cost: Cost, config: ScoreConfig, tell: Progress) -> list[Row]:
    tell("ranking", 0, 1)
    world = subject.world or ""
    probe = worlds.make(world, 1)
    try:
        probe.reset([config.seed])
        rankable = probe.goal() is not None and probe.goal_distance() is not None
    finally:
        probe.close()
    if not rankable:
        return []

    def make(batch: int) -> World:
        return worlds.make(world, batch)

    ranked = RankingConfig(starts=min(RANKED_STARTS, config.episodes))
    rows = score_ranking(subject.acting, cost, make, ranked, seed=config.seed)
    tell("plannable range", 0, 1)
    return [*rows, *score_plannable_range(subject.acting, cost, make, _range(config), seed=config.seed)]


def _recorded_range(subject: _Subject, cost: Cost, config: ScoreConfig, tell: Progress) -> list[Row]:
    tell("plannable range", 0, 1)
    held_out = encode_frames(subject.model, subject.setup, subject.setup.split.held_out)
    return list(score_recorded_range(subject.model, cost, held_out, _range(config), seed=config.seed))


def _range(config: ScoreConfig) -> RangeConfig:
    return RangeConfig(starts=min(RangeConfig().starts, config.episodes))


def _show_films(folder: RunFolder, control: ControlScore) -> None:
    if control.films is not None:
        for index, film in enumerate(films(control.films)):
            film.save(folder.exhibits / f"plan-{index:02d}", replace=True)


def _show_imagination(subject: _Subject, config: ScoreConfig, tell: Progress) -> None:
    camera_of(subject.model)
    latents, frames = decoder_data(subject.model, subject.train)
    decoder = fit_decoder(
        latents,
        frames,
        config.decoder_steps,
        torch.Generator().manual_seed(config.seed),
        progress=lambda done, wanted, *_: tell("decoder", done, wanted),
        limit_seconds=config.decoder_seconds,
    )
    remove_artefact(subject.folder.readouts / "decoder")
    save_decoder(decoder, subject.folder.readouts / "decoder")
    for index in range(min(config.imaginations, len(subject.held_out))):
        clip = subject.held_out.clip(index)
        shown = imagination(subject.model, clip.window(0, min(clip.steps, 11)), decoder, context_steps=2)
        shown.save(subject.folder.exhibits / f"imagination-{index:02d}", replace=True)


def _card(subject: _Subject, control: ControlScore | None, config: ScoreConfig) -> dict[str, object]:
    return protocol_card(
        world=subject.world or "none: a recording",
        budget_steps=config.budget_steps,
        seeds=() if control is None else control.seeds,
        planner={} if control is None else control.planner,
        data_hash=subject.setup.recording.fingerprint,
        extra={
            "episodes_trained": len(subject.setup.split.train),
            "episodes_held_out": len(subject.setup.split.held_out),
            "precision": "bf16" if subject.model.autocast else "fp32",
            "starts_redrawn": 0 if control is None else control.redrawn,
        },
    )


def _seeds(subject: _Subject, config: ScoreConfig) -> tuple[int, ...]:
    train = subject.folder.read_config().get("train")
    seed = train.get("seed") if isinstance(train, dict) else None
    return (int(seed), config.seed) if isinstance(seed, int) else (config.seed,)


def has_camera(world: str) -> bool:
    """Whether a world shows pictures, so that what is done in it can be filmed."""
    probe = worlds.make(world, 1)
    try:
        return any(sensor.kind == "rgb" for sensor in probe.sensors)
    finally:
        probe.close()


def check_world(setup: Setup, name: str) -> None:
    """Refuse a world that does not have the actions and cameras that a run was trained on.

    Raises:
        UsageError: Naming what differs.
    """
    world = worlds.make(name, 1)
    try:
        here, trained = world.actions, setup.model.actions
        if (here.dim, here.discrete) != (trained.dim, trained.discrete):
            raise UsageError(
                f"world {name!r} has other actions than this run was trained on",
                got=f"{here.dim} {'choices' if here.discrete else 'components'}",
                expected=f"{trained.dim} {'choices' if trained.discrete else 'components'}",
                remedy="give the world that was recorded, or train on a recording of this one",
            )
        names = {sensor.name for sensor in world.sensors}
        absent = [sensor.name for sensor in setup.model.sensors if sensor.name not in names]
        if absent:
            raise UsageError(f"world {name!r} lacks sensors of this run", got=sorted(names), expected=absent)
    finally:
        world.close()
