"""Joint decoding: the one tree that OLD and NEW together find best.

Of all trees it is the one that maximises (1 − λ)·log p_new + λ·log p_old over
labelled arcs. λ = 0 is NEW, λ = 1 is OLD within NEW's relations. What
re-ranking (Cai et al., NeurIPS 2022, https://arxiv.org/abs/2202.02976) does
over ten candidates, this does over all trees, with NEW's own view in it.
"""

from compat_eval.core.errors import UsageError
from compat_eval.core.protocols import Predicts
from compat_eval.mitigations.log_linear import FactorsArcs, MixedParser
from compat_eval.mitigations.pairing import lacking


def joint_decoding(old: Predicts, new: Predicts, *, weight: float) -> MixedParser:
    """Return OLD and NEW as one parser.

    Args:
        old: An arc-factored parser.
        new: Likewise; relations that only OLD knows are not used.
        weight: OLD's share λ, in [0, 1].

    Raises:
        CapabilityError: One of them is not arc-factored.
        UsageError: The weight is out of range.

    """
    if not 0 <= weight <= 1:
        raise UsageError(f"joint: weight must be in [0, 1], got {weight}")
    if not isinstance(new, FactorsArcs):
        raise lacking("FactorsArcs", new, "joint decoding", "NEW")
    if not isinstance(old, FactorsArcs):
        raise lacking("FactorsArcs", old, "joint decoding", "OLD")
    return MixedParser(parts=((1 - weight, new), (weight, old)))
