"""When a task has converged: its dev score has not risen for some checks.

Lu et al., "Asynchronous Convergence in Multi-Task Learning via Knowledge Distillation
from Converged Tasks", NAACL 2022 Industry Track,
https://aclanthology.org/2022.naacl-industry.18. Each task has a patience of its own.
The network goes back to the best checkpoint of a task that has converged, and what that
checkpoint answers to the task's training inputs stands in for its labels from then on.
Training is over when all tasks have converged.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

_SMALLEST_GAIN = 1e-4


@dataclass(frozen=True, slots=True)
class Standing:
    """How a task stands.

    Attributes:
        best: Its best dev score.
        best_step: After how many steps.
        waited: Checks since then.
        converged: Whether it learns from its own checkpoint by now.

    """

    best: float = float("-inf")
    best_step: int = 0
    waited: int = 0
    converged: bool = False

    def after(self, score: float, step: int) -> "Standing":
        """Return how it stands after another check; a converged one is not checked.

        Examples:
            >>> now = Standing()
            >>> for at, score in enumerate([0.60, 0.70, 0.74, 0.73, 0.73, 0.72], 1):
            ...     now = now.after(score, at)
            >>> now.best_step, now.waited
            (3, 3)

        """
        if self.converged:
            return self
        if score > self.best + _SMALLEST_GAIN:
            return Standing(best=score, best_step=step)
        return replace(self, waited=self.waited + 1)


def next_converged(standings: Sequence[Standing], patience: int | None) -> int | None:
    """Return the task that converges now: of several the one whose best is oldest.

    Args:
        standings: Of all tasks.
        patience: Checks without a better score; `None` for ever.

    """
    ready = [
        at
        for at, one in enumerate(standings)
        if patience is not None and not one.converged and one.waited >= patience
    ]
    return min(ready, key=lambda at: standings[at].best_step, default=None)
