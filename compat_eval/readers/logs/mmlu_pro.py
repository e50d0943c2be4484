"""Published outputs of MMLU-Pro: JSON lists of questions, in a zip or a folder.

One list of all categories (`model_outputs_MODEL_5shots.json`), or a file a category.
`pred` is the letter that the producer read from the text; some versions guess one where
the text states none. https://github.com/TIGER-AI-Lab/MMLU-Pro
"""

import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.errors import DataError
from compat_eval.readers.logs.log import Log
from compat_eval.readers.logs.rows import json_head, known
from compat_eval.readers.table import read_table, unzipped
from compat_eval.suite.data.columns import as_text

_MARKS = (b'"question_id"', b'"options"', b'"answer_index"', b'"pred"')
_HEAD_BYTES = 2**16
_STATED = r"answer is \(?[A-J]\)?"
_TEXTS = ("generated_text", "model_outputs")


class MmluProOutputs:
    """A list of questions with `pred`, alone, in a zip, or a file a category."""

    def recognises(self, path: Path) -> bool:
        """Whether the first question is one of MMLU-Pro with a letter read."""
        start = b""
        if path.is_dir():
            start = next(map(json_head, _lists(path)), b"")
        elif path.suffix.lower() == ".zip":
            start = _zip_head(path)
        elif path.is_file():
            start = json_head(path)
        return all(mark in start for mark in _MARKS)

    def tasks(self, path: Path) -> tuple[str, ...]:
        """Return the one task."""
        del path
        return ("mmlu_pro",)

    def read(
        self, path: Path, task: str, choices: Mapping[str, str], shown: str
    ) -> Log:
        """Return the letter chosen for each question; categories are slices.

        Raises:
            DataError: A file is damaged, or a column is not there.

        """
        del choices
        files = tuple(_lists(path)) if path.is_dir() else (path,)
        with TemporaryDirectory() as folder:
            inner = dict.fromkeys(files, shown)
            if path.suffix.lower() == ".zip":
                inner = {
                    file: name for name, file in unzipped(path, Path(folder)).items()
                }
            tables = [_answers(file, name) for file, name in inner.items()]
        table = pa.concat_tables(tables)
        guessed = sum(pc.sum(one["guessed"]).as_py() or 0 for one in tables)
        note = (
            f"{shown}: {guessed:,} answers have a letter although their text does not "
            "say 'answer is'; whoever made the file read or guessed it."
        )
        return Log(
            table=table.drop_columns(["guessed"]),
            facts=known(
                {
                    "tool": "MMLU-Pro",
                    "task": task,
                    **_told_by_name(path),
                    "letters that the text does not state": f"{guessed:,}",
                }
            ),
            notes=(note,) if guessed else (),
            files=files,
        )


def _lists(path: Path) -> Iterator[Path]:
    """Yield the lists of a folder, a category each."""
    for file in sorted(path.glob("*.json")):
        if all(mark in json_head(file) for mark in _MARKS):
            yield file


def _zip_head(path: Path) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [m for m in archive.infolist() if not m.is_dir()]
            with archive.open(names[0]) as file:
                return file.read(_HEAD_BYTES)
    except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, EOFError):
        return b""
    except (IndexError, NotImplementedError, ValueError):
        return b""


def _answers(path: Path, shown: str) -> pa.Table:
    exact = ("question_id", "pred", "answer")
    table = read_table(path, reading={}, exact=exact, shown=shown)
    lacking = {"question_id", "question", "answer", "pred"} - set(table.column_names)
    if lacking:
        raise DataError(f"{shown}: questions lack {', '.join(sorted(lacking))}")
    texts = {
        ours: as_text(table[theirs], what=theirs, shown=shown)
        for ours, theirs in (
            ("id", "question_id"),
            ("input", "question"),
            ("gold", "answer"),
            ("prediction", "pred"),
            ("category", "category"),
        )
        if theirs in table.column_names
    }
    return pa.table({**texts, "guessed": _unstated(table, texts["prediction"])})


def _unstated(table: pa.Table, letters: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return which answers have a letter that their text does not state."""
    name = next((one for one in _TEXTS if one in table.column_names), None)
    if name is None or not pa.types.is_string(table[name].type):
        return pa.chunked_array([pa.repeat(False, len(table))])  # noqa: FBT003
    stated = pc.match_substring_regex(table[name], _STATED)
    return pc.and_(pc.is_valid(letters), pc.invert(pc.fill_null(stated, False)))  # noqa: FBT003


def _told_by_name(path: Path) -> dict[str, str]:
    """Return model and number of examples in the prompt, as files are named."""
    found = re.match(r"model_outputs_(.+?)(?:_(\d+)shots?)?\.(?:zip|json)", path.name)
    if found is None:
        return {}
    return known({"model": found[1], "few-shot examples": found[2]})
