"""Sentences packed into padded batches of about equally many tokens."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from compat_eval.core.arrays import Bools, Ints
from compat_eval.models.parsing.vocabulary import EncodedSentence

_SPREAD = 0.1
"""Training sorts by length times a factor up to this far from 1, drawn anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceBatch:
    """Padded sentences, the artificial root in front of each.

    Attributes:
        words: Shape (n_sentences, width).
        tags: Shape (n_sentences, width).
        spellings: The distinct rows of characters, shape (n_distinct, n_letters).
        spelling: Which of them each word has, shape (n_sentences, width).
        lengths: Tokens of each sentence, the root among them; shape (n_sentences,).

    """

    words: Tensor
    tags: Tensor
    spellings: Tensor
    spelling: Tensor
    lengths: Tensor

    @property
    def mask(self) -> Tensor:
        """Which tokens are real; shape (n_sentences, width)."""
        at = torch.arange(self.words.shape[1], device=self.words.device)
        return at < self.lengths.unsqueeze(-1)

    @property
    def is_word(self) -> Tensor:
        """Which tokens are words, not the root; shape (n_sentences, width)."""
        real = self.mask
        real[:, 0] = False
        return real

    def repeated(self, n: int) -> "SentenceBatch":
        """Return all sentences `n` times, one round after the other."""
        return SentenceBatch(
            words=self.words.repeat(n, 1),
            tags=self.tags.repeat(n, 1),
            spellings=self.spellings,
            spelling=self.spelling.repeat(n, 1),
            lengths=self.lengths.repeat(n),
        )


def batch_of(items: Sequence[EncodedSentence], device: torch.device) -> SentenceBatch:
    """Pad at least one sentence into a batch."""
    lengths = np.array([len(item) for item in items], np.int64)
    here = np.arange(lengths.max()) < lengths[:, None]
    characters = np.concatenate([item.characters for item in items])
    spellings, which = np.unique(characters, axis=0, return_inverse=True)
    longest = max(int((spellings > 0).sum(axis=-1).max()), 1)
    return SentenceBatch(
        words=padded([item.words for item in items], here, device),
        tags=padded([item.tags for item in items], here, device),
        spellings=torch.from_numpy(spellings[:, :longest].copy()).to(device),
        spelling=padded([which.reshape(-1)], here, device),
        lengths=torch.from_numpy(lengths).to(device),
    )


def padded(rows: Sequence[Ints], here: Bools, device: torch.device) -> Tensor:
    """Write rows of numbers, end to end, where a mask is true; 0 elsewhere."""
    grid = np.zeros(here.shape, np.int64)
    grid[here] = np.concatenate(rows)
    return torch.from_numpy(grid).to(device)


def packed(lengths: Ints, budget: int) -> list[Ints]:
    """Return rows in batches, the longest first, padded to at most `budget` tokens.

    A sentence longer than the budget is a batch by itself.

    Examples:
        >>> [rows.tolist() for rows in packed(np.array([2, 5, 3, 2]), 6)]
        [[1], [2, 0], [3]]

    """
    return _cut(np.argsort(-lengths, kind="stable"), lengths, budget)


def shuffled(lengths: Ints, budget: int, rng: np.random.Generator) -> list[Ints]:
    """Return rows in batches as `packed` does, differently each time."""
    blurred = lengths * rng.uniform(1 - _SPREAD, 1 + _SPREAD, len(lengths))
    batches = _cut(np.argsort(-blurred, kind="stable"), lengths, budget)
    return [batches[at] for at in rng.permutation(len(batches))]


def _cut(order: Ints, lengths: Ints, budget: int) -> list[Ints]:
    batches: list[Ints] = []
    start, widest = 0, 0
    for at, row in enumerate(order):
        wider = max(widest, int(lengths[row]))
        if at > start and wider * (at - start + 1) > budget:
            batches.append(order[start:at])
            start, wider = at, int(lengths[row])
        widest = wider
    return [*batches, order[start:]] if len(order) else []
