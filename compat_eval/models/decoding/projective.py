"""Maximum projective trees: no arc crosses another.

Source: Eisner, "Three New Probabilistic Models for Dependency Parsing: An
Exploration", COLING 1996, https://aclanthology.org/C96-1058. O(n³), vectorised
over the batch and all spans of one width.
"""

import numpy as np
import torch
from torch import Tensor

from compat_eval.core.arrays import Ints
from compat_eval.models.decoding.trees import possible_arcs

_RIGHT, _LEFT = 0, 1


def max_projective_trees(
    scores: Tensor, lengths: Tensor, *, single_root: bool = True
) -> Tensor:
    """Return the heads of the best projective tree of each sentence.

    Arguments and result are those of `max_spanning_trees`.

    Raises:
        ValueError: Shapes do not fit, a score is nan, or -inf leaves a
            sentence without any projective tree.

    Examples:
        >>> scores = torch.tensor([[[5.0, 0.0, 10.0], [1.0, 8.0, 0.0]]])
        >>> max_projective_trees(scores, torch.tensor([2])).tolist()
        [[0, 1]]

    """
    with torch.no_grad():
        arcs = possible_arcs(scores.to(torch.float64), lengths)
        chart = _Chart(arcs)
        heads = np.zeros(arcs.shape[:2], np.int64)
        for sentence, n in enumerate(lengths.tolist()):
            if n and not chart.read(sentence, n, heads, single_root=single_root):
                raise ValueError(
                    f"sentence {sentence} of the batch has no projective tree at all"
                )
        return torch.from_numpy(heads).to(scores.device)


class _Chart:
    """Best complete and incomplete spans of a batch, and how each was made.

    The first axis of every table is the side of the head: `_RIGHT` for a head
    at the left end that looks right, `_LEFT` for one at the right end.
    """

    def __init__(self, arcs: Tensor) -> None:
        batch, _, n = arcs.shape
        arc = torch.cat([arcs.new_full((batch, 1, n), -torch.inf), arcs], dim=1)
        self.from_root = arcs[:, :, 0].cpu().numpy()
        complete = arcs.new_full((2, batch, n, n), -torch.inf)
        incomplete = complete.clone()
        diagonal = torch.arange(n, device=arcs.device)
        complete[:, :, diagonal, diagonal] = 0.0
        splits = torch.zeros((2, 2, batch, n, n), dtype=torch.int64)
        for width in range(1, n):
            i = torch.arange(n - width, device=arcs.device)
            j = i + width
            k = i[:, None] + torch.arange(width, device=arcs.device)
            left, right = i[:, None], j[:, None]
            halves = complete[_RIGHT][:, left, k] + complete[_LEFT][:, k + 1, right]
            best, at = halves.max(dim=2)
            incomplete[_RIGHT][:, i, j] = best + arc[:, j, i]
            incomplete[_LEFT][:, i, j] = best + arc[:, i, j]
            splits[:, 0, :, i, j] = (at + i).cpu()
            looks_right = (
                incomplete[_RIGHT][:, left, k + 1] + complete[_RIGHT][:, k + 1, right]
            )
            best, at = looks_right.max(dim=2)
            complete[_RIGHT][:, i, j] = best
            splits[_RIGHT, 1, :, i, j] = (at + i + 1).cpu()
            looks_left = complete[_LEFT][:, left, k] + incomplete[_LEFT][:, k, right]
            best, at = looks_left.max(dim=2)
            complete[_LEFT][:, i, j] = best
            splits[_LEFT, 1, :, i, j] = (at + i).cpu()
        self.complete = complete.cpu().numpy()
        self.splits = splits.numpy()

    def read(self, sentence: int, n: int, heads: Ints, *, single_root: bool) -> bool:
        """Write one sentence's best heads; false where it has no tree."""
        right, left = self.complete[:, sentence]
        if not single_root:
            if right[0, n] == -np.inf:
                return False
            self._follow(sentence, [(1, _RIGHT, 0, n)], heads)
            return True
        below = self.from_root[sentence, :n] + left[1, 1 : n + 1] + right[1 : n + 1, n]
        word = int(below.argmax()) + 1
        if below[word - 1] == -np.inf:
            return False
        heads[sentence, word - 1] = 0
        self._follow(sentence, [(1, _LEFT, 1, word), (1, _RIGHT, word, n)], heads)
        return True

    def _follow(
        self, sentence: int, spans: list[tuple[int, int, int, int]], heads: Ints
    ) -> None:
        while spans:
            whole, side, i, j = spans.pop()
            if i == j:
                continue
            k = int(self.splits[side, whole, sentence, i, j])
            if not whole:
                head, word = (i, j) if side == _RIGHT else (j, i)
                heads[sentence, word - 1] = head
                spans += [(1, _RIGHT, i, k), (1, _LEFT, k + 1, j)]
            elif side == _RIGHT:
                spans += [(0, _RIGHT, i, k), (1, _RIGHT, k, j)]
            else:
                spans += [(1, _LEFT, i, k), (0, _LEFT, k, j)]
