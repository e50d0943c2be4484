"""A linear map with means taken out."""

import numpy as np

from compat_eval.mitigations.embeddings.linear_map import CentredLinearMap


def test_by_hand() -> None:
    """(3, 1) less (1, 1) is (2, 0); doubled (4, 0); plus (0, 5)."""
    mapped = CentredLinearMap(
        matrix=2 * np.eye(2),
        source_mean=np.array([1.0, 1.0]),
        target_mean=np.array([0.0, 5.0]),
    )

    assert mapped(np.array([[3.0, 1.0]])).tolist() == [[4.0, 5.0]]
