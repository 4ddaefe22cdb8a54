"""The families: what each asks, and what either rendering gives away and withholds."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

_STATE = "positions and velocities to 1e-4 px, gravity, radii, and the law of bounces, as numbers"
_SEEN = "colours, sizes and places as pixels"


@dataclass(frozen=True, kw_only=True)
class Family:
    """One family of questions.

    Args:
        name: Its name.
        asks: What it asks, for anyone.
        text_gives: What the text gives away that pixels only show.
        text_withholds: What it does not tell.
        sensors_give: What the sensors show.
        sensors_withhold: What they do not show.
        physical: Whether it counts towards a world model's own level.
        home: Whether it is the language side's home ground.
    """

    name: str
    asks: str
    text_gives: str
    text_withholds: str
    sensors_give: str
    sensors_withhold: str
    physical: bool = True
    home: bool = False


_FAMILIES = (
    Family(
        name="what-happens-next",
        asks="Which of four pictures shows the future?",
        text_gives=_STATE,
        text_withholds="nothing that matters",
        sensors_give=_SEEN,
        sensors_withhold="gravity and velocities, but for how things move",
    ),
    Family(
        name="where-will-it-be",
        asks="Where, in pixels, will a thing be?",
        text_gives=_STATE,
        text_withholds="nothing that matters",
        sensors_give=_SEEN,
        sensors_withhold="gravity and velocities, but for how things move",
    ),
    Family(
        name="possible-or-not",
        asks="Which of two films could have happened?",
        text_gives="the state of things while they are hidden, which makes every jump plain",
        text_withholds="light and screens",
        sensors_give="films, light and screens among them",
        sensors_withhold="what is behind screens",
    ),
    Family(
        name="what-if",
        asks="Where would other actions have led?",
        text_gives="walls, door and the law of motion as numbers",
        text_withholds="nothing that matters",
        sensors_give="one picture of the start, and the actions",
        sensors_withhold="how far an action moves the disc: that must be known from the episodes",
    ),
    Family(
        name="why",
        asks="Which of four things made the difference?",
        text_gives=_STATE + ", of the whole film",
        text_withholds="nothing that matters",
        sensors_give=_SEEN,
        sensors_withhold="gravity and velocities, but for how things move",
    ),
    Family(
        name="which-goal",
        asks="Where is somebody on its way to?",
        text_gives="walls, door and the way so far as numbers",
        text_withholds="the noise",
        sensors_give="a film of the way so far",
        sensors_withhold="nothing that matters",
    ),
    Family(
        name="how-to-get-there",
        asks="Which actions lead to a goal? They are executed and judged.",
        text_gives="walls, door, goal and the law of motion as numbers",
        text_withholds="nothing that matters",
        sensors_give="a picture of the start, and one of the goal",
        sensors_withhold="how far an action moves the disc: that must be known from the episodes",
    ),
    Family(
        name="spatial-relations",
        asks="Left of, above, nearer, hidden by, reachable?",
        text_gives=_STATE + ", and the screen's edges",
        text_withholds="nothing that matters",
        sensors_give=_SEEN,
        sensors_withhold="gravity and velocities, but for how things move",
    ),
    Family(
        name="hidden-things",
        asks="Where is a thing that is out of sight?",
        text_gives=_STATE + ", and the screen's edges",
        text_withholds="all states from the moment at which the screen begins to rise",
        sensors_give="a film, the screen rising in it",
        sensors_withhold="what is behind the screen",
    ),
    Family(
        name="puzzles",
        asks="Where to put one ball so that A touches B?",
        text_gives="all bodies as exact polygons and circles, and the constants of the simulator",
        text_withholds="nothing that matters",
        sensors_give="one picture of 64 px",
        sensors_withhold="detail below four pixels of the puzzle's own 256",
    ),
    Family(
        name="stepgame",
        asks="How do two things stand to each other, after some sentences?",
        text_gives="everything: there is nothing to see",
        text_withholds="nothing",
        sensors_give="nothing",
        sensors_withhold="everything",
        physical=False,
        home=True,
    ),
    Family(
        name="planbench",
        asks="Is a plan in a world of blocks valid?",
        text_gives="everything: there is nothing to see",
        text_withholds="nothing",
        sensors_give="nothing",
        sensors_withhold="everything",
        physical=False,
        home=True,
    ),
    Family(
        name="bbh",
        asks="Which option answers a riddle on space or on counting?",
        text_gives="everything: there is nothing to see",
        text_withholds="nothing",
        sensors_give="nothing",
        sensors_withhold="everything",
        physical=False,
        home=True,
    ),
)

FAMILIES: Mapping[str, Family] = MappingProxyType({family.name: family for family in _FAMILIES})
"""By name, in the order in which they are shown."""
