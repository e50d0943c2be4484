"""Two analyses of one text, and which words of theirs are the same."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.arrays import Bools, Ints
from compat_eval.tasks.dependency.conllu_checks import are_no_trees
from compat_eval.tasks.dependency.ud_text import Spans

Reading: TypeAlias = Callable[[str], str]

ROOT, NOWHERE = -1, -2


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
