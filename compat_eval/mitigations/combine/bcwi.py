"""BCWI: the weights of NEW, drawn back towards those of OLD.

w = a·w_old + (1 − a)·w_new; the classifier's rows of labels that only NEW has are
NEW's. With further new models, w_new is their mean (SoupBCWI). One model answers.

Schumann et al., "Backward Compatibility During Data Updates by Weight Interpolation",
EACL 2024, https://arxiv.org/abs/2301.10546. NEW has to be fine-tuned from OLD: between
models that were trained apart there is a barrier, and the midpoint is worse than both.
"""

from collections.abc import Sequence

import pyarrow as pa

from compat_eval.core.protocols import HasWeights, ModelSource, Predicts
from compat_eval.mitigations.combine.classifier_mixing import WeightSettings
from compat_eval.mitigations.combine.weights import (
    aligned,
    averaged,
    interpolated,
    weighted,
)
from compat_eval.mitigations.combined import CombinedSource
from compat_eval.mitigations.learning import Learning
from compat_eval.mitigations.mitigation import (
    Combination,
    Cost,
    FurtherRole,
    Learned,
    MitigationSettings,
)
from compat_eval.mitigations.spec import MitigationSpec

FURTHER_WEIGHTS = FurtherRole(
    summary="a further new model; its weights and NEW's are averaged first"
)

WEIGHTS_NEEDED = (
    "OLD and NEW are of one architecture and vocabulary and have weights (HasWeights); "
    "NEW was fine-tuned from OLD"
)


_BARRIER = 0.02
"""By how much the midpoint of models with a common start is not worse than both."""


def cost_of_one(settings: MitigationSettings, n_further: int) -> Cost:  # noqa: ARG001
    """Return what one model costs: what NEW does."""
    return Cost(old_passes=0, new_passes=1)


def _combine(
    old: Predicts,
    new: Predicts,
    settings: WeightSettings,
    *,
    with_: Sequence[Predicts] = (),
) -> HasWeights:
    newer = weighted(new, None, "bcwi", "NEW")
    older = weighted(old, newer, "bcwi", "OLD")
    further = [weighted(one, newer, "bcwi", "each with=") for one in with_]
    soup = averaged([newer, *further])
    return newer.with_weights(
        interpolated(aligned(older, newer), soup, settings.weight)
    )


def _learn(learning: Learning, settings: WeightSettings) -> Learned:  # noqa: ARG001
    """See on dev whether there is a model between OLD and NEW."""
    if not pa.types.is_string(learning.examples.column("gold").type):
        return Learned({})
    middle = CombinedSource(
        spec=MitigationSpec.parse("bcwi:weight=0.5"),
        old=learning.old,
        new=learning.new,
        reference="the midpoint of OLD and NEW",
    )
    gold = learning.gold

    def accuracy(model: ModelSource) -> float:
        told = learning.answers(model)
        right = sum(one == other for one, other in zip(told, gold, strict=True))
        return right / max(len(gold), 1)

    def look() -> Learned:
        old, new, between = map(accuracy, (learning.old, learning.new, middle))
        note = (
            f"Halfway between the weights {between:.1%} of {learning.split} are right "
            f"(OLD {old:.1%}, NEW {new:.1%})"
        )
        if between < min(old, new) - _BARRIER:
            note += (
                ": NEW was not fine-tuned from OLD, and weights between them are of no "
                "use. Train NEW from OLD (start=), or take mix or route"
            )
        return Learned({}, (f"{note}.",))

    return learning.once("midpoint", look)


weight_interpolation = Combination(
    name="bcwi",
    summary="one model, its weights between OLD's and NEW's",
    needs=WEIGHTS_NEEDED,
    settings=WeightSettings,
    combine=_combine,
    learn=_learn,
    further={"with": FURTHER_WEIGHTS},
    cost=cost_of_one,
    one_model=True,
)
"""Weight interpolation, with a soup of new models where there are several."""
