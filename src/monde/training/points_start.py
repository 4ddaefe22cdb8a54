"""Where a `PointModel` begins: principal components for filters, a mixture of linear regressions for maps.

Both are found in closed form from what is to be predicted, so that gradient descent begins near a good linear model.
The mixture is fitted by expectation and maximisation (Jordan & Jacobs 1994, "Hierarchical mixtures of experts and the
EM algorithm").
"""

import torch
from jaxtyping import Float
from torch import Tensor

from monde.models.points import PointBelief, PointModel

ROUNDS = 40
RIDGE = 1e-3
OCCAM = 5.0
"""How strongly the commonest map that explains a step is preferred, once maps have found their places."""
GATE_STEPS = 400


@torch.no_grad()
def start_filters(model: PointModel, windows: Float[Tensor, "B W 3"], after: Float[Tensor, "B H 3"]) -> None:
    """Filters become whitened principal components of windows; all maps the one best linear map."""
    relative = (windows[:, :-1] - windows[:, -1:]).double()
    column = 0
    for frames, numbers in model.config.spans:
        rows = relative[:, -(frames - 1) :].transpose(1, 2).reshape(-1, frames - 1)
        values, vectors = torch.linalg.eigh(rows.T @ rows / len(rows))
        best = (vectors[:, -numbers:] / values[-numbers:].sqrt()).flip(1)
        model.basis[-(frames - 1) :, column : column + numbers] = best.float()
        column += numbers
    steady = model.basis.T @ torch.arange(len(model.basis), 0, -1.0)
    model.inertial.copy_(steady / steady.norm())
    now, then, step = _pairs(model, windows, after)
    model.step_metres.copy_(step.square().mean().sqrt())
    acted, changed = _flat(model.inputs(now, model.heights(now.position))), _flat(then.latent - now.latent)
    model.maps.copy_(_ridge(acted, changed, torch.ones(len(acted), dtype=torch.float64)).float().expand_as(model.maps))
    told = _flat(step[:, :, None]) / model.step_metres
    weights = torch.ones(len(told), dtype=torch.float64)
    model.readout.copy_(_ridge(_flat(then.latent), told, weights)[:, 0].float())


def start_maps(model: PointModel, windows: Float[Tensor, "B W 3"], after: Float[Tensor, "B H 3"], seed: int) -> None:
    """Maps become a mixture of linear regressions of the next latent; gates learn which of them held."""
    with torch.no_grad():
        now, then, _ = _pairs(model, windows, after)
        heights = model.heights(now.position)
        acted, changed = model.inputs(now, heights).double(), (then.latent - now.latent).double()
        maps, held = _mixture(acted, changed, model.maps.shape[0], seed)
        model.maps.copy_(maps.float())
        shown = model.look(now, heights)
    _learn(model.choose_map, shown, held.float(), seed)


def _learn(gate: torch.nn.Module, shown: Tensor, held: Tensor, seed: int) -> None:
    optimiser = torch.optim.Adam(gate.parameters(), lr=5e-3)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(GATE_STEPS):
        rows = torch.randint(len(shown), (512,), generator=generator)
        loss = -(held[rows] * gate(shown[rows]).log_softmax(-1)).sum(-1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def _mixture(acted: Tensor, changed: Tensor, experts: int, seed: int) -> tuple[Tensor, Tensor]:
    """Maps [K, I, D] and how much each held for each row [B, K].

    Each begins from a few neighbouring rows (by what is acted on), as one regime of motion would be seen.
    """
    generator = torch.Generator().manual_seed(seed)
    B = len(acted)
    flat = acted.flatten(1)
    seeds = torch.randperm(B, generator=generator)[:experts]
    near = torch.cdist(flat, flat[seeds])
    held = torch.zeros(B, experts, dtype=torch.float64)
    for k in range(experts):
        held[near[:, k].topk(max(B // 50, 64), largest=False).indices, k] = 1.0
    floor = changed.square().mean((0, 1)) * 1e-6
    for turn in range(ROUNDS):
        maps = torch.stack([_ridge(acted, changed, held[:, k : k + 1].expand(-1, 3)) for k in range(experts)])
        off = (torch.einsum("bai,kid->bkad", acted, maps) - changed[:, None]).square()
        spread = (held[:, :, None, None] * off).sum((0, 2)) / (3 * held.sum(0)[:, None] + 1e-9) + floor
        likely = -0.5 * (off / spread[None, :, None] + spread.log()[None, :, None]).sum((2, 3))
        common = (held.mean(0) + 1e-6).log()
        held = (likely + common * (1.0 if turn < ROUNDS // 2 else OCCAM)).softmax(-1)
    return maps, held


def _ridge(acted: Tensor, changed: Tensor, weights: Tensor) -> Tensor:
    X, Y = acted.flatten(0, -2).double(), changed.flatten(0, -2).double()
    w = weights.reshape(-1, 1)
    gram = X.T @ (w * X)
    gram = gram + RIDGE * (w.sum() + 1.0) * torch.eye(len(gram), dtype=gram.dtype)
    return torch.linalg.solve(gram, X.T @ (w * Y))


def _pairs(model: PointModel, windows: Tensor, after: Tensor) -> tuple[PointBelief, PointBelief, Tensor]:
    there = ~torch.isnan(after[:, 0, 0])
    cut = torch.cat([windows, after[:, :1]], 1)[there]
    return model.begin(cut[:, :-1]), model.begin(cut[:, 1:]), cut[:, -1] - cut[:, -2]


def _flat(x: Tensor) -> Tensor:
    return x.flatten(0, 1)
