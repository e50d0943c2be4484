"""What every way to balance tasks does; the plainest is their sum."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Balancing(nn.Module):
    """Turns the losses of all tasks into gradients.

    Its parameters are trained with the network's; parameters and buffers are kept in
    checkpoints. What is random in it uses torch's generator, which the loop seeds.

    Args:
        n_tasks: How many tasks there are.

    """

    def __init__(self, n_tasks: int) -> None:
        super().__init__()
        self.n_tasks = n_tasks

    def backward(self, losses: Sequence[Tensor], trunk: nn.Module) -> None:
        """Set the gradients of everything that the losses depend on.

        Args:
            losses: The mean loss of each task, in nats.
            trunk: What the tasks share; its `last` is the weights of its last layer.

        """
        torch.autograd.backward(self.total(torch.stack(list(losses))))

    def total(self, losses: Tensor) -> Tensor:
        """Return the loss that is minimised; here the sum of all tasks' losses.

        Args:
            losses: Shape (n_tasks,).

        """
        return losses.sum()

    def checked(self, losses: Sequence[float]) -> None:
        """Learn the mean loss of each task since the last check of dev scores."""


class EqualWeights(Balancing):
    """The plain sum."""
