import numpy as np
import pytest

from compat_eval.comparison.index_matrix.ranked import RankedScores, relevant_ones
from compat_eval.core.errors import DataError
from tests.unit.comparison.index_matrix.searched import searched_panel

FOUND = [[("a", 0.5), ("b", 0.25)], [], [("c", 0.75)]]


def test_scores_and_what_is_relevant_stand_one_query_below_another() -> None:
    pytest.importorskip("ir_measures")
    panel = searched_panel([["b"], ["a"], ["a", "c"]], {"old": FOUND})

    ranked = RankedScores.of(panel, "old")
    relevant, wanted = relevant_ones(panel, "old")

    assert ranked.best().tolist() == [0.5, 0.75]
    assert ranked.owners().tolist() == [0, 0, 2]
    assert relevant.tolist() == [False, True, True]
    assert wanted.tolist() == [1, 1, 2]
    assert ranked.first(~relevant).tolist() == [0, -1, -1]
    assert ranked.first(np.asarray(relevant)).tolist() == [1, -1, 2]


def test_rankings_without_scores_are_told() -> None:
    panel = searched_panel([["b"], ["a"], ["c"]], {"old": FOUND})
    bare = panel.answers["old"].without(["similarity"])

    with pytest.raises(DataError, match="no column 'similarity'"):
        RankedScores.of(panel.with_role("bare", bare), "bare")
