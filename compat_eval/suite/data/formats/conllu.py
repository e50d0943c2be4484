"""CoNLL-U: dependency trees, one sentence an example.

Format: https://universaldependencies.org/format.html
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.suite.data.formats import Reading
from compat_eval.suite.data.formats.packed import content
from compat_eval.suite.data.formats.text import text_bytes
from compat_eval.tasks.dependency.conllu import parse_conllu
from compat_eval.tasks.dependency.trees import example_columns


def read_conllu(path: Path, reading: Reading, shown: str) -> pa.Table:
    """Read a treebank.

    Columns: `id` (its `sent_id`, else its number from 1), `input` and `gold` as the
    dependency task reads them, `words` (separated by blanks, for slices by length)
    and `document` (its `newdoc id`, for clusters; null without one).

    Raises:
        DataError: The file is not CoNLL-U, or a sentence is no tree; the message
            names sentence and line.

    """
    if reading.encoding.lower() in {"utf-8", "utf8"}:
        raw = content(path, shown)
    else:
        raw = text_bytes(path, reading.encoding, shown)
    sentences = parse_conllu(raw, shown=shown)
    table = example_columns(sentences)
    table = table.append_column("words", pc.binary_join(sentences["words"], " "))
    return table.append_column("document", sentences["document"])
