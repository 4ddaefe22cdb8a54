"""`Predictor`: a small causal transformer over words of tokens; it tells the likelihood of what is asked.

Pre-norm blocks (arXiv 2002.04745) over [known words][asked words]; tokens of one asked word follow one another, each
knowing those before it. Where words are chained, an asked word also knows the answers to those before it, as in a
language model; where they are not, each knows what is known and itself alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from monde.bets.corners.tokens.words import LEFT_OUT, Field, Words, waves

SPREAD_BINS = 1.5
"""Labels of ordered fields are spread over neighbouring bins with this standard deviation."""

ROUNDS = 24
"""Most rounds in which a chained sentence is settled."""


@dataclass(frozen=True, kw_only=True)
class PredictorConfig:
    """What a predictor reads and foretells, and its size.

    Args:
        fields: Of a word.
        targets: Of an answer, foretold in this order.
        chained: Whether asked words know the answers before them.
        width: Of the transformer.
        layers: Of the transformer.
        heads: Of its attention.
    """

    fields: tuple[Field, ...]
    targets: tuple[Field, ...]
    chained: bool
    width: int = 128
    layers: int = 3
    heads: int = 4


class Predictor(nn.Module):
    """See the module.

    Args:
        config: Its fields and size.
        centroids: [stages, codes, D] of a codebook, whose neighbours begin alike; or none.
    """

    def __init__(self, config: PredictorConfig, centroids: Float[Tensor, "S V D"] | None = None) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.fields = nn.ModuleList(_table(field, width, centroids) for field in config.fields)
        self.answers = nn.ModuleList(_table(field, width, centroids) for field in config.targets)
        self.blocks = nn.ModuleList(Causal(width, config.heads) for _ in range(config.layers))
        self.norm = nn.LayerNorm(width)
        self.mixes = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
            for _ in config.targets[1:]
        )
        self.outs = nn.ModuleList(_out(field, width, centroids) for field in config.targets)

    def forward(self, words: Words) -> list[Float[Tensor, "B N V"]]:
        """Logits of each target field, given the targets before it."""
        h = self._hidden(words)
        logits = []
        for m, out in enumerate(self.outs):
            if m > 0:
                before = self.answers[m - 1](words.target[..., m - 1].clamp(min=0))
                h = h + self.mixes[m - 1](h + before)
            logits.append(out(self.norm(h)))
        return logits

    def _hidden(self, words: Words) -> Float[Tensor, "B N d"]:
        known, asked = self._embed(words.context), self._embed(words.asked)
        C, N = known.shape[1], asked.shape[1]
        if self.config.chained:
            told = sum(table(words.target[..., m].clamp(min=0)) for m, table in enumerate(self.answers))
            asked = asked + F.pad(told[:, :-1], (0, 0, 1, 0))
        x = torch.cat([known, asked], dim=1)
        mask = _mask(C, N, self.config.chained, x.device)
        for block in self.blocks:
            x = block(x, mask)
        return x[:, C:]

    def _embed(self, words: Int[Tensor, "B L F"]) -> Float[Tensor, "B L d"]:
        found: Tensor = self.fields[0](words[..., 0])
        for index in range(1, words.shape[-1]):
            found = found + self.fields[index](words[..., index])
        return found

    def loss(self, words: Words) -> Float[Tensor, ""]:
        """Cross-entropy per token that is asked; labels of ordered fields are spread over their neighbours."""
        total, count = torch.zeros((), device=words.target.device), 0
        for m, (field, logits) in enumerate(zip(self.config.targets, self(words), strict=True)):
            wanted = words.target[..., m].flatten()
            kept = wanted != LEFT_OUT
            log = F.log_softmax(logits.flatten(0, 1)[kept], dim=-1)
            if field.ordered:
                total = total - (log * _kernel(field.size, SPREAD_BINS, 2.0, log.device)[wanted[kept]]).sum()
            else:
                total = total - log.gather(1, wanted[kept, None]).sum()
            count += int(kept.sum())
        return total / max(count, 1)

    @torch.no_grad()
    def likelihood(self, words: Words, spread_bins: float = 0.0) -> Float[Tensor, "B N"]:
        """Log-likelihood of each asked word's target.

        Args:
            words: Sentences with targets.
            spread_bins: Scale over which bins of ordered fields share their likelihood; half a bin is no disaster.
        """
        found = torch.zeros(words.target.shape[:2], device=words.target.device)
        for m, (field, logits) in enumerate(zip(self.config.targets, self(words), strict=True)):
            wanted = words.target[..., m]
            if field.ordered and spread_bins > 0:
                shared = logits.softmax(dim=-1) @ _kernel(field.size, spread_bins, 1.0, logits.device)
                log = shared.clamp(min=1e-30).log()
            else:
                log = logits.log_softmax(dim=-1)
            one = log.gather(-1, wanted.clamp(min=0)[..., None])[..., 0]
            found = found + torch.where(wanted == LEFT_OUT, 0.0, one)
        return found

    @torch.no_grad()
    def tell(
        self,
        words: Words,
        noise: Sequence[Float[Tensor, "B N V"]] | None = None,
        window_bins: int = 0,
        rounds: int = ROUNDS,
    ) -> Int[Tensor, "B N M"]:
        """The likeliest targets, or samples where there is Gumbel noise (one for each target field).

        Chained sentences begin with the targets that `words` holds and are settled all at once, round after round,
        until they stay: the same as one after another (Jacobi decoding, arXiv 2305.10427), seldom so many rounds.

        Args:
            words: Questions; their targets are first guesses.
            noise: Added to the logits.
            window_bins: Ordered fields: the bin with most likelihood within so many bins is told.
            rounds: Most rounds.
        """
        told = words.target.clamp(min=0)
        for _ in range(rounds if self.config.chained else 1):
            before = told
            told = self._once(words.put(told), noise, window_bins)
            if torch.equal(told, before):
                break
        return told

    def _once(self, words: Words, noise: Sequence[Tensor] | None, window_bins: int) -> Int[Tensor, "B N M"]:
        h, told = self._hidden(words), list[Tensor]()
        for m, (field, out) in enumerate(zip(self.config.targets, self.outs, strict=True)):
            if m > 0:
                h = h + self.mixes[m - 1](h + self.answers[m - 1](told[-1]))
            logits = out(self.norm(h))
            if noise is not None:
                logits = logits + noise[m]
            elif field.ordered and window_bins:
                logits = logits.softmax(dim=-1) @ _window(field.size, window_bins, logits.device)
            told.append(logits.argmax(dim=-1))
        return torch.stack(told, dim=-1)


class Causal(nn.Module):
    """A pre-norm block of attention under a mask and of an MLP.

    Attention is written out as products, for torch counts no FLOPs of its fused kernel on a CPU.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Float[Tensor, "B L d"], mask: Bool[Tensor, "L L"]) -> Float[Tensor, "B L d"]:
        """Tokens; mask[i, j] says whether i may look at j."""
        B, L, d = x.shape
        parts = self.qkv(self.attention_norm(x)).view(B, L, 3, self.heads, d // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        scores = (q @ k.transpose(-2, -1)) * (d // self.heads) ** -0.5
        weights = scores.masked_fill(~mask, float("-inf")).softmax(dim=-1)
        x = x + self.out((weights @ v).transpose(1, 2).reshape(B, L, d))
        return x + self.mlp(self.mlp_norm(x))


def _mask(known: int, asked: int, chained: bool, device: torch.device) -> Bool[Tensor, "L L"]:
    mask = torch.ones(known + asked, known + asked, dtype=torch.bool, device=device).tril()
    if not chained:
        mask[known:, known:] = torch.eye(asked, dtype=torch.bool, device=device)
    return mask


def _first(field: Field, width: int, centroids: Float[Tensor, "S V D"] | None) -> Float[Tensor, "size d"]:
    """First embeddings of a field's tokens: like for like tokens where they are ordered, or codes."""
    known: Tensor | None = None
    if field.ordered:
        known = waves(field.size)
    elif field.stage >= 0 and centroids is not None:
        codes = centroids[field.stage]
        known = torch.cat([torch.zeros_like(codes[:1]), codes / codes.std().clamp(min=1e-6)])
    if known is None:
        return torch.randn(field.size, width)
    return known @ torch.randn(known.shape[1], width) * known.shape[1] ** -0.5


def _table(field: Field, width: int, centroids: Float[Tensor, "S V D"] | None) -> nn.Embedding:
    table = nn.Embedding(field.size, width, padding_idx=0)
    with torch.no_grad():
        table.weight.copy_(0.5 * _first(field, width, centroids))
        table.weight[0] = 0
    return table


def _out(field: Field, width: int, centroids: Float[Tensor, "S V D"] | None) -> nn.Linear:
    out = nn.Linear(width, field.size)
    with torch.no_grad():
        out.weight.copy_(_first(field, width, centroids) * width**-0.5)
        out.bias.zero_()
    return out


def _kernel(size: int, scale: float, power: float, device: torch.device) -> Float[Tensor, "V V"]:
    """Rows that share one among neighbours: exp(-(|d| / scale)^power / power); nothing (0) shares with none."""
    gap = torch.arange(size, device=device)
    found = torch.exp(-(((gap[:, None] - gap[None, :]).abs() / scale) ** power) / power)
    found[0, 1:] = 0
    found[1:, 0] = 0
    return found / found.sum(dim=1, keepdim=True)


def _window(size: int, reach: int, device: torch.device) -> Float[Tensor, "V V"]:
    gap = torch.arange(size, device=device)
    return ((gap[:, None] - gap[None, :]).abs() <= reach).float()
