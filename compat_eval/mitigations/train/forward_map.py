"""The transformation of forward-compatible training, and what it learns from.

Ramanujan et al., CVPR 2022, https://arxiv.org/abs/2112.02805; Jaeckle et al., ICLR
2023, https://arxiv.org/abs/2303.04766 (uncertainty). The recipe is in `fct.py`.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize

from compat_eval.core.errors import UsageError
from compat_eval.mitigations.mitigation import Training
from compat_eval.mitigations.train.map_settings import ForwardSettings
from compat_eval.mitigations.train.mapping import classes_of, rows_of, train_map
from compat_eval.models.encoders.maps import ForwardTransformation
from compat_eval.models.training.loop import seeded


def train_forward_map(training: Training, settings: ForwardSettings) -> str:
    """Train the transformation of OLD's vectors; return the model's reference."""
    examples = training.examples
    old = rows_of(training.answers, examples, "OLD")
    new = rows_of(training.ask(training.new, examples), examples, "NEW")
    sides = training.further.get("side", ())
    if len(sides) > 1:
        raise UsageError("fct: one model gives the side information; write side= once")
    side = [rows_of(training.ask(one, examples), examples, "side") for one in sides]
    given = torch.cat([old, *side], dim=1)
    target = normalize(new, dim=1)
    gold = classes_of(examples)
    sums = target.new_zeros(int(gold.max()) + 1, target.shape[1])
    means = normalize(sums.index_add_(0, gold, target), dim=1)
    network = seeded(
        lambda: ForwardTransformation(
            width=old.shape[1],
            side=given.shape[1] - old.shape[1],
            to=new.shape[1],
            hidden=settings.hidden,
        ),
        training.seed,
    )

    def loss(rows: Sequence[int]) -> Tensor:
        some = list(rows)
        found, variance = network.with_uncertainty(given[some])
        total = _error_loss(
            found, target[some], variance if settings.uncertainty else None
        )
        if settings.discriminative:
            cosines = settings.scale * found @ means.T
            total = total + settings.discriminative * cross_entropy(cosines, gold[some])
        return total

    return train_map(
        training,
        settings,
        method="fct",
        network=network,
        loss=loss,
        kept=("forward", network),
        members=[training.old, *sides],
    )


def _error_loss(found: Tensor, target: Tensor, variance: Tensor | None) -> Tensor:
    """Return the mean squared error, or the Gaussian nats of it.

    Args:
        found: Transformed vectors, shape (n, d).
        target: NEW's, shape (n, d).
        variance: Of each error, over all dimensions, shape (n,); `None` for the
            squared error.

    Examples:
        >>> zero, one = torch.zeros(1, 2), torch.tensor([[1.0, 0.0]])
        >>> float(_error_loss(zero, one, None))
        1.0
        >>> round(float(_error_loss(zero, one, torch.ones(1))), 4)  # ½ + ½·ln 2π
        1.4189

    """
    squared = ((found - target) ** 2).sum(dim=1)
    if variance is None:
        return squared.mean()
    return (squared / variance + variance.log() + math.log(2 * math.pi)).mean() / 2
