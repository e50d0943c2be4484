"""Which word of one segmentation is which word of another.

The rules are those of the CoNLL 2018 shared task (Zeman et al., "CoNLL 2018
Shared Task: Multilingual Parsing from Raw Text to Universal Dependencies",
CoNLL 2018, https://aclanthology.org/K18-2001): words are the same when they
cover the same characters; around multiword tokens, where words have no
characters of their own, by longest common subsequence of their lower-cased
forms.
"""

from dataclasses import dataclass

import numpy as np

from compat_eval.core.arrays import Ints
from compat_eval.tasks.dependency.ud_text import Spans


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
