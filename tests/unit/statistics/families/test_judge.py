import numpy as np

from compat_eval.statistics.families.judge import judge_agreement
from tests.fakes import examples, predictions


def test_agreement_is_a_share_of_the_answers_that_were_judged_twice() -> None:
    found = judge_agreement(lambda _: np.array([1.0, 0.0, np.nan, 1.0]))
    ids = ["a", "b", "c", "d"]
    rows = found.rows(examples(id=ids), predictions(id=ids))
    np.testing.assert_allclose(found.value(rows.total()), 2 / 3)
