"""Greedy choice of samples whose gradients are unlike one another: GSS-Greedy.

Aljundi et al., "Gradient based sample selection for online continual learning",
NeurIPS 2019, https://arxiv.org/abs/1903.08671, algorithm 2. Samples come one after the
other. Each scores by its largest cosine to the gradients of some random samples in
memory, plus 1. While there is room it stays. Then, if it is unlike enough (its score is
below 1), a sample of the memory is drawn in proportion to the scores, and the new one
takes its place with the probability that its score is the smaller share of both.
"""

import numpy as np
from torch import Tensor

from compat_eval.core.arrays import Values
from compat_eval.federated.replay.coordination import scaled

_COMPARED = 10
"""Samples of the memory that each new one is compared with."""


def greedily_diverse(
    gradients: Tensor, budget: int, random: np.random.Generator
) -> list[int]:
    """Return the places of the samples that stay, ascending.

    The gradients are all taken at one time, when a period ends; memory is first among
    them, so that it is what new samples are compared with.

    Args:
        gradients: A row a sample, in the order in which they came, shape
            (n_samples, d).
        budget: How many stay; all where there are fewer.
        random: Random generator.

    """
    rows = scaled(gradients, "direction", gradients.new_ones(len(gradients)))
    cosines: Values = (rows @ rows.T).double().numpy()
    memory: list[int] = []
    scores: list[float] = []
    if not budget:
        return []
    for new in range(len(rows)):
        compared = random.choice(
            memory, min(_COMPARED, len(memory)), replace=False
        ).astype(int)
        score = 1 + float(cosines[new, compared].max()) if len(compared) else 0.1
        score = max(score, 0.0)
        if len(memory) < budget:
            memory.append(new)
            scores.append(score)
            continue
        if score >= 1:
            continue
        whole = sum(scores)
        shares = np.array(scores) / whole if whole > 0 else None
        out = int(random.choice(budget, p=shares))
        both = scores[out] + score
        if both > 0 and random.random() < scores[out] / both:
            memory[out], scores[out] = new, score
    return sorted(memory)
