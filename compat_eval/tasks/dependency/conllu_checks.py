"""What must hold of heads before they are a tree, checked for all sentences at once."""

from dataclasses import dataclass

import numpy as np

from compat_eval.core.arrays import Bools, Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeFault:
    """The first word that keeps its sentence from being a tree.

    Attributes:
        word: Its position among all words.
        reason: What is wrong, as a clause for a message.

    """

    word: int
    reason: str


def first_fault(heads: Ints, offsets: Ints) -> TreeFault | None:
    """Return the first word that breaks its tree, or `None` where all are trees.

    Args:
        heads: Head of each word within its sentence, 0 for the root; shape
            (n_words,).
        offsets: Sentence `i` is `heads[offsets[i]:offsets[i + 1]]`.

    Examples:
        >>> first_fault(np.array([2, 0, 0, 1]), np.array([0, 2, 4])) is None
        True
        >>> first_fault(np.array([2, 1]), np.array([0, 2])).reason
        'it is part of a cycle or hangs below one'

    """
    size = np.diff(offsets)
    sentence = np.repeat(np.arange(len(size)), size)
    outside = (heads < 0) | (heads > size[sentence])
    if outside.any():
        word = int(np.argmax(outside))
        return TreeFault(
            word=word,
            reason=f"HEAD {heads[word]} lies outside the sentence of "
            f"{size[sentence[word]]} words",
        )
    return _second_root(heads, sentence, offsets) or _cycle(heads, sentence, offsets)


def are_no_trees(heads: Ints, offsets: Ints) -> Bools:
    """Return which sentences are no tree with one root; shape (n_sentences,).

    Args:
        heads: As for `first_fault`.
        offsets: As for `first_fault`.

    Examples:
        >>> are_no_trees(np.array([2, 0, 0, 0, 3]), np.array([0, 2, 4, 5])).tolist()
        [False, True, True]

    """
    size = np.diff(offsets)
    sentence = np.repeat(np.arange(len(size)), size)
    outside = (heads < 0) | (heads > size[sentence])
    own = np.arange(len(heads)) - offsets[:-1][sentence] + 1
    lost = ~_reaches_root(np.where(outside, own, heads), sentence, offsets)
    roots = np.bincount(sentence[heads == 0], minlength=len(size))
    wrong = np.bincount(sentence[lost], minlength=len(size)) > 0
    return np.asarray(wrong | ((roots != 1) & (size > 0)), np.bool_)


def _second_root(heads: Ints, sentence: Ints, offsets: Ints) -> TreeFault | None:
    root = heads == 0
    seen = np.cumsum(root)
    before = np.concatenate([[0], seen])[offsets[:-1]]
    second = root & (seen - before[sentence] > 1)
    if second.any():
        return TreeFault(word=int(np.argmax(second)), reason="it is a second root")
    return None


def _cycle(heads: Ints, sentence: Ints, offsets: Ints) -> TreeFault | None:
    lost = ~_reaches_root(heads, sentence, offsets)
    if lost.any():
        return TreeFault(
            word=int(np.argmax(lost)),
            reason="it is part of a cycle or hangs below one",
        )
    return None


def _reaches_root(heads: Ints, sentence: Ints, offsets: Ints) -> Bools:
    n = len(heads)
    above = np.where(heads == 0, n, offsets[:-1][sentence] + heads - 1)
    above = np.append(above, n)
    longest = int(np.diff(offsets).max(initial=1))
    for _ in range(longest.bit_length()):
        above = above[above]
    return np.asarray(above[:n] == n, np.bool_)
