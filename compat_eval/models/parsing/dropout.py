"""Dropout with one mask for a sentence or a token, also at the time of answering.

Variational dropout: Gal and Ghahramani, "A Theoretically Grounded Application of
Dropout in Recurrent Neural Networks", NeurIPS 2016,
https://arxiv.org/abs/1512.05287.
"""

import zlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from compat_eval.core.arrays import Ints, Values
from compat_eval.models.parsing.sentence import Sentence


class _DropoutSite(nn.Module):
    """A dropout layer that can also be active when the network answers.

    Attributes:
        p: Share that is left out in training.
        sampling: See `sampled`: the share that is left out when answering, and seeds,
            one for each sentence of the batch.

    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p
        self.sampling: tuple[float, Ints] | None = None

    def kept(self, shape: tuple[int, int, int], like: Tensor) -> Tensor | None:
        """Return 1 / (1 - p) where something stays, else 0; `None` for all 1."""
        if self.sampling is not None:
            p, seeds = self.sampling
            drawn = uniform(seeds, shape[1] * shape[2]).reshape(shape)
            return torch.from_numpy(drawn >= p).to(like) / (1 - p)
        if not self.training or not self.p:
            return None
        kept = torch.empty(shape, dtype=like.dtype, device=like.device)
        return kept.bernoulli_(1 - self.p).div_(1 - self.p)


class SharedDropout(_DropoutSite):
    """Leaves out the same numbers of a vector at every token of a sentence."""

    def forward(self, states: Tensor) -> Tensor:
        """Drop from states of shape (n_sentences, width, n_numbers)."""
        kept = self.kept((len(states), 1, states.shape[2]), states)
        return states if kept is None else states * kept


class TokenDropout(_DropoutSite):
    """Leaves out whole embeddings of a token, and scales up its others."""

    def forward(self, embeddings: Sequence[Tensor]) -> Tensor:
        """Join embeddings, each of shape (n_sentences, width, n_numbers)."""
        first, n = embeddings[0], len(embeddings)
        kept = self.kept((*first.shape[:2], n), first)
        if kept is None:
            return torch.cat(list(embeddings), dim=-1)
        there = (kept > 0).to(first.dtype)
        scale = there * (n / there.sum(dim=-1, keepdim=True).clamp(min=1))
        return torch.cat(
            [part * scale[..., at, None] for at, part in enumerate(embeddings)], dim=-1
        )


@contextmanager
def sampled(network: nn.Module, p: float, seeds: Ints) -> Iterator[None]:
    """Switch on dropout, and nothing else, with a seed for each sentence.

    What is left out of a sentence depends on its own seed only. Neither the
    training mode nor any other random number is touched.
    """
    sites = [m for m in network.modules() if isinstance(m, _DropoutSite)]
    before = [site.sampling for site in sites]
    try:
        for number, site in enumerate(sites):
            site.sampling = (p, _mixed(seeds, number))
        yield
    finally:
        for site, sampling in zip(sites, before, strict=True):
            site.sampling = sampling


_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def uniform(seeds: Ints, n: int) -> Values:
    """Return numbers in [0, 1), shape (n_seeds, n): the first n of each seed.

    SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
    Generators", OOPSLA 2014, https://doi.org/10.1145/2660193.2660195) as a function
    of seed and position, so that no number depends on how many were drawn.
    """
    count = np.arange(1, n + 1, dtype=np.uint64)
    state = seeds.astype(np.uint64)[:, None] + count * _STEP
    state = (state ^ (state >> np.uint64(30))) * _FIRST
    state = (state ^ (state >> np.uint64(27))) * _SECOND
    state ^= state >> np.uint64(31)
    return np.asarray((state >> np.uint64(11)) * 2.0**-53, np.float64)


def _mixed(seeds: Ints, site: int) -> Ints:
    """Give each site of dropout numbers of its own."""
    drawn = uniform(seeds, site + 1)[:, -1]
    return np.asarray(drawn * 2.0**53, np.int64)


_TOKENS_TOGETHER = 2000
"""Tokens, padding included, that all samples of a batch have at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Several answers under dropout.

    Attributes:
        p: Share that is left out, in [0, 1).
        seeds: One a sample.
        shared_encoder: Whether a sentence is encoded once, without dropout, and
            dropout is only in the layers behind the encoder.

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
