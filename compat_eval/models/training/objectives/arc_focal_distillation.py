"""Focal distillation of an arc-factored parser, word by word.

The classifiers' focal distillation (Yan et al., "Positive-Congruent Training", CVPR
2021, https://arxiv.org/abs/2011.09161) with each word in an example's place: a parser
that scores arcs (Dozat and Manning, ICLR 2017, https://arxiv.org/abs/1611.01734)
chooses a head for each word, and a relation given the gold head. No paper does this.
"""

from torch import Tensor

from compat_eval.models.training.objectives.teacher import divergence


def arc_focal_distance(
    arcs: Tensor,
    labels: Tensor,
    *,
    teacher_arcs: Tensor,
    teacher_labels: Tensor,
    right: Tensor,
    alpha: float,
    beta: float,
    temperature: float,
) -> Tensor:
    """Return the mean over words of (α + β·[OLD's head is right])·τ²·(two KL).

    Those of the heads' and of the relations' probabilities at temperature τ, OLD's
    first, in nats.

    Args:
        arcs: Scores of each word's heads, shape (n_words, n_heads).
        labels: Scores of the relations on its gold arc, shape (n_words, n_labels).
        teacher_arcs: OLD's log-probabilities, likewise; `UNKNOWN_LOGIT` at what is no
            head.
        teacher_labels: Likewise of relations; `UNKNOWN_LOGIT` at those that OLD lacks.
        right: 1 where OLD's most probable head is gold, and 0 elsewhere; (n_words,).
        alpha: Weight of every word.
        beta: Further weight of those whose head OLD gets right.
        temperature: τ.

    """
    apart = divergence(arcs, teacher_arcs, temperature)
    apart = apart + divergence(labels, teacher_labels, temperature)
    return ((alpha + beta * right) * temperature**2 * apart).mean()
