"""Scores of tokens, summed by document."""

import numpy as np

from compat_eval.core.token_scores import TokenScores


def test_a_document_costs_what_its_tokens_cost() -> None:
    found = TokenScores(
        log_p=np.array([-1.0, -0.5, -2.0]),
        ranks=np.array([2, 1, 9]),
        top=np.array([4, 4, 4]),
        offsets=np.array([0, 2, 2, 3, 3]),
        is_text=np.array([True, True, True, False]),
    )

    totals = found.totals()

    assert found.n_tokens.tolist() == [2, 0, 1, 0]
    assert totals[:3].tolist() == [-1.5, 0.0, -2.0]
    assert np.isnan(totals[3])
