"""Video files, decoded with PyAV."""

from monde.data.video.file import VideoFile

__all__ = ["VideoFile"]
