"""Multi-layer perceptrons."""

from jaxtyping import Float
from torch import Tensor, nn

from monde.nn.linear import infer


class MLP(nn.Module):
    """Linear, GELU, linear.

    Args:
        inputs: Width of the input; may be 0.
        hidden: Width in between.
        outputs: Width of the output.
    """

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        # Nothing to look at (the actions of a model without any): a constant that is learned.
        self.up = nn.Linear(inputs, hidden) if inputs else _constant(hidden)
        self.down = nn.Linear(hidden, outputs)

    def forward(self, x: Float[Tensor, "... i"]) -> Float[Tensor, "... o"]:
        """[..., inputs] to [..., outputs]."""
        return infer(self.down, infer(self.up, x, "gelu"))


def _constant(outputs: int) -> nn.Linear:
    layer = nn.Linear(1, outputs)
    layer.in_features, layer.weight = 0, nn.Parameter(layer.weight[:, :0].detach())
    return layer


class ResidualMLPBlock(nn.Module):
    """x + MLP(LayerNorm(x)), the transformer's feed-forward half without attention."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.mlp = MLP(width, hidden, width)

    def forward(self, x: Float[Tensor, "... d"]) -> Float[Tensor, "... d"]:
        """[..., width] to the same."""
        return x + self.mlp(self.norm(x))
