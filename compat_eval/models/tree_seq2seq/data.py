"""Utterances and trees to train on: what can be written, as numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from compat_eval.core.arrays import Ints
from compat_eval.core.errors import DataError
from compat_eval.core.examples import Examples
from compat_eval.models.parsing.sentence import Sentence
from compat_eval.models.training.train import texts_and_labels
from compat_eval.models.tree_seq2seq.actions import (
    Derivation,
    Derivations,
    derivation,
    kinds_of,
    possible,
    slots_of,
)
from compat_eval.models.tree_seq2seq.reading import EncodedUtterance, Reader
from compat_eval.models.tree_seq2seq.words import sentence_of
from compat_eval.tasks.semantic.trees import Node, bracketed, parse_tree


@dataclass(frozen=True, slots=True)
class Parsed:
    """Utterances with their gold trees.

    Attributes:
        sentences: Their words.
        trees: Their trees.

    """

    sentences: list[Sentence]
    trees: list[Node]

    @classmethod
    def of(cls, examples: Examples, *, by_blanks: bool = False) -> "Parsed":
        """Read examples of the semantic task.

        Args:
            examples: With columns `input` and `gold`.
            by_blanks: Whether words are what stands between blanks.

        Raises:
            DataError: An input is no text, or a gold answer is no tree.

        """
        texts, gold = texts_and_labels(examples)
        trees = [parse_tree(one) for one in gold]
        if None in trees:
            at = trees.index(None)
            raise DataError(
                f"cannot train on {examples.ids[at].as_py()!r}: its gold answer is no "
                f"bracketed tree: {gold[at]!r}"
            )
        found = [tree for tree in trees if tree is not None]
        sentences = [sentence_of(text, by_blanks=by_blanks) for text in texts]
        return cls(sentences, found)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the labels that occur, sorted."""
        return tuple(sorted({n.label for tree in self.trees for n in tree.nodes()}))

    @property
    def gold(self) -> list[str]:
        """The trees as the model writes them."""
        return [bracketed(tree) for tree in self.trees]


@dataclass(frozen=True, slots=True)
class Written:
    """Utterances with the tokens of their trees.

    Attributes:
        items: Encoded utterances.
        derivations: A tree for each.
        n_left_out: Trees that cannot be written, with their utterances.

    """

    items: list[EncodedUtterance]
    derivations: list[Derivation]
    n_left_out: int

    @classmethod
    def of(cls, parsed: Parsed, reader: Reader, labels: Sequence[str]) -> "Written":
        """Encode what can be written.

        Raises:
            DataError: No tree can be.

        """
        number = {name: at for at, name in enumerate(labels)}
        pairs = [
            (sentence, derivation(tree, sentence.words, number))
            for sentence, tree in zip(parsed.sentences, parsed.trees, strict=True)
        ]
        kept = [
            (reader.encode(sentence), tokens)
            for sentence, tokens in pairs
            if tokens is not None and _is_possible(tokens, labels)
        ]
        if not kept:
            raise DataError(
                f"none of {len(pairs)} gold trees holds all words of its utterance in "
                "their order, intents and slots in turn, as [IN:STOP stop [SL:WHAT it "
                "] ] does; there is nothing to train on. Where blanks alone part the "
                "words, set `words: blanks`"
            )
        items, derivations = zip(*kept, strict=True)
        return cls(list(items), list(derivations), len(pairs) - len(kept))

    @property
    def lengths(self) -> Ints:
        """Tokens of each tree, shape (n_trees,)."""
        return np.array([len(tree) for tree in self.derivations], np.int64)


def _is_possible(tree: Derivation, labels: Sequence[str]) -> bool:
    steps = Derivations.of([tree], torch.device("cpu"))
    groups = possible(
        positions=steps.positions,
        depths=steps.depths,
        is_bare=steps.is_bare,
        in_slot=torch.tensor(slots_of(labels))[steps.tops],
        n_words=steps.n_words,
    )
    kinds = torch.tensor(kinds_of(labels))[steps.tokens]
    return bool(groups.gather(-1, kinds.unsqueeze(-1)).all())
