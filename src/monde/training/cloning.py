"""Goal-conditioned behaviour cloning: the baseline that imitates the recording and imagines nothing.

After "Learning to Reach Goals via Iterated Supervised Learning" (arXiv 1912.06088, section 4.1), without its
iteration: a block is imitated as the way to whatever frame came later in its episode.
"""

import time
from pathlib import Path

import torch
from torch import nn

from monde.actors import Actor, ActorConfig
from monde.errors import TrainingError
from monde.models import JEPA, load_model, refuse_placed
from monde.training.actor import ActorProgress, FitActorConfig, rate_share
from monde.training.actor_step import GoalShares, draw_tasks
from monde.training.device import choose_device
from monde.training.frame_latents import FrameLatents, encode_frames
from monde.training.schedule import share_done
from monde.training.setup import reopen


def clone_recording(
    run: Path | str, config: FitActorConfig | None = None, progress: ActorProgress | None = None
) -> Actor:
    """An actor that does what the recording did on its way to later frames; nothing is kept in the run's folder.

    Args:
        run: Run folder.
        config: Sizes and time as for `fit_actor`; of its goals only `mean_steps` and `standing` count.
        progress: Told as by `fit_actor`.

    Raises:
        UsageError: A model without actions.
        DataError: The recording is gone or altered.
        TrainingError: A loss that is not finite.
    """
    refuse_placed(run, "cloning")
    config = config or FitActorConfig()
    _, setup = reopen(Path(run))
    model = load_model(Path(run), choose_device(config.device)).requires_grad_(False)
    return clone(model, encode_frames(model, setup, standing=dict(config.goals.standing)), config, progress)


def clone(model: JEPA, data: FrameLatents, config: FitActorConfig, progress: ActorProgress | None = None) -> Actor:
    """The same on latents that are there already.

    Raises:
        TrainingError: A loss that is not finite.
    """
    device = data.latents.device
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(config.seed)
        features = data.latents[0].numel()
        actor = Actor(ActorConfig(features=features, actions=model.actions, hidden=config.hidden, depth=config.depth))
    actor.trunk.standardise(data.latents.flatten(1))
    actor.to(device)
    shares = GoalShares(elsewhere=0.0, later=1.0, mean_steps=config.goals.mean_steps)
    generator = torch.Generator(device).manual_seed(config.seed)
    optimiser = torch.optim.AdamW(actor.parameters(), lr=config.learning_rate, weight_decay=1e-4)
    began, step = time.perf_counter(), 0
    while (done := share_done(step, config.steps, time.perf_counter() - began, config.minutes)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = config.learning_rate * rate_share(step, done)
        tasks = draw_tasks(data, config.frames, config.goals_each, shares, generator)
        mean, std = actor.spread(data.latents[tasks.frames][:, None], data.goals[tasks.goals])
        taken = data.blocks(tasks.frames).clamp(actor.low, actor.high)[:, None]
        ahead = (tasks.blocks_taken > 0).float()
        loss = -(actor.log_likelihood(mean, std, taken) * ahead).sum() / ahead.sum().clamp_min(1)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(actor.parameters(), 1.0)
        if not bool(torch.isfinite(norm)):
            raise TrainingError("the clone's gradient is not finite", got=loss, remedy="lower the learning rate")
        optimiser.step()
        step += 1
        if progress is not None and step % 50 == 1:
            progress(done, 1.0, {"actor": float(loss.detach())})
    return actor.eval()
