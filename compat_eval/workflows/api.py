"""The Python way to compare: `compat_eval.compare(old, new, suite=…)`."""

from pathlib import Path
from typing import Any

from compat_eval.comparison.result import Comparison
from compat_eval.core.progress import Progress
from compat_eval.workflows.compare import Sides, compare_sides
from compat_eval.workflows.options import Options
from compat_eval.workflows.run import Render, compare_and_write
from compat_eval.workflows.sides import Side


def compare(
    old: Sides,
    new: Sides,
    *later: Side,
    suite: str | Path | None = None,
    gates: str | Path | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    render: Render | None = None,
    progress: Progress | None = None,
    **options: Any,  # noqa: ANN401 - the fields of Options
) -> Comparison:
    """Compare an old and a new model, and judge the gates.

    Args:
        old: A reference such as `hf:models/v1` or `preds:old.jsonl`; or an open
            model (`ModelSource`) or side (`Recorded`); or a list of training runs.
        new: Likewise.
        *later: Further versions. Every pair is compared, and the first is judged
            against the last.
        suite: Name or path of a suite.
        gates: Path of a gates file.
        out: Run directory to write; nothing is written without it.
        overwrite: Whether an earlier run in `out` may be replaced.
        render: Makes the reports of the run directory, such as
            `compat_eval.report.render.render`; without it the directory holds
            tables and numbers, and `compat-eval report` renders it.
        progress: Follows the work.
        **options: Further fields of `compat_eval.workflows.options.Options`, such
            as `limit`, `seed`, `task`, `gold`, `on_mismatch`, `cache`, or
            `mitigate` with a list such as `["bcr:k=10", "joint"]`.

    Raises:
        CompatEvalError: Something is wrong with the suite, a model or data, or
            the sides did not answer the same examples.

    Examples:
        >>> from compat_eval.workflows.api import compare
        >>> compare("old.jsonl", "new.jsonl").verdict  # doctest: +SKIP
        <Verdict.NONE: 'none'>

    """
    chosen = Options(suite=suite, gates=gates, **options)
    if out is None:
        return compare_sides(
            old, new, chosen, later=later, progress=progress
        ).comparison
    written = compare_and_write(
        old,
        new,
        chosen,
        later=later,
        render=render or (lambda _: {}),
        out=Path(out),
        overwrite=overwrite,
        progress=progress,
    )
    return written.comparison
