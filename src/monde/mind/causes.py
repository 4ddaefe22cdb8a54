"""Which part made the difference: each is taken from another case in imagination, all else as it was (intervention,
Pearl 2009, Causality, section 7.1, with the world model as the causal one)."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from monde.errors import ContractError
from monde.mind.answers import Cause, ExplainAnswer
from monde.mind.beliefs import Beliefs
from monde.mind.faculties import Faculties
from monde.mind.futures import of_goal
from monde.mind.judging import Judge, wanted
from monde.mind.requests import ExplainRequest
from monde.mind.senses import clip_of, course_blocks, grid_boxes, rows_of, with_box, with_sensor
from monde.mind.trusting import of_future, of_states, together
from monde.mind.values import Box, Trusted
from monde.types import Clip

ROWS_AT_ONCE = 128
SAME = 1e-6
"""Difference of energies below which there is nothing to explain."""


@dataclass(frozen=True)
class _Part:
    """What is taken from the other case: its kind, name and number, and where it is in a picture."""

    kind: str
    name: str
    index: int
    box: Box | None = None


@torch.no_grad()
def explain(faculties: Faculties, beliefs: Beliefs, asked: ExplainRequest) -> ExplainAnswer:
    """Parts by how much the outcome changes with each alone, greatest first.

    Raises:
        ContractError: Courses of different lengths, cases of different lengths, or parts that are not there.
        UsageError: A readout or goal that is not known.
    """
    judge = Judge(faculties=faculties, goal=wanted(faculties, beliefs, asked.goal))
    blocks = course_blocks(faculties.model, asked.course)
    other = _instead(faculties, asked, blocks)
    seen = clip_of(faculties.model, asked.observed)
    shown = None if asked.instead_observed is None else clip_of(faculties.model, asked.instead_observed)
    if shown is not None and shown.steps != seen.steps:
        raise ContractError("the two cases differ in length", got=f"{shown.steps} moments", expected=seen.steps)
    cases = _cases(faculties, asked, seen, shown)
    clips = [seen, *(clip for _, clip in cases)]
    acted = [blocks] * len(clips)
    parts = [part for part, _ in cases]
    if "action" in asked.parts:
        for index in range(len(blocks)):
            clips.append(seen)
            acted.append(torch.cat([blocks[:index], other[index : index + 1], blocks[index + 1 :]]))
            parts.append(_Part("action", f"block {index}", index))
    whole = seen if shown is None or not cases else shown
    clips.append(whole)
    acted.append(other if "action" in asked.parts else blocks)
    energies, ends = _energies(faculties, judge, clips, torch.stack(acted))
    found, last = energies[0], energies[-1]
    causes = [_cause(part, energy, found, last) for part, energy in zip(parts, energies[1:-1], strict=True)]
    return ExplainAnswer(
        causes=tuple(sorted(causes, key=lambda cause: -abs(cause.change))),
        outcome=found,
        instead=last,
        unit=judge.unit,
        trust=together(_future_trust(faculties, seen, ends), *of_goal(judge)),
    )


def _instead(faculties: Faculties, asked: ExplainRequest, blocks: Float[Tensor, "H A"]) -> Float[Tensor, "H A"]:
    if asked.instead is None:
        rest = torch.tensor(faculties.model.actions.rest * faculties.model.actions.block)
        return rest.to(blocks).expand_as(blocks)
    other = course_blocks(faculties.model, asked.instead)
    if other.shape != blocks.shape:
        raise ContractError("the two courses differ in length", got=f"{len(other)} blocks", expected=len(blocks))
    return other


def _cases(faculties: Faculties, asked: ExplainRequest, seen: Clip, shown: Clip | None) -> list[tuple[_Part, Clip]]:
    """Clips with one sensor or one part of a picture changed."""
    model = faculties.model
    found: list[tuple[_Part, Clip]] = []
    if "sensor" in asked.parts:
        for index, sensor in enumerate(model.sensors):
            found.append((_Part("sensor", sensor.name, index), with_sensor(seen, sensor.name, shown)))
    if "region" in asked.parts:
        cameras = [sensor for sensor in model.sensors if sensor.kind == "rgb"]
        boxes = asked.boxes or tuple(box for sensor in cameras for box in grid_boxes(sensor, asked.grid))
        for index, box in enumerate(boxes):
            if shown is None:
                other = faculties.known().usual.get(box.sensor)
            else:
                other = shown.stream(box.sensor).values
            if other is None:
                raise ContractError(
                    f"box {box.name!r} is of no camera", got=box.sensor, expected=[s.name for s in cameras]
                )
            found.append((_Part("region", box.name, index, box), with_box(seen, box, other)))
    return found


def _energies(
    faculties: Faculties, judge: Judge, clips: list[Clip], acted: Float[Tensor, "m H A"]
) -> tuple[list[float], Float[Tensor, "H N D"]]:
    """Energies of the outcomes, and what is imagined of the first."""
    model, found, first = faculties.model, [], None
    for start in range(0, len(clips), ROWS_AT_ONCE):
        belief = model.begin(rows_of(clips[start : start + ROWS_AT_ONCE]))
        futures = model.imagine(belief, acted[start : start + ROWS_AT_ONCE, None]).latents[:, 0, 0]
        first = futures[0] if first is None else first
        found += judge.energies(futures, "end").tolist()
    if first is None:
        raise ContractError("there is nothing to explain", got="no case")
    return found, first


def _cause(part: _Part, energy: float, found: float, whole: float) -> Cause:
    change, difference = energy - found, whole - found
    return Cause(
        kind=part.kind,
        name=part.name,
        index=part.index,
        outcome=energy,
        change=change,
        share=change / difference if abs(difference) > SAME else None,
        box=part.box,
    )


def _future_trust(faculties: Faculties, seen: Clip, ends: Float[Tensor, "H N D"]) -> Trusted:
    present = faculties.model.encode(seen).values[0].float()
    return together(
        of_states(faculties.knowledge, present, "present"),
        of_future(faculties.knowledge, present[-1], ends, "course"),
    )
