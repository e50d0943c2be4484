"""Several answers under dropout, and the seeds that decide what is left out."""

import zlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import numpy as np
from torch import nn

from compat_eval.core.arrays import Ints
from compat_eval.models.parsing.dropout import sampled
from compat_eval.models.parsing.sentence import Sentence

_TOKENS_TOGETHER = 2000
"""Tokens, padding included, that all samples of a batch have at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Several answers under dropout.

    Attributes:
        p: Share that is left out, in [0, 1).
        seeds: One a sample.
        shared_encoder: Whether a sentence is encoded once, without dropout, and
            only what scores its arcs is thinned.

    """

    p: float
    seeds: tuple[int, ...]
    shared_encoder: bool = False

    def __len__(self) -> int:
        return len(self.seeds)

    def groups(self, n_tokens: int) -> Iterator["Samples"]:
        """Yield as many samples as are read at once of a batch of so many tokens."""
        size = max(1, _TOKENS_TOGETHER // max(n_tokens, 1))
        for start in range(0, len(self), size):
            yield replace(self, seeds=self.seeds[start : start + size])

    def apart(self) -> Iterator["Samples"]:
        """Yield the samples one by one."""
        return (replace(self, seeds=(seed,)) for seed in self.seeds)

    def switched_on(
        self, network: nn.Module, sentences: Sequence[Sentence]
    ) -> AbstractContextManager[None]:
        """Switch on dropout for some sentences, once for each sample."""
        each = sentence_seeds(sentences, self.seeds)
        return sampled(network, self.p, each.T.reshape(-1))


def sentence_seeds(sentences: Sequence[Sentence], seeds: Sequence[int]) -> Ints:
    """Return seeds of each sentence, shape (n_sentences, n_seeds).

    They depend on a sentence's words and not on its neighbours in a batch.

    Args:
        sentences: What is answered.
        seeds: Of each sample.

    """
    words = [zlib.crc32("\n".join(s.words).encode()) for s in sentences]
    return np.array(words, np.int64)[:, None] * 2**31 + np.array(seeds, np.int64)
