"""Rows of lighteval's details, in the forms that its versions wrote.

Since 0.11 a row has a document, the model's response and metrics. Before, all of it
stood side by side, and each cell was the text of a Python value ("{'acc': 1}"), so that
the hub could show it. Those texts are read as literals; nothing in them is run.
"""

import ast
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compat_eval.core.errors import DataError
from compat_eval.suite.data.formats.parquet import read_columns

_TODAY = (
    *("doc.id", "doc.query", "doc.choices", "doc.gold_index", "metric"),
    *("model_response.input", "model_response.text", "model_response.logprobs"),
    "model_response.text_post_processed",
)
_BEFORE = (
    *("example", "full_prompt", "predictions", "gold", "choices", "gold_index"),
    "metrics",
)
_NO_NUMBER = re.compile(r"(?<=[\[(,:\s])(nan|-?inf)(?=[\]),}])")
_OF_NUMPY = re.compile(r"\bnp\.(?:float|int|bool)\w*\(([^()]*)\)")


def read_rows(path: Path, shown: str) -> list[Mapping[str, Any]]:
    """Return rows as today's versions write them: `doc`, `metric`, `model_response`.

    Raises:
        DataError: The file is damaged, or of another form.

    """
    table = read_columns(path, (*_TODAY, *_BEFORE), shown)
    rows: list[Mapping[str, Any]] = table.to_pylist()
    if rows and all(isinstance(one.get("doc"), dict) for one in rows):
        return rows
    if rows and all(
        one.get("example") is not None and "metrics" in one for one in rows
    ):
        return [_of_before(one) for one in rows]
    raise DataError(
        f"{shown}: holds no documents with their answers, as lighteval saves them "
        "(--save-details)"
    )


def _of_before(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a row of a version before 0.11 in today's form.

    What was predicted are texts; or log-likelihoods, each alone or with whether it is
    the likeliest of all texts.
    """
    said = _list(row.get("predictions"))
    metrics = _value(row.get("metrics"))
    written = all(isinstance(one, str) for one in said)
    golds, choices = _list(row.get("gold")), _list(row.get("choices"))
    return {
        "doc": {
            "query": row["example"],
            "choices": choices or golds,
            "gold_index": _list(row.get("gold_index"))
            if choices
            else [*range(len(golds))],
        },
        "metric": metrics if isinstance(metrics, dict) else {},
        "model_response": {
            "input": row.get("full_prompt"),
            "text": said if written else [],
            "logprobs": [] if written else [_likelihood(one) for one in said],
        },
    }


def _likelihood(said: Any) -> Any:  # noqa: ANN401
    return said[0] if isinstance(said, list | tuple) and said else said


def _list(cell: Any) -> list[Any]:  # noqa: ANN401
    found = _value(cell)
    if found is None:
        return []
    return [*found] if isinstance(found, list | tuple) else [found]


def _value(cell: Any) -> Any:  # noqa: ANN401
    """Return what a cell says: itself, or the literal that its text is."""
    if not isinstance(cell, str):
        return cell
    text = _OF_NUMPY.sub(r"\1", cell) if "np." in cell else cell
    for one in (text, _NO_NUMBER.sub("None", text)):
        try:
            return ast.literal_eval(one)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
    return cell
