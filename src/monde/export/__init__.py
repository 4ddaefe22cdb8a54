"""A run for other tools: ONNX files that need no torch, and a repository on the Hugging Face Hub with its card."""

from monde.export.agreement import Agreement, agreement
from monde.export.card import model_card
from monde.export.onnx_files import MANIFEST, Exported, export_run
from monde.export.repository import pull_run, push_run

__all__ = [
    "MANIFEST",
    "Agreement",
    "Exported",
    "agreement",
    "export_run",
    "model_card",
    "pull_run",
    "push_run",
]
