"""How far an answer can be trusted: whether what it rests on is like anything that was trained on."""

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from monde.mind.knowledge import Knowledge
from monde.mind.values import Trusted
from monde.readouts import Familiarity

UNKNOWN = Trusted(told="nothing tells how familiar this is: the run's recording was not looked through")


def of_states(knowledge: Knowledge | None, latents: Float[Tensor, "m N D"], what: str) -> Trusted:
    """Of something seen: its least familiar latent."""
    if knowledge is None:
        return UNKNOWN
    return _told(_share(knowledge.familiarity.distance(latents), knowledge.familiarity.limit), what)


def of_future(
    knowledge: Knowledge | None, start: Float[Tensor, "N D"], latents: Float[Tensor, "H N D"], what: str
) -> Trusted:
    """Of something imagined: its least familiar state or step."""
    if knowledge is None:
        return UNKNOWN
    return _told(boldest(knowledge.familiarity, start, latents), what)


def boldest(familiarity: Familiarity, start: Float[Tensor, "N D"], latents: Float[Tensor, "H N D"]) -> float:
    """The least familiar state or step of a way, in units of the limits: both sides of a wall are familiar, the way
    through it is not."""
    begins = torch.cat([start[None], latents[:-1]])
    states = _share(familiarity.distance(latents), familiarity.limit)
    return max(states, _share(familiarity.step(begins, latents), familiarity.step_limit))


def together(*parts: Trusted) -> Trusted:
    """Of what rests on several things: as little as the least of them. A probability is the first that is told."""
    known = [part.unfamiliarity for part in parts if part.unfamiliarity is not None]
    if not known:
        return next(iter(parts), UNKNOWN)
    strange = tuple(dict.fromkeys(what for part in parts for what in part.out_of_distribution))
    probability = next((part.success_probability for part in parts if part.success_probability is not None), None)
    return Trusted(
        success_probability=probability,
        unfamiliarity=max(known),
        out_of_distribution=strange,
        told=_words(max(known), strange),
    )


def with_probability(trust: Trusted, probability: float | None) -> Trusted:
    """The same, and how likely success is."""
    if probability is None:
        return trust
    told = f"success has a probability of {probability:.2f}; {trust.told}"
    return replace(trust, success_probability=probability, told=told)


def _share(distances: Tensor, limit: Tensor) -> float:
    return float(distances.amax() / limit)


def _told(unfamiliarity: float, what: str) -> Trusted:
    strange = (what,) if unfamiliarity > 1 else ()
    return Trusted(unfamiliarity=unfamiliarity, out_of_distribution=strange, told=_words(unfamiliarity, strange))


def _words(unfamiliarity: float, strange: tuple[str, ...]) -> str:
    if not strange:
        return "all of it is like what was trained on"
    names = ", ".join(strange)
    return (
        f"out of distribution: {names}; {unfamiliarity:.3g} times as far from all that was trained on as usual at most"
    )
