"""What clients are told: errors with their status, and values as documents."""

from collections.abc import Mapping

from starlette.responses import Response

from monde.errors import MondeError, ServingError, StoreError, TrainingError
from monde.store import typed
from monde.wire import to_json


def serving(error: MondeError) -> ServingError:
    """What a client is told of an error: 422 what cannot be done with its request, 500 what is wrong here."""
    if isinstance(error, ServingError):
        return error
    if isinstance(error, StoreError | TrainingError):
        return ServingError("the server has a fault", status=500, remedy="its log says why")
    return ServingError(error.what, got=error.got, expected=error.expected, remedy=error.remedy)


def error_document(error: ServingError) -> dict[str, object]:
    """An error as a document."""
    told = {"what": error.what, "got": error.got, "expected": error.expected, "remedy": error.remedy}
    return {"status": error.status, "error": {name: text for name, text in told.items() if text is not None}}


def told(error: ServingError) -> Response:
    """An error as an answer."""
    headers = {401: {"WWW-Authenticate": "Bearer"}, 429: {"Retry-After": "1"}, 503: {"Retry-After": "1"}}
    content = to_json(error_document(error))
    return Response(content, error.status, headers.get(error.status), media_type="application/json")


def as_document(value: object) -> Mapping[str, object]:
    """A dataclass as a document."""
    document = typed.to_json(value, binary=True)
    return document if isinstance(document, dict) else {"value": document}
