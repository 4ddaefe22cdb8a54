"""What travels between a server and its clients: bounded documents, the messages of a control session. No torch."""

from monde.wire.documents import check_document, from_json, from_msgpack, read, to_json, to_msgpack
from monde.wire.messages import (
    PROTOCOL,
    Act,
    Arrays,
    Begin,
    Closing,
    Document,
    Hello,
    Message,
    Observe,
    Refused,
    Stop,
    Stopped,
    Welcome,
    decode,
    encode,
)

__all__ = [
    "PROTOCOL",
    "Act",
    "Arrays",
    "Begin",
    "Closing",
    "Document",
    "Hello",
    "Message",
    "Observe",
    "Refused",
    "Stop",
    "Stopped",
    "Welcome",
    "check_document",
    "decode",
    "encode",
    "from_json",
    "from_msgpack",
    "read",
    "to_json",
    "to_msgpack",
]
