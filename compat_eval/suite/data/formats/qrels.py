"""Relevance judgements of TREC and BEIR: which documents answer a query."""

from pathlib import Path

import pyarrow as pa

from compat_eval.suite.data.formats import Reading
from compat_eval.suite.data.formats.text import lines
from compat_eval.tasks.retrieval.rankings import read_qrels


def read_judgements(path: Path, reading: Reading, shown: str) -> pa.Table:
    """Read a qrels file: columns `id` (the query) and `gold`, as retrieval reads it.

    Raises:
        DataError: A line is no judgement; the message names it.

    """
    return read_qrels(lines(path, reading.encoding, shown), shown=shown)
