"""monde: world models from recordings of the physical world.

Importing this package does nothing but name what there is; each name loads its room on first use.
"""

from importlib import import_module

__version__ = "0.1.0"

_ROOMS = {
    "ActionSpec": "monde.types",
    "Belief": "monde.types",
    "Clip": "monde.types",
    "Latents": "monde.types",
    "MondeError": "monde.errors",
    "Plan": "monde.types",
    "Problem": "monde.types",
    "Rollout": "monde.types",
    "Scorecard": "monde.scorecard",
    "Sensor": "monde.types",
    "Stream": "monde.types",
}

__all__ = ["__version__", *sorted(_ROOMS)]


def __getattr__(name: str) -> object:
    if name in _ROOMS:
        return getattr(import_module(_ROOMS[name]), name)
    raise AttributeError(f"module 'monde' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__
