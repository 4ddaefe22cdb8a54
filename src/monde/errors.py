"""Every error that monde raises on purpose.

    MondeError
    ├── ContractError      a value does not satisfy the contract of the room it was handed to
    ├── UsageError         a name, flag or combination that does not exist; lists what does
    ├── DataError          a recording is missing, malformed, or not what its metadata says
    │   └── CacheError     the frame cache cannot be built (no room) or does not belong to the data
    ├── StoreError         an artefact on disk: missing, altered, of the wrong shape, or refused
    ├── WorldError         an environment failed, or was driven outside its contract
    ├── TrainingError      training stopped before it could harm the weights
    ├── PlanningError      a planner or cost was asked for something that cannot be planned
    └── ServingError       a server refused a request, or cannot be reached; carries the HTTP status

Each says what was wrong, what was got, what was expected, and the remedy.
"""


class MondeError(Exception):
    """Base class. `str(error)` is one readable paragraph; the four parts stay available as attributes."""

    def __init__(self, what: str, *, got: object = None, expected: object = None, remedy: str | None = None) -> None:
        self.what = what
        self.got = None if got is None else str(got)
        self.expected = None if expected is None else str(expected)
        self.remedy = remedy
        super().__init__(what)

    def __str__(self) -> str:
        parts = [self.what.rstrip(".") + "."]
        if self.got is not None:
            parts.append(f"Got: {self.got}.")
        if self.expected is not None:
            parts.append(f"Expected: {self.expected}.")
        if self.remedy is not None:
            parts.append(f"Remedy: {self.remedy.rstrip('.')}.")
        return " ".join(parts)

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process boundaries (recording workers); keyword-only parts must survive the trip.
        return _rebuild, (type(self), self.what, self.got, self.expected, self.remedy)


def _rebuild(cls: type[MondeError], what: str, got: str | None, expected: str | None, remedy: str | None) -> MondeError:
    return cls(what, got=got, expected=expected, remedy=remedy)


class ContractError(MondeError, ValueError):
    """A value does not satisfy the contract of the room it was handed to."""


class UsageError(MondeError, ValueError):
    """A name, flag or combination that does not exist."""


class DataError(MondeError):
    """A recording is missing, malformed, or not what its metadata says."""


class CacheError(DataError):
    """The decoded-frame cache cannot be built, or does not belong to the data."""


class StoreError(MondeError):
    """An artefact on disk is missing, altered, of the wrong shape, or of a refused kind."""


class WorldError(MondeError):
    """An environment failed, or was driven outside its contract."""


class TrainingError(MondeError):
    """Training stopped before it could harm the weights."""


class PlanningError(MondeError):
    """A planner or cost was asked for something that cannot be planned."""


class ServingError(MondeError):
    """A server refused a request, or cannot be reached.

    `status` is the HTTP status that says so: 400 unreadable, 401 no or wrong token, 404 unknown, 408 too slow, 409
    superseded, 413 too large, 415 another format, 422 wrong content, 429 too often, 503 busy, stopping or out of reach.
    """

    def __init__(
        self,
        what: str,
        *,
        status: int = 422,
        got: object = None,
        expected: object = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(what, got=got, expected=expected, remedy=remedy)
        self.status = status

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild_serving, (self.what, self.status, self.got, self.expected, self.remedy)


def _rebuild_serving(what: str, status: int, got: str | None, expected: str | None, remedy: str | None) -> ServingError:
    return ServingError(what, status=status, got=got, expected=expected, remedy=remedy)


def unknown_name(kind: str, name: str, known: list[str], error: type[MondeError] = UsageError) -> MondeError:
    """The error for a name that does not exist: lists what does, nearest first."""
    import difflib

    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    remedy = f"did you mean {' or '.join(repr(n) for n in near)}?" if near else f"choose one of {', '.join(known)}"
    return error(f"unknown {kind} {name!r}", expected=f"one of {', '.join(known)}", remedy=remedy)
