"""Rows of lm-evaluation-harness samples, in the forms that its versions wrote.

Logs run to hundreds of megabytes, most of it prompts that stand once for each choice.
What is needed is read by Arrow where all rows have the form of the first; else rows
are read one by one, and brought to that form.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.arrays import Values
from compat_eval.core.errors import DataError
from compat_eval.core.files import written_text
from compat_eval.core.fingerprint import digest
from compat_eval.readers.logs.rows import first_row, number
from compat_eval.suite.data.formats.json_rows import (
    load_json,
    load_lines,
    load_typed,
)
from compat_eval.suite.data.formats.packed import head

_HASHES = ("doc_hash", "prompt_hash", "target_hash")
_NO_METRICS = {"doc_id", "doc", "target", "arguments", "resps", "filtered_resps"}
_LONGEST_SLICE = 40
_MOST_SLICES = 50
_MOST_CHOICES = 64

_TEXTS = pa.list_(pa.string())
_PAIRS = pa.list_(pa.float64())


@dataclass(frozen=True)
class LoggedSamples:
    """Samples of one task.

    Attributes:
        table: `doc_id`, `target`, `filter`, hashes, `filtered_resps`, `arguments`,
            metrics, and short texts of the document as `doc.<key>`.
        metrics: The names of the metrics.
        n_responses: How often the first document was answered.

    """

    table: pa.Table
    metrics: tuple[str, ...]
    n_responses: int = 1

    def take(self, rows: pa.ChunkedArray) -> Self:
        """Return the samples where a mask is true."""
        return replace(self, table=self.table.filter(rows))

    @property
    def grades_likelihoods(self) -> bool:
        """Whether the model was asked how likely texts are, not for a text."""
        kind = self.table["filtered_resps"].type
        return bool(pa.types.is_list(kind.value_type))

    @property
    def has_choices(self) -> bool:
        """Whether the model was asked how likely several texts are."""
        sizes = pc.list_value_length(self.table["filtered_resps"])
        return self.grades_likelihoods and (pc.max(sizes).as_py() or 0) > 1

    @cached_property
    def _arguments(self) -> list[Mapping[str, pa.ChunkedArray]]:
        """The arguments of each request, by name."""
        values = self.table["arguments"]
        return [
            {
                one.name: pc.struct_field(values, [request.name, one.name])
                for one in request.type
            }
            for request in values.type
        ]

    def prompts(self) -> pa.ChunkedArray:
        """Return what the model was given first, for each document."""
        return self._arguments[0]["arg_0"]

    def targets(self) -> pa.ChunkedArray:
        """Return what should be answered."""
        return self.table["target"]

    def responses(self) -> list[str | None]:
        """Return the filter's first answer to each document."""
        found = self.table["filtered_resps"].to_pylist()
        return [one[0] if one else None for one in found]

    def greedy(self) -> list[str | None]:
        """Return whether the one text that was asked about is the likeliest of all."""
        found = self.table["filtered_resps"].to_pylist()
        pairs = [one[0] if one else [] for one in found]
        return [one[1] if len(one) > 1 else None for one in pairs]

    def likelihoods(self, shown: str) -> list[Values]:
        """Return the log-likelihood of each choice, for each document.

        Raises:
            DataError: One is no number.

        """
        lists = self.table["filtered_resps"].combine_chunks()
        try:
            first = pc.list_element(lists.flatten(), 0).cast(pa.float64())
        except pa.ArrowInvalid as error:
            raise DataError(
                f"{shown}: a log-likelihood cannot be read: {error}"
            ) from error
        ends = np.asarray(pc.fill_null(pc.list_value_length(lists), 0), np.int64)
        return np.split(np.asarray(first, np.float64), np.cumsum(ends)[:-1])

    def choices(self) -> list[list[str]]:
        """Return the texts of the choices of each document.

        Where choices share their continuation, their contexts tell them apart.
        """
        several = self._arguments
        name = "arg_0" if all("arg_0" in one for one in several) else "arg_1"
        columns = [one[name].to_pylist() for one in several]
        rows = zip(*columns, strict=True)
        return [[_stripped(t) for t in row if t is not None] for row in rows]

    def values(self, metric: str) -> Values | None:
        """Return a number for each document, nan where there is none."""
        if metric not in self.table.column_names:
            return None
        column = self.table[metric]
        if pa.types.is_list(column.type):
            return None
        return np.asarray(pc.fill_null(column, np.nan), np.float64)

    def pairs(self, metric: str) -> list[list[float]] | None:
        """Return a log-likelihood and a count for each document."""
        column = self.table[metric]
        if not pa.types.is_list(column.type) or column.null_count:
            return None
        found: list[list[float]] = column.to_pylist()
        return found if all(len(one) == 2 for one in found) else None  # noqa: PLR2004

    def digest_of(self, hashes: str, texts: pa.ChunkedArray) -> str:
        """Return a short digest of texts of all documents, whatever their order."""
        known = hashes in self.table.column_names and not self.table[hashes].null_count
        column = self.table[hashes] if known else texts
        return digest(sorted(map(str, column.to_pylist())))[:12]


def read_samples(path: Path, shown: str) -> LoggedSamples:
    """Read a file of samples.

    Raises:
        DataError: It is damaged, or a row is none of a sample.

    """
    first = first_row(path)
    if not first:
        first = next(iter(_rows(path, shown)), {})
    if not first.keys() >= {"doc_id", "arguments", "filtered_resps"}:
        raise DataError(f"{shown}: holds no samples of lm-evaluation-harness")
    schema, metrics = _schema(first)
    table = None if _is_list(path) else load_typed(path, schema, shown)
    if table is None:
        at = schema.get_field_index("doc_id")  # a number may be beyond 64 bits
        schema = schema.set(at, pa.field("doc_id", pa.string()))
        rows = [_as(_normal(row), pa.struct(schema)) for row in _rows(path, shown)]
        table = pa.Table.from_pylist(rows, schema)
    if not len(table):
        raise DataError(f"{shown}: holds no samples")
    if table["arguments"].null_count or table["filtered_resps"].null_count:
        raise DataError(f"{shown}: a row has no arguments or no answers")
    return LoggedSamples(_spread(table), metrics, _n_responses(first))


def _n_responses(row: Mapping[str, Any]) -> int:
    """Return how many texts a model wrote for a document; one where it wrote none."""
    given = row.get("resps")
    texts = given[0] if isinstance(given, list) and given else None
    written = isinstance(texts, list) and all(isinstance(one, str) for one in texts)
    return len(texts) if texts and written else 1


def _is_list(path: Path) -> bool:
    return head(path, 64).lstrip()[:1] == b"["


def _rows(path: Path, shown: str) -> Iterable[Mapping[str, Any]]:
    """Return rows with their numbers as written; early versions wrote one list."""
    if not _is_list(path):
        return load_lines(path, "utf-8", shown)
    found = load_json(path, "utf-8", shown)
    if not all(isinstance(one, dict) for one in found):
        raise DataError(f"{shown}: must be a list of objects")
    return list(found)


def _schema(first: Mapping[str, Any]) -> tuple[pa.Schema, tuple[str, ...]]:
    """Return the fields that are read, and the names of the metrics."""
    row = _normal(first)
    named = row.get("metrics")
    if not isinstance(named, list):
        named = [x for x in row if x not in _NO_METRICS and _metric_type(row[x])]
    metrics = {x: _metric_type(row.get(x)) for x in map(str, named)}
    fields: dict[str, pa.DataType] = {
        "doc_id": pa.int64() if type(row["doc_id"]) is int else pa.string(),
        "target": pa.string(),
        **{x: pa.string() for x in ("filter", *_HASHES) if x in row},
        "filtered_resps": _answer_type(row["filtered_resps"]),
        "arguments": _argument_type(row["arguments"]),
        **{x: kind for x, kind in metrics.items() if kind is not None},
    }
    doc = row.get("doc")
    short = [k for k, v in doc.items() if _is_short(v)] if isinstance(doc, dict) else []
    if short:
        fields["doc"] = pa.struct([(key, pa.string()) for key in short])
    return pa.schema(fields.items()), tuple(metrics)


def _metric_type(value: Any) -> pa.DataType | None:  # noqa: ANN401
    if isinstance(value, list):
        return _PAIRS if value and all(number(x) is not None for x in value) else None
    return None if number(value) is None else pa.float64()


def _answer_type(answers: Any) -> pa.DataType:  # noqa: ANN401
    lists = isinstance(answers, list) and answers and isinstance(answers[0], list)
    return pa.list_(_TEXTS) if lists else _TEXTS


def _argument_type(arguments: Mapping[str, Mapping[str, Any]]) -> pa.DataType:
    """Return what is read of the arguments: one prompt, and each choice."""
    requests = list(arguments.values())
    texts = [{k for k, v in one.items() if isinstance(v, str)} for one in requests]
    if len(requests) < 2:  # noqa: PLR2004 - one request has no choices
        names = {"arg_0"} | {"arg_1"} & texts[0] if texts else {"arg_0"}
        one = pa.struct([(name, pa.string()) for name in sorted(names)])
        return pa.struct([("gen_args_0", one)])
    same = len({one.get("arg_1") for one in requests}) == 1
    name = "arg_0" if same else "arg_1"
    fields = [
        (f"gen_args_{at}", pa.struct([(x, pa.string()) for x in sorted({name, *more})]))
        for at, more in enumerate([("arg_0",), *[()] * (_MOST_CHOICES - 1)])
    ]
    return pa.struct(fields)


def _is_short(value: Any) -> bool:  # noqa: ANN401
    return type(value) is str and 0 < len(value) <= _LONGEST_SLICE


def _normal(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a row whose arguments are objects, as newer versions write them."""
    arguments = row.get("arguments")
    if isinstance(arguments, list):
        arguments = {
            f"gen_args_{at}": {
                f"arg_{i}": value
                for i, value in enumerate(one if isinstance(one, list) else [one])
            }
            for at, one in enumerate(arguments)
        }
    return {**row, "arguments": arguments}


def _as(value: Any, kind: pa.DataType) -> Any:  # noqa: ANN401
    """Return a value as one of a type; what cannot be is null."""
    if value is None:
        return None
    if pa.types.is_struct(kind):
        if not isinstance(value, dict):
            return None
        return {one.name: _as(value.get(one.name), one.type) for one in kind}
    if pa.types.is_list(kind):
        given = value if isinstance(value, list) else [value]
        return [_as(one, kind.value_type) for one in given]
    if pa.types.is_string(kind):
        return written_text(value)
    found = number(value)
    return found if found is None or pa.types.is_floating(kind) else int(found)


def _spread(table: pa.Table) -> pa.Table:
    """Return the fields of documents as columns of their own."""
    if "doc" not in table.column_names:
        return table
    doc, rest = table["doc"], table.drop_columns(["doc"])
    for one in doc.type:
        values = pc.struct_field(doc, one.name)
        if pc.count_distinct(values).as_py() <= min(_MOST_SLICES, len(values) - 1):
            rest = rest.append_column(f"doc.{one.name}", values)
    return rest


def _stripped(text: str) -> str:
    """Return a choice without what stands between it and the prompt."""
    return text.strip()
