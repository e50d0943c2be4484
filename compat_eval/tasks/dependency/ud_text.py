"""Where words stand in the text: character spans, whatever the segmentation.

White space does not count, so that two segmentations of one text can be laid
over each other.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.arrays import Bools, Ints

_SPACES = r"\p{Zs}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """The words of many sentences, laid over the characters of their text.

    Attributes:
        forms: Word forms.
        start: First character of each word, shape (n_words,); a word of a
            multiword token has the token's span.
        end: One past the last character, shape (n_words,).
        multiword: Which words are part of a multiword token, shape (n_words,).
        first: Which words are the first (or only) one of their token.
        sentence: The sentence of each word, shape (n_words,).
        offsets: Words of sentence `i` are `offsets[i]` to `offsets[i + 1]`.
        characters: The text without white space.

    """

    forms: pa.Array
    start: Ints
    end: Ints
    multiword: Bools
    first: Bools
    sentence: Ints
    offsets: Ints
    characters: str

    def sentence_starts(self) -> Ints:
        """Return the first character of each sentence, shape (n_sentences,)."""
        return self.start[self.offsets[:-1]]

    def sentence_ends(self) -> Ints:
        """Return one past the last character of each sentence."""
        return self.end[self.offsets[1:] - 1]


def lay_out(sentences: pa.Table) -> Spans:
    """Return the spans of sentences that have words and multiword tokens.

    Args:
        sentences: Columns `words`, `mwt_first`, `mwt_last` and `mwt_form` as
            `read_conllu` gives them; at least one word a sentence.

    """
    words = sentences["words"].combine_chunks()
    offsets = list_offsets(words)
    forms = words.flatten()
    sentence = np.repeat(np.arange(len(words)), np.diff(offsets))
    owner = np.arange(len(forms))
    multiword = np.zeros(len(forms), np.bool_)
    first, last, surface = _multiword_tokens(sentences, offsets)
    covered = _ranges(first, last)
    owner[covered] = np.repeat(first, last - first + 1)
    multiword[covered] = True
    is_first = owner == np.arange(len(forms))
    surfaces = _surface_forms(forms, multiword, is_first, surface)
    ends = np.cumsum(np.asarray(pc.utf8_length(surfaces), np.int64))
    starts = np.concatenate([[0], ends[:-1]])
    return Spans(
        forms=forms,
        start=starts[owner],
        end=ends[owner],
        multiword=multiword,
        first=is_first,
        sentence=sentence,
        offsets=offsets,
        characters="".join(surfaces.to_pylist()),
    )


def list_offsets(lists: pa.ListArray) -> Ints:
    """Return where each list starts among the flattened values, from 0."""
    sizes = np.asarray(pc.fill_null(pc.list_value_length(lists), 0), np.int64)
    return np.concatenate([[0], np.cumsum(sizes)])


def _multiword_tokens(
    sentences: pa.Table, offsets: Ints
) -> tuple[Ints, Ints, pa.Array]:
    firsts = sentences["mwt_first"].combine_chunks()
    base = np.repeat(offsets[:-1], np.diff(list_offsets(firsts))) - 1
    lasts = sentences["mwt_last"].combine_chunks().flatten()
    return (
        base + np.asarray(firsts.flatten(), np.int64),
        base + np.asarray(lasts, np.int64),
        sentences["mwt_form"].combine_chunks().flatten(),
    )


def _ranges(first: Ints, last: Ints) -> Ints:
    """Return every number of some closed ranges, in order."""
    size = last - first + 1
    shift = np.concatenate([[0], np.cumsum(size)[:-1]])[: len(size)]
    steps = np.arange(size.sum(), dtype=np.int64)
    return np.asarray(steps + np.repeat(first - shift, size), np.int64)


def _surface_forms(
    forms: pa.Array, multiword: Bools, is_first: Bools, surface: pa.Array
) -> pa.Array:
    """Return what each word adds to the text: a token's form at its first word."""
    if multiword.any():
        which = np.cumsum(is_first & multiword) - 1
        inner = ~is_first[multiword]
        added = surface.take(pa.array(which[multiword], mask=inner))
        forms = pc.replace_with_mask(
            forms, pa.array(multiword), pc.fill_null(added, "")
        )
    return pc.replace_substring_regex(forms, pattern=_SPACES, replacement="")
