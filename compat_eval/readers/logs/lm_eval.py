"""Samples that lm-evaluation-harness logs (`--log_samples`), and the results beside.

A row is a document as answered through one filter, graded by the harness. Several
choices are answered by the likeliest: `acc` compares log-likelihoods, `acc_norm` those
of each character. https://github.com/EleutherAI/lm-evaluation-harness
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from compat_eval.core.arrays import Values
from compat_eval.core.errors import DataError, UsageError, some
from compat_eval.core.examples import SLICE_PREFIX
from compat_eval.readers.logs.lm_eval_rows import LoggedSamples, read_samples
from compat_eval.readers.logs.log import Log
from compat_eval.readers.logs.newest import (
    newest,
    require_one_model,
    results_of,
    said_of_newest,
)
from compat_eval.readers.logs.rows import (
    first_row,
    inner,
    json_head,
    known,
    said_of_choice,
    told,
)
from compat_eval.suite.data.columns import as_text

_MARKS = {"doc_id", "filtered_resps", "arguments"}
_NAME = re.compile(
    r"samples_(?P<task>.+?)(_(?P<time>\d{4}-\d\d-\d\dT[\d.\-]+?))?\.jsonl?(\.\w+)?$"
)
_RESULTS = re.compile(r"results(_(?P<time>\d{4}-\d\d-\d\dT[\d.\-]+?))?\.json$")
_BY_CHARACTER = "acc_norm"
_RATES = {"word_perplexity", "byte_perplexity", "bits_per_byte"}


@dataclass(frozen=True, slots=True)
class _Logged:
    """One run of one task: its samples, and the results of the whole run."""

    task: str
    named: bool
    time: str
    samples: Path

    def results(self) -> Mapping[str, Any]:
        """Return what the results beside the samples say; nothing without any.

        Raises:
            DataError: They are damaged.

        """
        name = f"results_{self.time}.json" if self.time else "results.json"
        return results_of(self.samples.with_name(name))


class LmEvalSamples:
    """Samples of one task, or the folder of a model or of a run."""

    def recognises(self, path: Path) -> bool:
        """Whether there are such samples, or results of a run."""
        if path.is_dir():
            return any(_NAME.match(one.name) for one in path.glob("samples_*")) or any(
                _NAME.match(one.name) for one in path.glob("*/samples_*")
            )
        if _RESULTS.match(path.name):
            return b'"n-shot"' in json_head(path)
        if first_row(path).keys() >= _MARKS:
            return True
        named = _NAME.match(path.name)  # a first row may be too long to look at
        return bool(named and named["time"]) and path.is_file()

    def tasks(self, path: Path) -> tuple[str, ...]:
        """Return the names of the tasks.

        Raises:
            UsageError: There are logs of several models.

        """
        return tuple(sorted(_newest(path)))

    def read(
        self, path: Path, task: str, choices: Mapping[str, str], shown: str
    ) -> Log:
        """Return each document's answer through one filter.

        Raises:
            UsageError: There are several filters and none is chosen, or not that one.
            DataError: There is no metric, or fewer samples than the results tell.

        """
        tasks = _newest(path)
        logged, n_runs = tasks[task]
        results = logged.results()
        where = shown if path.is_file() else f"{shown} ({logged.samples.name})"
        rows, used = _filtered(
            read_samples(logged.samples, where), choices.get("filter"), where
        )
        _require_all(results, task, len(rows.table), where)
        metric = _metric(rows, choices.get("metric"), where, of_several=len(tasks) > 1)
        kind, answers = _answers(rows, metric, where)
        facts = _facts(results, task if logged.named else None, metric, rows, used)
        return Log(
            table=pa.table(answers),
            facts=facts,
            notes=(
                *said_of_newest(logged, n_runs, shown=shown),
                *said_of_choice(metric, choices, where),
                *_of_repeats(rows.n_responses, used, logged.samples.name, where),
            ),
            kind=kind,
            used=frozenset({"filter", "metric"}),
            files=(logged.samples,),
        )


def _newest(path: Path) -> dict[str, tuple[_Logged, int]]:
    """Return the newest run of each task, and how many there are.

    Raises:
        UsageError: There are logs of several models.

    """
    if path.is_file() and not _RESULTS.match(path.name):
        return newest([_logged(path)])
    run = _RESULTS.match(path.name)
    folder = path if run is None or path.is_dir() else path.parent
    found = [*map(_logged, _samples(folder))]
    if path.is_file() and run is not None:
        found = [one for one in found if one.time == (run["time"] or "")]
        if not found:
            raise DataError(f"{path}: the samples of this run are not beside it")
    return newest(found)


def _samples(folder: Path) -> list[Path]:
    """Return the samples in a folder, or in that of its one model."""
    below: dict[Path, list[Path]] = {}
    for pattern in ("samples_*", "*/samples_*"):
        for one in sorted(folder.glob(pattern)):
            if _NAME.match(one.name) and one.is_file():
                below.setdefault(one.parent, []).append(one)
    require_one_model(below, folder)
    return next(iter(below.values()), [])


def _logged(path: Path) -> _Logged:
    """Return what a file's name tells; a name without a time is no task for sure."""
    found = _NAME.match(path.name)
    if found is None:
        return _Logged(path.name, named=False, time="", samples=path)
    time = found["time"] or ""
    named = bool(time) or path.with_name("results.json").is_file()
    return _Logged(found["task"], named=named, time=time, samples=path)


def _filtered(
    rows: LoggedSamples, wanted: str | None, shown: str
) -> tuple[LoggedSamples, str | None]:
    """Return the samples of one filter, and its name."""
    table = rows.table
    if "filter" not in table.column_names:
        return rows, None
    filters = sorted(map(str, pc.unique(table["filter"]).to_pylist()))
    # A choice that is made for all tasks of a folder is no choice of one without.
    if filters == ["none"] or (wanted is None and len(filters) == 1):
        return rows, filters[0]
    if wanted not in filters:
        asked = (
            "choose one" if wanted is None else f"there is no {wanted!r}; choose one"
        )
        raise UsageError(
            f"{shown}: every document was answered through {len(filters)} filters "
            f"({', '.join(filters)}); {asked}, as in --keep filter={filters[0]}"
        ).cured_by(("--keep", f"filter={filters[0]}"))
    return rows.take(pc.equal(table["filter"], wanted)), wanted


def _require_all(
    results: Mapping[str, Any], task: str, n_rows: int, shown: str
) -> None:
    """Refuse samples of which some are gone.

    Raises:
        DataError: The results of the run count more.

    """
    counted = inner(results, "n-samples", task, "effective")
    if isinstance(counted, int) and counted != n_rows:
        raise DataError(
            f"{shown}: holds {n_rows:,} samples, and the results of that run count "
            f"{counted:,}. The log is damaged or belongs to another run; to compare "
            "what is there, move it away from the results."
        )


def _metric(
    rows: LoggedSamples, wanted: str | None, shown: str, *, of_several: bool
) -> str:
    """Return the metric that grades: the chosen one, or the first right-or-wrong one.

    A choice that is made for several tasks is none of one that has not that metric.

    Raises:
        DataError: There is none, or not the chosen one.

    """
    if of_several and wanted not in rows.metrics:
        wanted = None
    if wanted is not None and wanted not in rows.metrics:
        raise DataError(
            f"{shown}: there is no metric {wanted!r}; there are {some(rows.metrics)}"
        )
    if not rows.metrics:
        raise DataError(f"{shown}: the log has no metrics")
    right = (name for name in rows.metrics if _is_right_or_wrong(rows.values(name)))
    return wanted or next(right, rows.metrics[0])


def _answers(
    rows: LoggedSamples, metric: str, shown: str
) -> tuple[str, dict[str, pa.Array | pa.ChunkedArray | list[Any]]]:
    """Return the kind of task, and what each document was answered."""
    table = rows.table
    found = {
        "id": as_text(table["doc_id"], what="doc_id", shown=shown),
        **({"question": table["doc_hash"]} if _told(table, "doc_hash") else {}),
    }
    for name in table.column_names:
        if name.startswith("doc."):
            found[SLICE_PREFIX + name.removeprefix("doc.")] = table[name]
    if metric in _RATES:
        return "language_modeling", {**found, **_of_documents(rows, metric, shown)}
    graded = _grades(rows, metric)
    if rows.has_choices:
        return "classification", {**found, **graded, **_of_choices(rows, metric, shown)}
    asked = {"input": rows.prompts(), "gold": rows.targets()}
    if rows.grades_likelihoods:
        asked["gold"] = pa.array(["True"] * len(table))  # the likeliest text of all
        found["prediction"] = rows.greedy()
        return "classification", {**found, **graded, **asked}
    return "generation", {
        **found,
        **graded,
        **asked,
        "prediction": rows.responses(),
    }


def _told(table: pa.Table, name: str) -> bool:
    return name in table.column_names and table[name].null_count == 0


def _grades(rows: LoggedSamples, metric: str) -> dict[str, Any]:
    """Return what is right or wrong, and the scores of metrics that are neither."""
    found: dict[str, Any] = {}
    for name in rows.metrics:
        values = rows.values(name)
        if values is None:
            continue
        if name == metric and _is_right_or_wrong(values):
            found["correct"] = pa.array(values == 1.0, mask=np.isnan(values))
        elif not _is_right_or_wrong(values) and _in_range(values):
            found[f"score.{name}"] = pa.array(values, mask=np.isnan(values))
    return found


def _is_right_or_wrong(values: Values | None) -> bool:
    if values is None or np.isnan(values).all():
        return False
    return bool(np.isin(values[~np.isnan(values)], (0.0, 1.0)).all())


def _in_range(values: Values) -> bool:
    known_values = values[~np.isnan(values)]
    return bool(len(known_values) and ((known_values >= 0) & (known_values <= 1)).all())


def _of_documents(rows: LoggedSamples, metric: str, shown: str) -> dict[str, Any]:
    """Return nats and units of each document: words, or bytes."""
    pairs = rows.pairs(metric)
    if pairs is None:
        raise DataError(f"{shown}: {metric} must be a log-likelihood and a count")
    return {
        "input": rows.targets(),
        "nll": [-one for one, _ in pairs],
        "n_tokens": [int(count) for _, count in pairs],
    }


def _of_choices(rows: LoggedSamples, metric: str, shown: str) -> dict[str, Any]:
    """Return the likeliest choice of each document, by number, and how likely it is.

    The input lists the choices. Gold is given where it is a number, or a choice.
    """
    texts, prompts = rows.choices(), rows.prompts().to_pylist()
    by_character = metric == _BY_CHARACTER
    pairs = zip(rows.likelihoods(shown), texts, strict=True)
    chosen = [likeliest(said, of, by_character=by_character) for said, of in pairs]
    found = {
        "input": [listed(p, of) for p, of in zip(prompts, texts, strict=True)],
        "gold": _golds(rows.targets().to_pylist(), texts),
        "prediction": [one for one, _, _ in chosen],
        "score": pa.array([score for _, score, _ in chosen], pa.float64()),
    }
    if not by_character:
        found["margin"] = pa.array([margin for _, _, margin in chosen], pa.float64())
    return found


def likeliest(
    given: Values | Sequence[float], choices: Sequence[str], *, by_character: bool
) -> tuple[str | None, float | None, float | None]:
    """Return the number of the likeliest choice, its probability, and its margin."""
    said = np.asarray(given, np.float64)
    if not len(said) or np.isnan(said).any():
        return None, None, None
    sizes = [max(len(one), 1) for one in choices] if by_character else [1] * len(said)
    if len(sizes) != len(said):
        return None, None, None
    best = int(np.argmax(said / np.array(sizes)))
    shares = np.exp(said - said.max())
    shares /= shares.sum()
    rest = np.delete(shares, best).max(initial=0.0)
    return str(best), float(shares[best]), float(shares[best] - rest)


def listed(prompt: str | None, choices: Sequence[str]) -> str:
    """Return a prompt with its choices, numbered, below."""
    lines = [f"{at}. {one}" for at, one in enumerate(choices)]
    return "\n".join([prompt or "", *lines])


def _golds(
    targets: Sequence[str | None], choices: Sequence[Sequence[str]]
) -> list[str | None]:
    """Return the numbers of the right choices.

    Targets are numbers, unless some is none of a choice: then all are texts.
    """
    pairs = list(zip(targets, choices, strict=True))
    if all(t is None or (t.isdecimal() and int(t) < len(c)) for t, c in pairs):
        return list(targets)
    return [t if t is None or t not in c else str([*c].index(t)) for t, c in pairs]


def _of_repeats(
    n_responses: int, used: str | None, file: str, shown: str
) -> Iterator[str]:
    """Say what becomes of several answers to a document, and how to have them all."""
    if n_responses > 1:
        of_one = "" if used in (None, "none") else f" --keep filter={used}"
        yield (
            f"{shown}: each document was answered {n_responses} times, and the harness "
            "graded what its filter made of the answers. To compare every answer, by "
            f"its match with the target, give the file {file} itself, with --task "
            "generation --fields id=doc_id,prediction=resps.0,gold=target,"
            f"input=arguments.gen_args_0.arg_0{of_one}"
        )


def _facts(
    results: Mapping[str, Any],
    task: str | None,
    metric: str,
    rows: LoggedSamples,
    used: str | None,
) -> dict[str, str]:
    """Return what decides a grade, from the results and the rows themselves."""
    name = task or ""
    config = inner(results, "configs", name) or {}
    data = (
        told(config, "dataset_path"),
        told(config, "dataset_name"),
        told(config, "dataset_kwargs", "revision"),
    )
    settings = [
        told(config, "generation_kwargs"),
        told(results, "config", "gen_kwargs"),
    ]
    return known(
        {
            "tool": "lm-evaluation-harness",
            "tool version": told(results, "lm_eval_version"),
            "task": task,
            "task version": told(results, "versions", name),
            "scorer": metric,
            "filter": used,
            "few-shot examples": told(results, "n-shot", name),
            "prompts": rows.digest_of("prompt_hash", rows.prompts()),
            "gold": rows.digest_of("target_hash", rows.targets()),
            "data": " ".join(filter(None, data)) or None,
            "data revision": told(config, "dataset_kwargs", "revision"),
            "repeats": told(config, "repeats"),
            "generation settings": " ".join(filter(None, settings)) or None,
            "chat template": told(results, "chat_template_sha"),
            "system instruction": told(results, "system_instruction_sha"),
            "metrics": ", ".join(rows.metrics) or None,
            "model": told(results, "model_name"),
        }
    )
