"""The checker of the tests: first calls are checked, in each test anew."""

import numpy as np
import pytest
from jaxtyping import TypeCheckError

import typecheck
from monde.evaluation.statistics import mean_ranks


def test_first_calls_are_checked_and_later_ones_go_through() -> None:
    wrong = np.zeros((2, 2))
    with pytest.raises(TypeCheckError):
        mean_ranks(wrong)
    for _ in range(typecheck.CHECKS):
        mean_ranks(np.zeros(2))
    mean_ranks(wrong)
    typecheck.start_again()
    with pytest.raises(TypeCheckError):
        mean_ranks(wrong)
