"""Which parts of the examples break more than the rest? Exploratory, never a gate.

Candidates are the declared slices, the gold label, the length of the text, how
sure the old model was, and words of the text. Each is tested against all other
examples, one-sided: by Fisher's exact test, or by one that draws clusters where
examples share them or differ in weight. Benjamini and Hochberg's method keeps the share
of false findings at the stated level.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.comparison.slices import slices
from compat_eval.comparison.update import Update
from compat_eval.core.arrays import Bools, Ints, Values
from compat_eval.core.media import is_media
from compat_eval.statistics.enrichment import clustered_p, hypergeometric_p
from compat_eval.statistics.multiplicity import benjamini_hochberg

_FALSE_SHARE = 0.1
_FEWEST = 5
_MOST_WORDS = 200
_MOST_EXAMPLES_FOR_WORDS = 50_000
_LONGEST_FOR_WORDS = 2_000


def slice_search(update: Update, broken: Bools) -> list[dict[str, Any]]:
    """Return the parts of the examples in which more breaks, the surest first.

    Args:
        update: The aligned sides.
        broken: Which examples are broken, shape (n_examples,).

    Returns:
        For each finding: `slice`, `units`, `broken`, `rate`, `rest_rate` (weighted
        where examples have weights), `p_value`, `q_value`.

    """
    if not broken.any():
        return []
    named = [
        (name, mask)
        for name, mask in _candidates(update, broken)
        if _FEWEST <= np.count_nonzero(mask) < len(broken)
    ]
    if not named:
        return []
    p_values = _p_values(update, [mask for _, mask in named], broken)
    # Words are chosen for what broke: those left out count as tested, with p = 1.
    tested = sum(name.startswith("word=") for name, _ in named)
    left_out = np.ones(max(_n_words(update) - tested, 0))
    q_values = benjamini_hochberg(np.concatenate([p_values, left_out]))[: len(named)]
    order = np.lexsort((p_values, q_values))
    weights = update.examples.weights()
    return [
        {
            "slice": named[at][0],
            "units": int(np.count_nonzero(named[at][1])),
            "broken": int(np.count_nonzero(named[at][1] & broken)),
            "rate": _rate(named[at][1], broken, weights),
            "rest_rate": _rate(~named[at][1], broken, weights),
            "p_value": float(p_values[at]),
            "q_value": float(q_values[at]),
        }
        for at in order
        if q_values[at] <= _FALSE_SHARE
    ]


def _p_values(update: Update, masks: Sequence[Bools], broken: Bools) -> Values:
    clusters, weights = update.examples.clusters(), update.examples.weights()
    if clusters is None and weights is None:
        drawn = np.array([np.count_nonzero(mask) for mask in masks])
        found = np.array([np.count_nonzero(mask & broken) for mask in masks])
        marked = int(np.count_nonzero(broken))
        return hypergeometric_p(found, drawn, marked, len(broken))
    groups = np.arange(len(broken)) if clusters is None else clusters
    return np.array([clustered_p(mask, broken, groups, weights) for mask in masks])


def _rate(part: Bools, broken: Bools, weights: Values | None) -> float:
    if weights is None:
        return float(np.count_nonzero(part & broken) / np.count_nonzero(part))
    return float(weights[part & broken].sum() / weights[part].sum())


def _candidates(update: Update, broken: Bools) -> Iterator[tuple[str, Bools]]:
    yield from slices(update.examples)
    yield from _gold_labels(update)
    yield from _quarters("length", _lengths(update))
    if "score" in update.old:
        yield from _quarters("old score", update.old.numbers("score"))
    yield from _words(update, broken)


def _gold_labels(update: Update) -> Iterator[tuple[str, Bools]]:
    if "gold" not in update.examples:
        return
    gold = update.examples.column("gold")
    if not pa.types.is_string(gold.type):
        return
    coded = gold.combine_chunks().dictionary_encode()
    codes = np.asarray(pc.fill_null(coded.indices, -1), np.int64)
    for code, label in enumerate(coded.dictionary.to_pylist()):
        yield f"gold={label}", codes == code


def _lengths(update: Update) -> Values:
    if not _has_text(update):
        return np.empty(0)
    length = pc.utf8_length(update.examples.column("input"))
    return np.asarray(pc.fill_null(length, 0), np.float64)


def _quarters(name: str, values: Values) -> Iterator[tuple[str, Bools]]:
    """Yield the quarters of a number, by its quartiles."""
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return
    edges = np.unique(np.quantile(known, [0.0, 0.25, 0.5, 0.75, 1.0]))
    for low, high in itertools.pairwise(edges):
        last = high == edges[-1]
        below = values <= high if last else values < high
        close = "]" if last else ")"
        yield f"{name} in [{low:.3g}, {high:.3g}{close}", (values >= low) & below


def _words(update: Update, broken: Bools) -> Iterator[tuple[str, Bools]]:
    """Yield the words of broken texts, the most frequent of them first."""
    if not _searches_words(update):
        return
    flat, owner = _split(update)
    counts = pc.value_counts(flat.filter(pa.array(broken[owner])))
    names = counts.field("values")
    often = np.argsort(-np.asarray(counts.field("counts")), kind="stable")
    wanted = names.take(pa.array(often[:_MOST_WORDS]))
    codes = np.asarray(pc.fill_null(pc.index_in(flat, value_set=wanted), -1), np.int64)
    for code, word in enumerate(wanted.to_pylist()):
        mask = np.zeros(len(broken), np.bool_)
        mask[owner[codes == code]] = True
        yield f"word={word}", mask


def _n_words(update: Update) -> int:
    """Return how many words stand often enough to be a candidate, broken or not."""
    if not _searches_words(update):
        return 0
    counts = pc.value_counts(_split(update)[0]).field("counts")
    return int(np.count_nonzero(np.asarray(counts) >= _FEWEST))


def _split(update: Update) -> tuple[pa.Array, Ints]:
    """Return all words, and the example of each."""
    text = pc.utf8_slice_codeunits(
        update.examples.column("input"), 0, _LONGEST_FOR_WORDS
    )
    words = pc.split_pattern_regex(pc.utf8_lower(text), r"[^\pL\pN']+")
    words = words.combine_chunks()
    owner = np.asarray(pc.list_parent_indices(words), np.int64)
    flat = words.flatten()
    known = np.asarray(pc.not_equal(flat, ""))
    return flat.filter(pa.array(known)), owner[known]


def _searches_words(update: Update) -> bool:
    few = len(update.examples) <= _MOST_EXAMPLES_FOR_WORDS
    return few and _has_text(update)


def _has_text(update: Update) -> bool:
    examples = update.examples
    if "input" not in examples or not len(examples):
        return False
    values = examples.column("input")
    return pa.types.is_string(values.type) and not is_media(values[0].as_py())
