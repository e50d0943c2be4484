"""Model soup: the mean of the weights of NEW and further new models, as one model.

Wortsman et al., "Model soups: averaging weights of multiple fine-tuned models improves
accuracy without increasing inference time", ICML 2022,
https://arxiv.org/abs/2203.05482. OLD takes no part: the soup breaks less because what
one training breaks by chance the others do not. All have to be fine-tuned from one
start, such as OLD; `bcwi` with further models draws a soup back to OLD.
"""

from collections.abc import Sequence

from compat_eval.core.protocols import HasWeights, Predicts
from compat_eval.mitigations.combine.bcwi import FURTHER_WEIGHTS, cost_of_one
from compat_eval.mitigations.combine.weights import averaged, weighted
from compat_eval.mitigations.mitigation import (
    Combination,
    MitigationSettings,
)


def _combine(
    old: Predicts,  # noqa: ARG001 - takes no part
    new: Predicts,
    settings: MitigationSettings,  # noqa: ARG001 - it has none
    *,
    with_: Sequence[Predicts] = (),
) -> HasWeights:
    newer = weighted(new, None, "soup", "NEW")
    further = [weighted(one, newer, "soup", "each with=") for one in with_]
    return newer.with_weights(averaged([newer, *further]))


soup = Combination(
    name="soup",
    summary="one model, its weights the mean of NEW's and further new models'",
    needs=(
        "all are of one architecture and vocabulary and have weights (HasWeights); all "
        "were fine-tuned from one start"
    ),
    combine=_combine,
    further={"with": FURTHER_WEIGHTS},
    cost=cost_of_one,
    one_model=True,
)
"""A soup of new models."""
