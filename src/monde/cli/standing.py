"""`--standing before=top`: what a sensor shows of a place where one stands."""

from typing import Annotated

import tyro

from monde.errors import UsageError

Standing = Annotated[tuple[str, ...], tyro.conf.arg(metavar="SENSOR=SENSOR", help_behavior_hint="")]


def standing_pairs(words: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """`before=top` and the like, as `GoalShares.standing` takes them.

    Raises:
        UsageError: A word that is no pair of names, or a sensor twice.
    """
    found: dict[str, str] = {}
    for word in words:
        name, _, shown = word.partition("=")
        if not name or not shown or "=" in shown or name in found:
            raise UsageError(
                "--standing cannot be understood",
                got=word,
                expected="pairs of sensors, each named once: --standing before=top",
                remedy="name the sensor that shows the past, and what it shows of a body that stands",
            )
        found[name] = shown
    return tuple(found.items())
