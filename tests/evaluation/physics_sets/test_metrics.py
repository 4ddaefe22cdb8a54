"""Each metric against values worked out by hand."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from monde.errors import ContractError, DataError
from monde.evaluation.physics_sets import (
    Item,
    Movie,
    Question,
    grasp_answer_rows,
    grasp_rows,
    inflevel_rows,
    intphys2_rows,
    intphys_rows,
    mvp_rows,
    reduced,
)
from monde.evaluation.statistics import wilson
from monde.scorecard import Row


def values(rows: Sequence[Row]) -> dict[str, float]:
    return {row.metric: row.value for row in rows}


def item(name: str, possible: bool | None, group: str, pair: str | None = None, principle: str = "p", **more) -> Item:
    return Item(
        id=name, principle=principle, group=group, pair=pair, possible=possible, film=Movie(Path(f"{name}.mp4")), **more
    )


def quadruplet(group: str, principle: str, conditions: dict[str, str] | None = None) -> list[Item]:
    """Films a, b possible and c, d impossible; a and c, b and d are pairs."""
    return [
        item(f"{group}{name}", name in "ab", group, f"{group}/{name in 'ac'}", principle, conditions=conditions or {})
        for name in "abcd"
    ]


def surprises(group: str, a: float, b: float, c: float, d: float) -> dict[str, float]:
    return dict(zip((f"{group}{name}" for name in "abcd"), (a, b, c, d), strict=True))


def test_intphys() -> None:
    items = [
        *quadruplet("q", "O1", {"visibility": "visible"}),
        *quadruplet("r", "O1", {"visibility": "occluded"}),
        *quadruplet("s", "O2", {"visibility": "visible"}),
    ]
    # q: 1 + 4 < 3 + 5, right. r: 2 + 6 > 3 + 1, wrong. s: 5 + 1 = 4 + 2, a tie, half wrong.
    surprise = surprises("q", 1, 4, 3, 5) | surprises("r", 2, 6, 3, 1) | surprises("s", 5, 1, 4, 2)
    rows = intphys_rows(items, surprise)
    found = values(rows)
    assert found["intphys/relative_error/all"] == 1.5 / 3
    assert found["intphys/relative_error/O1"] == 0.5
    assert found["intphys/relative_error/O2"] == 0.5
    assert found["intphys/relative_error/visibility=visible"] == 0.25
    assert found["intphys/relative_error/O1/visibility=occluded"] == 1
    # q: of (3>1, 3<4, 5>1, 5>4) one is wrong. r: of (3>2, 3<6, 1<2, 1<6) three are. s: (4<5, 4>1, 2<5, 2>1) two.
    assert found["intphys/absolute_error/O1/visibility=visible"] == 0.25
    assert found["intphys/absolute_error/O2"] == 0.5
    assert found["intphys/absolute_error/O1/visibility=occluded"] == 0.75
    # All 6 × 6: possible 1 4 2 6 5 1; impossible 3 5 3 1 4 2.
    wrong = sum((low < high) + 0.5 * (low == high) for low in (3, 5, 3, 1, 4, 2) for high in (1, 4, 2, 6, 5, 1))
    assert found["intphys/absolute_error/all"] == pytest.approx(wrong / 36)
    # Pairs: q 1<3, 4<5; r 2<3, 6>1; s 5>4, 1<2.
    assert found["intphys/pairwise_accuracy/all"] == pytest.approx(4 / 6)
    assert found["intphys/pairwise_accuracy/mean"] == pytest.approx((3 / 4 + 1 / 2) / 2)
    relative = next(row for row in rows if row.metric == "intphys/relative_error/all")
    assert (relative.n, relative.floors["chance"]) == (3, 0.5)
    assert relative.interval == pytest.approx(wilson(1.5, 3))
    assert "1 ties" in relative.note
    assert "1803.07616" in relative.note
    area = next(row for row in rows if row.metric == "intphys/absolute_error/all")
    assert area.interval is not None
    assert area.interval[0] <= area.value <= area.interval[1]


def test_intphys_without_pairs_has_no_pairwise_accuracy() -> None:
    items = [item(f"q{name}", name in "ab", "q") for name in "abcd"]
    found = values(intphys_rows(items, surprises("q", 1, 1, 2, 2)))
    assert found == {
        "intphys/relative_error/all": 0,
        "intphys/relative_error/p": 0,
        "intphys/absolute_error/all": 0,
        "intphys/absolute_error/p": 0,
    }


def test_intphys_leaves_out_what_is_incomplete_and_says_so() -> None:
    items = [*quadruplet("q", "O1"), *quadruplet("r", "O1")]
    surprise = surprises("q", 1, 1, 2, 2) | surprises("r", 9, 9, 1, 1)
    del surprise["rd"]
    rows = intphys_rows(items, surprise)
    relative = rows[0]
    assert (relative.value, relative.n) == (0, 1)
    assert "1 of 2 quadruplets left out (r)" in relative.note
    assert values(rows)["intphys/absolute_error/all"] == 0
    # One of r's two pairs is whole.
    assert values(rows)["intphys/pairwise_accuracy/all"] == pytest.approx(2 / 3)


def test_intphys2() -> None:
    items = [
        *quadruplet("q", "solidity", {"difficulty": "Easy", "camera": "Fixed"}),
        *quadruplet("r", "permanence", {"difficulty": "Hard", "camera": "Fixed"}),
        *quadruplet("s", "solidity", {"difficulty": "Hard", "camera": "Moving"}),
    ]
    surprise = surprises("q", 1, 1, 2, 2) | surprises("r", 3, 1, 2, 2) | surprises("s", 1, 3, 2, 2)
    rows = intphys2_rows(items, surprise)
    assert values(rows) == pytest.approx(
        {
            "intphys2/pairwise_accuracy/all": 4 / 6,
            "intphys2/pairwise_accuracy/mean": (3 / 4 + 1 / 2) / 2,
            "intphys2/pairwise_accuracy/permanence": 1 / 2,
            "intphys2/pairwise_accuracy/solidity": 3 / 4,
            "intphys2/pairwise_accuracy/camera=Fixed": 3 / 4,
            "intphys2/pairwise_accuracy/camera=Moving": 1 / 2,
            "intphys2/pairwise_accuracy/difficulty=Easy": 1,
            "intphys2/pairwise_accuracy/difficulty=Hard": 1 / 2,
            "intphys2/pairwise_accuracy/permanence/camera=Fixed": 1 / 2,
            "intphys2/pairwise_accuracy/permanence/difficulty=Hard": 1 / 2,
            "intphys2/pairwise_accuracy/solidity/camera=Fixed": 1,
            "intphys2/pairwise_accuracy/solidity/camera=Moving": 1 / 2,
            "intphys2/pairwise_accuracy/solidity/difficulty=Easy": 1,
            "intphys2/pairwise_accuracy/solidity/difficulty=Hard": 1 / 2,
        }
    )
    assert rows[0].interval == pytest.approx(wilson(4, 6))
    assert rows[0].n == 6


def test_the_mean_over_principles_has_an_interval_made_of_theirs() -> None:
    items = [*quadruplet("q", "solidity"), *quadruplet("r", "permanence")]
    rows = intphys2_rows(items, surprises("q", 1, 1, 2, 2) | surprises("r", 3, 1, 2, 2))
    mean = next(row for row in rows if row.metric.endswith("/mean"))
    whole, half = wilson(2, 2), wilson(1, 2)
    assert mean.value == 0.75
    below = math.hypot(1 - whole[0], 0.5 - half[0]) / 2
    above = math.hypot(whole[1] - 1, half[1] - 0.5) / 2
    assert mean.interval == pytest.approx((0.75 - below, 0.75 + above))


def grasp_items() -> list[Item]:
    pairs = [
        item(f"{kind}_{test}/{number}", kind == "P", f"{test}/{number}", f"{test}/{number}", test)
        for test, count in (("Gravity", 1), ("Inertia", 3))
        for number in range(count)
        for kind in ("P", "IP")
    ]
    question = Question(text="Shape?", candidates=("ball", "cube"), answer="ball")
    return [*pairs, item("ShapeBall/0", None, "ShapeBall/0", principle="Shape", question=question)]


def test_grasp_by_surprise() -> None:
    surprise = {f"{kind}_Inertia/{number}": 1.0 for kind in ("P", "IP") for number in range(3)}
    surprise |= {"P_Gravity/0": 1.0, "IP_Gravity/0": 2.0, "IP_Inertia/0": 2.0, "P_Inertia/1": 2.0, "ShapeBall/0": 7.0}
    rows = grasp_rows(grasp_items(), surprise)
    assert values(rows) == pytest.approx(
        {
            "grasp/pairwise_accuracy/all": 2.5 / 4,
            "grasp/pairwise_accuracy/mean": (1 + 0.5) / 2,
            "grasp/pairwise_accuracy/Gravity": 1,
            "grasp/pairwise_accuracy/Inertia": 1.5 / 3,
        }
    )


def test_grasp_by_answers() -> None:
    answers = {"P_Gravity/0": "Yes", "IP_Gravity/0": "yes", "P_Inertia/0": "no", "IP_Inertia/0": "perhaps"}
    rows = grasp_answer_rows(grasp_items(), answers | {"ShapeBall/0": "ball"})
    found = values(rows)
    assert found["grasp/accuracy/level2/all"] == 1 / 4
    assert found["grasp/accuracy/level2/Gravity"] == 1 / 2
    assert found["grasp/accuracy/level2_possible/all"] == 1 / 2
    assert found["grasp/accuracy/level2_impossible/all"] == 0
    assert found["grasp/accuracy/level1/all"] == 1
    assert "4 of 8 films left out" in rows[0].note


def test_grasp_without_level_2() -> None:
    with pytest.raises(DataError, match="grasp_answer_rows"):
        grasp_rows(grasp_items()[-1:], {"ShapeBall/0": 1.0})


def test_inflevel() -> None:
    items = [*quadruplet("q", "continuity"), *quadruplet("r", "gravity"), *quadruplet("s", "gravity")[:3]]
    # q: (3>1, 3<4, 5>1, 5>4) is 3 of 4. r: (2=2, 2>1, 1<2, 1=1) is 2 of 4. s lacks a film.
    surprise = surprises("q", 1, 4, 3, 5) | surprises("r", 2, 1, 2, 1) | {"sa": 1.0, "sb": 1.0, "sc": 2.0}
    rows = inflevel_rows(items, surprise)
    found = values(rows)
    assert found["inflevel/accuracy/all"] == (0.75 + 0.5) / 2
    assert found["inflevel/accuracy/continuity"] == 0.75
    assert found["inflevel/accuracy/mean"] == (0.75 + 0.5) / 2
    # Pairs: q 1<3, 4<5; r two ties; s 1<2, the other is left out.
    assert found["inflevel/pairwise_accuracy/all"] == 4 / 5
    assert "1 of 3 quadruplets left out (s)" in rows[0].note
    # Half of four comparisons is no tie.
    assert "ties" not in rows[0].note
    assert rows[0].n == 2


def mvp_items() -> list[Item]:
    pairs = [("intuitive_physics", "a"), ("intuitive_physics", "b"), ("temporal_reasoning", "c")]
    return [
        item(
            f"{pair}_{number}",
            None,
            pair,
            pair,
            subset,
            question=Question(text="?", candidates=("yes", "no"), answer=("yes", "no")[number]),
        )
        for subset, pair in pairs
        for number in (0, 1)
    ]


def test_mvp() -> None:
    answers = {"a_0": "yes", "a_1": "no", "b_0": "yes", "b_1": "yes", "c_0": "maybe", "c_1": "no"}
    rows = mvp_rows(mvp_items(), answers)
    found = values(rows)
    assert found == pytest.approx(
        {
            "mvp/paired_accuracy/all": 1 / 3,
            "mvp/paired_accuracy/mean": (1 / 2 + 0) / 2,
            "mvp/paired_accuracy/intuitive_physics": 1 / 2,
            "mvp/paired_accuracy/temporal_reasoning": 0,
            "mvp/accuracy/all": 4 / 6,
            "mvp/accuracy/mean": (3 / 4 + 1 / 2) / 2,
            "mvp/accuracy/intuitive_physics": 3 / 4,
            "mvp/accuracy/temporal_reasoning": 1 / 2,
        }
    )
    assert (rows[0].floors["chance"], rows[0].n) == (0.25, 3)
    del answers["c_1"]
    assert "1 of 3 pairs left out (c)" in mvp_rows(mvp_items(), answers)[0].note


def test_reduced() -> None:
    curves = {"a": [1.0, 2.0, 6.0], "b": np.array([4.0])}
    assert reduced(curves, "mean") == {"a": 3.0, "b": 4.0}
    assert reduced(curves, "max") == {"a": 6.0, "b": 4.0}
    with pytest.raises(ContractError, match="surprise of c is unusable"):
        reduced({"c": []}, "mean")
    with pytest.raises(ContractError, match="surprise of c is unusable"):
        reduced({"c": [1.0, math.nan]}, "max")


def test_a_surprise_of_no_film_and_one_that_is_not_finite() -> None:
    items = quadruplet("q", "O1")
    with pytest.raises(ContractError, match="unknown item 'qe'"):
        intphys_rows(items, {"qe": 1.0})
    with pytest.raises(ContractError, match="qa is not finite"):
        intphys_rows(items, {"qa": math.inf})
    with pytest.raises(DataError, match="no film with a label has a surprise"):
        intphys_rows(items, {})
    with pytest.raises(ContractError, match="unknown item 'z'"):
        mvp_rows(mvp_items(), {"z": "yes"})
    with pytest.raises(DataError, match="no film has an answer"):
        mvp_rows(mvp_items(), {})


def test_withheld_labels_are_not_scored() -> None:
    items = [item(f"q{name}", None, "q") for name in "abcd"]
    for metric in (intphys_rows, intphys2_rows, inflevel_rows):
        with pytest.raises(DataError, match=r"withheld.*Remedy: score a split with labels"):
            metric(items, surprises("q", 1, 1, 2, 2))
