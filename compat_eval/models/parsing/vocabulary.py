"""Words, characters, tags and relations as numbers."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from compat_eval.core.arrays import Ints
from compat_eval.models.parsing.sentence import Sentence, Tree

PADDING, UNKNOWN, ROOT = 0, 1, 2
"""The first numbers of words, characters and tags."""

_RESERVED = 3
_COLUMNS = ("words", "characters", "tags", "labels")
LONGEST_WORD = 20
"""Characters of a word that are looked at: half of them at either end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedSentence:
    """A sentence as numbers, the artificial root in front.

    Attributes:
        sentence: What was encoded.
        words: Shape (n_words + 1,).
        tags: Shape (n_words + 1,).
        characters: Shape (n_words + 1, LONGEST_WORD); padded with 0.

    """

    sentence: Sentence
    words: Ints
    tags: Ints
    characters: Ints

    def __len__(self) -> int:
        return len(self.words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The words, characters, tags and relations that a parser knows.

    Attributes:
        words: In lower case, by number from 3.
        characters: By number from 3.
        tags: By number from 3.
        labels: Relations, by number from 0.

    """

    words: tuple[str, ...]
    characters: tuple[str, ...]
    tags: tuple[str, ...]
    labels: tuple[str, ...]
    _word: Mapping[str, int] = field(init=False, repr=False, compare=False)
    _character: Mapping[str, int] = field(init=False, repr=False, compare=False)
    _tag: Mapping[str, int] = field(init=False, repr=False, compare=False)
    _label: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_word", _numbers(self.words, _RESERVED))
        object.__setattr__(self, "_character", _numbers(self.characters, _RESERVED))
        object.__setattr__(self, "_tag", _numbers(self.tags, _RESERVED))
        object.__setattr__(self, "_label", _numbers(self.labels, 0))

    @classmethod
    def of(
        cls, sentences: Sequence[Sentence], trees: Sequence[Tree], *, min_count: int
    ) -> "Vocabulary":
        """Collect the vocabulary of training data.

        Args:
            sentences: What is read.
            trees: What is to be answered.
            min_count: How often a word must occur to have a number of its own.

        """
        words = Counter(word.lower() for s in sentences for word in s.words)
        return cls(
            words=tuple(sorted(w for w, count in words.items() if count >= min_count)),
            characters=_distinct(word for s in sentences for word in s.words),
            tags=_distinct(s.tags for s in sentences),
            labels=_distinct(tree.deprels for tree in trees),
        )

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Vocabulary":
        """Read what `config` returned."""
        return cls(**{name: tuple(config[name]) for name in _COLUMNS})

    def config(self) -> dict[str, list[str]]:
        """Return the vocabulary, JSON-ready."""
        return {name: list(getattr(self, name)) for name in _COLUMNS}

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Numbers of words, characters and tags, with the reserved ones."""
        words, characters, tags = map(len, (self.words, self.characters, self.tags))
        return words + _RESERVED, characters + _RESERVED, tags + _RESERVED

    def encode(self, sentence: Sentence) -> EncodedSentence:
        """Return a sentence as numbers; what is not known has the number `UNKNOWN`."""
        words = [self._word.get(word.lower(), UNKNOWN) for word in sentence.words]
        tags = [self._tag.get(tag, UNKNOWN) for tag in sentence.tags]
        characters = np.zeros((len(words) + 1, LONGEST_WORD), np.int64)
        characters[0, 0] = ROOT
        for row, word in enumerate(sentence.words, start=1):
            spelled = [self._character.get(c, UNKNOWN) for c in _ends(word)]
            characters[row, : len(spelled)] = spelled
        return EncodedSentence(
            sentence=sentence,
            words=np.array([ROOT, *words], np.int64),
            tags=np.array([ROOT, *tags], np.int64),
            characters=characters,
        )

    def label_numbers(self, deprels: Sequence[str]) -> Ints:
        """Return the number of each relation, -1 where it is not known."""
        return np.array([self._label.get(name, -1) for name in deprels], np.int64)

    def label_names(self, numbers: Iterable[int]) -> tuple[str, ...]:
        """Return the names of relations."""
        return tuple(self.labels[number] for number in numbers)


def _numbers(names: Sequence[str], first: int) -> dict[str, int]:
    return {name: number for number, name in enumerate(names, start=first)}


def _distinct(groups: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(sorted({name for group in groups for name in group}))


def _ends(word: str) -> str:
    if len(word) <= LONGEST_WORD:
        return word
    half = LONGEST_WORD // 2
    return word[:half] + word[-half:]
