"""How a tree seq2seq model makes candidates: by a beam, by chance, under dropout."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor

from compat_eval.core.arrays import Ints
from compat_eval.core.errors import UsageError
from compat_eval.core.protocols import Encodes, Item
from compat_eval.models.decoding.candidates import (
    AnswersThinned,
    Candidates,
    Makes,
    Narrows,
    best_first,
    drawn,
    dropout,
    top_k,
    top_p,
)
from compat_eval.models.parsing.dropout import uniform
from compat_eval.models.tree_seq2seq.search import Chooses, Chosen


class BeamsTexts(Encodes, Protocol):
    """Writes several trees with a beam."""

    def beam_texts(self, items: Sequence[Item], beam: int) -> list[list[str]]:
        """Return what a beam ends with for each, the best first."""


def beam(model: BeamsTexts, b: int | None = None) -> Candidates:
    """Offer the trees that a beam ends with, the best first; the best one fills up.

    Args:
        model: Whose trees.
        b: Width of the beam; by default as many as candidates are asked for.

    Raises:
        UsageError: `b` is less than 1.

    """
    if b is not None and b < 1:
        raise UsageError(f"beam: b must be at least 1, got {b}")
    return best_first(model, lambda items, k: model.beam_texts(items, b or k))


def dropout_texts(model: AnswersThinned, p: float = 0.1) -> Candidates:
    """Offer answers under dropout; see `dropout`.

    One seed thins the encoder and the decoder of an utterance once, for all its
    tokens.
    """
    return dropout(model, p)


GENERATORS: Mapping[str, Makes] = {
    "beam": beam,
    "top-k": top_k,
    "top-p": top_p,
    "dropout-p": dropout_texts,
}
"""How candidates are made, by name."""


def drawing(seeds: Ints, narrow: Narrows) -> Chooses:
    """Return what goes on with every tree by itself, by chance.

    Args:
        seeds: Of each tree, shape (n_utterances, beam).
        narrow: Which tokens may be drawn.

    """

    def choose(before: Tensor, nats: Tensor, step: int) -> Chosen:
        numbers = uniform(seeds.reshape(-1), step + 1)[:, -1].reshape(seeds.shape)
        token = drawn(narrow(nats), torch.from_numpy(numbers))
        found = nats.gather(-1, token.unsqueeze(-1)).squeeze(-1)
        origin = torch.arange(seeds.shape[1], device=nats.device)
        return origin.expand_as(token), token, before + found

    return choose
