"""CoNLL-U files as columns: one sentence a row, no object a word.

Format: https://universaldependencies.org/format.html (ten columns; ranges
"3-4" are multiword tokens, decimals "8.1" empty nodes, `#` comments).
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.arrays import Bools, Ints
from compat_eval.core.errors import DataError, UsageError
from compat_eval.tasks.dependency.trees import first_fault

_FIELDS = (
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

_TEXT_COLUMNS = {
    "words": "form",
    "lemmas": "lemma",
    "upos": "upos",
    "xpos": "xpos",
    "feats": "feats",
    "misc": "misc",
}

_WORD_ID = r"^[1-9][0-9]{0,8}$"
_RANGE_ID = r"^(?P<first>[1-9][0-9]{0,8})-(?P<last>[1-9][0-9]{0,8})$"
_EMPTY_ID = r"^[0-9]+\.[0-9]+$"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lines:
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


def _split_lines(raw: bytes, *, shown: str) -> _Lines:
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
    lines = _Lines(
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
    wrong = np.flatnonzero(token & (tabs != len(_FIELDS) - 1))
    if len(wrong):
        at = int(wrong[0])
        number = int(np.count_nonzero(starts[:at] == ends[:at]))
        text = data[starts[at] : ends[at]].tobytes().decode("utf-8")
        raise DataError(
            f"{shown}: sentence {names.get(number, number + 1)}, line {at + 1}: "
            f"expected {len(_FIELDS)} columns separated by tabs, got "
            f"{int(tabs[at]) + 1} in {text[:60]!r}"
        )
    kept = data[np.repeat(token, ends - starts + 1)].tobytes()
    if not kept:
        return pa.table({name: pa.array([], pa.string()) for name in _FIELDS})
    return csv.read_csv(
        io.BytesIO(kept),
        read_options=csv.ReadOptions(
            column_names=list(_FIELDS), block_size=min(len(kept) + 1, 1 << 30)
        ),
        parse_options=csv.ParseOptions(
            delimiter="\t", quote_char=False, escape_char=False
        ),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(_FIELDS, pa.string()), strings_can_be_null=False
        ),
    ).combine_chunks()


def _require_whole_sentences(lines: _Lines, blank: Bools, shown: str) -> None:
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


def read_conllu(
    path: Path, *, shown: str | None = None, trees: bool = True
) -> pa.Table:
    """Read a file of dependency trees.

    Empty nodes and enhanced dependencies are left out.

    Args:
        path: The file.
        shown: What it is called in messages; its path where that is not given.
        trees: Whether every sentence must be a tree with one root, as gold is.

    Returns:
        One row a sentence: `id` (its `sent_id`, else its number from 1), `text`
        (null without one), `document` (the `newdoc id` that it stands under, null
        before the first), `line` (where its first word stands), lists over the
        words `words`, `lemmas`, `upos`, `xpos`, `feats`, `misc`, `heads` (int32,
        0 for the root) and `deprels`, and lists over the multiword tokens
        `mwt_first`, `mwt_last` (int32, words from 1), `mwt_form` and `mwt_misc`.

    Raises:
        UsageError: There is no such file.
        DataError: The file is not CoNLL-U, or a sentence that must be a tree is
            none; the message names the sentence and the line.

    """
    shown = shown or str(path)
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise UsageError(f"{shown}: there is no such file") from None
    return parse_conllu(raw, shown=shown, trees=trees)


def parse_conllu(raw: bytes, *, shown: str = "CoNLL-U", trees: bool = True) -> pa.Table:
    """Return the table of `read_conllu` for a file's bytes.

    Raises:
        DataError: As for `read_conllu`.

    """
    lines = _split_lines(raw, shown=shown)
    ids = lines.fields["id"]
    is_word, is_range = _matches(ids, _WORD_ID), _matches(ids, _RANGE_ID)
    odd = ~(is_word | is_range | _matches(ids, _EMPTY_ID))
    _refuse(
        lines, odd, shown, lambda i: f"ID {ids[i].as_py()!r} is none of 3, 3-4, 3.1"
    )
    nameless = (is_word | is_range) & _matches(lines.fields["form"], r"^[\s\p{Z}]*$")
    _refuse(
        lines,
        nameless,
        shown,
        lambda _: "FORM is empty or blank, so this is no word; leave such tokens out",
    )
    size = np.bincount(lines.sentence[is_word], minlength=lines.n_sentences)
    offsets = np.concatenate([[0], np.cumsum(size)])
    _require_counting(lines, is_word, offsets, shown)
    words = lines.fields.filter(pa.array(is_word))
    columns = {
        "id": pa.array([lines.name(i) for i in range(lines.n_sentences)]),
        "text": pa.array(
            [lines.texts.get(i) for i in range(lines.n_sentences)], pa.string()
        ),
        "document": _documents(lines),
        "line": pa.array(
            lines.line[is_word][np.minimum(offsets[:-1], is_word.sum() - 1)]
        ),
        **{
            ours: _listed(words[theirs].combine_chunks(), offsets)
            for ours, theirs in _TEXT_COLUMNS.items()
        },
        "heads": _listed(
            _heads(lines, words, is_word, offsets, shown, trees=trees), offsets
        ),
        "deprels": _listed(words["deprel"].combine_chunks(), offsets),
        **_multiword(lines, is_range, is_word, size, shown),
    }
    return pa.table(columns)


def _documents(lines: _Lines) -> pa.Array:
    begun = [lines.documents.get(i) for i in range(lines.n_sentences)]
    return pc.fill_null_forward(pa.array(begun, pa.string()))


def _matches(column: pa.ChunkedArray, pattern: str) -> Bools:
    return np.asarray(pc.match_substring_regex(column, pattern), np.bool_)


def _listed(values: pa.Array, offsets: Ints) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)


def _refuse(lines: _Lines, wrong: Bools, shown: str, why: Callable[[int], str]) -> None:
    if wrong.any():
        at = int(np.argmax(wrong))
        raise DataError(
            f"{shown}: sentence {lines.name(lines.sentence[at])}, line "
            f"{lines.line[at]}: {why(at)}"
        )


def _require_counting(lines: _Lines, is_word: Bools, offsets: Ints, shown: str) -> None:
    """Word ids must count 1, 2, 3, … within each sentence."""
    sentence = lines.sentence[is_word]
    expected = np.arange(len(sentence)) - offsets[:-1][sentence] + 1
    found = _numbers(lines.fields["id"].filter(pa.array(is_word)))
    wrong = np.zeros(len(is_word), np.bool_)
    wrong[is_word] = found != expected
    _refuse(
        lines,
        wrong,
        shown,
        lambda i: f"word ID {lines.fields['id'][i].as_py()} is out of order",
    )
    wordless = np.flatnonzero(np.diff(offsets) == 0)
    if len(wordless):
        wrong = lines.sentence == wordless[0]
        _refuse(lines, wrong, shown, lambda _: "the sentence has no words")


def _heads(
    lines: _Lines,
    words: pa.Table,
    is_word: Bools,
    offsets: Ints,
    shown: str,
    *,
    trees: bool,
) -> pa.Array:
    at_line = np.flatnonzero(is_word)
    odd = np.zeros(len(is_word), np.bool_)
    odd[is_word] = ~_matches(words["head"], r"^[0-9]{1,9}$")
    _refuse(
        lines,
        odd,
        shown,
        lambda i: f"HEAD {lines.fields['head'][i].as_py()!r} is no word number",
    )
    heads = _numbers(words["head"])
    fault = first_fault(heads, offsets) if trees else None
    if fault is not None:
        at = int(at_line[fault.word])
        word, form = (lines.fields[name][at].as_py() for name in ("id", "form"))
        wrong = np.arange(len(is_word)) == at
        _refuse(
            lines,
            wrong,
            shown,
            lambda _: f"word {word} ({form!r}) makes this no tree: {fault.reason}",
        )
    return pa.array(heads, pa.int32())


def _multiword(
    lines: _Lines, is_range: Bools, is_word: Bools, size: Ints, shown: str
) -> dict[str, pa.Array]:
    """Return the multiword tokens, checked to start at the word that follows."""
    parts = pc.extract_regex(lines.fields["id"].filter(pa.array(is_range)), _RANGE_ID)
    first, last = (_numbers(pc.struct_field(parts, at)) for at in (0, 1))
    sentence = lines.sentence[is_range]
    words_before = np.cumsum(is_word)[is_range]
    offsets = np.concatenate([[0], np.cumsum(size)])
    beyond = np.concatenate([[0], np.where(np.diff(sentence) == 0, last[:-1], 0)])
    odd = np.zeros(len(is_range), np.bool_)
    odd[is_range] = (
        (first != words_before - offsets[:-1][sentence] + 1)
        | (last < first)
        | (last > size[sentence])
        | (first <= beyond[: len(first)])
    )
    _refuse(
        lines,
        odd,
        shown,
        lambda i: (
            f"multiword token {lines.fields['id'][i].as_py()} does not cover "
            "the words after it"
        ),
    )
    ranges = lines.fields.filter(pa.array(is_range)).combine_chunks()
    starts = _starts(sentence, len(size))
    return {
        "mwt_first": _listed(pa.array(first, pa.int32()), starts),
        "mwt_last": _listed(pa.array(last, pa.int32()), starts),
        "mwt_form": _listed(ranges["form"].combine_chunks(), starts),
        "mwt_misc": _listed(ranges["misc"].combine_chunks(), starts),
    }


def _starts(sentence: Ints, n_sentences: int) -> Ints:
    """Return where the rows of each sentence start, and where the last ones end."""
    counts = np.bincount(sentence, minlength=n_sentences)
    return np.concatenate([[0], np.cumsum(counts)])


def _numbers(column: pa.ChunkedArray) -> Ints:
    return np.asarray(column.cast(pa.int64()), np.int64)
