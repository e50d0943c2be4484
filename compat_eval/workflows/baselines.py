"""Keep, list and replace baselines: what the model in production answered."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from compat_eval import __version__
from compat_eval.comparison.ill_sides import refuse_ill
from compat_eval.core.errors import CoverageError, OutputError, UsageError, some
from compat_eval.core.examples import Examples
from compat_eval.core.predictions import Predictions
from compat_eval.core.recorded import Recorded
from compat_eval.core.table import positions
from compat_eval.core.verdict import Verdict
from compat_eval.runs.baselines import (
    Baseline,
    baseline_path,
    read_baseline,
    write_baseline,
)
from compat_eval.runs.directory import read_run
from compat_eval.workflows.asked import ASKED, asked_facts, differences
from compat_eval.workflows.manifest import restored_options, restored_questions
from compat_eval.workflows.options import Options
from compat_eval.workflows.questions import Questions, questions
from compat_eval.workflows.sides import open_side, resolve

_QUESTIONS = ("gold", "cluster", "weight")
"""Columns of questions that a baseline holds where no suite has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedBaseline:
    """A baseline that was written.

    Attributes:
        path: Its file.
        baseline: What it holds.
        changed: Whether the file is another one than before.

    """

    path: Path
    baseline: Baseline
    changed: bool


def save_baseline(
    name: str,
    source: str,
    options: Options,
    *,
    folder: Path | None = None,
    overwrite: bool = False,
    now: datetime | None = None,
) -> SavedBaseline:
    """Save the answers of a run's NEW, or of a file, as a baseline.

    Args:
        name: Of the baseline.
        source: A run directory, or a reference to answers.
        options: With the suite that they answer, and how files are read.
        folder: Where baselines are.
        overwrite: Whether one of that name may be replaced.
        now: When answers without a date of their own are said to be given.

    Raises:
        OutputError: There is a baseline of that name, or it cannot be written.
        UsageError: The source is a model.
        CoverageError: It lacks answers, or answers other questions.

    """
    path = baseline_path(name, folder)
    if path.exists() and not overwrite:
        raise OutputError(
            f"{path} is there already. To put a run's NEW in its place use "
            f"compat-eval baseline promote {name} RUN; or add --overwrite"
        )
    reference = resolve(source)
    if not reference.recorded:
        raise UsageError(
            f"{source} is a model; a baseline is of answers. Write them with "
            f"compat-eval predict {source} --suite SUITE --out answers.jsonl"
        )
    asked = _asked(reference.scheme, reference.location, options)
    side = open_side(source, asked=asked[0], options=options, what="OLD")
    assert isinstance(side, Recorded), "models were refused"
    _require_all(side, *asked)
    return _written(path, side, *asked, now=now or datetime.now(UTC))


def promote_baseline(
    name: str, run_path: Path, *, folder: Path | None = None, force: bool = False
) -> SavedBaseline:
    """Put the answers of a run's NEW in the place of a baseline.

    Raises:
        UsageError: The run did not pass, or compared NEW with another OLD than this
            baseline, and `force` is not given; or there is no such baseline.

    """
    path = baseline_path(name, folder)
    known, run = read_baseline(path), read_run(run_path)
    verdict, old = run.comparison["verdict"], run.judged[0]
    told = run.manifest["roles"].get(old, {})
    refused = []
    if verdict != Verdict.PASS:
        refused.append(f"its verdict is {verdict}, not pass")
    if told.get("fingerprint") != known.digest:
        refused.append(
            f"its OLD ({told.get('reference', 'unknown')}) is not the baseline as it "
            "stands now"
        )
    if refused and not force:
        raise UsageError(
            f"{run_path} is not promoted: {'; and '.join(refused)}. Compare "
            f"baseline:{name} with NEW and let it pass; or promote it all the same "
            "with --force"
        )
    options = Options()
    asked = _asked("run", str(run_path), options)
    side = open_side(f"run:{run_path}", asked=asked[0], options=options, what="NEW")
    assert isinstance(side, Recorded), "a run holds answers"
    facts = {"verdict": str(verdict), "replaces": known.digest}
    return _written(path, side, *asked, now=datetime.now(UTC), more=facts)


def _asked(scheme: str, location: str, options: Options) -> tuple[Questions, Options]:
    """Return what was asked: what the options name or, of a run, what it asked."""
    if scheme != "run" or options.suite is not None or options.gold is not None:
        return questions(options, needs_gold=False), options
    run = read_run(Path(location.partition("#")[0]).expanduser())
    of_run = restored_options(run.manifest)
    asked = restored_questions(run.manifest, run.examples, name=run.comparison["suite"])
    whole = run.examples if asked.suite is not None else None
    if whole is not None and (of_run.limit or any(run.comparison["left_out"].values())):
        raise UsageError(
            f"{location} compared a part of the examples, and a baseline holds all "
            "answers; compare without --limit, and the same questions"
        )
    return replace(asked, examples=whole, whole=whole), of_run


def _require_all(side: Recorded, asked: Questions, options: Options) -> None:
    """Refuse answers that do not cover what is asked, or answer something else.

    Gold may have changed, and the version with it: answers are none the worse.
    """
    refuse_ill(side.name, side.predictions)
    if asked.whole is None:
        return
    lacking = asked.whole.ids.filter(
        pa.array(positions(asked.whole.ids, side.predictions.ids) < 0)
    ).to_pylist()
    if lacking:
        raise CoverageError(
            f"{side.name} answers {len(asked.whole) - len(lacking):,} of "
            f"{len(asked.whole):,} examples, not {some(lacking)}; a baseline answers "
            "all"
        )
    known = side.provenance.get(ASKED)
    if isinstance(known, Mapping):
        told = differences(known, asked_facts(asked, options), only=("task", "inputs"))
        if told:
            raise CoverageError(f"{side.name} answers other questions: {told}")


def _written(
    path: Path,
    side: Recorded,
    asked: Questions,
    options: Options,
    *,
    now: datetime,
    more: Mapping[str, Any] | None = None,
) -> SavedBaseline:
    known = side.provenance
    described = known.get("describe")
    own = described if isinstance(described, Mapping) else {}
    dated = known.get("answered") or own.get("answered") or _date_of_run(side.name)
    saved = known.get("saved") or now.isoformat(timespec="seconds")
    model = known.get("model") or own.get("model")
    if not isinstance(model, Mapping):
        model = {"reference": known.get("reference", side.name)}
        model["fingerprint"] = side.fingerprint
    if asked.whole is None:  # the file itself says what was asked
        asked = replace(asked, whole=side.examples)
    baseline = Baseline(
        facts={
            **({"answered": dated} if dated else {"saved": saved}),
            "model": {name: model.get(name) for name in ("reference", "fingerprint")},
            ASKED: asked_facts(asked, options),
            "compat_eval": __version__,
            **(more or {}),
        },
        table=_table(side.predictions, side.examples, asked),
    )
    changed = write_baseline(path, baseline)
    return SavedBaseline(path=path, baseline=read_baseline(path), changed=changed)


def _date_of_run(reference: str) -> str | None:
    """Return when the run was made that a reference names; `None` where it is none."""
    found = resolve(reference)
    if found.scheme != "run":
        return None
    manifest = read_run(Path(found.location.partition("#")[0]).expanduser()).manifest
    created = manifest.get("created")
    return created if isinstance(created, str) else None


def _table(answers: Predictions, examples: Examples, asked: Questions) -> pa.Table:
    """Return a row an answer, with the questions' columns where no suite has them."""
    table = answers.table
    if asked.suite is not None:
        wanted = positions(answers.ids, asked.whole.ids) >= 0 if asked.whole else None
        return table if wanted is None else table.filter(pa.array(wanted))
    slices = [f"slice.{name}" for name in examples.slice_names]
    for name in (*_QUESTIONS, *slices):
        if examples.tells(name):
            table = table.append_column(name, examples.column(name))
    return table
