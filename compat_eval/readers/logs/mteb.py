"""Predictions that mteb saves (`prediction_folder`), one file a task.

`TASK_predictions.json` names the model and holds, by subset and split, rankings of
documents (retrieval), the labels of each trained classifier, or the scores of each
label (zero-shot). Older versions wrote a ranking's `{query: {document: score}}` alone.
https://github.com/embeddings-benchmark/mteb
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from compat_eval.core.errors import DataError
from compat_eval.core.files import written_text
from compat_eval.readers.logs.log import Log
from compat_eval.readers.logs.rows import json_head, known, number, told
from compat_eval.suite.data.formats.json_rows import load_json

_SUFFIX = "_predictions.json"
_META = "mteb_model_meta"
_RANKING = re.compile(
    rb'^\s*\{\s*"(?:[^"\\]|\\.)*":\s*\{\s*"(?:[^"\\]|\\.)*":\s*-?\d+\.\d'
)
_SCORED = pa.list_(pa.struct([("document", pa.string()), ("score", pa.float64())]))


class MtebPredictions:
    """A file of predictions, or a folder of them."""

    def recognises(self, path: Path) -> bool:
        """Whether files are named so and begin with the model, or are rankings."""
        if path.is_dir():
            return any(map(self.recognises, path.glob(f"*{_SUFFIX}")))
        start = json_head(path)
        if f'"{_META}"'.encode() in start[:1000]:
            return True
        return _RANKING.match(start) is not None

    def tasks(self, path: Path) -> tuple[str, ...]:
        """Return the tasks, with subset and split where a task has several.

        Raises:
            DataError: A file is damaged.

        """
        return tuple(_by_task(path, str(path)))

    def read(
        self, path: Path, task: str, choices: Mapping[str, str], shown: str
    ) -> Log:
        """Return rankings or labels of one task.

        Raises:
            DataError: The predictions are of a kind that no task compares.

        """
        del choices
        file, content, where = _by_task(path, shown)[task]
        found: Any = content
        for key in where:
            found = found[key]
        kind, table = _table(found, shown)
        return Log(
            table=table,
            facts=known(
                {
                    "tool": "mteb",
                    "model": told(content, _META, "model_name"),
                    "revision": told(content, _META, "revision"),
                }
            ),
            kind=kind,
            files=(file,),
        )


_Place = tuple[Path, Mapping[str, Any], tuple[str, ...]]


def _by_task(path: Path, shown: str) -> dict[str, _Place]:
    """Return the file, its content, and the keys of each task's predictions."""
    files = sorted(path.glob(f"*{_SUFFIX}")) if path.is_dir() else [path]
    found: dict[str, _Place] = {}
    for file in files:
        content = load_json(file, "utf-8", str(file) if path.is_dir() else shown)
        name = file.name.removesuffix(".gz").removesuffix(_SUFFIX).removesuffix(".json")
        if not isinstance(content, dict):
            raise DataError(f"{shown}: must be an object of mteb's predictions")
        if _META not in content:
            found[name] = (file, content, ())
            continue
        splits = [
            (subset, split)
            for subset, by_split in content.items()
            if subset != _META and isinstance(by_split, dict)
            for split in by_split
        ]
        for subset, split in splits:
            several = f"{name}/{subset}/{split}" if len(splits) > 1 else name
            found[several] = (file, content, (subset, split))
    if not found:
        raise DataError(f"{shown}: holds no predictions")
    return found


def _table(found: Any, shown: str) -> tuple[str, pa.Table]:  # noqa: ANN401
    """Return the kind of task and the rows."""
    if isinstance(found, dict) and found and _is_rankings(found):
        return "retrieval", _rankings(found)
    if isinstance(found, list) and found and all(isinstance(o, list) for o in found):
        if all(_is_scores(one) for one in found):
            return "classification", _likeliest(found)
        if not any(isinstance(label, list | dict) for one in found for label in one):
            labels = _labels(found, shown)
            many = "repeat" in labels.column_names
            return "generation" if many else "classification", labels
    what = (
        f"an object of {', '.join(list(found)[:4])}" if isinstance(found, dict) else ""
    )
    raise DataError(
        f"{shown}: holds neither rankings nor labels but {what or 'other values'}; "
        "similarities, clusters and several labels an example are not compared"
    )


def _is_rankings(found: Mapping[str, Any]) -> bool:
    return all(
        isinstance(one, dict)
        and all(number(score) is not None for score in one.values())
        for one in found.values()
    )


def _rankings(found: Mapping[str, Mapping[str, Any]]) -> pa.Table:
    answers = [
        [{"document": d, "score": number(s)} for d, s in one.items()]
        for one in found.values()
    ]
    return pa.table(
        {"id": pa.array(found, pa.string()), "prediction": pa.array(answers, _SCORED)}
    )


def _is_scores(row: Sequence[Any]) -> bool:
    """Whether a row has a score for each of several labels."""
    values = [number(one) for one in row]
    return (
        len(row) > 1
        and None not in values
        and any("." in str(one) or "e" in str(one) for one in row)
        and not all(value == int(value or 0) for value in values)
    )


def _likeliest(found: Sequence[Sequence[Any]]) -> pa.Table:
    scores = [[float(one) for one in row] for row in found]
    best = [row.index(max(row)) for row in scores]
    return pa.table(
        {
            "id": [str(at) for at in range(len(scores))],
            "prediction": [str(at) for at in best],
            "score": [row[at] for row, at in zip(scores, best, strict=True)],
        }
    )


def _labels(found: Sequence[Sequence[Any]], shown: str) -> pa.Table:
    """Return a row for each example and classifier; those are numbered."""
    if len({len(one) for one in found}) > 1:
        raise DataError(f"{shown}: its classifiers labelled different numbers of texts")
    rows = [
        (str(at), experiment, written_text(label))
        for at in range(len(found[0]))
        for experiment, label in ((e, one[at]) for e, one in enumerate(found))
    ]
    ids, numbers, labels = zip(*rows, strict=True) if rows else ((), (), ())
    many = {"repeat": list(numbers)} if len(found) > 1 else {}
    return pa.table({"id": list(ids), "prediction": list(labels), **many})
