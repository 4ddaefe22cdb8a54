"""The demo's stages, each found done or made: record, train, fit the actor, score, report."""

import time
from dataclasses import replace
from pathlib import Path

from monde.agents import Strategy
from monde.cli.actor import actor_note
from monde.cli.progress import Reporter, stages
from monde.cli.train import note
from monde.cli.verb import Outcome
from monde.evaluation import describe_strategy, score_run
from monde.models import weights_hash
from monde.recipes import Recipe, strategy
from monde.report import build_report
from monde.scorecard import Row, Scorecard
from monde.store import PeakMemory, RunFolder, read_json, read_manifest, write_json
from monde.training import TrainProgress, finish_training, fit_actor, fit_body_motion, fit_landmarks, is_finished

SHOWN = ("probe_position_rmse_px", "success", "steps_to_success", "plan_seconds", "wall_seconds", "anonymous_bytes")
"""Figures that are printed at the end."""


def run_demo(recipe: Recipe, reporter: Reporter) -> Outcome:
    """Make what is not there yet; what was made is judged once, with its wall time and memory."""
    began = time.monotonic()
    with PeakMemory() as memory:
        fresh = _stages(recipe, reporter)
    seconds = time.monotonic() - began
    return _outcome(recipe, _demo_score(recipe, seconds, memory.peak_bytes) if fresh else None)


def _stages(recipe: Recipe, reporter: Reporter) -> list[str]:
    """Record, train, fit, score, report; returns the stages that had something to do."""
    fresh = []
    run = RunFolder(recipe.run)
    with reporter.count(f"1/5 recording {recipe.world}", "episodes") as count:
        recorded = recipe.record(count)
    if recorded.new_episodes:
        fresh.append("record")
    if not is_finished(recipe.train):
        fresh.append("train")
        with reporter.track("2/5 training") as advance:

            def told(now: TrainProgress) -> None:
                advance(now.done, 1.0, note(now.step, now.metrics))
                for alarm in now.alarms:
                    reporter.say(f"alarm: {alarm}")

            finish_training(recipe.train, told)
    if recipe.motion is not None and not _is_of_newest(run, run.motion, "motion"):
        fresh.append("motion")
        with reporter.track("3/5 learning how actions move the body"):
            fit_body_motion(recipe.run, recipe.motion)
    if recipe.actor is not None and not _fitted(run):
        fresh.append("actor")
        with reporter.track("3/5 fitting the actor") as advance:
            fit_actor(recipe.run, recipe.actor, lambda done, whole, found: advance(done, whole, actor_note(found)))
    if recipe.landmarks is not None and ("actor" in fresh or not _is_of_newest(run, run.landmarks, "landmarks")):
        fresh.append("landmarks")
        with reporter.track("3/5 making landmarks") as advance:
            fit_landmarks(recipe.run, recipe.landmarks, advance)
    chosen = strategy(recipe.planner, recipe.run)
    if {"train", "actor", "landmarks"} & {*fresh} or not _scored_alike(run, recipe, chosen):
        fresh.append("score")
        with stages(reporter, "4/5 scoring") as progress:
            score_run(recipe.run, chosen, recipe.score, progress)
    if "score" in fresh or not run.report.exists():
        fresh.append("report")
        reporter.say("5/5 drawing the report")
        build_report(recipe.run)
    return fresh


def _fitted(run: RunFolder) -> bool:
    """Whether both heads are there, of the newest weights."""
    kinds = ((run.actor, "actor"), (run.temporal_distance, "temporal_distance"))
    return all(_is_of_newest(run, folder, kind) for folder, kind in kinds)


def _is_of_newest(run: RunFolder, folder: Path, kind: str) -> bool:
    """Whether an artefact is there that was made with the newest weights."""
    meta = read_manifest(folder, kind).get("meta") if folder.exists() else None
    return isinstance(meta, dict) and meta.get("of") == weights_hash(run.root)


def _scored_alike(run: RunFolder, recipe: Recipe, chosen: Strategy) -> bool:
    """Whether score.json was made with this planner, its settings and this many episodes."""
    if not run.score.exists():
        return False
    score = Scorecard.from_json(read_json(run.score))
    before, now = score.protocol.get("planner"), describe_strategy(chosen)
    same = isinstance(before, dict) and all(before.get(key) == value for key, value in now.items())
    return same and "success" in score and score["success"].n == recipe.score.episodes


def _demo_score(recipe: Recipe, seconds: float, peak_bytes: int | None) -> Scorecard:
    """The demo's own figures beside those of its run, kept as demo.json."""
    score = Scorecard.from_json(read_json(recipe.run / "score.json"))
    rows = [*score.rows, Row(metric="wall_seconds", value=seconds, unit="s", n=1, note="this call, all its stages")]
    if peak_bytes is not None:
        rows.append(Row(metric="anonymous_bytes", value=peak_bytes, unit="B", n=1, note="peak RssAnon"))
    score = replace(score, name="demo", rows=tuple(rows))
    write_json(recipe.run.parent / "demo.json", score.to_json())
    return score


def _outcome(recipe: Recipe, score: Scorecard | None) -> Outcome:
    found = score or Scorecard.from_json(read_json(recipe.run / "score.json"))
    shown = [str(row) for row in found.rows if row.metric in SHOWN]
    done = "" if score else "everything was done already\n"
    page = (recipe.run / "report.html").resolve()
    text = f"{done}" + "\n".join(shown) + f"\nlook at it: {page}"
    document = {"verb": "demo", "run": str(recipe.run), "report": str(page), "score": found.to_json()}
    return Outcome(text, document)
