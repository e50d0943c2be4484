"""Which setting of each treatment dev chooses."""

from collections.abc import Iterable, Sequence

from compat_eval.mitigations.choosing import Tried, chosen
from compat_eval.statistics.families.flips import accuracy_new, accuracy_old, nfi
from experiments.updates.pooled import Pooled, accuracy_gain
from experiments.updates.treated import Treated, Treatments

DELTA = 0.0
"""A setting must be shown to lose no accuracy at any level that judges."""

_SETTING = "setting"


def choices(
    of: Treatments, treatments: Iterable[Treated], *, split: str, levels: Sequence[str]
) -> dict[str, float]:
    """Return the chosen setting of each treatment that has one.

    Args:
        of: The update.
        treatments: What is tried, the mildest setting of each first.
        split: The one that chooses.
        levels: Those that judge.

    """
    untreated = of.pooled(of.untreated(), split)
    free = {
        level: of.update.allowed * max(_gain(untreated, level), 0.0) for level in levels
    }
    tried: dict[str, list[Tried]] = {}
    for one in treatments:
        if one.setting is not None:
            answers = of.pooled(one, split)
            outcome = Tried(
                setting={_SETTING: one.setting},
                nfi={level: float(nfi(answers.totals(level))) for level in levels},
                accuracy_low={
                    level: accuracy_gain(untreated, answers, level)[1] + free[level]
                    for level in levels
                },
            )
            tried.setdefault(one.name, []).append(outcome)
    return {
        name: chosen(each, delta=DELTA).setting[_SETTING]
        for name, each in tried.items()
    }


def _gain(untreated: Pooled, level: str) -> float:
    totals = untreated.totals(level)
    return float(accuracy_new(totals) - accuracy_old(totals))
