"""The lines of a CoNLL-U file as columns, before anything is believed about them."""

import io
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from compat_eval.core.arrays import Bools, Ints
from compat_eval.core.errors import DataError

FIELDS = (
    "id",
    "form",
    "lemma",
    "upos",
    "xpos",
    "feats",
    "head",
    "deprel",
    "deps",
    "misc",
)

_NEWLINE, _TAB, _HASH = 10, 9, 35


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The token lines of a file, and the comments beside them.

    Attributes:
        fields: One row a token line, the ten columns as strings.
        line: Line number of each token line, from 1.
        sentence: Sentence of each token line, from 0.
        names: Sentence to its `sent_id`, where it has one.
        texts: Sentence to its `text`, where it has one.
        documents: Sentence to the `newdoc id` that begins with it.
        n_sentences: How many sentences there are.

    """

    fields: pa.Table
    line: Ints
    sentence: Ints
    names: dict[int, str]
    texts: dict[int, str]
    documents: dict[int, str]
    n_sentences: int

    def name(self, sentence: int) -> str:
        """Return what a sentence is called: its `sent_id`, else its number from 1."""
        return self.names.get(int(sentence), str(int(sentence) + 1))


def split_lines(raw: bytes, *, shown: str) -> Lines:
    """Split a file into token lines and comments.

    Args:
        raw: The file's bytes.
        shown: What the file is called in messages.

    Raises:
        DataError: The bytes are not UTF-8, a token line has not ten columns, a
            sentence has no words, or the last one is cut off.

    """
    raw = raw.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    _require_utf8(raw, shown)
    if not raw.strip(b"\n"):
        raise DataError(f"{shown}: expected CoNLL-U sentences, got an empty file")
    if not raw.endswith(b"\n"):
        raw += b"\n"
    data = np.frombuffer(raw, np.uint8)
    ends = np.flatnonzero(data == _NEWLINE)
    starts = np.concatenate([[0], ends[:-1] + 1])
    blank = starts == ends
    comment = ~blank & (data[starts] == _HASH)
    token = ~blank & ~comment
    sentence = np.cumsum(blank) - blank
    found = _comments(raw, starts, ends, np.flatnonzero(comment), sentence)
    names = found["sent_id"]
    lines = Lines(
        fields=_columns(data, starts, ends, token, shown=shown, names=names),
        line=np.flatnonzero(token) + 1,
        sentence=sentence[token],
        names=names,
        texts=found["text"],
        documents=found["newdoc id"],
        n_sentences=int(blank.sum()),
    )
    _require_whole_sentences(lines, blank, shown)
    return lines


def _require_utf8(raw: bytes, shown: str) -> None:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        number = before.count(b"\n\n") + 1
        raise DataError(
            f"{shown}: sentence {number}, line {before.count(bytes([_NEWLINE])) + 1}: "
            f"expected UTF-8, got byte 0x{raw[error.start]:02x}; convert the file "
            "to UTF-8"
        ) from None
    if b"\r" in raw:
        line = raw[: raw.index(b"\r")].count(b"\n") + 1
        raise DataError(f"{shown}: line {line}: a carriage return inside the line")


def _comments(
    raw: bytes, starts: Ints, ends: Ints, which: Ints, sentence: Ints
) -> dict[str, dict[int, str]]:
    found: dict[str, dict[int, str]] = {"sent_id": {}, "text": {}, "newdoc id": {}}
    for at in which.tolist():
        key, equals, value = raw[starts[at] + 1 : ends[at]].partition(b"=")
        name = key.strip().decode("utf-8")
        if equals and name in found:
            found[name][int(sentence[at])] = value.strip().decode("utf-8")
    return found


def _columns(
    data: np.ndarray[tuple[int], np.dtype[np.uint8]],
    starts: Ints,
    ends: Ints,
    token: Bools,
    *,
    shown: str,
    names: dict[int, str],
) -> pa.Table:
    from pyarrow import csv  # noqa: PLC0415

    tabs_until = np.concatenate([[0], np.cumsum(data == _TAB)])
    tabs = tabs_until[ends] - tabs_until[starts]
    wrong = np.flatnonzero(token & (tabs != len(FIELDS) - 1))
    if len(wrong):
        at = int(wrong[0])
        number = int(np.count_nonzero(starts[:at] == ends[:at]))
        text = data[starts[at] : ends[at]].tobytes().decode("utf-8")
        raise DataError(
            f"{shown}: sentence {names.get(number, number + 1)}, line {at + 1}: "
            f"expected {len(FIELDS)} columns separated by tabs, got "
            f"{int(tabs[at]) + 1} in {text[:60]!r}"
        )
    kept = data[np.repeat(token, ends - starts + 1)].tobytes()
    if not kept:
        return pa.table({name: pa.array([], pa.string()) for name in FIELDS})
    return csv.read_csv(
        io.BytesIO(kept),
        read_options=csv.ReadOptions(
            column_names=list(FIELDS), block_size=min(len(kept) + 1, 1 << 30)
        ),
        parse_options=csv.ParseOptions(
            delimiter="\t", quote_char=False, escape_char=False
        ),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(FIELDS, pa.string()), strings_can_be_null=False
        ),
    ).combine_chunks()


def _require_whole_sentences(lines: Lines, blank: Bools, shown: str) -> None:
    if not blank[-1]:
        last = lines.name(lines.n_sentences)
        raise DataError(
            f"{shown}: the file ends inside sentence {last}, line {len(blank)}, "
            "without the blank line that ends a sentence; it may be cut off"
        )
    words = np.bincount(lines.sentence, minlength=lines.n_sentences)
    empty = np.flatnonzero(words == 0)
    if len(empty):
        at = int(np.flatnonzero(blank)[empty[0]]) + 1
        raise DataError(
            f"{shown}: sentence {lines.name(empty[0])}, line {at}: no words before "
            "the blank line"
        )
