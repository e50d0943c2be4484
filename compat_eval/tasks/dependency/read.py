"""A parser's CoNLL-U output, brought to the sentences and words of gold.

Outputs made from raw text have sentences and words of their own. They are laid
over the characters of the gold text: each gold word gets the head and relation
of the word that is the same one, and none where there is no such word.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import pyarrow as pa

from compat_eval.core.arrays import Bools, Ints
from compat_eval.core.errors import DataError, some
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.table import positions, repeats
from compat_eval.tasks.dependency.alignment import (
    NOWHERE,
    ROOT,
    Alignment,
    Spans,
    align_words,
    document_heads,
    heads_in_gold,
    lay_out,
)
from compat_eval.tasks.dependency.conllu import read_conllu
from compat_eval.tasks.dependency.official import official_counts
from compat_eval.tasks.dependency.trees import (
    NO_TREE,
    are_no_trees,
    list_offsets,
    official_column,
    sentences_of,
    trees,
)

_Tokenisation: TypeAlias = Literal["align", "refuse"]


def read_predictions(
    path: Path,
    examples: Examples,
    *,
    tokenisation: _Tokenisation = "align",
    label_map: Mapping[str, str] | None = None,
    shown: str | None = None,
) -> Predictions:
    """Read a parser's output for some examples.

    Args:
        path: A CoNLL-U file, segmented as gold is or in its own way.
        examples: The gold sentences, as `examples_of` makes them.
        tokenisation: `align` lays other words over the gold ones as the official
            UD scorer does; `refuse` raises.
        label_map: From the parser's relations to gold's; others keep their name.
        shown: What the file is called in messages.

    Raises:
        UsageError: There is no such file.
        DataError: It is malformed, or its text is not that of the examples; a
            sentence that is no tree is an answer, and wrong.

    """
    shown = shown or str(path)
    system = read_conllu(path, shown=shown, trees=False)
    return predictions_of(
        _with_relations(system, label_map) if label_map else system,
        examples,
        tokenisation=tokenisation,
        shown=shown,
    )


def _with_relations(system: pa.Table, label_map: Mapping[str, str]) -> pa.Table:
    lists = system["deprels"].combine_chunks()
    encoded = lists.flatten().dictionary_encode()
    names = [label_map.get(name, name) for name in encoded.dictionary.to_pylist()]
    renamed = pa.array(names, pa.string()).take(encoded.indices)
    offsets = pa.array(list_offsets(lists), pa.int32())
    at = system.column_names.index("deprels")
    return system.set_column(at, "deprels", pa.ListArray.from_arrays(offsets, renamed))


def predictions_of(
    system: pa.Table,
    examples: Examples,
    *,
    tokenisation: _Tokenisation = "align",
    shown: str = "predictions",
) -> Predictions:
    """Return parsed sentences as predictions, one a gold sentence.

    Sentences go by `sent_id` where all of the system's are ids of examples with
    the same text; otherwise both sides are one running text, in their order.

    Args:
        system: Columns as `read_conllu` gives them; without `lemmas`, `upos`,
            `xpos` and `feats` there are no official counts.
        examples: The gold sentences.
        tokenisation: As for `read_predictions`.
        shown: What the parses are called in messages.

    Returns:
        Columns `id`; `prediction`, a struct of `heads` (one a gold word; -1 where
        the head is no word of the sentence, or the word is not aligned) and
        `deprels` (null where it is not aligned); `official`, the counts of
        the official scores; `no_tree`, which gold sentences share words with a
        sentence that is no tree.

    Raises:
        DataError: The texts differ, or the words do and `refuse` was asked for.

    """
    gold = sentences_of(examples)
    by_id = _by_id(gold, system)
    gold = gold if by_id is None else by_id
    g, s = lay_out(gold), lay_out(system)
    _require_same_text(gold, g, s, shown)
    if tokenisation == "refuse":
        _require_same_words(gold, g, s, shown)
    starts = g.sentence_starts()
    home = np.searchsorted(starts, s.start, side="right") - 1
    alignment = Alignment(gold=g, system=s, gold_of=align_words(g, s), home=home)
    columns = {"id": gold["id"], "prediction": _in_gold_words(system, alignment)}
    if {"lemmas", "upos", "xpos", "feats"} <= set(system.column_names):
        columns["official"] = official_column(official_counts(gold, system, alignment))
    columns[NO_TREE] = pa.array(_no_trees(system, alignment))
    return Predictions(pa.table(columns))


def _no_trees(system: pa.Table, alignment: Alignment) -> Bools:
    """Return which gold sentences have words of a sentence that is no tree."""
    heads = np.asarray(system["heads"].combine_chunks().flatten(), np.int64)
    s = alignment.system
    of_system = are_no_trees(heads, s.offsets)[s.sentence]
    found = np.zeros(len(alignment.gold.offsets) - 1, np.bool_)
    found[alignment.home[of_system]] = True
    return found


def _by_id(gold: pa.Table, system: pa.Table) -> pa.Table | None:
    """Return the gold sentences in the system's order, if ids and texts allow it."""
    rows = positions(system["id"], gold["id"])
    if (rows < 0).any() or repeats(system["id"]):
        return None
    found = gold.take(pa.array(rows))
    g, s = lay_out(found), lay_out(system)
    same = g.characters == s.characters and np.array_equal(
        g.sentence_starts(), s.sentence_starts()
    )
    return found if same else None


def _require_same_text(gold: pa.Table, g: Spans, s: Spans, shown: str) -> None:
    if g.characters == s.characters:
        return
    shorter = min(len(g.characters), len(s.characters))
    at = next(
        (i for i in range(shorter) if g.characters[i] != s.characters[i]), shorter
    )
    sentence = np.searchsorted(g.sentence_starts(), at, side="right") - 1
    raise DataError(
        f"{shown}: its text is not that of the examples: at sentence "
        f"{gold['id'][int(sentence)].as_py()} expected "
        f"{g.characters[at : at + 20]!r}, got {s.characters[at : at + 20]!r}. "
        "Parse the text of the examples, all of it and in their order"
    )


def _require_same_words(gold: pa.Table, g: Spans, s: Spans, shown: str) -> None:
    if np.array_equal(g.offsets, s.offsets) and g.forms.equals(s.forms):
        return
    same = g.offsets[:-1][np.isin(g.sentence_starts(), s.sentence_starts())]
    words = set(zip(s.start.tolist(), s.end.tolist(), s.forms.to_pylist(), strict=True))
    mine = zip(g.start.tolist(), g.end.tolist(), g.forms.to_pylist(), strict=True)
    wrong = ~np.array([word in words for word in mine], np.bool_)
    wrong |= ~np.isin(g.offsets[:-1][g.sentence], same)
    ids = gold["id"].take(pa.array(np.unique(g.sentence[wrong]))).to_pylist()
    raise DataError(
        f"{shown}: sentences or words differ from gold's ({some(ids)}); parse the "
        "gold words, or lay the words over gold's with tokenisation=align"
    )


def _in_gold_words(system: pa.Table, alignment: Alignment) -> pa.StructArray:
    gold, (g, s) = alignment.gold, alignment.pairs()
    heads = np.full(len(gold.start), -1, np.int64)
    heads[g] = _within_sentence(
        heads_in_gold(document_heads(system, alignment.system), alignment.gold_of)[s],
        gold.sentence[g],
        gold,
    )
    found = np.full(len(gold.start), -1, np.int64)
    found[g] = s
    relations = system["deprels"].combine_chunks().flatten()
    return trees(heads, relations.take(pa.array(found, mask=found < 0)), gold.offsets)


def _within_sentence(heads: Ints, sentence: Ints, gold: Spans) -> Ints:
    """Turn positions in the document into positions in the sentence, from 1."""
    local = heads - gold.offsets[:-1][sentence] + 1
    foreign = (heads == NOWHERE) | (gold.sentence[heads] != sentence)
    return np.where(heads == ROOT, 0, np.where(foreign, -1, local))
