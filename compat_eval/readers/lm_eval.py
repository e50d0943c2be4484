"""Samples that lm-evaluation-harness logs (`--log_samples`), as our columns.

Each document is graded by the harness: `correct` is its metric of the document, which
must be right or wrong. The question is the prompt together with the target, so that
runs on other documents or targets are refused.
https://github.com/EleutherAI/lm-evaluation-harness
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.errors import DataError, UsageError
from compat_eval.core.files import parse_json
from compat_eval.suite.data.columns import as_text

_MARKS = {"doc_id", "target", "filtered_resps", "arguments"}


def recognised(table: pa.Table) -> bool:
    """Whether a table is such a log."""
    return set(table.column_names) >= _MARKS


def translated(
    table: pa.Table, fields: Mapping[str, str], wanted: str | None, *, shown: str
) -> pa.Table:
    """Return id, input, prediction and correct of each document.

    Args:
        table: The log.
        fields: `correct` names the metric; the default is the first one logged.
        wanted: The filter whose answers count, where there are several.
        shown: What messages call the file.

    Raises:
        UsageError: There are several filters and none is wanted, or not that one.
        DataError: There is no metric.

    """
    table = _filtered(table, wanted, shown)
    metric = fields.get("correct") or _first_metric(table, shown)
    if metric not in table.column_names:
        raise DataError(f"{shown}: there is no metric {metric!r} in this log")
    rows = table.select(["arguments", "target", "filtered_resps"]).to_pylist()
    rows = [{key: _parsed(value) for key, value in row.items()} for row in rows]
    return pa.table(
        {
            "id": as_text(table["doc_id"], what="doc_id", shown=shown),
            "input": [
                f"{_prompt(r['arguments'])}\n[target] {r['target']}" for r in rows
            ],
            "prediction": [_answer(row["filtered_resps"]) for row in rows],
            "correct": table[metric],
        }
    )


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
            f"({', '.join(filters)}); {asked}, as in --read filter={filters[0]}"
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
