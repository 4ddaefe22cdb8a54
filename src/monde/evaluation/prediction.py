"""How prediction is judged: readout error in physical units, retrieval, the gap that actions make; and every floor.

Never by latent distance alone, since a learned latent can make its own floor easy.

Floors: `copy_last` (nothing changes), `mean` (the training mean), `linear_ar` (linear autoregression on latents),
`linear_ar_actions` (the same, told the actions), `no_action` (the same model, every action replaced by the mean action
of the training data: what is left is what the model predicts without knowing what was done).
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from torch import Tensor

from monde.evaluation.imagining import PredictionConfig, Windows, cut_windows, predictions
from monde.evaluation.latents import ClipSource, encode_clips
from monde.evaluation.probes import Target, is_known
from monde.evaluation.retrieval import retrieval_rows
from monde.evaluation.statistics import bootstrap, rmse_interval
from monde.protocols import WorldModel
from monde.readouts import LinearReadout
from monde.scorecard import Row


def score_prediction(
    model: WorldModel,
    train: ClipSource,
    held_out: ClipSource,
    wanted: Sequence[Target],
    readouts: Mapping[str, LinearReadout],
    config: PredictionConfig | None = None,
    seed: int = 0,
) -> tuple[Row, ...]:
    """Score imagined latents of held-out clips against what was then observed. Frames without the truth are left out.

    Args:
        model: Imagines.
        train: Training clips, for the floors and the mean action.
        held_out: Clips that neither model nor readouts have seen.
        wanted: Quantities whose readout error is scored (`monde.evaluation.probes.targets`); may be empty.
        readouts: Readouts of them, fitted on *observed* latents (`ProbeScore.readouts`).
        config: What is predicted from what.
        seed: Of the bootstrap over clips.

    Returns:
        For each reported horizon, in seconds s: `prediction/<target>/rmse/<s>s`; `prediction/<target>/action_gap/<s>s`,
        how much worse with the actions of another clip; `prediction/retrieval_top1/<s>s`,
        `prediction/retrieval_rank/<s>s` and `prediction/action_gap_top1/<s>s`.

    Raises:
        DataError: Clips too short, without actions, or not finite.
    """
    config = config or PredictionConfig()
    states = tuple(dict.fromkeys(target.sensor for target in wanted))
    fit_on = encode_clips(model, train, states, config.clips)
    windows = cut_windows(encode_clips(model, held_out, states, config.clips), config)
    imagined, floors = predictions(model, fit_on, windows, config)
    rows: list[Row] = []
    for blocks in sorted({blocks for blocks in config.report if blocks <= config.horizon}):
        label = f"{blocks * model.actions.block_seconds:g}s"
        for target in wanted:
            known = target.known(fit_on)
            rows += _readout_rows(target, readouts[target.name], windows, imagined, floors, known, blocks, label, seed)
        rows += retrieval_rows(windows, imagined, floors, blocks, label, seed)
    return tuple(rows)


def _readout_rows(
    target: Target,
    readout: LinearReadout,
    windows: Windows,
    imagined: dict[str, Tensor],
    floors: dict[str, Tensor],
    known: Float[np.ndarray, "n k"],
    blocks: int,
    label: str,
    seed: int,
) -> list[Row]:
    spans = zip(windows.index, windows.last, strict=True)
    truth = np.stack([windows.clips[i].states[target.sensor][t + blocks, target.components] for i, t in spans])
    asked = is_known(truth)
    if not len(known) or not asked.any():
        return []
    truth, episodes = truth[asked], windows.index[asked]

    def errors(latents: Tensor) -> Float[np.ndarray, "W k"]:
        difference: np.ndarray = readout(latents[:, blocks - 1]).double().cpu().numpy()[asked] - truth
        return difference

    true = errors(imagined["true"])
    rmse, interval = rmse_interval(true, seed, episodes)
    floor = {name: float(np.sqrt(np.square(errors(other)).mean())) for name, other in floors.items()}
    # The floor "mean" is the mean value itself: a readout of the mean latent would be the same up to its bias.
    floor["mean"] = float(np.sqrt(np.square(known.mean(0) - truth).mean()))
    observed = float(np.sqrt(np.square(errors(windows.future)).mean()))
    name, n = f"prediction/{target.name}", len(true)
    rows = [
        Row(
            metric=f"{name}/rmse/{label}",
            value=rmse,
            unit=target.unit,
            interval=interval,
            n=n,
            floors=floor,
            note=f"readout fitted on observed latents, applied to imagined ones; on observed latents it errs by "
            f"{observed:.3g} {target.unit}; linear_ar_actions is told the actions",
        )
    ]
    if "shuffled" not in imagined:
        return rows
    squared = np.stack([np.square(true).mean(1), np.square(errors(imagined["shuffled"])).mean(1)], 1)

    def gap(rows: np.ndarray) -> float:
        with_true, with_shuffled = np.sqrt(rows.mean(0))
        return float(with_shuffled - with_true)

    return [
        *rows,
        Row(
            metric=f"{name}/action_gap/{label}",
            value=gap(squared),
            unit=target.unit,
            interval=bootstrap(squared, gap, seed, episodes),
            n=n,
            floors={"none": 0.0},
            note="RMSE with the actions of another clip less RMSE with the true ones",
        ),
    ]
