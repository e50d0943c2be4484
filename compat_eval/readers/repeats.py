"""Examples that were answered several times: rows with a number, folded into lists.

A row of a file or log is one answer. Where rows share an id and tell themselves apart
by `repeat`, an example has one row whose answer columns hold lists, in the order of
their numbers; its question stands once.
"""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.arrays import Ints
from compat_eval.core.errors import CoverageError, DataError, some
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.table import columns_differ

REPEAT = "repeat"

_Columns = Mapping[str, pa.ChunkedArray]


def spread(table: pa.Table, name: str = "prediction") -> pa.Table:
    """Return one row an answer where cells of a column are lists of answers.

    Further columns with lists of the same lengths are spread likewise.

    Raises:
        DataError: Rows are numbered already.

    """
    if name not in table.column_names or not _is_list(table[name].type):
        return table
    if REPEAT in table.column_names:
        raise DataError(f"has lists in {name!r} and numbers in {REPEAT!r}; one will do")
    given = _sizes(table[name])
    sizes = np.maximum(given, 1)
    owner = pa.array(np.repeat(np.arange(len(table)), sizes))
    found = {}
    for column in table.column_names:
        values = table[column]
        if _is_list(values.type) and np.array_equal(_sizes(values), given):
            none = pa.scalar([None], values.type)
            full = pc.if_else(pa.array(given > 0), values, none)
            found[column] = pc.list_flatten(full)
        else:
            found[column] = values.take(owner)
    numbers = np.arange(len(owner)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return pa.table({**found, REPEAT: pa.array(numbers)})


def folded(
    answers: _Columns, asked: _Columns, numbers: pa.ChunkedArray
) -> tuple[Predictions, Examples, tuple[str, ...]]:
    """Return a row an example: its answers as lists, its question once.

    Where no example has several answers, they stay as they are.

    Args:
        answers: By name with `id`, a row an answer.
        asked: Likewise what is asked, without `id`.
        numbers: Tells the answers to one example apart.

    Returns:
        Answers, questions, and what must be said of them, in sentences.

    Raises:
        CoverageError: An example has two answers of one number.
        DataError: An answer has no number, or its question is not that of the others.

    """
    if numbers.null_count:
        raise DataError(f"{numbers.null_count} rows have no {REPEAT!r}")
    ids = answers["id"].combine_chunks().dictionary_encode()
    codes = np.asarray(ids.indices, np.int64)
    number = _as_numbers(numbers)
    order = np.lexsort((number, codes))
    twice = np.diff(codes[order]) == 0
    twice &= np.diff(number[order]) == 0
    if twice.any():
        named = ids.take(pa.array(order[1:][twice])).to_pylist()
        raise CoverageError(
            f"{int(twice.sum())} answers share id and {REPEAT} with another "
            f"({some(dict.fromkeys(named))}); number the answers to an example"
        )
    sizes = np.bincount(codes)
    first = order[np.concatenate([[0], np.cumsum(sizes)[:-1]])]
    once, notes = _asked_once(asked, codes, first, ids)
    notes = (*notes, *_of_gaps(number[order], sizes))
    rows = {"id": answers["id"].take(pa.array(first))}
    for name, values in answers.items():
        if name != "id":
            rows[name] = _listed(name, values.take(pa.array(order)), sizes)
    predictions = Predictions(pa.table(rows))
    return predictions, Examples.sharing(predictions, once), notes


def _listed(name: str, values: pa.ChunkedArray, sizes: Ints) -> pa.ChunkedArray:
    if (sizes == 1).all():
        return values
    offsets = pa.array(np.concatenate([[0], np.cumsum(sizes)]), pa.int32())
    lists = pa.ListArray.from_arrays(offsets, values.combine_chunks())
    if name == "error":  # an example has one where one of its answers has
        errs = np.asarray(values.is_valid().combine_chunks(), np.bool_)
        counts = np.add.reduceat(errs, np.concatenate([[0], np.cumsum(sizes)[:-1]]))
        lists = pc.if_else(pa.array(counts > 0), lists, pa.scalar(None, lists.type))
    return pa.chunked_array([lists])


def _asked_once(
    asked: _Columns, codes: Ints, first: Ints, ids: pa.DictionaryArray
) -> tuple[dict[str, pa.ChunkedArray], tuple[str, ...]]:
    """Return the question of each example, which all of its answers must share."""
    found, varying = {}, []
    for name, values in asked.items():
        told = values.take(pa.array(first))
        differs = columns_differ(values, told.take(pa.array(codes)))
        if not differs.any():
            found[name] = told
        elif "." in name:
            varying.append(name.partition(".")[2])
        else:
            named = ids.filter(pa.array(differs)).to_pylist()
            raise DataError(
                f"{name!r} differs between answers to one example "
                f"({some(dict.fromkeys(named))}); an id stands for one question"
            )
    if not varying:
        return found, ()
    note = "differ between answers to one example, so they are no slices"
    return found, (f"Columns {some(varying)} {note}.",)


def _of_gaps(ranks: Ints, sizes: Ints) -> tuple[str, ...]:
    """Return a note where an example lacks a number before one that it has.

    Args:
        ranks: Of the numbers among all of the table, from 1, example by example.
        sizes: How many answers each example has.

    """
    starts = np.cumsum(sizes) - sizes
    place = np.arange(len(ranks)) - np.repeat(starts, sizes)
    n_lacking = int(np.logical_or.reduceat(ranks != place + 1, starts).sum())
    if not n_lacking or (sizes == 1).all():
        return ()
    lacking = f"lack a {REPEAT!r} which others have, before one of theirs"
    order = "Answers of the two sides are paired in their order."
    return (f"Examples that {lacking}: {n_lacking:,}. {order}",)


def _as_numbers(values: pa.ChunkedArray) -> Ints:
    """Return numbers that sort as the repeats do, whatever they are."""
    try:
        found = values.cast(pa.float64())
    except pa.ArrowException:
        found = values.cast(pa.string())
    ranks = pc.rank(found.combine_chunks(), tiebreaker="dense")
    return np.asarray(ranks, np.int64)


def _sizes(values: pa.ChunkedArray) -> Ints:
    return np.asarray(pc.fill_null(pc.list_value_length(values), 0), np.int64)


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))
