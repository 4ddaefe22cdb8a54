"""The field's own sets of possible and impossible films: readers of their layouts, and metrics as their papers define
them. `open_physics_set` says which set a folder is; see docs/physics_sets.md."""

from monde.evaluation.physics_sets.comparing import reduced
from monde.evaluation.physics_sets.films import Movie, Pictures
from monde.evaluation.physics_sets.intphys import match_movies
from monde.evaluation.physics_sets.items import Absence, Item, PhysicsSet, Question, SetReport
from monde.evaluation.physics_sets.metrics import (
    grasp_answer_rows,
    grasp_rows,
    inflevel_rows,
    intphys2_rows,
    intphys_rows,
    mvp_rows,
)
from monde.evaluation.physics_sets.mvp import open_mvp
from monde.evaluation.physics_sets.opening import LAYOUTS, Layout, open_physics_set
from monde.evaluation.physics_sets.scoring import PhysicsScore, score_physics_set
from monde.evaluation.physics_sets.survey import survey

__all__ = [
    "LAYOUTS",
    "Absence",
    "Item",
    "Layout",
    "Movie",
    "PhysicsScore",
    "PhysicsSet",
    "Pictures",
    "Question",
    "SetReport",
    "grasp_answer_rows",
    "grasp_rows",
    "inflevel_rows",
    "intphys2_rows",
    "intphys_rows",
    "match_movies",
    "mvp_rows",
    "open_mvp",
    "open_physics_set",
    "reduced",
    "score_physics_set",
    "survey",
]
