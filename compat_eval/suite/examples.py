"""A suite's data as `Examples`."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.errors import (
    CompatEvalError,
    CoverageError,
    DataError,
    UsageError,
    some,
)
from compat_eval.core.examples import SLICE_PREFIX, Examples
from compat_eval.core.table import repeats
from compat_eval.core.text import did_you_mean
from compat_eval.suite.data.columns import (
    as_text,
    as_weights,
    nan_is_null,
    pick,
    refuse_rows,
)
from compat_eval.suite.data.identity import content_ids, numbered, refuse_repeats
from compat_eval.suite.data.media import media_column
from compat_eval.suite.data.places import (
    DataPlaces,
    default_cache,
    default_data_dir,
    locate,
    present,
)
from compat_eval.suite.data.rows import describe, folder_of, raw_rows, rows_of
from compat_eval.suite.data.slicing import slice_column
from compat_eval.suite.data.source import Location, Source
from compat_eval.suite.judged import judged_by_file, judged_by_label
from compat_eval.suite.suite import Suite
from compat_eval.suite.yaml.schema import SAME_SPLIT, Column, Corpus

_OF = "of."
"""Prefix of raw columns that slices read."""


def load_examples(
    suite: Suite,
    split: str = "test",
    *,
    data_dir: Path | None = None,
    offline: bool = False,
) -> Examples:
    """Read one split of a suite, fetching it first where that is needed.

    Args:
        suite: Whose examples.
        split: `test`, `train`, or another split that the suite names.
        data_dir: A mirror of data files; COMPAT_EVAL_DATA where it is not given.
        offline: Never use the network.

    Raises:
        UsageError: The suite has no such split.
        DataError: The data cannot be found, or break what the suite says.

    """
    places = places_of(suite, data_dir, offline=offline)
    try:
        return examples_at(suite, split, places)
    except CompatEvalError as error:
        # Options say how files of answers are read, and not those of a suite.
        raise error.cured_by() from None


def places_of(
    suite: Suite, data_dir: Path | None = None, *, offline: bool = False
) -> DataPlaces:
    """Return where a suite's files are looked for on this machine.

    Raises:
        UsageError: The data directory does not exist.

    """
    data_dir = data_dir or default_data_dir()
    if data_dir is not None and not data_dir.is_dir():
        raise UsageError(
            f"the data directory {data_dir} does not exist; correct --data-dir or "
            "COMPAT_EVAL_DATA"
        )
    return DataPlaces(
        base=suite.base, data_dir=data_dir, cache=default_cache(), offline=offline
    )


def examples_at(suite: Suite, split: str, places: DataPlaces) -> Examples:
    """Read one split of a suite from given places, with its judgements.

    Raises:
        UsageError: The suite has no such split.
        DataError: The data cannot be found, or break what the suite says.

    """
    found = inputs_at(suite, split, places)
    if split in suite.judgements:
        return judged_by_file(
            found,
            _judgements(suite, split, places),
            shown=f"suite {suite.name}, judgements of split {split}",
        )
    if suite.corpus is not None and suite.corpus.match == "label":
        of_split = _corpus_split(suite, split)
        documents = found if of_split == split else documents_at(suite, split, places)
        return judged_by_label(found, documents, same=of_split == split)
    return found


def documents_at(suite: Suite, split: str, places: DataPlaces) -> Examples:
    """Read the documents that the queries of a split are asked of.

    Columns: `id`, `input`, and as `gold` their labels, null where nobody reads them.

    Raises:
        UsageError: The suite has no corpus, or no such split.
        DataError: The data cannot be found, or break what the suite says.

    """
    corpus = suite.corpus
    if corpus is None:
        raise UsageError(
            f"suite {suite.name} has no documents; add corpus: to its file, or compare "
            "rankings"
        )
    of_split = _corpus_split(suite, split)
    if of_split is not None:
        found = inputs_at(suite, of_split, places)
        return Examples(found.table.select(["id", "input", "gold"]))
    assert corpus.data is not None
    parts = [_documents(corpus, source, places) for source in corpus.data]
    shown = f"suite {suite.name}, corpus"
    parts = [part for part in parts if part.num_rows]
    if not parts:
        named = ", ".join(describe(source) for source in corpus.data)
        raise DataError(f"{shown}: no documents in {named}")
    try:
        return Examples(pa.concat_tables(parts))
    except (CoverageError, DataError) as error:
        raise DataError(f"{shown}: {error}") from error


def is_own_corpus(suite: Suite, split: str) -> bool:
    """Whether the queries of a split are the documents, so that none finds itself."""
    return suite.corpus is not None and _corpus_split(suite, split) == split


def _corpus_split(suite: Suite, split: str) -> str | None:
    assert suite.corpus is not None
    return split if suite.corpus.split == SAME_SPLIT else suite.corpus.split


def _documents(corpus: Corpus, source: Source, places: DataPlaces) -> pa.Table:
    """Return the documents of one source."""
    fields, shown = corpus.fields, describe(source)
    assert fields is not None
    named = [c for c in (fields.id, fields.label) if c is not None]
    table = rows_of(source, "corpus", places, exact=[str(c.column) for c in named])
    if not table.num_rows:
        return pa.table({})

    def column(of: Column, what: str) -> pa.ChunkedArray:
        values = pick(table, of.column, join=of.join, what=what, shown=shown)
        if of.media:
            values = media_column(values, folder_of(source, places), shown=shown)
        return as_text(values, what=what, shown=shown)

    ids = column(fields.id, "id")
    refuse_rows(pc.is_null(ids), "id is missing", values=None, shown=shown)
    inputs = pc.fill_null(column(fields.input, "input"), "")
    if fields.title is not None:
        title = pc.fill_null(column(fields.title, "title"), "")
        inputs = pc.binary_join_element_wise(title, inputs, " ")
    if not fields.input.media:
        inputs = pc.utf8_trim_whitespace(inputs)
    labels = pa.chunked_array([pa.nulls(len(ids), pa.string())])
    if fields.label is not None:
        labels = column(fields.label, "label")
        refuse_rows(pc.is_null(labels), "label is missing", values=None, shown=shown)
    return pa.table({"id": ids, "input": inputs, "gold": labels})


def _judgements(suite: Suite, split: str, places: DataPlaces) -> pa.Table:
    """Return the judgements of a split: columns `id` and `gold`."""
    parts = []
    for source in suite.judgements[split]:
        table, shown = rows_of(source, split, places), describe(source)
        parts.append(
            pa.table(
                {
                    "id": as_text(
                        pick(table, "id", what="id", shown=shown),
                        what="id",
                        shown=shown,
                    ),
                    "gold": pick(table, "gold", what="gold", shown=shown),
                }
            )
        )
    found = pa.concat_tables(parts)
    twice = repeats(found["id"])
    if twice:
        raise DataError(
            f"suite {suite.name}, judgements of split {split}: {len(twice)} queries "
            f"are judged in several files ({some(twice)})"
        )
    return found


def inputs_at(suite: Suite, split: str, places: DataPlaces) -> Examples:
    """Read one split as its sources have it: before anything is judged.

    Raises:
        UsageError: The suite has no such split.
        DataError: The data cannot be found, or break what the suite says.

    """
    if split not in suite.data:
        wanted = did_you_mean(split, list(suite.data))
        raise UsageError(f"suite {suite.name} has no split {split!r}; {wanted}")
    shown = f"suite {suite.name}, split {split}"
    parts = [_read_part(suite, split, source, places) for source in suite.data[split]]
    parts = [part for part in parts if part.num_rows]
    sources = ", ".join(describe(source) for source in suite.data[split])
    if not parts:
        raise DataError(f"{shown}: no examples in {sources}")
    table = pa.concat_tables(parts, promote_options="default")
    columns = _columns(suite, table, places, shown)
    try:
        return Examples(columns)
    except (CoverageError, DataError) as error:
        is_text = not pa.types.is_nested(columns["input"].type)
        or_else = ", or leave out fields.id to name examples by their content"
        raise DataError(
            f"{shown} ({sources}): {error}. "
            f"Correct the data{or_else if is_text else ''}."
        ) from error


def _columns(suite: Suite, table: pa.Table, places: DataPlaces, shown: str) -> pa.Table:
    inputs = table["input"]
    refuse_rows(pc.is_null(inputs), "input is missing", values=None, shown=shown)
    if "gold" in table.column_names:
        golds = table["gold"]
        refuse_rows(pc.is_null(golds), "gold is missing", values=None, shown=shown)
        _refuse_unknown_labels(suite, golds, shown)
    else:
        golds = pa.chunked_array([pa.nulls(len(table), pa.string())])
    columns = {"id": _ids(suite, table, golds, shown), "input": inputs, "gold": golds}
    if "cluster" in table.column_names:
        columns["cluster"] = table["cluster"]
    if "weight" in table.column_names:
        columns["weight"] = as_weights(table["weight"], shown=shown)
    for name, rule in suite.slices.items():
        values = columns.get(rule.of)
        if values is None:
            of = f"{_OF}{rule.of}"
            values = table[of if of in table.column_names else rule.of]
        columns[f"{SLICE_PREFIX}{name}"] = slice_column(
            rule, values, name=name, places=places, shown=shown
        )
    return pa.table(columns)


def _ids(
    suite: Suite, table: pa.Table, golds: pa.ChunkedArray, shown: str
) -> pa.ChunkedArray:
    if "id" not in table.column_names:
        if any(pa.types.is_nested(c.type) for c in (table["input"], golds)):
            raise DataError(f"{shown}: examples that are no text need fields.id")
        ids = content_ids(table["input"], golds)
        if suite.repeats == "error":
            refuse_repeats(ids, table["input"], shown=shown)
        return numbered(ids)
    ids = table["id"]
    refuse_rows(pc.is_null(ids), "id is missing", values=None, shown=shown)
    return ids


def _refuse_unknown_labels(suite: Suite, golds: pa.ChunkedArray, shown: str) -> None:
    if suite.labels is None or not suite.labels.names:
        return
    known = list(suite.labels.names)
    unknown = sorted(set(pc.unique(golds).to_pylist()) - set(known))
    if unknown:
        wanted = did_you_mean(unknown[0], known)
        raise DataError(
            f"{shown}: {len(unknown)} gold labels are not in labels.names: "
            f"{some(unknown)}; {wanted}"
        )


def _read_part(
    suite: Suite, split: str, source: Source, places: DataPlaces
) -> pa.Table:
    """Return the rows of one source with the columns `input`, `gold`, `id`, ….

    Raises:
        DataError: The data cannot be read, or lack a column.

    """
    fields = suite.fields
    exact = [fields.gold, fields.id, fields.cluster, fields.input]
    table = rows_of(
        source,
        split,
        places,
        exact=[
            *(str(column.column) for column in exact if column is not None),
            *(rule.of for rule in suite.slices.values()),
        ],
    )
    shown = describe(source)
    if table.num_rows == 0:
        return pa.table({})
    columns = {}
    for name, column in _wanted(suite).items():
        what = f"slice column {name.removeprefix(_OF)!r}" if _OF in name else name
        values = pick(table, column.column, join=column.join, what=what, shown=shown)
        if column.media:
            values = media_column(values, folder_of(source, places), shown=shown)
        if not _stays(suite, name, values):
            values = as_text(values, what=what, shown=shown)
        if name in {"gold", "id", "cluster"} and pa.types.is_string(values.type):
            values = nan_is_null(values)
        columns[name] = values
    return pa.table(columns)


def _wanted(suite: Suite) -> dict[str, Column]:
    """Return the columns that are read, by what they are called here."""
    fields = suite.fields
    wanted: dict[str, Column] = {"input": fields.input}
    for name in ("gold", "id", "cluster", "weight"):
        column = getattr(fields, name)
        if column is not None:
            wanted[name] = column
    for rule in suite.slices.values():
        if rule.of not in wanted:
            wanted[f"{_OF}{rule.of}"] = Column(column=rule.of)
    return wanted


def _stays(suite: Suite, name: str, values: pa.ChunkedArray) -> bool:
    """Whether a column is left as it is: weights, and trees where a task reads them."""
    if name == "weight":
        return True
    nested = pa.types.is_nested(values.type) and name in {"input", "gold"}
    return nested and suite.task.kind != "classification"


def _locations(suite: Suite, split: str | None = None) -> list[Location]:
    """Return the distinct files of one split, or of all, and of the slices.

    Raises:
        UsageError: The suite has no such split.

    """
    places: list[Location] = []
    for source in _sources(suite, split):
        if source.parallel is not None:
            places += source.parallel.values()
        elif source.hub is None:
            places.append(source)
    rules = suite.slices.values()
    places += [rule.groups_from for rule in rules if rule.groups_from is not None]
    return list({(p.bundled, p.file, p.url): p for p in places}.values())


def fetch(
    suite: Suite, places: DataPlaces, split: str | None = None
) -> Iterator[tuple[str, str]]:
    """Bring each file here, verified; yield what it is and how it was found.

    Raises:
        UsageError: The suite has no such split.
        DataError: A file cannot be fetched, or has other bytes than declared.

    """
    for location in _locations(suite, split):
        was_here = present(location.place, places) is not None
        locate(location, places)
        checked = ", checksum verified" if location.sha256 else ""
        yield location.shown, f"{'here' if was_here else 'fetched'}{checked}"
    for name in suite.splits if split is None else (split,):
        for source in suite.data[name]:
            if source.hub is not None:
                n_rows = raw_rows(source, name, places).num_rows
                yield f"hub:{source.hub}", f"{name}: {n_rows:,} rows"


def _sources(suite: Suite, split: str | None) -> list[Source]:
    if split is not None and split not in suite.data:
        wanted = did_you_mean(split, list(suite.data))
        raise UsageError(f"suite {suite.name} has no split {split!r}; {wanted}")
    found = [
        source
        for of_splits in (suite.data, suite.judgements)
        for name, part in of_splits.items()
        for source in part
        if split in (None, name)
    ]
    if suite.corpus is not None:
        found += suite.corpus.data or suite.data.get(suite.corpus.split or "", ())
    return found
