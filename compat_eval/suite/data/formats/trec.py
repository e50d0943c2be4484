"""Documents and topics of TREC: blocks of tags, which are no XML.

A file is a row of `<doc>…</doc>` or `<top>…</top>` blocks without a root. Old topics
leave tags open and repeat a tag's name in words (`<num> Number: 301`); both are read.
Form: https://trec.nist.gov/data/testq_eng.html
"""

import html
import re
from pathlib import Path

import pyarrow as pa

from compat_eval.core.errors import DataError
from compat_eval.suite.data.formats import Reading
from compat_eval.suite.data.formats.text import text_bytes

_BLOCK = re.compile(r"<(doc|top)\b[^>]*>(.*?)</\1\s*>", re.IGNORECASE | re.DOTALL)
_OPENED = re.compile(r"<(?:doc|top)\b[^>]*>", re.IGNORECASE)
_TAG = re.compile(r"<([A-Za-z][\w-]*)\b[^>]*>")
_MARKUP = re.compile(r"</?[A-Za-z][\w-]*\b[^>]*>")
_SPELLED_OUT = re.compile(r"(number|topic|description|narrative)\s*:\s*", re.IGNORECASE)

_POSITION = "position"


def read_trec(path: Path, reading: Reading, shown: str) -> pa.Table:
    """Read documents or topics: a column for each tag, in small letters.

    A column `position` counts blocks from 1: judgements of some collections number the
    queries so, whatever their own numbers are. A tag that a block lacks is null.

    Raises:
        DataError: There are no blocks, or one is not closed.

    """
    text = text_bytes(path, reading.encoding, shown).decode("utf-8", "surrogatepass")
    blocks = list(_BLOCK.finditer(text))
    opened = len(_OPENED.findall(text))
    if not blocks or opened != len(blocks):
        raise DataError(
            f"{shown}: expected blocks <doc>…</doc> or <top>…</top>; got {opened} that "
            f"are opened and {len(blocks)} that are closed"
        )
    rows = [_fields(block.group(2)) for block in blocks]
    names = dict.fromkeys(name for row in rows for name in row)
    if _POSITION in names:
        raise DataError(f"{shown}: a tag is called <{_POSITION}>, as the count is")
    columns = {
        name: pa.array([row.get(name) for row in rows], pa.string()) for name in names
    }
    numbers = pa.array([str(at) for at in range(1, len(rows) + 1)], pa.string())
    return pa.table({**columns, _POSITION: numbers})


def _fields(block: str) -> dict[str, str]:
    """Return the text of each tag; that of a tag that repeats is joined."""
    found: dict[str, str] = {}
    at = 0
    while opened := _TAG.search(block, at):
        name = opened.group(1)
        closed = re.compile(rf"</{re.escape(name)}\s*>", re.IGNORECASE).search(
            block, opened.end()
        )
        following = _TAG.search(block, opened.end())
        end = closed or following
        inner = block[opened.end() : end.start() if end else len(block)]
        at = closed.end() if closed else following.start() if following else len(block)
        key, words = name.lower(), _plain(inner, spelled_out=not closed)
        found[key] = f"{found[key]}\n{words}" if key in found else words
    return found


def _plain(inner: str, *, spelled_out: bool) -> str:
    words = html.unescape(_MARKUP.sub(" ", inner)).strip()
    return _SPELLED_OUT.sub("", words, count=1) if spelled_out else words
