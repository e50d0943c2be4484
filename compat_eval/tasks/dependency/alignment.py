"""Two analyses of one text: which word of one is which word of the other.

The rules are those of the CoNLL 2018 shared task (Zeman et al., "CoNLL 2018
Shared Task: Multilingual Parsing from Raw Text to Universal Dependencies",
CoNLL 2018, https://aclanthology.org/K18-2001): words are the same when they
cover the same characters; around multiword tokens, where words have no
characters of their own, by longest common subsequence of their lower-cased
forms.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.arrays import Bools, Ints
from compat_eval.tasks.dependency.trees import are_no_trees, list_offsets

_SPACES = r"\p{Zs}"

Reading: TypeAlias = Callable[[str], str]

ROOT, NOWHERE = -1, -2


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


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of one side as lists, for a walk from left to right."""

    start: list[int]
    end: list[int]
    multiword: list[bool]
    forms: list[str]

    @classmethod
    def of(cls, spans: Spans) -> "_Words":
        return cls(
            spans.start.tolist(),
            spans.end.tolist(),
            spans.multiword.tolist(),
            spans.forms.to_pylist(),
        )

    def __len__(self) -> int:
        return len(self.start)

    def beyond(self, at: int, end: int) -> bool:
        """Whether the word lies outside a region that ends there."""
        if at >= len(self):
            return True
        if self.multiword[at]:
            return self.start[at] >= end
        return self.end[at] > end

    def lower(self, first: int, last: int) -> list[str]:
        return [form.lower() for form in self.forms[first:last]]


def align_words(gold: Spans, system: Spans) -> Ints:
    """Return the gold word that each system word is, -1 where it is none.

    Both must cover the same characters. The result is increasing where it is
    not -1; shape (n_system_words,).
    """
    matched = np.full(len(system.start), -1, np.int64)
    if _same_words(gold, system):
        matched[:] = np.arange(len(matched))
        return matched
    pairs = _walk(_Words.of(gold), _Words.of(system))
    if pairs:
        of_gold, of_system = np.array(pairs, np.int64).T
        matched[of_system] = of_gold
    return matched


def _same_words(gold: Spans, system: Spans) -> bool:
    return (
        np.array_equal(gold.start, system.start)
        and np.array_equal(gold.end, system.end)
        and np.array_equal(gold.multiword, system.multiword)
        and bool(gold.forms.equals(system.forms))
    )


def _walk(gold: _Words, system: _Words) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    g = s = 0
    while g < len(gold) and s < len(system):
        if gold.multiword[g] or system.multiword[s]:
            g, s, g_end, s_end = _region(gold, system, g, s)
            common = _common(gold.lower(g, g_end), system.lower(s, s_end))
            pairs += [(g + i, s + j) for i, j in common]
            g, s = g_end, s_end
        elif gold.start[g] == system.start[s] and gold.end[g] == system.end[s]:
            pairs.append((g, s))
            g, s = g + 1, s + 1
        elif gold.start[g] <= system.start[s]:
            g += 1
        else:
            s += 1
    return pairs


def _region(gold: _Words, system: _Words, g: int, s: int) -> tuple[int, int, int, int]:
    """Return the words that overlapping multiword tokens cover on both sides."""
    if gold.multiword[g]:
        end = gold.end[g]
        if not system.multiword[s] and system.start[s] < gold.start[g]:
            s += 1
    else:
        end = system.end[s]
        if not gold.multiword[g] and gold.start[g] < system.start[s]:
            g += 1
    g_end, s_end = g, s
    while not (gold.beyond(g_end, end) and system.beyond(s_end, end)):
        of_gold = g_end < len(gold) and (
            s_end >= len(system) or gold.start[g_end] <= system.start[s_end]
        )
        side, at = (gold, g_end) if of_gold else (system, s_end)
        if side.multiword[at]:
            end = max(end, side.end[at])
        g_end, s_end = g_end + of_gold, s_end + (not of_gold)
    return g, s, g_end, s_end


def _common(one: list[str], other: list[str]) -> list[tuple[int, int]]:
    """Return the positions of a longest common subsequence, leftmost words first."""
    n, m = len(one), len(other)
    longest = [[0] * (m + 1) for _ in range(n + 1)]
    for i in reversed(range(n)):
        for j in reversed(range(m)):
            longest[i][j] = (
                1 + longest[i + 1][j + 1]
                if one[i] == other[j]
                else max(longest[i + 1][j], longest[i][j + 1])
            )
    pairs, i, j = [], 0, 0
    while i < n and j < m:
        if one[i] == other[j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif longest[i][j] == longest[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """Gold and a system's analysis, word by word.

    Attributes:
        gold: The gold words.
        system: The system's words.
        gold_of: Gold word of each system word, -1 for none.
        home: Gold sentence in which each system word starts.

    """

    gold: Spans
    system: Spans
    gold_of: Ints
    home: Ints

    def pairs(self) -> tuple[Ints, Ints]:
        """Return the gold and the system word of each aligned pair, in order."""
        of_system = np.flatnonzero(self.gold_of >= 0)
        return self.gold_of[of_system], of_system


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Columns of both analyses, compared at the aligned words.

    Attributes:
        gold: Gold sentences, as `read_conllu` gives them.
        system: The system's.
        g: Gold word of each pair.
        s: System word of each pair.

    """

    gold: pa.Table
    system: pa.Table
    g: Ints
    s: Ints

    def same(self, column: str, reading: Reading | None = None) -> Bools:
        """Return at which pairs both sides say the same."""
        gold, system, _ = self._codes(column, reading)
        return np.asarray(gold[self.g] == system[self.s], np.bool_)

    def gold_is(self, column: str, value: str) -> Bools:
        """Return at which pairs gold has some value."""
        found = pc.equal(_flat(self.gold, column), value)
        return np.asarray(found, np.bool_)[self.g]

    def among(
        self, column: str, wanted: frozenset[str], reading: Reading
    ) -> tuple[Bools, Bools]:
        """Return which gold and which system words have one of some values."""
        gold, system, values = self._codes(column, reading)
        member = np.array([value in wanted for value in values], np.bool_)
        return member[gold], member[system]

    def _codes(
        self, column: str, reading: Reading | None
    ) -> tuple[Ints, Ints, list[str]]:
        gold, system = _flat(self.gold, column), _flat(self.system, column)
        both = pa.concat_arrays([gold, system]).dictionary_encode()
        said = both.dictionary.to_pylist()
        read = [reading(value) for value in said] if reading else said
        values = list(dict.fromkeys(read))
        number = {value: code for code, value in enumerate(values)}
        codes = np.array([number[value] for value in read], np.int64)[
            np.asarray(both.indices, np.int64)
        ]
        return codes[: len(gold)], codes[len(gold) :], values


def document_heads(sentences: pa.Table, spans: Spans) -> Ints:
    """Return each word's head as a position among all words.

    `ROOT` for the root, `NOWHERE` in sentences that are no tree.
    """
    heads = np.asarray(_flat(sentences, "heads"), np.int64)
    start = spans.offsets[:-1][spans.sentence]
    found = np.where(heads == 0, ROOT, start + heads - 1)
    found[are_no_trees(heads, spans.offsets)[spans.sentence]] = NOWHERE
    return found


def heads_in_gold(heads: Ints, gold_of: Ints) -> Ints:
    """Translate heads to gold words: `ROOT` stays, `NOWHERE` where there is none."""
    known = gold_of[np.maximum(heads, 0)]
    known = np.where((heads == NOWHERE) | (known < 0), NOWHERE, known)
    return np.where(heads == ROOT, ROOT, known)


def _flat(sentences: pa.Table, column: str) -> pa.Array:
    return sentences[column].combine_chunks().flatten()
