"""What travels between a server and its clients: documents, arrays and the messages of a control session. No torch."""

from monde.wire.arrays import DTYPES, array_document, read_array
from monde.wire.documents import check_document, from_json, from_msgpack, to_json, to_msgpack
from monde.wire.messages import (
    PROTOCOL,
    Act,
    Begin,
    Closing,
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
    "DTYPES",
    "PROTOCOL",
    "Act",
    "Begin",
    "Closing",
    "Hello",
    "Message",
    "Observe",
    "Refused",
    "Stop",
    "Stopped",
    "Welcome",
    "array_document",
    "check_document",
    "decode",
    "encode",
    "from_json",
    "from_msgpack",
    "read_array",
    "to_json",
    "to_msgpack",
]
