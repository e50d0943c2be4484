"""`preds:` prediction files: ids, predictions, and whatever else they carry."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.errors import CoverageError, DataError, UsageError, some
from compat_eval.core.examples import SLICE_PREFIX, Examples
from compat_eval.core.fingerprint import digest, file_digest
from compat_eval.core.predictions import CORRECT_PREFIX, Predictions
from compat_eval.core.protocols import answer_columns
from compat_eval.core.recorded import Recorded, Request
from compat_eval.core.table import table_digest
from compat_eval.readers.logs import read_log, reader_of, split_task
from compat_eval.readers.pairing import identified, identified_gold
from compat_eval.readers.repeats import REPEAT, folded, spread
from compat_eval.readers.table import (
    aliased,
    is_table,
    kept,
    missing,
    read_table,
    renamed,
)
from compat_eval.runs.answers import read_meta
from compat_eval.suite.data import columns
from compat_eval.suite.data.formats import suffix_of
from compat_eval.suite.data.formats.text import lines
from compat_eval.tasks import task as task_of

if TYPE_CHECKING:
    from compat_eval.readers.logs.log import Log

_CONLLU = (".conllu", ".conll")
_TREC = (".run", ".trec")
_NUMBERS = ("score", "margin", "nll")
_SCORERS = ("score.", "judge.")
_QUESTION = ("input", "gold", "cluster", "question")
_MOST_SLICE_VALUES = 50
_MOST_SLICES = 100
_LONGEST_SLICE_VALUE = 200
_TEXTS = ("id", "prediction", "gold", "cluster", "input", "text")
_OF_TOKENS = ("token_ranks", "top_tokens")
_ANSWER = ("prediction", "correct", "error", "n_tokens", *_OF_TOKENS, *_NUMBERS)


def read(location: str, request: Request) -> Recorded:
    """Read a prediction file.

    It carries `id` and `prediction` (or what else the task grades, such as `nll` and
    `n_tokens`); `gold` or `correct` unless a suite has the
    answers; optionally `input` (or `text`), `score`, `margin`, `nll`, `n_tokens`,
    `error`, `cluster` and `weight`. Further columns with few values are slices.

    Raises:
        UsageError: There is no such file.
        DataError: Its content breaks that contract.
        CoverageError: An id is repeated.

    """
    path, task = split_task(location)
    if _is_conllu(path):
        return _read_conllu(path, request)
    log = _log(path, task, request)
    if log is not None:
        if "correct" not in log.table.column_names:
            _require_fitting(log.kind, request)
        request = _as_proposed(request, log.kind.partition(":")[0])
        further = {k: v for k, v in request.keep.items() if k not in log.used}
        table, told = kept(log.table, further, shown=request.name)
        if "id" not in table.column_names and request.pair_by == "id":
            raise UsageError(
                f"{request.name}: the log has no ids; where its rows are in the order "
                "of the other files, add --pair-by row"
            )
        side = _recorded(
            table,
            request,
            [*told, *log.notes],
            fingerprint=_digest(log.files or (path,)),
            provenance={"kind": "log", "facts": dict(log.facts)},
        )
        return replace(side, graded_by=log.facts.get("tool", ""))
    table, told = _table(path, request, _elsewhere(request))
    return _recorded(
        table,
        request,
        told,
        fingerprint=file_digest(path),
        provenance={"kind": "prediction file", **(read_meta(path) or {})},
    )


def _as_proposed(request: Request, kind: str) -> Request:
    """Return the request for a log's own task kind, where nobody chose another."""
    if not request.proposed or kind == request.kind:
        return request
    task = task_of(kind)
    level, graded = task.levels[0].name, answer_columns(task)
    return replace(request, kind=kind, level=level, answers=graded)


def read_rows(rows: pa.Table, request: Request) -> Recorded:
    """Read a table that is in memory; see `read`.

    Raises:
        DataError: Its content breaks the contract of prediction files.
        CoverageError: An id is repeated.

    """
    table, told = _ours(rows, request, _elsewhere(request))
    return _recorded(
        table,
        request,
        told,
        fingerprint=table_digest(table),
        provenance={"kind": "answers in memory"},
    )


def _elsewhere(request: Request) -> tuple[str, ...]:
    """Return our columns that the questions may have instead of a side."""
    return () if request.examples is None else ("id", "weight", *_QUESTION)


def _recorded(
    table: pa.Table,
    request: Request,
    notes: list[str],
    *,
    fingerprint: str,
    provenance: Mapping[str, Any],
) -> Recorded:
    shown = request.name
    table = identified(table, request)
    if request.kind == "generation":
        table = _a_row_an_answer(table, shown)
    answers = _answer_columns(table, request, notes)
    used = [*_scored(table.column_names, request), REPEAT]
    if request.kind != "generation":
        used = []
    rest = table.drop_columns([name for name in used if name in table.column_names])
    further, left_out = _slices(rest, request)
    if request.examples is None:
        notes += left_out
    asked = {**_questions(table, request), **further}
    predictions, examples = _keyed(answers, asked, table, request, notes)
    return Recorded(
        name=shown,
        predictions=predictions,
        examples=examples,
        notes=tuple(notes),
        kind=request.kind,
        **_identity(fingerprint, {**provenance, "rows": table.num_rows}, request),
    )


def _identity(
    fingerprint: str, provenance: Mapping[str, Any], request: Request
) -> dict[str, Any]:
    """Return a side's fingerprint and provenance.

    One file may hold the answers of two sides; what each side takes of it tells them
    apart.
    """
    if not (request.keep or request.of_others):
        return {"fingerprint": fingerprint, "provenance": provenance}
    taken = [fingerprint, dict(request.fields), dict(request.keep)]
    return {
        "fingerprint": digest(taken),
        "provenance": {**provenance, "sha256": fingerprint},
    }


def _log(path: Path, task: str | None, request: Request) -> "Log | None":
    """Return what a log of another tool says; `None` where it is no log.

    Whoever names the columns of ids or predictions reads the file as it is.

    Raises:
        UsageError: A task is named of what has none.

    """
    if not {"id", "prediction"}.isdisjoint(request.fields):
        return None
    reader = reader_of(path)
    if reader is None:
        if task is not None:
            raise UsageError(f"{request.name}: is no log of several tasks")
        return None
    choices = {**request.reading, **request.keep}
    if request.fields.get("correct"):
        choices["metric"] = request.fields["correct"]
    return read_log(reader, path, task, choices, request.name)


def _require_fitting(kind: str, request: Request) -> None:
    """Raise where answers that nobody graded are of a task that is to be named.

    Labels may be compared as texts.

    Raises:
        UsageError: Another task was asked for, or a setting must be chosen.

    """
    own = kind.partition(":")[0]
    fits = request.kind in {own, "generation" if own == "classification" else own}
    if own != kind if request.proposed else not fits:
        raise UsageError(
            f"{request.name}: the log does not say what is right or wrong; its "
            f"answers are of task {own}: add --task {kind}"
        ).cured_by(("--task", kind))


def _digest(files: Sequence[Path]) -> str:
    """Return the SHA-256 of a file, or one of those of several."""
    digests = [file_digest(file) for file in files]
    return digests[0] if len(digests) == 1 else digest(digests)


def _table(
    path: Path,
    request: Request,
    elsewhere: tuple[str, ...],
    *,
    judgements: bool = False,
) -> tuple[pa.Table, list[str]]:
    """Return a file's rows under our names, and what is to be told of them."""
    fields, shown = request.fields, request.name
    if not is_table(path) and path.is_file():
        if request.kind == "retrieval":
            from compat_eval.tasks.retrieval.rankings import read_qrels, read_run  # noqa: PLC0415

            read_trec = read_qrels if judgements else read_run
            encoding = request.reading.get("encoding", "utf-8")
            return read_trec(lines(path, encoding, shown), shown=shown), []
        if suffix_of(path.name) in _TREC:
            raise UsageError(
                f"{shown}: holds rankings of documents, and task {request.kind} "
                "compares none; add --task retrieval"
            ).cured_by(("--task", "retrieval"))
    exact = [*(fields.get(name, name) for name in _TEXTS), *request.keep]
    table = read_table(path, reading=request.reading, exact=exact)
    return _ours(table, request, elsewhere, lenient=judgements)


def _ours(
    table: pa.Table,
    request: Request,
    elsewhere: tuple[str, ...],
    *,
    lenient: bool = False,
) -> tuple[pa.Table, list[str]]:
    """Return the wanted rows under our names, and what is to be told of the others."""
    fields, shown = request.fields, request.name
    table, told = kept(table, request.keep, lenient=lenient, shown=shown)
    table = renamed(table, fields, elsewhere=elsewhere, shown=shown)
    return table.rename_columns(aliased(table.column_names, fields)), told


def recognises(path: Path) -> bool:
    """Whether a path without a scheme looks like a prediction file or a log."""
    path, _ = split_task(str(path))
    return _is_named_so(path) or reader_of(path) is not None


def _is_named_so(path: Path) -> bool:
    return path.is_file() and (
        is_table(path) or suffix_of(path.name) in (*_CONLLU, *_TREC)
    )


def _a_row_an_answer(table: pa.Table, shown: str) -> pa.Table:
    """Spread lists of answers, and take the likeliest choice where none is named."""
    names = table.column_names
    if "logprobs" in names and "prediction" not in names:
        from compat_eval.tasks.generation.log_probabilities import likeliest  # noqa: PLC0415

        chosen = likeliest(table["logprobs"], shown=shown)
        left = [name for name in names if name not in ("logprobs", *chosen)]
        table = pa.table({**{name: table[name] for name in left}, **chosen})
    with _naming(shown):
        return spread(spread(table), "correct")


def _keyed(
    answers: dict[str, pa.ChunkedArray],
    asked: dict[str, pa.ChunkedArray],
    table: pa.Table,
    request: Request,
    notes: list[str],
) -> tuple[Predictions, Examples]:
    """Return a row an example, into which several answers to one are folded."""
    with _naming(request.name):
        if request.kind == "generation" and REPEAT in table.column_names:
            predictions, examples, told = folded(answers, asked, table[REPEAT])
            notes += told
            return predictions, examples
        try:
            predictions = Predictions(pa.table(answers))
        except CoverageError as error:
            if REPEAT not in table.column_names:
                raise
            raise CoverageError(
                f"{error}. For several answers to an example, told apart by the "
                f"column {REPEAT!r}, add --task generation"
            ).cured_by(("--task", "generation")) from error
        return predictions, Examples.sharing(predictions, asked)


def _answer_columns(
    table: pa.Table, request: Request, notes: list[str]
) -> dict[str, pa.ChunkedArray]:
    shown, names = request.name, table.column_names
    found = {"id": table["id"]}
    graded = {
        CORRECT_PREFIX + request.level if name == "correct" else name: name
        for name in names
        if name == "correct" or name.startswith(CORRECT_PREFIX)
    }
    found |= _answers(table, request, graded=bool(graded))
    for name in (*_NUMBERS, *_scored(names, request)):
        if name in names:
            found[name] = columns.numbers(table[name], name, shown=shown)
    if "n_tokens" in names:
        found["n_tokens"] = columns.counts(table["n_tokens"], "n_tokens", shown=shown)
    if request.kind == "language_modeling":
        found |= {name: table[name] for name in _OF_TOKENS if name in names}
    for ours, theirs in graded.items():
        found[ours], n_missing = columns.truths(table[theirs], theirs, shown=shown)
        if n_missing:
            notes.append(f"{shown}: {n_missing:,} missing {theirs!r} count as wrong.")
    if "error" in names:
        found["error"] = columns.errors(table["error"], shown=shown)
        _errors_decide(found, request.answers, notes, shown)
    if "prediction" in found and pa.types.is_string(found["prediction"].type):
        _tell_words(found["prediction"], "prediction", notes, shown)
    return found


def _scored(names: Sequence[str], request: Request) -> list[str]:
    """Return the columns that scorers and judges filled, where a task reads them."""
    if request.kind != "generation":
        return []
    return [name for name in names if name.startswith(_SCORERS)]


def _answers(
    table: pa.Table, request: Request, *, graded: bool
) -> dict[str, pa.ChunkedArray]:
    """Return the predictions, where those are the answers.

    Nulls in a file that has grades alone.

    Raises:
        DataError: A column of the answers is not there.

    """
    names, shown = table.column_names, request.name
    if request.answers == ("prediction",) and "prediction" in names:
        return {"prediction": _answer(table, "prediction", request)}
    if request.answers == ("prediction",) and graded:
        return {"prediction": pa.chunked_array([pa.nulls(len(table), pa.string())])}
    if _scored(names, request):
        return {}
    for name in request.answers:
        if name not in names:
            raise missing(table, name, shown=shown)
    return {}


def _answer(table: pa.Table, name: str, request: Request) -> pa.ChunkedArray:
    """Return answers or gold as text; rankings and judgements as they are."""
    nested = pa.types.is_nested(table[name].type)
    if nested and (request.kind == "retrieval" or _are_golds(table, name, request)):
        return table[name]
    if nested and request.kind == "dependency":
        from compat_eval.tasks.dependency.trees import as_trees  # noqa: PLC0415

        return as_trees(table[name], shown=request.name)
    return columns.text(table[name], name, shown=request.name)


def _are_golds(table: pa.Table, name: str, request: Request) -> bool:
    """Whether a column lists several right answers for each example."""
    kind = table[name].type
    if name != "gold" or request.kind != "generation" or not pa.types.is_list(kind):
        return False
    return bool(pa.types.is_string(kind.value_type))


def _errors_decide(
    found: dict[str, pa.ChunkedArray],
    answers: tuple[str, ...],
    notes: list[str],
    shown: str,
) -> None:
    """Take away answers beside an error: what was answered then is not known."""
    failed = pc.is_valid(found["error"])
    both = pc.sum(pc.and_(failed, pc.is_valid(found[answers[0]]))).as_py() or 0
    if both:
        notes.append(
            f"{shown}: {both:,} rows hold an error beside an answer; the error counts."
        )
    for name in (*answers, *(one for one in _OF_TOKENS if one in found)):
        none = pa.scalar(None, found[name].type)
        found[name] = pc.if_else(failed, none, found[name])
    for name in [name for name in found if name.startswith(CORRECT_PREFIX)]:
        found[name] = pc.if_else(failed, False, found[name])  # noqa: FBT003


def _tell_words(
    values: pa.ChunkedArray, name: str, notes: list[str], shown: str
) -> None:
    """Note labels that read like a missing value."""
    words = pa.array(["None", "null", "NULL"])
    n_words = pc.sum(pc.is_in(values, value_set=words)).as_py() or 0
    if n_words:
        notes.append(
            f"{shown}: {name} is 'None' or 'null' in {n_words:,} rows, which is read "
            "as a label; leave the cell empty where there is none."
        )


def _questions(table: pa.Table, request: Request) -> dict[str, pa.ChunkedArray]:
    found, shown = {}, request.name
    for name in _QUESTION:
        if name in table.column_names:
            found[name] = _answer(table, name, request)
    if "weight" in table.column_names:
        numbers = columns.numbers(table["weight"], "weight", shown=shown)
        found["weight"] = columns.as_weights(numbers, shown=shown)
    return found


def _slices(
    table: pa.Table, request: Request
) -> tuple[dict[str, pa.ChunkedArray], tuple[str, ...]]:
    """Return further columns that have few values, and what became of the others."""
    reserved = {"id", "prediction", "error", "correct", "weight", "n_tokens"}
    reserved |= {*_NUMBERS, *_OF_TOKENS, *_QUESTION, *request.of_others}
    found: dict[str, pa.ChunkedArray] = {}
    ignored = []
    for name in table.column_names:
        if name in reserved or name.startswith(CORRECT_PREFIX) or not name:
            continue
        if len(found) < _MOST_SLICES and sliceable(table[name]):
            values = columns.text(table[name], name, shown=request.name)
            found[SLICE_PREFIX + name.removeprefix(SLICE_PREFIX)] = values
        else:
            ignored.append(name)
    if not ignored:
        return found, ()
    note = (
        f"columns with more than {_MOST_SLICE_VALUES} or long values, numbers or "
        f"lists are no slices: {some(ignored, limit=12)}."
    )
    return found, (note,)


def sliceable(values: pa.ChunkedArray) -> bool:
    """Whether the values of a column name slices."""
    return not why_no_slice(values)


def why_no_slice(values: pa.ChunkedArray) -> str:
    """Return what keeps the values of a column from naming slices; nothing if none."""
    kind = values.type
    if not (
        pa.types.is_string(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_boolean(kind)
    ):
        return f"holds {kind}; make groups of it that have names"
    if pa.types.is_string(kind):
        longest = pc.max(pc.binary_length(values)).as_py() or 0
        if longest > _LONGEST_SLICE_VALUE:
            return f"holds texts of up to {longest:,} bytes, which name no slice"
    distinct = pc.count_distinct(values).as_py()
    most = min(_MOST_SLICE_VALUES, max(1, len(values) - 1))
    if not 1 <= distinct <= most:
        return f"has {distinct:,} different values; make 1 to {most} groups of them"
    return ""


def read_gold(
    source: Path | pa.Table, request: Request, *, needs_gold: bool = True
) -> Examples:
    """Read a file of questions and answers (`--gold FILE`), or such a table.

    Raises:
        UsageError: There is no such file.
        DataError: It has no ids, or no gold answers where those are needed.
        CoverageError: An id is repeated.

    """
    shown, elsewhere = request.name, ("id", *_ANSWER)
    if isinstance(source, pa.Table):
        table, _ = _ours(source, request, elsewhere, lenient=True)
    elif _is_conllu(source):
        with _naming(shown):
            return _read_gold_trees(source, request)
    else:
        table = _gold_rows(source, request, elsewhere)
    if needs_gold and "gold" not in table.column_names:
        raise missing(table, "gold", shown=shown)
    table = identified_gold(table, request)
    further, _ = _slices(table, request)
    asked = {"id": table["id"], **_questions(table, request)}
    with _naming(shown):
        return Examples(pa.table({**asked, **further}))


def _gold_rows(source: Path, request: Request, elsewhere: tuple[str, ...]) -> pa.Table:
    """Return the rows of a file; of a log its gold, or its answers as gold.

    Raises:
        UsageError: It holds judgements, and rankings are not what is compared.

    """
    path, task = split_task(str(source))
    if suffix_of(path.name) == ".qrels" and request.kind != "retrieval":
        raise UsageError(
            f"{request.name}: holds judgements of documents; add --task retrieval"
        ).cured_by(("--task", "retrieval"))
    log = _log(path, task, request)
    if log is None:
        return _table(path, request, elsewhere, judgements=True)[0]
    names = log.table.column_names
    told = log.table
    if "gold" not in names:
        told = told.rename_columns(["gold" if n == "prediction" else n for n in names])
    return told.select([n for n in told.column_names if n not in _ANSWER])


@contextmanager
def _naming(shown: str) -> Iterator[None]:
    """Say in which file an id is repeated, or repeats are wrong."""
    try:
        yield
    except (CoverageError, DataError) as error:
        if str(error).startswith(shown):
            raise
        raise type(error)(f"{shown}: {error}") from error


def _is_conllu(path: Path) -> bool:
    return suffix_of(path.name) in _CONLLU


def _read_conllu(path: Path, request: Request) -> Recorded:
    """Read a parser's output; words are aligned with gold as the UD scorer does.

    Raises:
        UsageError: There is no gold treebank to align with, or no such file.
        DataError: The file is malformed, or its text is another one.

    """
    if request.examples is None:
        raise UsageError(
            f"{request.name}: a parser's output needs gold trees; give --suite, or "
            "--task dependency with --gold FILE.conllu"
        )
    _require_trees(path, request)
    from compat_eval.tasks.dependency.read import read_predictions  # noqa: PLC0415

    predictions = read_predictions(
        path, request.examples, label_map=request.label_map, shown=request.name
    )
    return Recorded(
        name=request.name,
        predictions=predictions,
        examples=Examples(pa.table({"id": predictions.ids})),
        fingerprint=file_digest(path),
        provenance={"kind": "CoNLL-U file", "rows": len(predictions)},
    )


def _read_gold_trees(path: Path, request: Request) -> Examples:
    _require_trees(path, request)
    from compat_eval.tasks.dependency.conllu import read_conllu  # noqa: PLC0415
    from compat_eval.tasks.dependency.trees import examples_of  # noqa: PLC0415

    return examples_of(read_conllu(path, shown=request.name))


def _require_trees(path: Path, request: Request) -> None:
    if not path.is_file():
        what = "is a directory" if path.is_dir() else "does not exist"
        raise UsageError(f"{path}: {what}; expected a CoNLL-U file")
    if request.kind != "dependency":
        raise UsageError(
            f"{request.name}: holds dependency trees, and task {request.kind} compares "
            "none; add --task dependency"
        ).cured_by(("--task", "dependency"))
