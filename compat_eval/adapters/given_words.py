"""Pretokenised sentences for parsers that have a tokenizer of their own."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from compat_eval.models.parsing.sentence import Tree, answer_column, sentence_from


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenWords:
    """One sentence's words, and what the suite says of them.

    Attributes:
        words: Forms, at least one.
        spaces: Whether a space follows each word.
        upos: Universal part of speech of each word; `None` where it is not known.
        xpos: The treebank's own tag; likewise.
        feats: Morphological features, as CoNLL-U writes them; likewise.
        lemmas: Dictionary form; likewise.

    """

    words: tuple[str, ...]
    spaces: tuple[bool, ...]
    upos: tuple[str | None, ...]
    xpos: tuple[str | None, ...]
    feats: tuple[str | None, ...]
    lemmas: tuple[str | None, ...]

    def __len__(self) -> int:
        return len(self.words)


def given_words(value: object) -> GivenWords:
    """Read one input of the dependency task.

    Raises:
        DataError: It has no lists `words` and `upos` of one length.

    Examples:
        >>> given_words({"words": ["Go", "!"], "upos": ["VERB", None]}).upos
        ('VERB', None)

    """
    words = sentence_from(value).words
    assert isinstance(value, Mapping)
    return GivenWords(
        words=words,
        spaces=_spaces(value, len(words)),
        upos=_tags(value, "upos", len(words)),
        xpos=_tags(value, "xpos", len(words)),
        feats=_tags(value, "feats", len(words)),
        lemmas=_lemmas(value, words),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenWordsParser(ABC):
    """A parser that parses the words of the suite as they are.

    Attributes:
        document: The class that its package keeps sentences in.
        names: The suite's name of each relation.

    """

    document: Any
    names: Mapping[str, str]

    @property
    def labels(self) -> tuple[str, ...]:
        """The suite's names of the relations."""
        return tuple(sorted(set(self.names.values())))

    def encode(self, inputs: Sequence[Any]) -> list[GivenWords]:
        """Return one item a sentence; `len(item)` is its number of words.

        Raises:
            DataError: An input has no `words` and `upos`.

        """
        return [given_words(value) for value in inputs]

    def predict(self, items: Sequence[GivenWords]) -> pa.Table:
        """Return a column `prediction`: heads and relations of the words."""
        trees = [
            Tree(tree.heads, tuple(self.names.get(name, name) for name in tree.deprels))
            for tree in self.trees(items)
        ]
        return pa.table({"prediction": answer_column(trees)})

    @abstractmethod
    def trees(self, items: Sequence[GivenWords]) -> list[Tree]:
        """Return a tree for each sentence, with the parser's own relations."""


def _tags(value: Mapping[str, Any], column: str, n: int) -> tuple[str | None, ...]:
    given = value.get(column) or [None] * n
    return tuple(None if tag in (None, "", "_") else str(tag) for tag in given)


def _lemmas(value: Mapping[str, Any], words: tuple[str, ...]) -> tuple[str | None, ...]:
    """The lemma of the word `_` is `_`; elsewhere that says there is none."""
    found = _tags(value, "lemmas", len(words))
    return tuple(
        word if word == "_" else lemma for word, lemma in zip(words, found, strict=True)
    )


def _spaces(value: Mapping[str, Any], n: int) -> tuple[bool, ...]:
    """No space follows where MISC says so, nor inside a multiword token."""
    spaces = [_space_after(field) for field in value.get("misc") or [None] * n]
    firsts, lasts = value.get("mwt_first") or (), value.get("mwt_last") or ()
    said = value.get("mwt_misc") or [None] * len(firsts)
    for first, last, field in zip(firsts, lasts, said, strict=True):
        spaces[first - 1 : last - 1] = [False] * (last - first)
        spaces[last - 1] &= _space_after(field)
    return tuple(spaces)


def _space_after(misc: str | None) -> bool:
    return "SpaceAfter=No" not in (misc or "").split("|")
