"""How far a judge can be relied on: whether it says the same when asked again."""

from collections.abc import Callable

import numpy as np

from compat_eval.core.arrays import Bools, Rows, Values
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.rows import CodedRows
from compat_eval.core.statistic import Statistic
from compat_eval.statistics.families.flips import ratio


def judge_agreement(agrees: Callable[[Predictions], Values]) -> Statistic:
    """Return the share of answers of which a judge says the same each time.

    Args:
        agrees: Whether it does, of each answer; nan where it was not asked twice.

    """

    def rows(_: Examples, answered: Predictions) -> CodedRows:
        found = agrees(answered)
        known: Bools = ~np.isnan(found)
        return CodedRows.plain(np.stack([np.where(known, found, 0.0), known], axis=1))

    return Statistic(
        name="judge_agreement",
        title="Agreement of the judge with itself",
        better="higher",
        rows=rows,
        value=_share,
        description="share of answers of which the judge says the same each time",
        undefined_when="no answer was judged twice",
        ends=(0.0, 1.0),
    )


def _share(totals: Rows) -> Values:
    return ratio(totals[..., 0], totals[..., 1])
