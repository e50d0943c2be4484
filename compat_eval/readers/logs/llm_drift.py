"""Published generations of LLMDrift: one CSV file with the answers of several models.

Chen, Zaharia and Zou, "How Is ChatGPT's Behavior Changing over Time?", Harvard Data
Science Review 6(2), 2024. https://github.com/lchen001/LLMDrift
"""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.readers.logs.log import Log
from compat_eval.readers.logs.rows import chosen, repeats
from compat_eval.readers.table import read_table
from compat_eval.suite.data.columns import as_text
from compat_eval.suite.data.formats import suffix_of
from compat_eval.suite.data.formats.packed import head

_HEADER = {"model", "trail", "dataset", "id", "query", "ref_answer", "answer"}
_HEAD_BYTES = 2**12
_GRADES = ("Directly Usable", "Response Rate")
_SETTINGS = ("temperature", "max_tokens")
_MARKED = r"(?is)^.*\[(?P<label>yes|no)\]"
_WORD = r"(?is)^.*\b(?P<label>yes|no)\b"


class LlmDriftTable:
    """A file of one data set, with a row a model and question."""

    def recognises(self, path: Path) -> bool:
        """Whether the header has the names of its columns."""
        if not path.is_file() or suffix_of(path.name) != ".csv":
            return False
        header = head(path, _HEAD_BYTES).partition(b"\n")[0].decode("utf-8", "replace")
        return set(header.strip().split(",")) >= _HEADER

    def tasks(self, path: Path) -> tuple[str, ...]:
        """Return the data set, as the file is named."""
        return (path.name.partition(".")[0].removesuffix("_EVAL").lower(),)

    def read(
        self, path: Path, task: str, choices: Mapping[str, str], shown: str
    ) -> Log:
        """Return the answers of one model.

        Raises:
            UsageError: There are several models and none is chosen, or not that one.

        """
        table = read_table(path, reading={}, exact=("id", "ref_answer", "answer"))
        models = sorted(map(str, pc.unique(table["model"]).to_pylist()))
        model = chosen("model", models, choices, what="models", shown=shown)
        table = table.filter(pc.equal(table["model"], model))
        answers = as_text(table["answer"], what="answer", shown=shown)
        ids = as_text(table["id"], what="id", shown=shown)
        trials = as_text(table["trail"], what="trail", shown=shown)
        found = {
            "id": ids,
            **repeats(ids.to_pylist(), trials.to_pylist()),
            "input": as_text(table["query"], what="query", shown=shown),
            "prediction": answers,
        }
        grade = next((name for name in _GRADES if name in table.column_names), None)
        if grade is not None:
            found["correct"] = table[grade]
        gold = as_text(table["ref_answer"], what="ref_answer", shown=shown)
        if _is_yes_or_no(gold):
            found["gold"] = pc.utf8_lower(gold)
            found["prediction"] = _last_label(answers)
        settings = {
            name: _only(table[name]) for name in _SETTINGS if name in table.column_names
        }
        return Log(
            table=pa.table(found),
            facts={
                "tool": "LLMDrift",
                "task": task,
                "scorer": grade or "last yes or no",
                "model": model,
                **settings,
            },
            notes=(f"{shown}: right is what {grade!r} says.",) if grade else (),
            kind="classification" if "gold" in found else "generation",
            used=frozenset({"model"}),
        )


def _is_yes_or_no(gold: pa.ChunkedArray) -> bool:
    told = pc.unique(pc.utf8_lower(gold)).to_pylist()
    return {*told} <= {"yes", "no"}


def _last_label(answers: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the last [Yes] or [No] of each text, else the last such word."""
    found = [pc.extract_regex(answers, pattern) for pattern in (_MARKED, _WORD)]
    labels = [pc.struct_field(one, "label") for one in found]
    return pc.utf8_lower(pc.coalesce(*labels))


def _only(values: pa.ChunkedArray) -> str:
    return " or ".join(sorted(map(str, pc.unique(values).to_pylist())))
