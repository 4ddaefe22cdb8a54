"""Minimal pairs, whatever their films are drawn with: principles, grades, timing, splicing and the sets themselves."""

from monde.worlds.minimal_pairs.pair_set import PairSet, Space
from monde.worlds.minimal_pairs.principles import Design, Principle, grade_of, principle, principles
from monde.worlds.minimal_pairs.splicing import Made, Parts, assemble, quadruplet, spliced
from monde.worlds.minimal_pairs.timing import (
    GRADES,
    HIDDEN_FRAMES,
    RATE_HZ,
    RISE_FRAMES,
    SEEN_FRAMES,
    SINK_FRAMES,
    Dice,
    Grade,
    Span,
    Timeline,
    timeline,
)
from monde.worlds.minimal_pairs.variety import Split, Variety, split_of

__all__ = [
    "GRADES",
    "HIDDEN_FRAMES",
    "RATE_HZ",
    "RISE_FRAMES",
    "SEEN_FRAMES",
    "SINK_FRAMES",
    "Design",
    "Dice",
    "Grade",
    "Made",
    "PairSet",
    "Parts",
    "Principle",
    "Space",
    "Span",
    "Split",
    "Timeline",
    "Variety",
    "assemble",
    "grade_of",
    "principle",
    "principles",
    "quadruplet",
    "spliced",
    "split_of",
    "timeline",
]
