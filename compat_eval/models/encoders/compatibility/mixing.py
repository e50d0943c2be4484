"""MixBCT: one classification loss over a batch in which some vectors are OLD's.

Liang et al., "MixBCT: Towards Self-Adapting Backward-Compatible Training",
https://arxiv.org/abs/2308.06948. There is no further loss: NEW's classifier has to fit
both generations. Of OLD's vectors those farthest from their class's mean are left out.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.linalg import vector_norm
from torch.nn.functional import cross_entropy, normalize

from compat_eval.core.errors import UsageError
from compat_eval.models.encoders.compatibility.objective import (
    Beside,
    EncodedBatch,
    PlainLoss,
    VectorLoss,
)
from compat_eval.models.training.data import OLD_VECTOR


def near_class_mean(
    old_vectors: Tensor, labels: Tensor, *, drop: float = 0.1
) -> Tensor:
    """Return which of OLD's vectors are kept, shape (n,), of booleans.

    Of each class the share `drop` that is farthest from the mean of its unit vectors is
    left out, rounded down.
    """
    unit = normalize(old_vectors.detach(), dim=1)
    kept = torch.ones(len(labels), dtype=torch.bool, device=labels.device)
    for label in set(labels.tolist()):
        at = (labels == label).nonzero().flatten()
        apart = vector_norm(unit[at] - unit[at].mean(dim=0), dim=1)
        farthest = apart.argsort(descending=True, stable=True)[: int(drop * len(at))]
        kept[at[farthest]] = False
    return kept


def mixed_batch(
    vectors: Tensor,
    old_vectors: Tensor,
    kept: Tensor,
    *,
    share: float = 0.3,
    generator: torch.Generator,
) -> Tensor:
    """Return NEW's vectors with a share of them replaced by OLD's of the same inputs.

    Args:
        vectors: NEW's, shape (n, d).
        old_vectors: OLD's, shape (n, d); they get no gradient.
        kept: Which of OLD's may be taken, shape (n,); see `near_class_mean`.
        share: How many of the batch are replaced, as far as there are enough.
        generator: Draws them.

    """
    allowed = kept.nonzero().flatten()
    order = torch.randperm(len(allowed), generator=generator, device=allowed.device)
    taken = allowed[order[: int(share * len(vectors))]]
    replaced = torch.zeros_like(kept).index_fill(0, taken, value=True)
    return torch.where(replaced.unsqueeze(1), old_vectors.detach(), vectors)


@dataclass(frozen=True, slots=True)
class MixedTraining:
    """Nats of the task over a batch with some of OLD's vectors: a `VectorObjective`.

    Attributes:
        share: How much of a batch is OLD's.
        drop: Share of each class's vectors of OLD that is left out.

    """

    share: float = 0.3
    drop: float = 0.1
    columns: ClassVar[tuple[str, ...]] = (OLD_VECTOR,)

    def beside(self, old: Beside) -> VectorLoss:
        """Return the loss over OLD's vectors near their class's mean."""
        kept = near_class_mean(old.old_vectors, old.gold, drop=self.drop)

        def loss(batch: EncodedBatch) -> Tensor:
            new = batch.vectors
            if new.shape[1] != batch.old_vectors.shape[1]:
                raise UsageError(
                    f"mixbct: NEW's vectors have {new.shape[1]} dimensions and OLD's "
                    f"{batch.old_vectors.shape[1]}; one classifier cannot read both"
                )
            # Torch's own generator follows from the epoch, also when it is resumed.
            seed = int(torch.randint(2**31, ()).item())
            mixed = mixed_batch(
                new,
                batch.old_vectors,
                kept[batch.rows],
                share=self.share,
                generator=torch.Generator().manual_seed(seed),
            )
            return cross_entropy(batch.classifier("mixbct")(mixed), batch.gold)

        return PlainLoss(loss)
