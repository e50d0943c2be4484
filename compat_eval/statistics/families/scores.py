"""What an update does to scores: which units got worse or better, and by how much.

Better and worse are meant in the level's own direction, by more than its epsilon; they
are counted as cells. How much is a function of sums over units that both sides have a
score for. Their rows have two halves, which are resampled together: how many units, the
sum of old's scores, how many units got worse and by how much in all; and how many
units, the sum of new's scores, how many got better and by how much.

At epsilon 0 the mean change is better_rate · mean_gain − worse_rate · mean_regression.

Sources:
    Echterhoff et al., "MUSCLE: A Model Update Strategy for Compatible LLM
    Evolution", Findings of EMNLP 2024, https://arxiv.org/abs/2407.09435
    (continuous scores; NFR of multiple choice).
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType

import numpy as np

from compat_eval.core.arrays import Bools, Ints, Rows, Values
from compat_eval.core.grades import BETTER, BROKEN, MISSED, SAME, WORSE, Level
from compat_eval.core.statistic import Resampled, Share, Statistic
from compat_eval.statistics.families.flips import (
    AGREEMENT_STATISTICS,
    FLIP_STATISTICS,
    ratio,
)

SCORED, SUM, MOVED, AMOUNT = range(4)
_WIDTH = 4
_ALL = (SAME, WORSE, BETTER)


def score_sums(level: Level, old: Values, new: Values) -> tuple[Rows, Rows]:
    """Return both halves of the rows of units, each of shape (n_units, 4).

    Args:
        level: Says which direction is better, and by how much scores must differ.
        old: Score of each unit; nan where there is none.
        new: Likewise.

    Examples:
        >>> points = Level("f1", "answer", "answers", scale="score")
        >>> of_old, of_new = score_sums(points, np.array([0.5]), np.array([0.75]))
        >>> of_old.tolist(), of_new.tolist()
        ([[1.0, 0.5, 0.0, 0.0]], [[1.0, 0.75, 1.0, 0.25]])

    """
    known = ~(np.isnan(old) | np.isnan(new))
    before, after = np.where(known, old, 0.0), np.where(known, new, 0.0)
    gain = after - before if level.better == "higher" else before - after
    halves = []
    for score, moved in (
        (before, np.where(gain < -level.epsilon, -gain, 0.0)),
        (after, np.where(gain > level.epsilon, gain, 0.0)),
    ):
        columns = [known.astype(np.float64), score, (moved > 0).astype(float), moved]
        halves.append(np.stack(columns, axis=1))
    return halves[0], halves[1]


def worse_rate(cells: Rows) -> Values:
    """Share of units whose score got worse by more than epsilon."""
    return ratio(cells[..., WORSE], cells[..., list(_ALL)].sum(axis=-1))


def better_rate(cells: Rows) -> Values:
    """Share of units whose score got better by more than epsilon."""
    return ratio(cells[..., BETTER], cells[..., list(_ALL)].sum(axis=-1))


def _mean_score(half: Rows) -> Values:
    """Mean score of one side, over the units that both sides have a score for."""
    return ratio(half[..., SUM], half[..., SCORED])


def mean_regression(rows: Rows) -> Values:
    """By how much the scores got worse, in the mean over those that did."""
    return ratio(rows[..., AMOUNT], rows[..., MOVED])


def mean_gain(rows: Rows) -> Values:
    """By how much the scores got better, in the mean over those that did."""
    return ratio(rows[..., _WIDTH + AMOUNT], rows[..., _WIDTH + MOVED])


def level_statistics(level: Level) -> Mapping[str, Statistic]:
    """Return the statistics of a level's units, by name."""
    if level.scale == "agreement":
        return AGREEMENT_STATISTICS
    return FLIP_STATISTICS if level.scale == "right" else score_statistics(level)


@lru_cache
def score_statistics(level: Level) -> Mapping[str, Statistic]:
    """Return the statistics of a level whose units have scores, by name."""
    beyond = "by more than " + ("epsilon" if level.alpha is None else "chance explains")
    unscored = "no unit has a score of both sides"
    score = Statistic(
        name="score",
        title=f"Mean {level.score_unit or 'score'}",
        value=_mean_score,
        better=level.better,
        description="Mean over the units that both sides have a score for.",
        undefined_when=unscored,
    )
    found = (
        Statistic(
            name="worse_rate",
            title="Share that got worse",
            value=worse_rate,
            better="lower",
            description=f"Share of units whose score got worse {beyond}.",
            unit="fraction",
            of="update",
            interval=Share(part=(WORSE,), whole=_ALL),
            undefined_when="no units were compared",
            ends=(0.0, 1.0),
            certified=True,
            of_itself=0.0,
        ),
        Statistic(
            name="better_rate",
            title="Share that got better",
            value=better_rate,
            better="higher",
            description=f"Share of units whose score got better {beyond}.",
            unit="fraction",
            of="update",
            interval=Share(part=(BETTER,), whole=_ALL),
            undefined_when="no units were compared",
            ends=(0.0, 1.0),
            of_itself=0.0,
        ),
        replace(score.of_old(), title=f"{score.title} of old"),
        replace(score.of_new(), title=f"{score.title} of new"),
        replace(score.change(), title=f"Change in mean {level.score_unit or 'score'}"),
        Statistic(
            name="mean_regression",
            title="Mean regression",
            value=mean_regression,
            better="lower",
            description="By how much scores got worse, over those that did.",
            of="update",
            interval=Resampled(),
            undefined_when="no score got worse",
            ends=(0.0, np.inf),
            instead="worse_rate",
        ),
        Statistic(
            name="mean_gain",
            title="Mean gain",
            value=mean_gain,
            better="higher",
            description="By how much scores got better, over those that did.",
            of="update",
            interval=Resampled(),
            undefined_when="no score got better",
            ends=(0.0, np.inf),
            instead="better_rate",
        ),
    )
    return MappingProxyType({one.name: one for one in found})


def nfr_mc(cell_codes: Ints, changed: Bools) -> float:
    """Return the share of units that new has wrong with another answer than old's.

    It holds what broke, and what was wrong and is now wrong otherwise: a user sees
    both as a change for no good.

    Examples:
        >>> nfr_mc(np.array([0, 1, 3, 3]), np.array([False, True, True, False]))
        0.5

    """
    wrong = (cell_codes == BROKEN) | (cell_codes == MISSED)
    return float(np.mean(wrong & changed)) if len(wrong) else float("nan")
