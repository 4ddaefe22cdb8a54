"""What the untrained encoder told is kept: the trained latent must still tell it."""

from jaxtyping import Float
from torch import Tensor, nn

from monde.nn import MLP


class Kept(nn.Module):
    """Tells the latents of the untrained encoder from those of the trained one; the loss is the squared error.

    Prediction and SIGReg together are met by any features that can be foreseen and fill all dimensions. What is small,
    or hardly moves, or moves as something else does, is given up for it: places were read worse from a trained latent
    than from an untrained one (docs/log.md, 2026-11-26). A random network loses little; as a target that never moves it
    cannot collapse (random targets: BEST-RQ, arXiv 2202.01855, section 3; random features as what is to be told:
    arXiv 1810.12894, section 2.2).

    Args:
        latent: D.
        hidden: Width of the MLP.
    """

    def __init__(self, latent: int, hidden: int = 256) -> None:
        super().__init__()
        self.mlp = MLP(latent, hidden, latent)

    def forward(self, latents: Float[Tensor, "B T N D"], first: Float[Tensor, "B T N D"]) -> Float[Tensor, ""]:
        """Mean squared error over all tokens; the untrained latents have unit variance."""
        return (self.mlp(latents) - first).square().mean()
