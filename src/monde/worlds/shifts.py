"""Shifts as data: how a world may look or move otherwise than when it was recorded, and those that are declared."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import TypeVar

from monde.errors import ContractError, UsageError, unknown_name
from monde.worlds.drawing import Colour, Look

SEPARATOR = "+"
"""Between a world's name and those of its shifts."""


@dataclass(frozen=True, kw_only=True)
class PixelShift:
    """What is done to every camera picture of a world, its goal's too. In this order:

    Args:
        background: Colour that the commonest colour of a row's first picture is replaced by, by nearness to it.
        hue_degrees: Turn of all colours about the grey axis.
        zoom: Above 1 the camera is nearer; what comes into view beyond the picture's edge repeats it.
        offset: How far the picture is moved to the right and down, as shares of its side.
        speckle: Spread (levels of 255) of a pattern of noise that stays the same throughout a row's episode.
        gamma: Exponent on levels scaled to 0..1; above 1 is darker.
        gain: Factor on the levels, after gamma.
        gradient: Light that rises from left to right: the gain is 1 - gradient / 2 at the left edge, and as much more
            at the right.

    Raises:
        ContractError: Numbers out of range.
    """

    background: Colour | None = None
    hue_degrees: float = 0.0
    zoom: float = 1.0
    offset: tuple[float, float] = (0.0, 0.0)
    speckle: float = 0.0
    gamma: float = 1.0
    gain: float = 1.0
    gradient: float = 0.0

    def __post_init__(self) -> None:
        positive = (self.zoom, self.gamma, self.gain)
        if not all(0 < value < math.inf for value in positive) or not 0 <= self.speckle < math.inf:
            raise ContractError("PixelShift is out of range", got=self, expected="zoom, gamma, gain > 0; speckle ≥ 0")
        if max(map(abs, self.offset)) >= 0.5 or not -2 <= self.gradient <= 2 or not math.isfinite(self.hue_degrees):
            raise ContractError(
                "PixelShift is out of range", got=self, expected="offsets within ±0.5, a gradient within ±2"
            )
        if self.background is not None and not all(0 <= level <= 255 for level in self.background):
            raise ContractError("PixelShift.background is no colour", got=self.background, expected="0 to 255")


@dataclass(frozen=True, kw_only=True)
class ActionShift:
    """What becomes of an action on its way to the world. In this order:

    Args:
        delay_steps: Control steps that pass before it has an effect; before the first, nothing is done.
        gain: Factor on it (box actions).
        noise: Spread of normal noise, in half-ranges of each component, drawn anew at every step (box actions).

    Raises:
        ContractError: Numbers out of range.
    """

    delay_steps: int = 0
    gain: float = 1.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.delay_steps <= 1000 or not 0 < self.gain < math.inf or not 0 <= self.noise < math.inf:
            raise ContractError(
                "ActionShift is out of range", got=self, expected="0 to 1000 steps, a gain above 0, noise ≥ 0"
            )


@dataclass(frozen=True, kw_only=True)
class Shift:
    """One change of a world.

    Args:
        look: Drawn with, by worlds that draw themselves; none leaves their look as it is.
        pixels: Done to the pictures of any world.
        instead: Done to the pictures of a world that does not draw itself, in place of `look`; none where pixels
            cannot show it.
        actions: Done to the actions of any world.
    """

    look: Look | None = None
    pixels: PixelShift = field(default_factory=PixelShift)
    instead: PixelShift | None = None
    actions: ActionShift = field(default_factory=ActionShift)

    def seen(self, *, drawn: bool) -> "Shift":
        """What is left to do outside a world that draws itself, or of one that does not.

        Raises:
            UsageError: A look that pixels cannot show.
        """
        if drawn or self.look is None:
            return self
        if self.instead is None:
            raise UsageError(
                "this world cannot be shifted so",
                got=f"{self.look}, and a world whose drawing monde does not control",
                expected="a shift that pixels or actions can show",
                remedy="choose another shift, such as background, colour, camera, lighting or dynamics",
            )
        return replace(self, look=None, pixels=_both(self.instead, self.pixels), instead=None)

    def then(self, other: "Shift") -> "Shift":
        """This one and another at once; where both change one number, the other's is taken."""
        instead: PixelShift | None = PixelShift()
        for shift in (self, other):
            if shift.look is not None:  # one look that pixels cannot show makes both so
                instead = None if instead is None or shift.instead is None else _both(instead, shift.instead)
        return Shift(
            look=None if self.look is None and other.look is None else _both(self.look or Look(), other.look or Look()),
            pixels=_both(self.pixels, other.pixels),
            instead=instead,
            actions=_both(self.actions, other.actions),
        )


_T = TypeVar("_T", Look, PixelShift, ActionShift)


def _both(one: _T, other: _T) -> _T:
    """Two as one: of each field the other's value, where that is not the default."""
    plain = type(other)()
    names = [entry.name for entry in fields(other) if getattr(other, entry.name) != getattr(plain, entry.name)]
    return replace(one, **{name: getattr(other, name) for name in names})


SHIFTS: Mapping[str, Shift] = MappingProxyType(
    {
        "background": Shift(look=Look(floor=(96, 144, 196)), instead=PixelShift(background=(96, 144, 196))),
        "colour": Shift(look=Look(wall=(110, 70, 50), agent=(40, 160, 90)), instead=PixelShift(hue_degrees=120.0)),
        "size": Shift(look=Look(agent_scale=1.5)),
        "camera": Shift(pixels=PixelShift(zoom=0.9, offset=(0.03, -0.02))),
        "lighting": Shift(pixels=PixelShift(gain=0.6, gradient=0.4)),
        "dynamics": Shift(actions=ActionShift(delay_steps=1, gain=0.6, noise=0.1)),
    }
)
"""The declared shifts, by name. Chosen before anything was measured under them; never to be tuned."""


def shift_named(names: Iterable[str]) -> Shift:
    """The declared shifts of these names, all at once; no name is no shift.

    Raises:
        UsageError: An unknown one.
    """
    found = Shift()
    for name in names:
        if name not in SHIFTS:
            raise unknown_name("shift", name, list(SHIFTS))
        found = found.then(SHIFTS[name])
    return found
