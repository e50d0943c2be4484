"""Event logs of OpenAI Evals: a line that describes the run, then an event a line.

An event `match` says whether an answer was right, `metrics` holds further grades,
`sampling` the prompt and the answer, `error` why there is none; `sample_id` joins them.
A finished run ends with its report. https://github.com/openai/evals
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from compat_eval.core.errors import DataError
from compat_eval.core.files import written_text
from compat_eval.readers.logs.log import Log
from compat_eval.readers.logs.rows import (
    asked_with_target,
    first_row,
    graded,
    inner,
    known,
    known_columns,
    number,
    repeats,
    scorer_of,
    told,
)
from compat_eval.suite.data.formats.json_rows import load_lines

_ANSWERING = {"match", "metrics", "sampling", "error"}
_LISTS_OF_ONE = 1

Event = Mapping[str, Any]


class OpenAIEvalsLog:
    """A log of `oaieval` (`--record_path`)."""

    def recognises(self, path: Path) -> bool:
        """Whether the first line describes a run."""
        spec = first_row(path).get("spec")
        return isinstance(spec, dict) and "eval_name" in spec

    def tasks(self, path: Path) -> tuple[str, ...]:
        """Return the name of the eval."""
        return (told(first_row(path), "spec", "eval_name") or path.name,)

    def read(
        self, path: Path, task: str, choices: Mapping[str, str], shown: str
    ) -> Log:
        """Return the answer to each sample.

        Raises:
            UsageError: Several metrics are right or wrong and none is chosen.
            DataError: No event grades an answer, or the log is damaged.

        """
        lines = list(load_lines(path, "utf-8", shown))
        samples = _samples(lines, shown)
        answers = [
            (sample, at, answer)
            for sample, events in samples.items()
            for at, answer in enumerate(_answers(events))
        ]
        scorer, grades = _grades([one for _, _, one in answers], choices, shown)
        ids = [sample for sample, _, _ in answers]
        found: dict[str, list[Any]] = {
            "id": ids,
            **repeats(ids, [str(at) for _, at, _ in answers]),
            **{
                name: [one.get(name) for _, _, one in answers]
                for name in ("input", "gold", "prediction", "error")
            },
            **grades,
        }
        ended = any("final_report" in line for line in lines)
        return Log(
            table=pa.table(known_columns(asked_with_target(found))),
            facts=_facts(task, scorer, inner(lines[0], "spec") or {}),
            notes=() if ended else (_UNFINISHED.format(shown),),
            kind="generation",
            used=frozenset({"metric"}),
        )


_UNFINISHED = "{}: the run did not end (there is no final report); samples may lack."


def _samples(lines: Sequence[Event], shown: str) -> dict[str, list[Event]]:
    """Return the events of each sample, in the order of the log.

    Raises:
        DataError: There are none, or an event has no sample.

    """
    found: dict[str, list[Event]] = {}
    for at, event in enumerate(lines, start=1):
        if told(event, "type") not in _ANSWERING:
            continue
        sample = told(event, "sample_id")
        if sample is None:
            raise DataError(f"{shown}:{at}: an event without sample_id")
        found.setdefault(sample, []).append(event)
    if not found:
        raise DataError(
            f"{shown}: holds no events of kind {', '.join(sorted(_ANSWERING))}"
        )
    return found


def _answers(events: Sequence[Event]) -> list[dict[str, Any]]:
    """Return the answers to one sample; several where it was matched several times."""
    matches = [e for e in events if e["type"] == "match"] or [{}]
    metrics: dict[str, Any] = {}
    for event in events:
        if event["type"] == "metrics":
            metrics |= inner(event, "data") or {}
    sampled = next((e for e in events if e["type"] == "sampling"), {})
    failed = next((e for e in events if e["type"] == "error"), {})
    return [
        {
            "input": _prompt(inner(sampled, "data", "prompt")),
            "gold": _one(inner(match, "data", "expected")),
            "prediction": _one(inner(match, "data", "picked"))
            or _one(inner(match, "data", "sampled"))
            or _one(inner(sampled, "data", "sampled")),
            "error": told(failed, "data", "message") if failed else None,
            "metrics": {**metrics, **_right(match)},
        }
        for match in matches
    ]


def _right(match: Event) -> dict[str, Any]:
    return {"match": inner(match, "data", "correct")} if match else {}


def _grades(
    answers: Sequence[Mapping[str, Any]], choices: Mapping[str, str], shown: str
) -> tuple[str | None, dict[str, list[Any]]]:
    """Return what grades, and the columns of grades."""
    names = dict.fromkeys(name for one in answers for name in one["metrics"])
    columns = {
        name: [number(one["metrics"].get(name)) for one in answers] for name in names
    }
    numbers = {
        name: values for name, values in columns.items() if set(values) != {None}
    }
    if not numbers:
        raise DataError(
            f"{shown}: no event says right or wrong or gives a score; the log has "
            f"{', '.join(names) or 'no match and no metrics'}"
        )
    scorer = "match" if "match" in numbers and "metric" not in choices else None
    scorer = scorer or scorer_of(numbers, choices, shown=shown)
    found = graded(numbers[scorer], scorer) if scorer else {}
    for name, values in numbers.items():
        found |= {n: v for n, v in graded(values, name).items() if n != "correct"}
    return scorer, found


def _prompt(prompt: Any) -> str | None:  # noqa: ANN401
    """Return a prompt as text; of a chat who says what."""
    if isinstance(prompt, list) and all(isinstance(one, dict) for one in prompt):
        turns = [(told(turn, "role"), told(turn, "content")) for turn in prompt]
        return "\n".join(f"{role}: {content}" for role, content in turns) or None
    return written_text(prompt)


def _one(value: Any) -> str | None:  # noqa: ANN401
    """Return the only one of a list as text; several as JSON, none as no answer."""
    if isinstance(value, list) and len(value) <= _LISTS_OF_ONE:
        value = value[0] if value else None
    return written_text(value)


def _facts(task: str, scorer: str | None, spec: Mapping[str, Any]) -> dict[str, str]:
    settings = inner(spec, "run_config", "eval_spec") or {}
    return known(
        {
            "tool": "OpenAI Evals",
            "task": task,
            "split": told(spec, "split"),
            "scorer": " of ".join(filter(None, (scorer, told(settings, "cls"))))
            or None,
            "settings": told(settings, "args"),
            "seed": told(spec, "run_config", "seed"),
            "max_samples": told(spec, "run_config", "max_samples"),
            "model": told(spec, "completion_fns"),
        }
    )
