"""Imagination as CUDA graphs: one launch for a whole rollout of small kernels, which else wait for the processor."""

from collections import OrderedDict
from collections.abc import Callable, Hashable

import torch
from jaxtyping import Float
from torch import Tensor

from monde.limits import MAX_GRAPHS
from monde.models.jepa import JEPA
from monde.protocols import WorldModel
from monde.types import ActionSpec, Belief, Clip, Latents, Rollout, Sensor

WARM_UP_RUNS = 3
"""Before a capture, so that libraries have chosen their kernels and workspaces."""


def graphed(model: WorldModel) -> WorldModel:
    """The model, with imagination captured where that is possible: a `JEPA` on a CUDA device. Others as they are."""
    if isinstance(model, JEPA) and model.device.type == "cuda":
        return GraphedModel(model)
    return model


class GraphedModel:
    """A world model whose `imagine` is captured once for each shape, and replayed (`torch.cuda.CUDAGraph`).

    Replayed are futures without gradients and without beliefs at their end, which is what a search asks for; all else
    goes to the model itself. At most `MAX_GRAPHS` shapes are kept, those used last. Weights that are changed in place
    count from the next replay on; a model that was moved or given other precision is captured anew.

    Args:
        model: On a CUDA device.
    """

    def __init__(self, model: JEPA) -> None:
        self.model = model
        self._captured: OrderedDict[Hashable, _Captured] = OrderedDict()

    @property
    def sensors(self) -> tuple[Sensor, ...]:
        """What it reads."""
        return self.model.sensors

    @property
    def actions(self) -> ActionSpec:
        """The action blocks it is conditioned on."""
        return self.model.actions

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return self.model.device

    def encode(self, clip: Clip) -> Latents:
        """As the model."""
        return self.model.encode(clip)

    def begin(self, clip: Clip) -> Belief:
        """As the model."""
        return self.model.begin(clip)

    def update(self, belief: Belief, clip: Clip, action: Float[Tensor, "B A"]) -> Belief:
        """As the model."""
        return self.model.update(belief, clip, action)

    def imagine(
        self, belief: Belief, actions: Float[Tensor, "B S H A"], hypotheses: int = 1, beliefs: bool = False
    ) -> Rollout:
        """As the model, to the last bit; see `JEPA.imagine` for what it raises."""
        model = self.model
        wanted = torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
        if beliefs or wanted or model.device.type != "cuda":
            return model.imagine(belief, actions, hypotheses, beliefs)
        inputs = _tensors(belief, actions.to(model.device))
        key = (hypotheses, model.autocast, model.device, *((part.shape, part.dtype) for part in inputs))
        captured = self._captured.pop(key, None)
        if captured is None:
            captured = _Captured(lambda parts: _imagined(model, parts, hypotheses), inputs)
        self._captured[key] = captured
        if len(self._captured) > MAX_GRAPHS:
            self._captured.popitem(last=False)
        return Rollout(captured.replay(inputs))


class _Captured:
    """A function of tensors, captured for one set of shapes."""

    def __init__(self, function: Callable[[tuple[Tensor, ...]], Tensor], inputs: tuple[Tensor, ...]) -> None:
        # Buffers made in inference mode could not be written to outside it.
        with torch.inference_mode(False), torch.no_grad(), torch.cuda.device(inputs[0].device):
            self._inputs = tuple(part.clone() for part in inputs)
            stream = torch.cuda.Stream()
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                for _ in range(WARM_UP_RUNS):
                    function(self._inputs)
            torch.cuda.current_stream().wait_stream(stream)
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph):
                self._output = function(self._inputs)

    def replay(self, inputs: tuple[Tensor, ...]) -> Tensor:
        with torch.inference_mode(False), torch.no_grad(), torch.cuda.device(inputs[0].device):
            for held, part in zip(self._inputs, inputs, strict=True):
                held.copy_(part)
            self._graph.replay()
            return self._output.clone()  # the next replay writes over it


def _tensors(belief: Belief, actions: Tensor) -> tuple[Tensor, ...]:
    return (actions, belief.latents, belief.valid, belief.times_seconds, *belief.memory)


def _imagined(model: JEPA, parts: tuple[Tensor, ...], hypotheses: int) -> Tensor:
    actions, latents, valid, times, *memory = parts
    return model.imagine(Belief(latents, valid, tuple(memory), times), actions, hypotheses).latents
