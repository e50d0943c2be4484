"""How a tree seq2seq model reads utterances: as words with their spelling."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from compat_eval.models.parsing.batching import batch_of
from compat_eval.models.parsing.encoder import EncoderSizes, SentenceEncoder
from compat_eval.models.parsing.sentence import Sentence
from compat_eval.models.parsing.vocabulary import EncodedSentence
from compat_eval.models.tree_seq2seq.words import sentence_of


class EncodedUtterance(Protocol):
    """One utterance as numbers; its length is its words and one more."""

    @property
    def sentence(self) -> Sentence:
        """What was encoded."""

    def __len__(self) -> int: ...


class Reader(Protocol):
    """Turns words into numbers."""

    def encode(self, sentence: Sentence) -> EncodedUtterance:
        """Return a sentence as numbers."""


@dataclass(frozen=True, slots=True)
class ReadsByBlanks:
    """A reader of utterances whose words are split by blanks already: `Reader`."""

    numbers: Reader

    def encode(self, sentence: Sentence) -> EncodedUtterance:
        """Return a sentence as numbers."""
        return self.numbers.encode(sentence)


def is_by_blanks(reader: Reader) -> bool:
    """Say whether blanks alone part the words that a reader is given."""
    return isinstance(reader, ReadsByBlanks)


def utterances(reader: Reader, inputs: Sequence[Any]) -> list[EncodedUtterance]:
    """Encode utterances.

    Raises:
        DataError: An input is no text.
        ValueError: An utterance has a word that no tree can hold.

    """
    by_blanks = is_by_blanks(reader)
    sentences = [sentence_of(value, by_blanks=by_blanks) for value in inputs]
    if any("]" in sentence.words for sentence in sentences):
        raise ValueError("the word ']' would close a label of a bracketed tree")
    return [reader.encode(sentence) for sentence in sentences]


class EncodesWords(Protocol):
    """Reads a batch of utterances."""

    def read(self, items: Sequence[Any], device: torch.device) -> Tensor:
        """Return states, shape (n_utterances, 1 + most words, n_numbers).

        The first stands for the whole utterance. Padding changes no real one.
        """


class WordEncoder(nn.Module):
    """Embeddings of words, their spelling and shape, and BiLSTMs: `EncodesWords`.

    Attributes:
        sizes: How wide everything is.

    """

    def __init__(self, sizes: EncoderSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.sentences = SentenceEncoder(sizes)

    def read(self, items: Sequence[EncodedSentence], device: torch.device) -> Tensor:
        """Return states, shape (n_utterances, 1 + most words, 2 × hidden)."""
        states: Tensor = self.sentences(batch_of(items, device))
        return states
