"""Joint decoding: the one answer that OLD and NEW together find best.

Of all trees it is the one that maximises (1 − λ)·log p_new + λ·log p_old over
labelled arcs (reparsing: Sagae and Lavie, "Parser Combination by Reparsing", NAACL
2006, https://aclanthology.org/N06-2033, with log-probabilities as weights); of models
that answer in steps, the one that a beam finds by that sum in each step. λ = 0 is NEW,
λ = 1 is OLD within NEW's labels. What re-ranking (Cai et al., NeurIPS 2022,
https://arxiv.org/abs/2202.02976) does over ten candidates, this does over all trees,
with NEW's own view in it. Further new models, where there are any, share NEW's part
evenly: an ensemble's gain in accuracy pays for OLD's share where OLD is much the
weaker.
"""

from collections.abc import Sequence

from compat_eval.core.protocols import Predicts
from compat_eval.mitigations.combine.classifier_mixing import (
    FURTHER_NEW,
    WeightSettings,
    cost_of_mixture,
)
from compat_eval.mitigations.combine.log_linear import mixture
from compat_eval.mitigations.mitigation import Combination


def _combine(
    old: Predicts,
    new: Predicts,
    settings: WeightSettings,
    *,
    with_: Sequence[Predicts] = (),
) -> Predicts:
    """Return OLD and NEW as one model; labels that only OLD knows are not used."""
    news = [new, *with_]
    share = (1 - settings.weight) / len(news)
    parts = [(share, one) for one in news]
    return mixture([*parts, (settings.weight, old)], "joint decoding")


joint_decoding = Combination(
    name="joint",
    summary="the tree that OLD and NEW together find best",
    needs=(
        "all models know log-probabilities of labelled arcs (FactorsArcs), or all are "
        "of one kind that answers in steps (MixesSteps)"
    ),
    settings=WeightSettings,
    combine=_combine,
    further={"with": FURTHER_NEW},
    cost=cost_of_mixture,
)
"""Joint decoding of OLD and NEW."""
