"""Foxglove's Protobuf messages, made of descriptors as their .proto files declare them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from google.protobuf import timestamp_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from mcap_protobuf.writer import Writer

KINDS = {
    "double": FieldDescriptorProto.TYPE_DOUBLE,
    "fixed32": FieldDescriptorProto.TYPE_FIXED32,
    "string": FieldDescriptorProto.TYPE_STRING,
    "bytes": FieldDescriptorProto.TYPE_BYTES,
}
MESSAGES = {
    "Vector3": "double x, double y, double z",
    "Quaternion": "double x, double y, double z, double w",
    "Pose": "Vector3 position, Quaternion orientation",
    "RawImage": "Timestamp timestamp, string frame_id, fixed32 width, fixed32 height, string encoding, fixed32 step, "
    "bytes data",
    "PackedElementField": "string name, fixed32 offset, fixed32 type",
    "PointCloud": "Timestamp timestamp, string frame_id, Pose pose, fixed32 point_stride, "
    "PackedElementField[] fields, bytes data",
    "PoseInFrame": "Timestamp timestamp, string frame_id, Pose pose",
    "FrameTransform": "Timestamp timestamp, string parent_frame_id, string child_frame_id, Vector3 translation, "
    "Quaternion rotation",
}


def _classes() -> dict[str, type[Message]]:
    pool = DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    file = FileDescriptorProto(name="foxglove/all.proto", package="foxglove", syntax="proto3")
    file.dependency.append("google/protobuf/timestamp.proto")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, text in enumerate(fields.split(", "), start=1):
            kind, field_name = text.split(" ")
            repeated, kind = kind.endswith("[]"), kind.removesuffix("[]")
            field = message.field.add(name=field_name, number=number)
            field.label = FieldDescriptorProto.LABEL_REPEATED if repeated else FieldDescriptorProto.LABEL_OPTIONAL
            field.type = KINDS.get(kind, FieldDescriptorProto.TYPE_MESSAGE)
            if kind not in KINDS:
                field.type_name = ".google.protobuf.Timestamp" if kind == "Timestamp" else f".foxglove.{kind}"
    pool.Add(file)
    return {name: GetMessageClass(pool.FindMessageTypeByName(f"foxglove.{name}")) for name in MESSAGES}


CLASSES = _classes()
STAMP = {"seconds": 1_700_000_000, "nanos": 5}


def vector(values: Sequence[float]) -> dict[str, float]:
    return dict(zip("xyzw", map(float, values)))


def raw_image(pixels: np.ndarray, encoding: str, frame: str) -> Message:
    height, width, channels = pixels.shape
    body = {"height": height, "width": width, "encoding": encoding, "step": width * channels, "data": pixels.tobytes()}
    return CLASSES["RawImage"](timestamp=STAMP, frame_id=frame, **body)


def point_cloud(points: np.ndarray, frame: str) -> Message:
    fields = [{"name": name, "offset": 4 * index, "type": 7} for index, name in enumerate("xyz")]
    return CLASSES["PointCloud"](timestamp=STAMP, frame_id=frame, point_stride=12, fields=fields, data=points.tobytes())


def pose_in_frame(place: Sequence[float], turn: Sequence[float]) -> Message:
    pose = {"position": vector(place), "orientation": vector(turn)}
    return CLASSES["PoseInFrame"](timestamp=STAMP, frame_id="map", pose=pose)


def transform(parent: str, child: str, place: Sequence[float], turn: Sequence[float]) -> Message:
    frames = {"parent_frame_id": parent, "child_frame_id": child}
    return CLASSES["FrameTransform"](timestamp=STAMP, **frames, translation=vector(place), rotation=vector(turn))


def write_protobuf(path: Path, messages: Sequence[tuple[str, Message, int]]) -> None:
    with path.open("wb") as file, Writer(file) as writer:
        for topic, message, moment in messages:
            writer.write_message(topic, message, log_time=moment, publish_time=moment)
