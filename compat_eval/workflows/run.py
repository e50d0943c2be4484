"""Compare, and leave a run directory behind: all of it, or nothing."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from compat_eval.comparison.result import Comparison
from compat_eval.core.progress import Progress
from compat_eval.runs.claim import ClaimedDirectory, claim, next_run_directory
from compat_eval.runs.directory import Run, write_run
from compat_eval.workflows.compare import Answered, Compared, Sides, compare_sides
from compat_eval.workflows.manifest import facts_of, manifest, role_facts, stored
from compat_eval.workflows.options import Options
from compat_eval.workflows.sides import Side

Render: TypeAlias = Callable[[Run], dict[str, bytes]]
"""Makes the reports of a run; `compat_eval.report.render.render` is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A comparison and where it was written."""

    comparison: Comparison
    run: Run

    @property
    def content(self) -> Mapping[str, Any]:
        """The content of comparison.json."""
        return self.run.comparison

    @property
    def path(self) -> Path:
        """The run directory."""
        return self.run.path


def compare_and_write(
    old: Sides,
    new: Sides,
    options: Options,
    *,
    later: Sequence[Side] = (),
    render: Render,
    out: Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Written:
    """Compare sides and write the run directory; see `compare_sides`.

    The place is taken before the work begins, so that a run which could not be
    written does not start.

    Raises:
        OutputError: The directory is taken or cannot be written.
        CompatEvalError: As `compare_sides`.

    """
    started = datetime.now(UTC)
    with place(out, options, overwrite=overwrite) as claimed:
        clock = time.perf_counter()
        compared = compare_sides(old, new, options, later=later, progress=progress)
        seconds = {"compare": time.perf_counter() - clock}
        return write_compared(
            compared,
            options,
            claimed=claimed,
            render=render,
            started=started,
            seconds=seconds,
        )


@contextmanager
def place(
    out: Path | None, options: Options, *, overwrite: bool
) -> Iterator[ClaimedDirectory]:
    """Take the run directory: the named one, or the next below `runs/`."""
    reserved = out is None
    if out is None:
        out = next_run_directory(Path("runs"), _name(options))
    with claim(out, overwrite=overwrite, reserved=reserved) as claimed:
        yield claimed


def _name(options: Options) -> str:
    if options.suite is None:
        return options.task or "classification"
    from compat_eval.suite.load import load_suite  # noqa: PLC0415

    return load_suite(options.suite).name


def write_compared(
    compared: Compared,
    options: Options,
    *,
    claimed: ClaimedDirectory,
    render: Render,
    started: datetime,
    seconds: Mapping[str, float],
) -> Written:
    """Write what was compared, with its reports."""
    run = as_run(compared, options, path=claimed.path, started=started, seconds=seconds)
    write_run(run, files=render(run), claimed=claimed)
    return Written(comparison=compared.comparison, run=run)


def as_run(
    compared: Compared,
    options: Options,
    *,
    path: Path,
    started: datetime,
    seconds: Mapping[str, float],
) -> Run:
    """Return what the run directory will hold."""
    panel = compared.comparison.tasks[0].panel
    content = compared.comparison.to_dict()
    answered = compared.answered
    return Run(
        path=path,
        comparison=content,
        manifest=manifest(
            facts=facts_of(content),
            asked=compared.asked,
            roles={
                **{
                    role: role_facts(side, panel.answers[role].graded_levels())
                    for role, side in answered.sides.items()
                },
                **_mitigated(answered),
            },
            options=options,
            started=started,
            seconds=seconds,
        ),
        examples=panel.examples,
        answers={role: stored(panel, role) for role in panel.answers},
    )


def _mitigated(answered: Answered) -> Mapping[str, Any]:
    """Return what the manifest says of the roles that mitigations add."""
    if not answered.mitigated:
        return {}
    from compat_eval.workflows.mitigations import provenance  # noqa: PLC0415

    return provenance(answered.mitigated, answered.effort)


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
        >>> from compat_eval.workflows.run import compare
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
