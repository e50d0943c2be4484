"""Compute a run again from its tables, and compare every number with the recorded."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from compat_eval.comparison.alignment import Pairing
from compat_eval.comparison.compare import compare_aligned
from compat_eval.comparison.coverage import Coverage
from compat_eval.comparison.levels import differs
from compat_eval.comparison.result import Comparison
from compat_eval.comparison.treated import FACTS, Treated
from compat_eval.core.errors import DataError, some
from compat_eval.pipeline.compare import demands_of, rerun_of
from compat_eval.pipeline.restored import restored_options, restored_questions
from compat_eval.pipeline.stored import (
    again_of,
    bounded_of,
    coverage_of,
    graded,
    ungraded,
    without_again,
)
from compat_eval.runs.directory import Run

_REWORDED = {
    "the predictions are not known, only whether they are right": (
        "changes are known of whole answers, not of their parts"
    )
}
"""Reasons as earlier runs give them, and how they are put now."""

Difference = tuple[str, Any, Any]
"""Where in comparison.json, what stands there, and what was computed."""


def verify(run: Run) -> list[Difference]:
    """Return where a run's comparison.json differs from what its tables say.

    Everything is computed again: grades from gold and predictions (unless a
    file had graded them), counts, intervals, slices, gates and the verdict. What
    differed between the original files, labels of models, what dev chose for a
    mitigation, and notes are taken as recorded, since the tables do not hold them.

    Raises:
        DataError: The run cannot be computed again.

    """
    differences = list(
        _differences("", dict(run.comparison), recomputed(run).to_dict())
    )
    return [*_grades(run), *differences]


def recomputed(run: Run) -> Comparison:
    """Compare a run's two sides again.

    Raises:
        DataError: The manifest does not say how.

    """
    recorded = run.comparison
    try:
        task = recorded["tasks"][0]
        coverage = Coverage(**recorded["coverage"])
        manifest = run.manifest
        asked = restored_questions(
            manifest,
            run.examples,
            name=recorded["suite"],
        )
        options = restored_options(manifest)
    except (KeyError, IndexError, TypeError) as error:
        raise DataError(f"{run.path}: cannot be computed again: {error!r}") from error
    pairing = _pairing(run, coverage)
    demands = demands_of(asked)
    return compare_aligned(
        pairing,
        asked.task,
        name=recorded["suite"],
        levels=asked.levels,
        demands=demands,
        seed=options.seed,
        doubts=recorded["doubts"],
        rerun=rerun_of(pairing, again_of(run.old)),
        labels=task.get("labels"),
        notes=recorded["notes"],
        settings=options.deciding(),
        treated=_treated(run),
        changed_units=bool(recorded["settings"].get("changed_units")),
    )


def _treated(run: Run) -> list[Treated]:
    """Return the mitigations, ungraded."""
    try:
        return [
            Treated(
                facts={key: one[key] for key in FACTS},
                predictions=ungraded(run.treated[one["slug"]], keep=()),
            )
            for one in run.comparison["tasks"][0].get("mitigations", ())
        ]
    except KeyError as error:
        raise DataError(f"{run.path}: cannot be computed again: {error!r}") from error


def _pairing(run: Run, coverage: Coverage) -> Pairing:
    manifest = run.manifest
    old, new = (
        ungraded(side, keep=manifest[name].get("graded_by_file", []))
        for name, side in (("old", without_again(run.old)), ("new", run.new))
    )
    return Pairing(
        examples=run.examples,
        old=old,
        new=new,
        bounded=bounded_of(old, new),
        coverage=coverage_of(old, new, coverage),
    )


def _grades(run: Run) -> Iterator[Difference]:
    """Yield the sides whose stored grades are not those of the task."""
    pairing = _pairing(run, Coverage(**run.comparison["coverage"]))
    asked = restored_questions(run.manifest, run.examples, name="")
    for name, side, stored in (
        ("old", pairing.old, without_again(run.old)),
        ("new", pairing.new, run.new),
        *((slug, ungraded(one, keep=()), one) for slug, one in run.treated.items()),
    ):
        again = graded(pairing, side, asked.task, asked.levels)
        for column in again.table.column_names:
            if not column.startswith("correct."):
                continue
            where = f"predictions/{name}.parquet {column}"
            if column not in stored:
                yield where, "no such column", "grades"
                continue
            other = differs(stored.column(column), again.column(column))
            if other.any():
                ids = side.ids.filter(pa.array(other)).to_pylist()
                at = int(np.argmax(other))
                yield (
                    f"{where} of {some(ids)}",
                    stored.column(column)[at].as_py(),
                    again.column(column)[at].as_py(),
                )


def _differences(where: str, recorded: Any, computed: Any) -> Iterator[Difference]:  # noqa: ANN401
    if isinstance(recorded, Mapping) and isinstance(computed, Mapping):
        for key in sorted({*recorded, *computed}):
            inner = f"{where}.{key}" if where else str(key)
            yield from _differences(inner, recorded.get(key), computed.get(key))
    elif isinstance(recorded, list) and isinstance(computed, list):
        if len(recorded) != len(computed):
            yield f"{where} (length)", len(recorded), len(computed)
        for at, (one, other) in enumerate(zip(recorded, computed, strict=False)):
            yield from _differences(f"{where}[{at}]", one, other)
    elif _REWORDED.get(str(recorded)) == computed and computed is not None:
        return
    elif recorded != computed or type(recorded) is not type(computed):
        yield where, recorded, computed
