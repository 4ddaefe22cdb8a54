from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from analytic import AnalyticModel, GappyClips, WalkClips
from monde.errors import ContractError, DataError
from monde.evaluation import PredictionConfig, score_prediction, score_probes, targets
from monde.evaluation.latents import encode_clips
from monde.evaluation.retrieval import retrieval_ranks
from monde.protocols import WorldModel
from monde.scorecard import Row
from monde.types import Belief, Clip, Rollout, Stream

POSITION = targets(AnalyticModel().sensors)
CONFIG = PredictionConfig(context=2, horizon=4, report=(1, 4, 8))


def _rows(model: WorldModel, config: PredictionConfig = CONFIG) -> dict[str, Row]:
    train, held_out = WalkClips(0), WalkClips(1)
    probes = score_probes(model, train, held_out, POSITION)
    rows = score_prediction(model, train, held_out, POSITION, probes.readouts, config)
    return {row.metric: row for row in rows}


def test_the_true_model_beats_every_floor_at_every_horizon() -> None:
    rows = _rows(AnalyticModel())
    assert {metric.rsplit("/", 1)[1] for metric in rows} == {"0.5s", "2s"}
    for horizon in ("0.5s", "2s"):
        error = rows[f"prediction/position/rmse/{horizon}"]
        assert set(error.floors) == {"copy_last", "mean", "linear_ar", "linear_ar_actions", "no_action"}
        assert error.value < 0.05
        assert error.value < 0.1 * min(error.floors.values())
        assert error.n == 24 * 4
        top1 = rows[f"prediction/retrieval_top1/{horizon}"]
        assert top1.value == 1
        assert top1.value > max(top1.floors.values())
        rank = rows[f"prediction/retrieval_rank/{horizon}"]
        assert rank.value == 1
        assert rank.value < min(rank.floors.values())
        assert rows[f"prediction/position/action_gap/{horizon}"].value > 1
        assert rows[f"prediction/action_gap_top1/{horizon}"].value > 0.3


def test_a_model_that_ignores_actions_is_seen_through() -> None:
    rows = _rows(AnalyticModel(blind=True))
    for horizon in ("0.5s", "2s"):
        error = rows[f"prediction/position/rmse/{horizon}"]
        # Nothing moves in its imagination: it is its own no-action ablation, and as good as copying the last frame.
        assert error.value == pytest.approx(error.floors["no_action"], rel=1e-3)
        assert error.value == pytest.approx(error.floors["copy_last"], rel=1e-3)
        assert rows[f"prediction/position/action_gap/{horizon}"].value == 0
        assert rows[f"prediction/action_gap_top1/{horizon}"].value == 0
        assert rows[f"prediction/retrieval_top1/{horizon}"].value < 0.1


def test_a_linear_model_with_actions_is_a_strong_baseline_where_there_are_no_walls() -> None:
    floors = _rows(AnalyticModel())["prediction/position/rmse/0.5s"].floors
    assert floors["linear_ar_actions"] < 0.7 * floors["linear_ar"]
    assert floors["linear_ar"] < floors["copy_last"]
    assert floors["linear_ar"] < floors["mean"]


def test_the_history_is_encoded_in_batches_and_the_batch_changes_nothing() -> None:
    whole = _rows(AnalyticModel())
    small = _rows(AnalyticModel(), PredictionConfig(context=2, horizon=4, report=(1, 4), batch=7))
    assert {metric: row.value for metric, row in whole.items()} == pytest.approx(
        {metric: row.value for metric, row in small.items()}
    )


def test_the_context_ends_where_imagination_begins() -> None:
    """A model that is wrong about everything it was not shown: off by one frame would show at once."""
    seen: list[Tensor] = []

    class Watching(AnalyticModel):
        def begin(self, clip: Clip) -> Belief:
            seen.append(clip.stream("state").values.clone())
            return super().begin(clip)

        def imagine(self, belief: Belief, actions: Tensor, hypotheses: int = 1, beliefs: bool = False) -> Rollout:
            return super().imagine(belief, actions, hypotheses, beliefs)

    config = PredictionConfig(context=3, horizon=4, report=(1,), starts=1)
    assert _rows(Watching(), config)["prediction/position/rmse/0.5s"].value < 0.05
    assert {values.shape[1] for values in seen} == {3}
    np.testing.assert_array_equal(seen[0][0].numpy(), WalkClips(1).states[0, :3].numpy())


def test_frames_that_show_the_same_are_no_rivals() -> None:
    model = AnalyticModel()
    walk = WalkClips(0, count=1, steps=6)
    walk.states[0] = torch.tensor([[10.0, 10.0], [20.0, 10.0], [20.0, 10.0], [30.0, 10.0], [40.0, 10.0], [21.0, 10.0]])
    clips = encode_clips(model, walk, (), 1)

    def rank(place: float, step: int) -> tuple[float, float]:
        imagined = torch.tensor([[[place, 10.0]]])
        ranks, rivals = retrieval_ranks(clips, np.array([0]), np.array([step]), imagined)
        return float(ranks[0]), float(rivals[0])

    assert rank(20.0, 1) == (1, 4)
    assert rank(21.0, 1) == (2, 4)
    assert rank(25.0, 3) == (3, 5)  # nearer to 21, level with both 20s: a tie counts half
    assert rank(40.0, 0) == (6, 5)


def test_clips_that_cannot_be_judged_are_refused() -> None:
    model, train = AnalyticModel(), WalkClips(0)
    with pytest.raises(DataError, match="long enough"):
        score_prediction(model, train, WalkClips(1, steps=5), (), {}, CONFIG)

    class NoActions(WalkClips):
        def clip(self, index: int) -> Clip:
            return Clip(super().clip(index).streams)

    with pytest.raises(DataError, match="actions"):
        score_prediction(model, train, NoActions(1), (), {}, CONFIG)
    with pytest.raises(ContractError, match="empty"):
        PredictionConfig(horizon=0)


def test_without_a_state_retrieval_still_judges() -> None:
    rows = score_prediction(AnalyticModel(), WalkClips(0), WalkClips(1), (), {}, CONFIG)
    assert {row.metric.split("/")[1] for row in rows} == {"retrieval_top1", "retrieval_rank", "action_gap_top1"}


def test_windows_that_end_without_the_truth_are_left_out() -> None:
    model, config = AnalyticModel(), PredictionConfig(context=2, horizon=4, report=(1, 3, 4), starts=11)
    truth = targets((replace(model.sensors[0], name="truth"),))
    train, held_out = GappyClips(0), GappyClips(1, lost=4)
    readouts = score_probes(model, train, held_out, truth).readouts
    rows = {row.metric: row for row in score_prediction(model, train, held_out, truth, readouts, config)}
    # Windows end in frames 1 to 11 and `blocks` later; of these frames 3, 4, 7, 8, 11, 12 and 15 have the truth.
    for seconds, there in ((0.5, 6), (1.5, 5), (2.0, 5)):
        error = rows[f"prediction/position/rmse/{seconds:g}s"]
        assert error.n == 20 * there
        assert error.value < 0.05 < 0.1 * min(error.floors.values())
        assert rows[f"prediction/position/action_gap/{seconds:g}s"].value > 1
    untold = score_prediction(model, train, GappyClips(1, lost=24), truth, readouts, config)
    unlearned = score_prediction(model, GappyClips(0, lost=24), held_out, truth, readouts, config)
    assert {row.metric.split("/")[1] for row in (*untold, *unlearned)} == {
        "retrieval_top1",
        "retrieval_rank",
        "action_gap_top1",
    }


def test_stacked_clips_keep_their_rows() -> None:
    walk = WalkClips(0, count=3)
    stacked = Clip.joined([walk.clip(index) for index in range(3)])
    assert torch.equal(stacked.stream("state").values, walk.states)
    assert isinstance(stacked.actions, Stream)
    assert torch.equal(stacked.actions.values, walk.actions)
