"""Logs of inspect_ai: `.eval` archives and JSON.

An archive holds a summary of every sample, which is all that is read of most logs; the
sample itself is read where its scorer names no answer. Values are numbers, or C, I, P
and N: correct, incorrect, partly, no answer. https://inspect.aisi.org.uk/eval-logs.html
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from compat_eval.core.errors import DataError, some
from compat_eval.core.examples import SLICE_PREFIX
from compat_eval.core.files import parse_json
from compat_eval.readers.logs.archive import Archive
from compat_eval.readers.logs.log import Log
from compat_eval.readers.logs.rows import (
    chosen,
    inner,
    json_head,
    known,
    number,
    slices,
    told,
)
from compat_eval.suite.data.formats.packed import content

_LETTERS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
_MARKS = (b'"status"', b'"task_id"', b'"run_id"')


@dataclass(frozen=True, slots=True)
class _Logged:
    """One log: its file, and what its header says."""

    path: Path
    header: Mapping[str, Any]

    @property
    def task(self) -> str:
        """The name of the task."""
        return told(self.header, "eval", "task") or self.path.name

    @property
    def model(self) -> str:
        """The name of the model."""
        return told(self.header, "eval", "model") or "?"

    @property
    def order(self) -> tuple[bool, str]:
        """A key by which the newest log that is complete is the last."""
        created = told(self.header, "eval", "created") or ""
        return self.header.get("status") == "success", created


class InspectLog:
    """A log, or a folder of logs."""

    def recognises(self, path: Path) -> bool:
        """Whether there is such a log."""
        return any(True for _ in _files(path))

    def tasks(self, path: Path) -> tuple[str, ...]:
        """Return the names of the tasks.

        Raises:
            DataError: A log is damaged.

        """
        return tuple(sorted({one.task for one in map(_logged, _files(path))}))

    def read(
        self, path: Path, task: str, choices: Mapping[str, str], shown: str
    ) -> Log:
        """Return the answers to one task, as one scorer graded them.

        Raises:
            UsageError: A scorer or model must be chosen, or there is no such one.
            DataError: The log is damaged, or of a run that did not finish.

        """
        found = [one for one in map(_logged, _files(path)) if one.task == task]
        model = chosen(
            "model", [one.model for one in found], choices, what="models", shown=shown
        )
        found = sorted(
            (one for one in found if one.model == model), key=lambda one: one.order
        )
        logged = found[-1]
        where = shown if path.is_file() else f"{shown} ({logged.path.name})"
        _require_finished(logged, where)
        samples = _samples(logged, where)
        scorer, values = _graded(samples, choices, where)
        notes = [*_ended(samples, where)]
        if len(found) > 1:
            notes.append(
                f"{shown}: task {task} was logged {len(found)} times; this is the "
                f"newest finished run ({logged.path.name})."
            )
        return Log(
            table=_table(samples, scorer, values, where),
            facts=_facts(logged, scorer),
            notes=tuple(notes),
            kind=_kind(samples),
            used=frozenset({"scorer", "model"}),
            files=(logged.path,),
        )


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        candidates = [path]
    else:
        candidates = sorted([*path.glob("*.eval"), *path.glob("*.json")])
    for one in candidates:
        if (one.suffix == ".eval" and one.is_file()) or all(
            mark in json_head(one) for mark in _MARKS
        ):
            yield one


def _logged(path: Path) -> _Logged:
    """Read the header of a log; of JSON, all of it."""
    if path.suffix != ".eval":
        found = _parsed(content(path, str(path)), str(path))
        return _Logged(path, found)
    archive = Archive(path, str(path))
    if "header.json" in archive.names():
        return _Logged(path, _parsed(archive.read("header.json"), str(path)))
    start = _parsed(archive.read("_journal/start.json"), str(path))
    return _Logged(path, {**start, "status": "started"})


def _parsed(data: bytes, shown: str) -> Mapping[str, Any]:
    found = _json(data, shown)
    if not isinstance(found, dict):
        raise DataError(f"{shown}: must be an object")
    return found


def _json(data: bytes, shown: str) -> Any:  # noqa: ANN401
    try:
        return parse_json(data, finite=False)
    except ValueError as error:
        raise DataError(f"{shown}: is not valid JSON: {error}") from error


def _require_finished(logged: _Logged, shown: str) -> None:
    """Refuse a run that did not come to its end: what it lacks is not known.

    Raises:
        DataError: It did not.

    """
    status = told(logged.header, "status")
    if status != "success":
        why = told(logged.header, "error", "message")
        raise DataError(
            f"{shown}: the run did not finish (status {status}"
            f"{f': {why[:200]}' if why else ''}); finish it with inspect eval-retry"
        )


def _samples(logged: _Logged, shown: str) -> Sequence[Mapping[str, Any]]:
    """Return the samples, or the summaries of an archive.

    Raises:
        DataError: There are none, or some that the header names are not there.

    """
    if logged.path.suffix == ".eval":
        archive = Archive(logged.path, shown)
        found = _json(archive.read("summaries.json"), f"{shown}/summaries.json")
    else:
        archive, found = None, logged.header.get("samples")
    if not isinstance(found, list) or not found:
        raise DataError(f"{shown}: holds no samples")
    if not all(isinstance(one, dict) and "id" in one for one in found):
        raise DataError(f"{shown}: a sample has no id")
    there = {str(one["id"]) for one in found}
    asked = inner(logged.header, "eval", "dataset", "sample_ids") or []
    lost = [one for one in map(str, asked) if one not in there]
    if lost:
        raise DataError(f"{shown}: lacks {len(lost)} samples of the run ({some(lost)})")
    if archive is None:
        return found
    return [one if _answered(one) else _whole(archive, one, shown) for one in found]


def _answered(summary: Mapping[str, Any]) -> bool:
    """Whether a summary says what was answered, or that nothing was."""
    scores = summary.get("scores") or {}
    return bool(summary.get("error")) or any(
        isinstance(one, dict) and one.get("answer") is not None
        for one in scores.values()
    )


def _whole(
    archive: Archive, summary: Mapping[str, Any], shown: str
) -> Mapping[str, Any]:
    """Return a summary with the output of its sample."""
    name = f"samples/{summary['id']}_epoch_{summary.get('epoch', 1)}.json"
    if name not in archive.names():
        return summary
    return {**summary, "output": _parsed(archive.read(name), shown).get("output")}


def _graded(
    samples: Sequence[Mapping[str, Any]], choices: Mapping[str, str], shown: str
) -> tuple[str, list[Any]]:
    """Return the scorer that grades, and its value of each sample.

    Values that are objects are scorers of their own, one a key.
    """
    rows = [dict(_values(one)) for one in samples]
    names = list(dict.fromkeys(name for row in rows for name in row))
    if not names:
        raise DataError(f"{shown}: no sample has a score")
    named = {"scorer": choices["metric"]} if "metric" in choices else {}
    name = chosen(
        "scorer",
        names,
        {**named, **choices},
        what="scorers",
        shown=shown,
        of_sides=False,
    )
    return name, [row.get(name) for row in rows]


def _values(sample: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    scores = sample.get("scores")
    if not isinstance(scores, dict):  # an early version had one score without a name
        scores = {"score": sample["score"]} if sample.get("score") else {}
    for name, score in scores.items():
        value = score.get("value") if isinstance(score, dict) else score
        if isinstance(value, dict):
            yield from ((f"{name}.{key}", one) for key, one in value.items())
        else:
            yield name, value


def _table(
    samples: Sequence[Mapping[str, Any]],
    scorer: str,
    values: Sequence[Any],
    shown: str,
) -> pa.Table:
    ids = [str(one["id"]) for one in samples]
    found: dict[str, Any] = {
        "id": ids,
        "input": [_text(one.get("input")) for one in samples],
        "gold": _golds(samples),
        "prediction": [_prediction(one, scorer) for one in samples],
        "error": pa.array([_error(one) for one in samples], pa.string()),
        **_grades(values, scorer, shown),
    }
    if len({*ids}) < len(ids):
        found["repeat"] = [int(number(one.get("epoch")) or 1) for one in samples]
    for name, column in slices([one.get("metadata") for one in samples]).items():
        found[SLICE_PREFIX + name] = column
    return pa.table(found)


def _grades(values: Sequence[Any], scorer: str, shown: str) -> dict[str, Any]:
    """Return grades of right and wrong, and scores where some value is neither.

    Raises:
        DataError: A value is no letter and no number.

    """
    read = [_number(one) for one in values]
    strange = [x for x, got in zip(values, read, strict=True) if got is None and x]
    if strange:
        raise DataError(
            f"{shown}: scorer {scorer} gives values that are no numbers and none of C, "
            f"I, P and N ({some(map(repr, strange))})"
        )
    right = [None if one is None else one == 1.0 for one in read]
    if {*read} <= {0.0, 1.0, None}:
        return {"correct": pa.array(right, pa.bool_())}
    scores = {f"score.{scorer}": pa.array(read, pa.float64())}
    if all(one is None or one in ("C", "I", "P", "N") for one in values):
        return {"correct": pa.array(right, pa.bool_()), **scores}
    return scores


def _number(value: Any) -> float | None:  # noqa: ANN401
    return _LETTERS[value] if value in ("C", "I", "P", "N") else number(value)


def _prediction(sample: Mapping[str, Any], scorer: str) -> str | None:
    score = inner(sample, "scores", scorer.partition(".")[0]) or sample.get("score")
    answer = told(score, "answer") if isinstance(score, dict) else None
    if answer is None:
        answer = told(sample, "output", "completion")
    if answer is None:
        answer = _text(inner(sample, "output", "choices"))
    return answer


def _text(value: Any) -> str | None:  # noqa: ANN401
    """Return a text, or the texts of messages and of their parts, a line each."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict):
        for key in ("content", "text", "message"):
            if key in value:
                text = _text(value[key])
                role = value.get("role")
                return f"{role}: {text}" if role and key == "content" else text
        return ""
    if isinstance(value, list):
        return "\n".join(filter(None, map(_text, value))) or None
    return str(value)


def _golds(samples: Sequence[Mapping[str, Any]]) -> pa.Array:
    """Return targets; as lists where some sample has several."""
    given = [one.get("target") for one in samples]
    lists = [one if isinstance(one, list) else [one] for one in given]
    texts = [[str(x) for x in one if x is not None] for one in lists]
    if all(len(one) <= 1 for one in texts):
        return pa.array([one[0] if one else None for one in texts], pa.string())
    return pa.array([one or None for one in texts], pa.list_(pa.string()))


def _error(sample: Mapping[str, Any]) -> str | None:
    error = sample.get("error")
    text = told(error, "message") if isinstance(error, dict) else error
    return str(text).split("\n", 1)[0][:500] if text else None


def _kind(samples: Sequence[Mapping[str, Any]]) -> str:
    """Return classification where each sample is one choice among given ones."""
    once = len({str(one["id"]) for one in samples}) == len(samples)
    picks = all(
        one.get("choices") and isinstance(one.get("target"), str) for one in samples
    )
    return "classification" if once and picks else "generation"


def _ended(samples: Sequence[Mapping[str, Any]], shown: str) -> Iterator[str]:
    limits = [one.get("limit") for one in samples]
    kinds = [told(x, "type") if isinstance(x, dict) else x for x in limits if x]
    if kinds:
        named = ", ".join(sorted({str(one) for one in kinds}))
        yield f"{shown}: {len(kinds)} samples were ended by a limit ({named})."
    partly = sum(1 for one in samples for _, value in _values(one) if value == "P")
    if partly:
        yield f"{shown}: {partly} values are P, partly right, which counts as wrong."


def _facts(logged: _Logged, scorer: str) -> dict[str, str]:
    """Return what decides a grade, from the header."""
    about = inner(logged.header, "eval") or {}
    options = next(
        (
            told(one, "options")
            for one in about.get("scorers") or []
            if told(one, "name") == scorer.partition(".")[0]
        ),
        None,
    )
    settings = (
        told(logged.header, "plan", "config"),
        told(about, "model_generate_config"),
    )
    solvers = [
        " ".join(filter(None, (told(one, "solver"), told(one, "params"))))
        for one in inner(logged.header, "plan", "steps") or []
    ]
    data = about.get("dataset") or {}
    return known(
        {
            "tool": "inspect_ai",
            "tool version": told(about, "packages", "inspect_ai"),
            "task": told(about, "task"),
            "task version": told(about, "task_version"),
            "task arguments": told(about, "task_args"),
            "scorer": scorer if options in (None, "{}") else f"{scorer} {options}",
            "solver": "; ".join(solvers) or None,
            "data": told(data, "location") or told(data, "name"),
            "epochs": told(about, "config", "epochs"),
            "generation settings": " ".join(x for x in settings if x and x != "{}")
            or None,
            "code": told(about, "revision", "commit"),
            "model": logged.model,
        }
    )
