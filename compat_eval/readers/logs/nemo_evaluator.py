"""Bundles of NVIDIA NeMo Evaluator: `eval-*.json` beside `results.jsonl`.

One row an answer: `problem_idx` names the problem, `repeat` counts its answers, and
`reward` is what the benchmark gave. An answer lost to the infrastructure has reward 0
there and is an error here. https://github.com/NVIDIA-NeMo/Evaluator
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from compat_eval.core.errors import CoverageError, DataError
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
    repeats,
    told,
)
from compat_eval.suite.data.formats.json_rows import load_json, load_lines

_ROWS = "results.jsonl"
_BUNDLES = "eval-*.json"
_NOT_THE_MODEL = {"infra_error", "system"}
_SLICES = ("category", "subject", "topic", "subset", "difficulty", "level", "language")
_SETTINGS = (
    "temperature",
    "top_p",
    "max_tokens",
    "seed",
    "system_prompt",
    "repeats",
    "max_problems",
    "shuffle_seed",
)


class NemoEvaluatorBundle:
    """A bundle, the folder of one, or a folder of such folders, one a benchmark."""

    def recognises(self, path: Path) -> bool:
        """Whether there are bundles, or the rows of one."""
        if path.is_dir():
            return any(True for _ in _bundles(path))
        if path.match(_BUNDLES):
            return b'"benchmark"' in json_head(path)
        return {"problem_idx", "reward"} <= first_row(path).keys()

    def tasks(self, path: Path) -> tuple[str, ...]:
        """Return the names of the benchmarks.

        Raises:
            DataError: A bundle is damaged, or two are of one benchmark.

        """
        return tuple(_by_benchmark(path))

    def read(
        self, path: Path, task: str, choices: Mapping[str, str], shown: str
    ) -> Log:
        """Return the answers of one benchmark.

        Raises:
            DataError: Rows are missing or damaged.
            CoverageError: There are fewer answers than the bundle counts.

        """
        del choices
        file, bundle = _by_benchmark(path)[task]
        rows = _rows(file, f"{shown}/{_ROWS}" if path.is_dir() else str(file))
        table = _table(rows)
        _require_all(bundle, table, shown)
        return Log(
            table=table,
            facts=_facts(bundle, rows),
            kind="generation",
            files=(file,),
        )


def _bundles(path: Path) -> Iterator[Path]:
    """Yield the folder of each bundle, itself or one level below."""
    for folder in (path, *sorted(one for one in path.iterdir() if one.is_dir())):
        if (folder / _ROWS).is_file() and any(folder.glob(_BUNDLES)):
            yield folder


def _by_benchmark(path: Path) -> dict[str, tuple[Path, Mapping[str, Any]]]:
    """Return the file of rows and the bundle of each benchmark."""
    if not path.is_dir():
        found = [_beside(path)]
    else:
        found = [
            (folder / _ROWS, bundle)
            for folder in _bundles(path)
            for bundle in sorted(folder.glob(_BUNDLES))
        ]
    named: dict[str, tuple[Path, Mapping[str, Any]]] = {}
    for rows, bundle in found:
        content = {} if bundle is None else _bundle(bundle)
        name = told(content, "benchmark", "name") or rows.parent.name or _ROWS
        if name in named:
            raise DataError(
                f"{path}: holds two bundles of the benchmark {name!r}; name the one "
                f"that is meant, such as {bundle or rows}"
            )
        named[name] = rows, content
    return named


def _beside(path: Path) -> tuple[Path, Path | None]:
    """Return the rows and the bundle of which a user names one."""
    if path.match(_BUNDLES):
        return path.parent / _ROWS, path
    bundles = list(path.parent.glob(_BUNDLES))
    return path, bundles[0] if len(bundles) == 1 else None


def _bundle(path: Path) -> Mapping[str, Any]:
    content = load_json(path, "utf-8", str(path))
    if not isinstance(content, dict):
        raise DataError(f"{path}: is no bundle of NeMo Evaluator; expected an object")
    return content


def _rows(path: Path, shown: str) -> list[dict[str, Any]]:
    if not path.is_file():
        raise DataError(
            f"{shown}: is not there; the scores alone cannot be compared, only answers"
        )
    rows = list(load_lines(path, "utf-8", shown))
    if not rows:
        raise DataError(f"{shown}: holds no rows")
    for at, row in enumerate(rows, start=1):
        if row.get("problem_idx") is None or number(row.get("reward")) is None:
            raise DataError(
                f"{shown}: row {at} needs problem_idx and a reward that is a number; "
                f"got {told(row, 'problem_idx')} and {told(row, 'reward')}"
            )
    return rows


def _table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    ids = [str(told(row, "problem_idx")) for row in rows]
    found: dict[str, list[Any]] = {
        "id": ids,
        **repeats(ids, [told(row, "repeat") or "0" for row in rows]),
        "input": [told(row, "prompt") for row in rows],
        "gold": [told(row, "expected_answer") for row in rows],
        "prediction": [_answer(row) for row in rows],
        **graded([number(row["reward"]) for row in rows], "reward"),
        "error": [_failure(row) for row in rows],
        **{key: [told(row, "metadata", key) for row in rows] for key in _SLICES},
    }
    return pa.table(known_columns(asked_with_target(found)))


def _answer(row: Mapping[str, Any]) -> str | None:
    return told(row, "extracted_answer") or told(row, "model_response") or None


def _failure(row: Mapping[str, Any]) -> str | None:
    """Return what went wrong around the model; what it did wrong is its answer."""
    if told(row, "scoring_details", "error_category") not in _NOT_THE_MODEL:
        return None
    return told(row, "scoring_details", "error") or "error"


def _require_all(bundle: Mapping[str, Any], table: pa.Table, shown: str) -> None:
    """Raise where rows of a run are lost.

    Raises:
        CoverageError: There are fewer than its bundle counts.

    """
    n_problems = len(set(table["id"].to_pylist()))
    for what, counted, there in (
        ("problems", inner(bundle, "benchmark", "samples"), n_problems),
        ("answers", inner(bundle, "n_results"), table.num_rows),
    ):
        expected = number(counted)
        if expected is not None and expected != there:
            raise CoverageError(
                f"{shown}: its bundle counts {expected:,.0f} {what}, {_ROWS} has "
                f"{there:,}; the file was cut off, or is of another run"
            )


def _facts(
    bundle: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> dict[str, str]:
    methods = {
        told(row, "scoring_details", "method")
        for row in rows
        if inner(row, "scoring_details", "error_category") is None
    }
    return known(
        {
            "tool": "NeMo Evaluator",
            "version": told(bundle, "sdk_version"),
            "task": told(bundle, "benchmark", "name"),
            "model": told(bundle, "config", "model"),
            "scorer": ", ".join(sorted(filter(None, methods))) or None,
            **{key: told(bundle, "config", key) for key in _SETTINGS},
        }
    )
