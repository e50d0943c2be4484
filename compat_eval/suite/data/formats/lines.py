"""Plain lines: one text a line, in the column `text`."""

from pathlib import Path

import pyarrow as pa

from compat_eval.suite.data.formats.content import text_bytes
from compat_eval.suite.data.source import Source


def read_lines(path: Path, source: Source, shown: str) -> pa.Table:
    r"""Read lines; only `\n` and `\r\n` end one, and a last one may end the file.

    Raises:
        DataError: The file cannot be read, or is of another encoding.

    """
    return pa.table(
        {"text": pa.array(lines(path, source.encoding, shown), pa.string())}
    )


def lines(path: Path, encoding: str, shown: str) -> list[str]:
    """Return a file's lines, empty ones too.

    Raises:
        DataError: The file cannot be read, or is of another encoding.

    """
    text = text_bytes(path, encoding, shown).decode("utf-8", "surrogatepass")
    found = text.split("\n")
    if found[-1] == "":
        found.pop()
    return [line.removesuffix("\r") for line in found]
