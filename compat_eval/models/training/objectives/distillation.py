"""Knowledge distillation, everywhere or where a condition holds.

Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", 2015,
https://arxiv.org/abs/1503.02531. Conditional on the teacher's being right: Xie et al.,
"Regression Bugs Are In Your Model!", ACL 2021, https://arxiv.org/abs/2105.03048; on its
being better than the student: Schumann et al., "Backward Compatibility During Data
Updates by Weight Interpolation", EACL 2024, https://arxiv.org/abs/2301.10546.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn.functional import cross_entropy

from compat_eval.models.training.data import Labels
from compat_eval.models.training.objectives.teacher import (
    can_be_taught,
    divergence,
)


@dataclass(frozen=True, slots=True)
class Distillation:
    """Nats of the right label, and towards a teacher's probabilities: an `Objective`.

    α·T²·KL(teacher ‖ network) + (1 − α)·(nats of the right label) where `taught` is 1,
    and the latter alone where it is 0; the sum over classes, the mean over examples.

    Attributes:
        alpha: Share of the teacher, in [0, 1].
        temperature: Of both models' probabilities; T² keeps gradients comparable.
        over: Of which labels probabilities are compared, see `divergence`.
        better: Whether it teaches only where its nats of the right label are no more
            than the network's.

    """

    alpha: float = 0.5
    temperature: float = 2.0
    over: Labels = "shared"
    better: bool = False
    columns: ClassVar[tuple[str, ...]] = ("teacher_logits", "taught")

    def __call__(self, logits: Tensor, gold: Tensor, **columns: Tensor) -> Tensor:
        """Return the mean loss of a batch."""
        teacher = columns["teacher_logits"]
        taught = columns["taught"] * can_be_taught(teacher, gold)
        nats = cross_entropy(logits, gold, reduction="none")
        if self.better:
            teacher_nats = cross_entropy(teacher, gold, reduction="none")
            taught = taught * (teacher_nats <= nats.detach())
        share = self.alpha * taught
        tau = self.temperature
        apart = tau**2 * divergence(logits, teacher, tau, self.over)
        return (share * apart + (1 - share) * nats).mean()
