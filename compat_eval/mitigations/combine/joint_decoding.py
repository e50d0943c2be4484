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

from compat_eval.core.errors import UsageError
from compat_eval.core.protocols import Predicts
from compat_eval.mitigations.combine.log_linear import mixture


def joint_decoding(
    old: Predicts, new: Predicts, *, weight: float, with_: Sequence[Predicts] = ()
) -> Predicts:
    """Return OLD and NEW as one model.

    Args:
        old: Arc-factored, or of NEW's kind and answering in steps.
        new: Likewise; labels that only OLD knows are not used.
        weight: OLD's share λ, in [0, 1].
        with_: Further new models, trained otherwise.

    Raises:
        CapabilityError: They cannot be mixed.
        UsageError: The weight is out of range.

    """
    if not 0 <= weight <= 1:
        raise UsageError(f"joint: weight must be in [0, 1], got {weight}")
    news = [new, *with_]
    share = (1 - weight) / len(news)
    parts = [(share, one) for one in news]
    return mixture([*parts, (weight, old)], "joint decoding")
