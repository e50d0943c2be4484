"""An ensemble of new models: their mean, in place of any one of them.

It is the mean of log-probabilities: of labelled arcs for arc-factored parsers, of
labels for classifiers, of each step for models that answer in steps, as in Cai et
al., NeurIPS 2022, https://arxiv.org/abs/2202.02976.
OLD takes no part, and its members agree more with one another than with it.
"""

from collections.abc import Sequence

from compat_eval.core.errors import UsageError
from compat_eval.core.protocols import GivesLogits, Predicts
from compat_eval.mitigations.combine.classifier_mixing import even_mixture
from compat_eval.mitigations.combine.log_linear import FactorsArcs, mixture
from compat_eval.mitigations.mitigation import (
    Combination,
    Cost,
    FurtherRole,
    MitigationSettings,
)


def ensemble(members: Sequence[Predicts]) -> Predicts:
    """Return several new models as one, all with the same weight.

    Raises:
        CapabilityError: The members cannot be mixed.
        UsageError: There are no members.

    """
    if not members:
        raise UsageError("an ensemble needs at least one member")
    share = 1 / len(members)
    return mixture([(share, member) for member in members], "an ensemble")


def _combine(
    old: Predicts,  # noqa: ARG001 - takes no part
    new: Predicts,
    settings: MitigationSettings,  # noqa: ARG001 - it has none
    *,
    with_: Sequence[Predicts],
) -> Predicts:
    members = [new, *with_]
    if isinstance(new, GivesLogits) and not isinstance(new, FactorsArcs):
        return even_mixture(members)
    return ensemble(members)


def _cost(settings: MitigationSettings, n_further: int) -> Cost:  # noqa: ARG001
    return Cost(old_passes=0, new_passes=1 + n_further)


ensemble_of_new = Combination(
    name="ensemble",
    summary="NEW and further new models: their mean",
    needs="as joint, or all give logits (GivesLogits)",
    combine=_combine,
    further={
        "with": FurtherRole(
            summary="a further new model, trained otherwise", required=True
        )
    },
    cost=_cost,
)
"""NEW and further new models as one; OLD takes no part."""
