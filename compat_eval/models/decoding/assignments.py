"""The best ways to choose one option for each word, whether they make a tree or not.

Two words' sorted options combine into one sorted list by the pairs `(i, j)`
with `(i + 1)(j + 1) ≤ m`: no other pair can be among the m best sums. Lists are
merged two by two, for all sentences at once.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Assignments:
    """The best assignments of each sentence, the best first.

    Attributes:
        options: Option of each word, shape (batch, m, n_words).
        scores: Their sums, shape (batch, m); -inf where there are fewer.

    """

    options: Tensor
    scores: Tensor


def best_options(scores: Tensor, m: int) -> tuple[Tensor, Tensor]:
    """Return the m best options of each word and their scores, the best first.

    Equal scores keep the options' order.

    Args:
        scores: Shape (batch, n_words, n_options).
        m: How many; beyond the number of options the scores are -inf.

    """
    n_options = scores.shape[2]
    found = scores.topk(min(m, n_options), dim=2).indices.sort(dim=2).values
    chosen = scores.gather(2, found)
    ordered, at = chosen.sort(dim=2, descending=True, stable=True)
    missing = max(0, m - n_options)
    return (
        torch.nn.functional.pad(found.gather(2, at), (0, missing)),
        torch.nn.functional.pad(ordered, (0, missing), value=-torch.inf),
    )


def best_assignments(scores: Tensor, m: int) -> Assignments:
    """Return the m best assignments of one option to each word.

    Args:
        scores: Shape (batch, n_words, m), sorted from best to worst; a word
            that does not count has 0, -inf, -inf, ….
        m: How many.

    """
    batch, n_words, _ = scores.shape
    size = 1 << max(0, n_words - 1).bit_length()
    padding = scores.new_full((batch, size - n_words, m), -torch.inf)
    padding[:, :, 0] = 0.0
    level = torch.cat([scores, padding], dim=1)
    left, right = _pairs(m, scores.device)
    choices: list[tuple[Tensor, Tensor]] = []
    while level.shape[1] > 1:
        sums = level[:, 0::2][:, :, left] + level[:, 1::2][:, :, right]
        ordered, at = sums.sort(dim=2, descending=True, stable=True)
        level, at = ordered[:, :, :m], at[:, :, :m]
        choices.append((left[at], right[at]))
    options = torch.arange(m, device=scores.device).expand(batch, 1, m)
    for one, other in reversed(choices):
        halves = [one.gather(2, options), other.gather(2, options)]
        options = torch.stack(halves, dim=2).flatten(1, 2)
    return Assignments(options[:, :n_words].transpose(1, 2), level[:, 0])


def _pairs(m: int, device: torch.device) -> tuple[Tensor, Tensor]:
    pairs = [(i, j) for i in range(m) for j in range(m // (i + 1))]
    left, right = torch.tensor(pairs, device=device).T
    return left, right
