"""Which parts of the examples break more than the rest? Exploratory, never a gate.

Candidates are the declared slices, the gold label, the length of the text, how
sure the old model was, and words of the text. Each is tested against all other
examples (Fisher, one-sided), and Benjamini and Hochberg's method keeps the share
of false findings at the stated level.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.comparison.alignment import Pairing
from compat_eval.comparison.slices import slices
from compat_eval.core.arrays import Bools, Values
from compat_eval.stats.enrichment import hypergeometric_p
from compat_eval.stats.multiplicity import benjamini_hochberg

FALSE_SHARE = 0.1
_FEWEST = 5
_MOST_WORDS = 200
_MOST_EXAMPLES_FOR_WORDS = 50_000
_LONGEST_FOR_WORDS = 2_000


def slice_search(pairing: Pairing, broken: Bools) -> list[dict[str, Any]]:
    """Return the parts of the examples in which more breaks, the surest first.

    Args:
        pairing: The aligned sides.
        broken: Which examples are broken, shape (n_examples,).

    Returns:
        For each finding: `slice`, `units`, `broken`, `rate`, `rest_rate`,
        `p_value`, `q_value`.

    """
    whole, marked = len(broken), int(np.count_nonzero(broken))
    if marked == 0:
        return []
    named = [
        (name, mask)
        for name, mask in _candidates(pairing, broken)
        if _FEWEST <= np.count_nonzero(mask) < whole
    ]
    if not named:
        return []
    drawn = np.array([np.count_nonzero(mask) for _, mask in named])
    found = np.array([np.count_nonzero(mask & broken) for _, mask in named])
    p_values = hypergeometric_p(found, drawn, marked, whole)
    q_values = benjamini_hochberg(p_values)
    order = np.lexsort((p_values, q_values))
    return [
        {
            "slice": named[at][0],
            "units": int(drawn[at]),
            "broken": int(found[at]),
            "rate": float(found[at] / drawn[at]),
            "rest_rate": float((marked - found[at]) / (whole - drawn[at])),
            "p_value": float(p_values[at]),
            "q_value": float(q_values[at]),
        }
        for at in order
        if q_values[at] <= FALSE_SHARE
    ]


def _candidates(pairing: Pairing, broken: Bools) -> Iterator[tuple[str, Bools]]:
    yield from slices(pairing.examples)
    yield from _gold_labels(pairing)
    yield from _quarters("length", _lengths(pairing))
    if "score" in pairing.old:
        yield from _quarters("old score", pairing.old.numbers("score"))
    yield from _words(pairing, broken)


def _gold_labels(pairing: Pairing) -> Iterator[tuple[str, Bools]]:
    if "gold" not in pairing.examples:
        return
    gold = pairing.examples.column("gold")
    if not pa.types.is_string(gold.type):
        return
    coded = gold.combine_chunks().dictionary_encode()
    codes = np.asarray(pc.fill_null(coded.indices, -1), np.int64)
    for code, label in enumerate(coded.dictionary.to_pylist()):
        yield f"gold={label}", codes == code


def _lengths(pairing: Pairing) -> Values:
    if not _has_text(pairing):
        return np.empty(0)
    length = pc.utf8_length(pairing.examples.column("input"))
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


def _words(pairing: Pairing, broken: Bools) -> Iterator[tuple[str, Bools]]:
    """Yield the words of broken texts, the most frequent of them first."""
    if not _has_text(pairing) or len(broken) > _MOST_EXAMPLES_FOR_WORDS:
        return
    text = pc.utf8_slice_codeunits(
        pairing.examples.column("input"), 0, _LONGEST_FOR_WORDS
    )
    words = pc.split_pattern_regex(pc.utf8_lower(text), r"[^\pL\pN']+")
    words = words.combine_chunks()
    owner = np.asarray(pc.list_parent_indices(words), np.int64)
    flat = words.flatten()
    in_broken = flat.filter(pa.array(broken[owner]))
    counts = pc.value_counts(in_broken.filter(pc.not_equal(in_broken, "")))
    names = counts.field("values")
    often = np.argsort(-np.asarray(counts.field("counts")), kind="stable")
    wanted = names.take(pa.array(often[:_MOST_WORDS]))
    codes = np.asarray(pc.fill_null(pc.index_in(flat, value_set=wanted), -1), np.int64)
    for code, word in enumerate(wanted.to_pylist()):
        mask = np.zeros(len(broken), np.bool_)
        mask[owner[codes == code]] = True
        yield f"word={word}", mask


def _has_text(pairing: Pairing) -> bool:
    examples = pairing.examples
    return "input" in examples and pa.types.is_string(examples.column("input").type)
