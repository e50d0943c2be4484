"""Examples of the dependency task as sentences and trees."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from compat_eval.core.arrays import Ints
from compat_eval.core.errors import DataError
from compat_eval.core.examples import Examples
from compat_eval.models.parsing.batching import Batch, batch_of, padded
from compat_eval.models.parsing.sentence import (
    Sentence,
    Tree,
    sentence_from,
    tree_from,
)
from compat_eval.models.parsing.vocabulary import EncodedSentence, Vocabulary

_CPU = torch.device("cpu")


def treebank(examples: Examples) -> tuple[list[Sentence], list[Tree]]:
    """Return inputs and gold trees; sentences without words are left out.

    Raises:
        DataError: An example is no sentence with a tree, or there is none at all.

    """
    sentences: list[Sentence] = []
    trees: list[Tree] = []
    ids, inputs, gold = (
        examples.column(name).to_pylist() for name in ("id", "input", "gold")
    )
    for name, value, answer in zip(ids, inputs, gold, strict=True):
        try:
            sentence = sentence_from(value)
            tree = tree_from(answer, sentence)
        except DataError as error:
            raise DataError(f"example {name}: {error}") from error
        if len(sentence):
            sentences.append(sentence)
            trees.append(tree)
    if not sentences:
        raise DataError("training needs at least one sentence with words; got none")
    return sentences, trees


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedTreebank:
    """Sentences and trees as numbers, the artificial root in front.

    Attributes:
        items: The sentences.
        heads: Head of each token, 0 for the root's own.
        labels: Likewise its relation, -1 where the vocabulary does not have it.

    """

    items: list[EncodedSentence]
    heads: list[Ints]
    labels: list[Ints]

    @classmethod
    def of(
        cls,
        vocabulary: Vocabulary,
        sentences: Sequence[Sentence],
        trees: Sequence[Tree],
    ) -> "EncodedTreebank":
        """Encode sentences and trees."""
        numbers = [vocabulary.label_numbers(tree.deprels) for tree in trees]
        return cls(
            items=[vocabulary.encode(sentence) for sentence in sentences],
            heads=[np.array([0, *tree.heads], np.int64) for tree in trees],
            labels=[np.concatenate([[0], label]) for label in numbers],
        )

    @property
    def lengths(self) -> Ints:
        """Tokens of each sentence; shape (n_sentences,)."""
        return np.array([len(item) for item in self.items], np.int64)

    def batch(self, rows: Sequence[int]) -> tuple[Batch, Tensor, Tensor]:
        """Return some sentences padded, their heads and their labels."""
        batch = batch_of([self.items[row] for row in rows], _CPU)
        here = batch.mask.numpy()
        heads = padded([self.heads[row] for row in rows], here, _CPU)
        labels = padded([self.labels[row] for row in rows], here, _CPU)
        return batch, heads, labels
