"""Details that lighteval saves (`--save-details`): Parquet, and the results beside.

A row is an example with its document, what the model answered, and its metrics. Of
several choices the likeliest is the answer. https://github.com/huggingface/lighteval
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from compat_eval.core.fingerprint import digest
from compat_eval.readers.logs.lighteval_rows import read_rows
from compat_eval.readers.logs.lm_eval import likeliest, listed
from compat_eval.readers.logs.log import Log
from compat_eval.readers.logs.newest import (
    newest,
    require_one_model,
    results_of,
    said_of_newest,
)
from compat_eval.readers.logs.rows import (
    inner,
    known,
    number,
    said_of_choice,
    scorer_of,
    told,
)

_NAME = re.compile(
    r"details_(?P<task>.+)_(?P<time>\d{4}-\d\d-\d\dT[\d.\-:+]+)\.parquet$"
)
_DEEPEST = 5
"""How far below the folder of all output details lie: details/ORG/MODEL/TIME/."""


@dataclass(frozen=True, slots=True)
class _Logged:
    """The details of one task in one run."""

    task: str
    time: str
    path: Path

    def results(self) -> Mapping[str, Any]:
        """Return what the results of the run say; nothing without any.

        Raises:
            DataError: They are damaged.

        """
        parts = self.path.parts
        at = len(parts) - 1 - parts[::-1].index("details") if "details" in parts else 0
        model = Path(*parts[at + 1 : -2])
        path = Path(*parts[:at], "results", model, f"results_{self.time}.json")
        return results_of(path) if at else {}


class LightevalDetails:
    """Details of one task, or a folder of them."""

    def recognises(self, path: Path) -> bool:
        """Whether there are files that are called as details are."""
        return any(True for _ in _files(path))

    def tasks(self, path: Path) -> tuple[str, ...]:
        """Return the names of the tasks.

        Raises:
            UsageError: There are logs of several models.

        """
        return tuple(sorted(_newest(path)))

    def read(
        self, path: Path, task: str, choices: Mapping[str, str], shown: str
    ) -> Log:
        """Return the answers of one task.

        Raises:
            UsageError: Several metrics could grade, and none is chosen.
            DataError: The details are damaged.

        """
        tasks = _newest(path)
        logged, n_runs = tasks[task]
        where = shown if path.is_file() else f"{shown} ({logged.path.name})"
        rows = read_rows(logged.path, where)
        values = _metrics(rows)
        scorer = scorer_of(values, choices, shown=where, of_several=len(tasks) > 1)
        kind, table = _table(rows, values, scorer)
        return Log(
            table=table,
            facts=_facts(logged, rows, scorer),
            notes=(
                *said_of_newest(logged, n_runs, shown=shown),
                *said_of_choice(scorer, choices, where),
                *_of_samples(rows, where),
            ),
            kind=kind,
            used=frozenset({"metric"}),
            files=(logged.path,),
        )


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        if _NAME.match(path.name) and path.is_file():
            yield path
        return
    top = path / "details" if (path / "details").is_dir() else path
    for depth in range(_DEEPEST):
        below = sorted(top.glob(f"{'*/' * depth}details_*.parquet"))
        found = [one for one in below if _NAME.match(one.name)]
        yield from found
        if found:
            return


def _newest(path: Path) -> dict[str, tuple[_Logged, int]]:
    """Return the newest details of each task, and how many there are.

    Raises:
        UsageError: There are logs of several models.

    """
    found = []
    for one in _files(path):
        named = _NAME.match(one.name)
        assert named is not None
        found.append(_Logged(named["task"], named["time"], one))
    require_one_model((one.path.parent.parent for one in found), path)
    return newest(found)


def _metrics(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[float | None]]:
    """Return the metrics that are numbers, for each row."""
    names = dict.fromkeys(name for row in rows for name in row.get("metric") or {})
    found = {
        str(name): [number(inner(row, "metric", name)) for row in rows]
        for name in names
    }
    return {name: x for name, x in found.items() if any(one is not None for one in x)}


def _table(
    rows: Sequence[Mapping[str, Any]],
    values: Mapping[str, Sequence[float | None]],
    scorer: str | None,
) -> tuple[str, pa.Table]:
    """Return the kind of task, and a row an example."""
    ids = [told(row, "doc", "id") or "" for row in rows]
    if "" in ids or len({*ids}) < len(ids):
        ids = [str(at) for at in range(len(rows))]
    found: dict[str, Any] = {"id": ids}
    for name, numbers in values.items():
        if name == scorer:
            right = [None if one is None else one == 1.0 for one in numbers]
            found["correct"] = pa.array(right, pa.bool_())
        elif any(one not in (None, 0.0, 1.0) for one in numbers):
            found[f"score.{name}"] = pa.array(numbers, pa.float64())
    picks = all(inner(row, "model_response", "logprobs") for row in rows) and not any(
        inner(row, "model_response", "text") for row in rows
    )
    if picks:
        return "classification", pa.table({**found, **_of_choices(rows, scorer or "")})
    return "generation", pa.table({**found, **_of_texts(rows)})


def _of_choices(
    rows: Sequence[Mapping[str, Any]], scorer: str
) -> dict[str, pa.Array | list[str | None]]:
    """Return the likeliest choice of each example, by number."""
    texts = [[str(x).strip() for x in inner(r, "doc", "choices") or []] for r in rows]
    by_character = "norm" in scorer
    said = [inner(row, "model_response", "logprobs") for row in rows]
    pairs = zip(said, texts, strict=True)
    chosen = [likeliest(one, of, by_character=by_character) for one, of in pairs]
    golds = [_indices(row) for row in rows]
    return {
        "input": [
            listed(told(row, "doc", "query"), of)
            for row, of in zip(rows, texts, strict=True)
        ],
        "gold": pa.array(
            [str(one[0]) if len(one) == 1 else None for one in golds], pa.string()
        ),
        "prediction": pa.array([one for one, _, _ in chosen], pa.string()),
        "score": pa.array([score for _, score, _ in chosen], pa.float64()),
    }


def _indices(row: Mapping[str, Any]) -> list[int]:
    """Return the numbers of the right choices."""
    given = inner(row, "doc", "gold_index")
    return [given] if isinstance(given, int) else list(given or [])


def _of_texts(rows: Sequence[Mapping[str, Any]]) -> dict[str, pa.Array]:
    """Return the first text that each example was answered, and all right ones."""
    golds = []
    for row in rows:
        choices = inner(row, "doc", "choices") or []
        right = [str(choices[at]) for at in _indices(row) if 0 <= at < len(choices)]
        golds.append(right or None)
    several = any(one and len(one) > 1 for one in golds)
    return {
        "input": pa.array([told(row, "doc", "query") for row in rows], pa.string()),
        "gold": (
            pa.array(golds, pa.list_(pa.string()))
            if several
            else pa.array([one and one[0] for one in golds], pa.string())
        ),
        "prediction": pa.array(
            [(_texts(row) or [None])[0] for row in rows], pa.string()
        ),
    }


def _texts(row: Mapping[str, Any]) -> list[Any]:
    response = row.get("model_response") or {}
    return response.get("text_post_processed") or response.get("text") or []


def _of_samples(rows: Sequence[Mapping[str, Any]], shown: str) -> Iterator[str]:
    most = max(len(_texts(row)) for row in rows)
    if most > 1:
        yield (
            f"{shown}: examples were answered up to {most} times, and graded once; the "
            "first answer is shown."
        )


def _facts(
    logged: _Logged, rows: Sequence[Mapping[str, Any]], scorer: str | None
) -> dict[str, str]:
    """Return what decides a grade, from the results and the rows themselves."""
    results = logged.results()
    config = inner(results, "config_tasks", logged.task) or {}
    general = inner(results, "config_general") or {}
    prompts = [told(row, "model_response", "input") or "" for row in rows]
    return known(
        {
            "tool": "lighteval",
            "tool version": told(general, "lighteval_sha"),
            "task": logged.task,
            "task version": told(config, "version"),
            "scorer": scorer,
            "few-shot examples": told(config, "num_fewshots"),
            "prompts": digest(sorted(prompts))[:12] if any(prompts) else None,
            "data": told(config, "hf_repo"),
            "data revision": told(config, "hf_revision"),
            "generation settings": told(
                general, "model_config", "generation_parameters"
            ),
            "model": told(general, "model_name"),
        }
    )
