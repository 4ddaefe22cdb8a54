"""AUCCESS: the area under the curve of tasks solved over attempts, early attempts weighing more.

PHYRE (Bakhtin et al., arXiv 1908.05656), section 4: Σ w_k s_k / Σ w_k over k = 1 … 100 with
w_k = log(k + 1) - log(k), where s_k is the share of tasks solved within k attempts. Invalid placements are no attempts.
"""

import math

MAX_ATTEMPTS = 100


def auccess(solved_at: int | None) -> float:
    """AUCCESS of one task that was solved by its `solved_at`-th attempt (from 1), or never: 0 to 1.

    That of several tasks is the mean of theirs.
    """
    if solved_at is None or solved_at > MAX_ATTEMPTS:
        return 0.0
    whole = math.log(MAX_ATTEMPTS + 1)
    return (whole - math.log(solved_at)) / whole
