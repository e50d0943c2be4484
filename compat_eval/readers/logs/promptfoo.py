"""Results of promptfoo: JSON, JSON Lines and CSV.

One row a test, provider and prompt. What a test asks is its variables: another prompt
asks the same. A test passes where its assertions do. https://www.promptfoo.dev/docs
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from compat_eval.core.errors import DataError
from compat_eval.core.examples import SLICE_PREFIX
from compat_eval.core.files import parse_json, written_text
from compat_eval.core.fingerprint import digest
from compat_eval.readers.logs.log import Log
from compat_eval.readers.logs.rows import (
    chosen,
    first_row,
    inner,
    json_head,
    known,
    number,
    repeats,
    slices,
    told,
)
from compat_eval.suite.data.formats import suffix_of
from compat_eval.suite.data.formats.packed import head
from compat_eval.suite.data.formats.text import text_bytes

_MARKS = (b'"evalId"', b'"results"')
_EARLY_MARKS = (b'"results"', b'"provider"', b'"success"', b'"vars"')
"""What results had before evaluations had ids."""

_ROW = {"vars", "provider", "prompt", "success", "score"}
_STATUS = ("Status", "Score", "Named Scores")
_EARLY = re.compile(
    r"\[(?P<status>PASS|FAIL|ERROR)\](?: \((?P<score>[\d.]+)\))?(?P<text>.*)", re.DOTALL
)
_AFTER_REASON = "\n---\n"
_VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_ERROR = 2
"""The reason of a failure that is not the answer's: there is no answer."""


class PromptfooResults:
    """A file of results."""

    def recognises(self, path: Path) -> bool:
        """Whether a file begins as results do."""
        if suffix_of(path.name) == ".csv" and path.is_file():
            begins = head(path, 2**16).decode("utf-8", "ignore")
            reader = csv.reader(io.StringIO(begins, newline=""))
            try:
                header, first = next(reader, []), next(reader, [])
            except csv.Error:  # of another kind, or damaged: whoever reads it tells
                return False
            return _is_header(header) or bool(_of_early_csv(header, first))
        start = json_head(path)
        if start and all(mark in start for mark in _MARKS):
            return True
        if start.lstrip().startswith(b"{") and all(m in start for m in _EARLY_MARKS):
            return suffix_of(path.name) == ".json"
        return first_row(path).keys() >= _ROW

    def tasks(self, path: Path) -> tuple[str, ...]:
        """Return one name: a file holds one evaluation."""
        return (path.name,)

    def read(
        self, path: Path, task: str, choices: Mapping[str, str], shown: str
    ) -> Log:
        """Return the answers of one provider to one prompt.

        Raises:
            UsageError: A provider or prompt must be chosen, or there is no such one.
            DataError: The file is damaged.

        """
        rows, about = _rows(path, shown)
        picked = {}
        for key, what in (("provider", "providers"), ("prompt", "prompts")):
            names = [_name_of(row, key) for row in rows]
            picked[key] = chosen(key, names, choices, what=what, shown=shown)
            rows = [row for row in rows if _name_of(row, key) == picked[key]]
        grades, metric = _grades(rows, choices.get("metric"), shown)
        return Log(
            table=_table(rows, grades),
            facts=_facts(rows, about, picked, metric),
            kind="generation",
            used=frozenset({"provider", "prompt", "metric"}),
            files=(path,),
        )


def _rows(
    path: Path, shown: str
) -> tuple[Sequence[Mapping[str, Any]], Mapping[str, Any]]:
    """Return one row an answer, and what the file says of the evaluation."""
    data = text_bytes(path, "utf-8", shown)
    about: Mapping[str, Any] = {}
    if suffix_of(path.name) == ".csv":
        rows: Any = list(_of_csv(data.decode(), shown))
    elif suffix_of(path.name) == ".json":
        about = _parsed(data, shown)
        rows = inner(about, "results", "results")
    else:
        lines = enumerate(data.split(b"\n"), start=1)
        rows = [_parsed(x, f"{shown}:{at}") for at, x in lines if x.strip()]
    if not isinstance(rows, list) or not rows:
        raise DataError(f"{shown}: holds no results")
    for at, row in enumerate(rows, start=1):
        if not isinstance(row, dict) or not isinstance(row.get("vars"), dict):
            raise DataError(f"{shown}: result {at} has no variables")
    return rows, about


def _parsed(data: bytes, shown: str) -> Mapping[str, Any]:
    try:
        found = parse_json(data, finite=False)
    except ValueError as error:
        raise DataError(f"{shown}: is not valid JSON: {error}") from error
    if not isinstance(found, dict):
        raise DataError(f"{shown}: must be an object")
    return found


def _is_header(names: Sequence[str]) -> bool:
    """Whether a CSV's columns are those of answers, each with its status."""
    return any(
        name.startswith("[") and tuple(names[at + 1 : at + 4]) == _STATUS
        for at, name in enumerate(names)
    )


def _of_early_csv(header: Sequence[str], row: Sequence[str]) -> list[int]:
    """Return the columns of answers of a CSV from before 0.120.

    Each cell begins with its status there, and has no further columns.
    """
    cells = enumerate(zip(header, row, strict=False))
    return [at for at, (name, x) in cells if name[:1] == "[" and _EARLY.match(x)]


def _of_csv(text: str, shown: str) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of a CSV as those of JSON: columns of an answer follow it."""
    csv.field_size_limit(len(text) + 1)
    try:
        header, *rows = csv.reader(io.StringIO(text, newline=""))
    except (csv.Error, ValueError) as error:
        raise DataError(f"{shown}: is no CSV: {error}") from error
    answers = [at for at, one in enumerate(header) if _is_header(header[at : at + 4])]
    early = [] if answers or not rows else _of_early_csv(header, rows[0])
    for line, row in enumerate(rows, start=2):
        where = f"{shown}: row {line}"
        if len(row) != len(header):
            raise DataError(
                f"{where} has {len(row)} cells, and there are {len(header)} columns"
            )
        told_of = dict(zip(header[: [*answers, *early][0]], row, strict=False))
        description = told_of.pop("Description", None)
        for at in answers or early:
            provider, _, prompt = header[at][1:].partition("] ")
            yield {
                "vars": told_of,
                "provider": {"id": provider},
                "prompt": {"label": prompt},
                "testCase": {"description": description},
                **(_early(row[at], where) if early else _result(row, at, shown)),
            }


def _result(row: Sequence[str], at: int, shown: str) -> Mapping[str, Any]:
    status, score, named = row[at + 1 : at + 4]
    found = _parsed(named.encode() or b"{}", shown)
    return {"namedScores": found, **_graded(status, row[at], number(score))}


def _early(cell: str, where: str) -> Mapping[str, Any]:
    """Return what a cell says: its status, perhaps a score, why it failed, the answer.

    Raises:
        DataError: It does not begin with a status.

    """
    found = _EARLY.match(cell)
    if found is None:
        raise DataError(
            f"{where}: an answer has no [PASS], [FAIL] or [ERROR] before it"
        )
    _, mark, answer = found["text"].partition(_AFTER_REASON)
    said = answer if mark and found["status"] == "FAIL" else found["text"]
    score = number(found["score"]) if found["score"] else None
    return _graded(found["status"], said.strip(), score)


def _graded(status: str, said: str, score: float | None) -> Mapping[str, Any]:
    lost = status == "ERROR"
    return {
        "response": {"output": said},
        "success": status == "PASS",
        "score": score,
        "failureReason": _ERROR if lost else 0,
        "error": said or "no reason given" if lost else None,
    }


def _name_of(row: Mapping[str, Any], key: str) -> str:
    """Return how a provider or prompt is called."""
    value = row.get(key)
    if not isinstance(value, dict):
        return str(value)
    return told(value, "label") or told(value, "id") or told(value, "raw") or ""


def _grades(
    rows: Sequence[Mapping[str, Any]], wanted: str | None, shown: str
) -> tuple[dict[str, Any], str]:
    """Return what passed, scores by name, and the name of what grades.

    Raises:
        DataError: There is no such metric, or it is not right or wrong.

    """
    named = [row.get("namedScores") or {} for row in rows]
    names = list(dict.fromkeys(str(name) for one in named for name in one))
    scores = {name: [number(one.get(name)) for one in named] for name in names}
    total = [number(row.get("score")) for row in rows]
    passed = [bool(row.get("success")) for row in rows]
    if wanted is not None and {*scores.get(wanted, [-1.0])} <= {0.0, 1.0, None}:
        passed = [one == 1.0 for one in scores.pop(wanted)]
    elif wanted is not None:
        raise DataError(
            f"{shown}: no metric {wanted!r} that is right or wrong; there are "
            f"{', '.join(names) or 'none'}"
        )
    if not {*total} <= {0.0, 1.0, None}:
        scores["assertions"] = total
    found = {f"score.{name}": pa.array(x, pa.float64()) for name, x in scores.items()}
    return {"correct": passed, **found}, wanted or "all assertions"


def _table(rows: Sequence[Mapping[str, Any]], grades: Mapping[str, Any]) -> pa.Table:
    asked = [digest(_plain(row["vars"]))[:16] for row in rows]
    counts: Counter[str] = Counter()
    numbers = []
    for one in asked:
        counts[one] += 1
        numbers.append(counts[one])
    golds = [_expected(row) for row in rows]
    found: dict[str, Any] = {
        "id": asked,
        "question": asked,
        "input": [told(row, "prompt", "raw") or _listed(row["vars"]) for row in rows],
        "prediction": [_answer(row) for row in rows],
        "error": pa.array([_error(row) for row in rows], pa.string()),
        **grades,
        **repeats(asked, numbers),
    }
    if any(one is not None for one in golds):
        found["gold"] = pa.array(golds, pa.string())
    facts = [{**row["vars"], **_metadata(row)} for row in rows]
    for name, column in slices(facts).items():
        found[SLICE_PREFIX + name] = column
    return pa.table(found)


def _metadata(row: Mapping[str, Any]) -> Mapping[str, Any]:
    found = inner(row, "testCase", "metadata")
    return found if isinstance(found, dict) else {}


def _plain(variables: Mapping[str, Any]) -> dict[str, str | None]:
    """Return variables as texts, so that those of CSV and JSON are the same."""
    return {name: told(variables, name) for name in variables}


def _listed(variables: Mapping[str, Any]) -> str:
    return "\n".join(f"{name}: {told(variables, name)}" for name in variables)


def _answer(row: Mapping[str, Any]) -> str | None:
    return None if _error(row) else told(row, "response", "output")


def _error(row: Mapping[str, Any]) -> str | None:
    """Return why there is no answer; a failed assertion is no such reason."""
    failed = row.get("failureReason") == _ERROR or (
        row.get("error") and inner(row, "response", "output") is None
    )
    if not failed:
        return None
    return (told(row, "error") or "error").split("\n", 1)[0][:500]


def _expected(row: Mapping[str, Any]) -> str | None:
    """Return the text that the answer should equal, where a test says that plainly."""
    asserts = inner(row, "testCase", "assert")
    for one in asserts if isinstance(asserts, list) else []:
        if told(one, "type") == "equals":
            value = told(one, "value") or ""
            named = _VARIABLE.fullmatch(value)
            if named:
                return told(row["vars"], named[1])
            return None if "{{" in value else value
    return None


def _facts(
    rows: Sequence[Mapping[str, Any]],
    about: Mapping[str, Any],
    picked: Mapping[str, str],
    metric: str,
) -> dict[str, str]:
    """Return what decides a grade; of settings, which may hold keys, a digest only."""
    asserts = [inner(row, "testCase", "assert") for row in rows]
    settings = [
        one.get("config")
        for one in inner(about, "config", "providers") or []
        if picked["provider"] in (told(one, "label"), told(one, "id"))
    ]
    return known(
        {
            "tool": "promptfoo",
            "tool version": told(about, "metadata", "promptfooVersion"),
            "evaluation": told(about, "config", "description"),
            "scorer": metric,
            "assertions": digest(written_text(asserts))[:12] if any(asserts) else None,
            "prompt": picked["prompt"],
            "generation settings": (
                digest(written_text(settings))[:12] if any(settings) else None
            ),
            "model": picked["provider"],
        }
    )
