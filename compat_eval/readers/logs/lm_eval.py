"""Samples that lm-evaluation-harness logs (`--log_samples`), as our columns.

Each document is graded by the harness: `correct` is its metric of the document, which
must be right or wrong. The question is the prompt together with the target, so that
runs on other documents or targets are refused.
https://github.com/EleutherAI/lm-evaluation-harness
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.errors import DataError, UsageError
from compat_eval.core.files import parse_json
from compat_eval.readers.logs.log import Log
from compat_eval.readers.table import read_table
from compat_eval.suite.data.columns import as_text
from compat_eval.suite.data.formats import suffix_of
from compat_eval.suite.data.formats.text import head

_MARKS = (b'"doc_id"', b'"filtered_resps"', b'"arguments"')
_HEAD_BYTES = 2**20


class LmEvalSamples:
    """A `samples_TASK_TIME.jsonl` file."""

    def recognises(self, path: Path) -> bool:
        """Whether the first row is one of such a log."""
        if not path.is_file() or suffix_of(path.name) not in {".jsonl", ".json"}:
            return False
        row = head(path, _HEAD_BYTES).lstrip(b"[ \n").partition(b"\n")[0]
        return all(mark in row for mark in _MARKS)

    def tasks(self, path: Path) -> tuple[str, ...]:
        """Return the one task."""
        return (_task_of(path),)

    def read(
        self, path: Path, task: str, choices: Mapping[str, str], shown: str
    ) -> Log:
        """Return id, input, prediction and correct of each document.

        Raises:
            UsageError: There are several filters and none is chosen, or not that one.
            DataError: There is no metric.

        """
        table = read_table(path, reading={}, exact=("doc_id", "target", "arguments"))
        table = _filtered(table, choices.get("filter"), shown)
        metric = choices.get("metric") or _first_metric(table, shown)
        if metric not in table.column_names:
            raise DataError(f"{shown}: there is no metric {metric!r} in this log")
        rows = table.select(["arguments", "target", "filtered_resps"]).to_pylist()
        rows = [{key: _parsed(value) for key, value in row.items()} for row in rows]
        answers = {
            "id": as_text(table["doc_id"], what="doc_id", shown=shown),
            "input": [
                f"{_prompt(r['arguments'])}\n[target] {r['target']}" for r in rows
            ],
            "prediction": [_answer(row["filtered_resps"]) for row in rows],
            "correct": table[metric],
        }
        return Log(
            table=pa.table(answers),
            facts={"tool": "lm-eval", "task": task, "scorer": metric},
            notes=(f"{shown} was graded by the harness that wrote it.",),
            used=frozenset({"filter", "metric"}),
        )


def _task_of(path: Path) -> str:
    """Return the task that a file's name tells, or else the name."""
    found = re.match(r"samples_(.+?)(_\d{4}-\d\d-\d\dT.*)?\.jsonl?(\.|$)", path.name)
    return found[1] if found else path.name


def _filtered(table: pa.Table, wanted: str | None, shown: str) -> pa.Table:
    if "filter" not in table.column_names:
        return table
    filters = sorted(map(str, pc.unique(table["filter"]).to_pylist()))
    if wanted is None and len(filters) == 1:
        return table
    if wanted not in filters:
        asked = (
            "choose one" if wanted is None else f"there is no {wanted!r}; choose one"
        )
        raise UsageError(
            f"{shown}: every document was answered through {len(filters)} filters "
            f"({', '.join(filters)}); {asked}, as in --keep filter={filters[0]}"
        )
    return table.filter(pc.equal(table["filter"], wanted))


def _first_metric(table: pa.Table, shown: str) -> str:
    """Return the first metric that was logged."""
    named = (
        _parsed(table["metrics"][0].as_py()) if "metrics" in table.column_names else []
    )
    if not named:
        raise DataError(
            f"{shown}: the log does not say which metrics it has; name the one that "
            "says right or wrong with --fields correct=METRIC"
        )
    return str(named[0])


def _prompt(arguments: Any) -> Any:  # noqa: ANN401
    """Return the text that the model was given first."""
    while isinstance(arguments, dict | list) and arguments:
        values = arguments.values() if isinstance(arguments, dict) else arguments
        arguments = next(iter(values))
    return arguments


def _answer(responses: Any) -> str | None:  # noqa: ANN401
    """Return the text, or of several choices the number of the likeliest."""
    if not isinstance(responses, list) or not responses:
        return None if responses is None else str(responses)
    if all(isinstance(one, list) and one for one in responses):
        likelihoods: Sequence[float] = [float(one[0]) for one in responses]
        return str(likelihoods.index(max(likelihoods)))
    return str(responses[0])


def _parsed(value: Any) -> Any:  # noqa: ANN401
    """Return lists and objects; where types mix, the reader left them as JSON."""
    if isinstance(value, str) and value[:1] in {"[", "{"}:
        try:
            return parse_json(value.encode(), finite=False)
        except ValueError:
            return value
    return value
