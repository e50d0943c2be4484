"""Evaluation tables of MLflow, and its traces with assessments.

`eval_results_table.json` holds columns and rows: what the user evaluated, beside
`METRIC/score`. `mlflow.genai.evaluate` gives a table of traces (`to_json`), or traces
themselves: a request, a response, feedback by name, and expectations. Traces are paired
by their requests. https://mlflow.org/docs/latest/genai/eval-monitor/
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa

from compat_eval.core.errors import DataError, UsageError
from compat_eval.core.files import parse_json, written_text
from compat_eval.readers.logs.log import Log
from compat_eval.readers.logs.rows import (
    asked_with_target,
    first_row,
    graded,
    inner,
    json_head,
    known,
    known_columns,
    number,
    scorer_of,
    told,
)
from compat_eval.suite.data.formats.json_rows import load_json

_SPLIT = b'{"columns":['
_SCORE, _VALUE = "/score", "/value"
_TABLE = {
    "input": ("inputs", "input", "question", "query", "prompt", "text"),
    "prediction": ("outputs", "output", "prediction", "predictions", "response"),
    "gold": (
        "targets",
        "target",
        "ground_truth",
        "label",
        "labels",
        "expected_response",
    ),
}
_EXPECTED = ("expected_response", "expected_output", "ground_truth")
_WORDS = {"yes": 1.0, "no": 0.0}

_Trace = Mapping[str, Any]


class MlflowTable:
    """A table of `mlflow.evaluate`: `eval_results_table.json`."""

    def recognises(self, path: Path) -> bool:
        """Whether a file begins with columns, scores among them, or is named so."""
        start = json_head(path)
        named = "eval_results_table" in path.name
        columns = start[:4096].partition(b"]")[0].replace(b" ", b"")
        return columns.startswith(_SPLIT) and (named or b"/score" in columns)

    def tasks(self, path: Path) -> tuple[str, ...]:
        """Return the file's name: a table does not say what was asked."""
        return (path.name,)

    def read(
        self, path: Path, task: str, choices: Mapping[str, str], shown: str
    ) -> Log:
        """Return the rows, in the order of the evaluated data.

        Raises:
            UsageError: No column is known to hold answers, or several grade.
            DataError: Rows do not fit the columns.

        """
        del task
        rows = _rows(load_json(path, "utf-8", shown), shown)
        names = {
            ours: next((one for one in theirs if one in rows[0]), None)
            for ours, theirs in _TABLE.items()
        }
        if names["prediction"] is None:
            raise UsageError(
                f"{shown}: no known column of answers among {', '.join(rows[0])}; name "
                "them, as in --fields prediction=COLUMN,gold=COLUMN --pair-by row"
            )
        scores = {
            name.removesuffix(_SCORE): [number(row[name]) for row in rows]
            for name in rows[0]
            if name.endswith(_SCORE)
        }
        scorer, grades = _grades(scores, choices, shown)
        kept = set(names.values())
        found: dict[str, Sequence[Any]] = {
            "id": [str(at) for at in range(len(rows))],
            **{o: [told(row, t) for row in rows] for o, t in names.items() if t},
            **grades,
            **{
                name: [told(row, name) for row in rows]
                for name in rows[0]
                if name not in kept and "/" not in name
            },
        }
        return Log(
            table=pa.table(known_columns(asked_with_target(found))),
            facts=known({"tool": "MLflow", "scorer": scorer}),
            kind="generation",
            used=frozenset({"metric"}),
        )


class MlflowTraces:
    """A table of `mlflow.genai.evaluate` or `search_traces`, or a list of traces."""

    def recognises(self, path: Path) -> bool:
        """Whether the first row is a trace."""
        row = first_row(path)
        if "trace_id" in row or inner(row, "info", "trace_id") is not None:
            return "assessments" in row or "info" in row
        return json_head(path)[:40].startswith(b'{"trace_id":{')

    def tasks(self, path: Path) -> tuple[str, ...]:
        """Return the file's name: traces do not say what was asked."""
        return (path.name,)

    def read(
        self, path: Path, task: str, choices: Mapping[str, str], shown: str
    ) -> Log:
        """Return the response to each request.

        Raises:
            UsageError: Several assessments say right or wrong, and none is chosen.
            DataError: A row is no trace.

        """
        del task
        traces = [_plain(row) for row in _rows(load_json(path, "utf-8", shown), shown)]
        names = dict.fromkeys(name for one in traces for name in one["feedback"])
        values = {
            name: [_value(one["feedback"].get(name)) for one in traces]
            for name in names
        }
        numbers = {name: given for name, given in values.items() if {*given} != {None}}
        scorer, grades = _grades(numbers, choices, shown)
        found = {
            **_paired([one["input"] for one in traces]),
            **{
                name: [one[name] for one in traces]
                for name in ("input", "gold", "prediction", "error")
            },
            **grades,
        }
        digests = filter(None, {one["digests"].get(scorer) for one in traces})
        return Log(
            table=pa.table(known_columns(asked_with_target(found))),
            facts=known(
                {
                    "tool": "MLflow",
                    "scorer": scorer and " ".join((scorer, *sorted(digests))),
                }
            ),
            kind="generation",
            used=frozenset({"metric"}),
        )


def _rows(content: Any, shown: str) -> list[dict[str, Any]]:  # noqa: ANN401
    """Return the rows of a table in any of the forms that pandas writes.

    Raises:
        DataError: It is none.

    """
    rows: Any = content
    if isinstance(content, dict) and {*content} >= {"columns", "data"}:
        rows = _split(content["columns"], content["data"])
    elif isinstance(content, dict) and all(
        isinstance(o, dict) for o in content.values()
    ):
        keys = dict.fromkeys(key for cells in content.values() for key in cells)
        rows = [{name: c.get(key) for name, c in content.items()} for key in keys]
    if (
        not isinstance(rows, list)
        or not rows
        or not all(isinstance(r, dict) for r in rows)
    ):
        raise DataError(f"{shown}: is no table of MLflow with a row an example")
    return rows


def _split(names: Any, data: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    """Return columns and rows as objects; nothing where they do not fit."""
    if not (isinstance(names, list) and isinstance(data, list)):
        return []
    keys = [written_text(name) or "" for name in names]
    fit = all(isinstance(row, list) and len(row) == len(keys) for row in data)
    return [dict(zip(keys, row, strict=True)) for row in data] if fit else []


def _grades(
    values: Mapping[str, Sequence[float | None]],
    choices: Mapping[str, str],
    shown: str,
) -> tuple[str | None, dict[str, list[Any]]]:
    """Return what says right or wrong, and the columns of grades."""
    scorer = scorer_of(values, choices, shown=shown)
    found = graded(values[scorer], scorer) if scorer else {}
    for name, given in values.items():
        found |= {
            n: cells for n, cells in graded(given, name).items() if n != "correct"
        }
    return scorer, found


def _plain(row: _Trace) -> dict[str, Any]:
    """Return a trace in our words."""
    info = row["info"] if isinstance(row.get("info"), dict) else row
    failed = told(info, "state")
    feedback = dict(_feedback(row, info))
    expected = [one for one in _assessments(info) if "expectation" in one]
    gold = {
        str(told(one, "assessment_name")): inner(one, "expectation") for one in expected
    }
    gold |= {n: {"value": row[n + _VALUE]} for n in _EXPECTED if n + _VALUE in row}
    named = next((n for n in (*_EXPECTED, *gold) if n in gold), None)
    request = _asked(row, info, "request", "Inputs")
    return {
        "input": request,
        "prediction": _asked(row, info, "response", "Outputs"),
        "gold": told(gold, str(named), "value"),
        "error": failed if failed not in {None, "OK"} else None,
        "feedback": feedback,
        "digests": {
            told(one, "assessment_name"): told(
                one, "metadata", "mlflow.assessment.scorerDigest"
            )
            for one in _assessments(info)
        },
    }


def _assessments(info: _Trace) -> list[_Trace]:
    found = inner(info, "assessments")
    return [o for o in found if isinstance(o, dict)] if isinstance(found, list) else []


def _feedback(row: _Trace, info: _Trace) -> Iterator[tuple[str, Any]]:
    """Yield each feedback by name: of a table its columns, else the assessments."""
    expected = set()
    for one in _assessments(info):
        name = told(one, "assessment_name") or ""
        if "feedback" in one:
            yield name, inner(one, "feedback", "value")
        else:
            expected.add(name)
    for column, value in row.items():
        name = column.removesuffix(_VALUE)
        if column.endswith(_VALUE) and name not in {*expected, *_EXPECTED}:
            yield name, value


def _asked(row: _Trace, info: _Trace, name: str, key: str) -> str | None:
    """Return a request or response: of a table its column, else of the root span.

    What `info` tells of it may be cut short, and comes last.
    """
    value = row.get(name)
    if value is None:
        spans = inner(row, "data", "spans")
        root = spans[0] if isinstance(spans, list) and spans else {}
        value = _parsed(
            inner({"span": root}, "span", "attributes", f"mlflow.span{key}")
        )
    if value is None:
        value = _parsed(inner(info, "trace_metadata", f"mlflow.trace{key}"))
    if isinstance(value, dict) and len(value) == 1:
        (value,) = value.values()
    return written_text(value)


def _parsed(text: Any) -> Any:  # noqa: ANN401
    """Return what a text says as JSON, where it is some."""
    try:
        return parse_json(text.encode()) if isinstance(text, str) else text
    except ValueError:
        return text


def _paired(requests: Sequence[str | None]) -> dict[str, list[Any]]:
    """Return ids from what was asked; the same question again is a repeat."""
    ids = [sha256((text or "").encode()).hexdigest()[:12] for text in requests]
    seen: Counter[str] = Counter()
    numbers = []
    for one in ids:
        numbers.append(seen[one])
        seen[one] += 1
    return {"id": ids, **({"repeat": numbers} if max(numbers) else {})}


def _value(value: Any) -> float | None:  # noqa: ANN401
    if isinstance(value, str) and value.lower() in _WORDS:
        return _WORDS[value.lower()]
    return number(value)
