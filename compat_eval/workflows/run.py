"""Compare, and leave a run directory behind: all of it, or nothing."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa

from compat_eval.comparison.own_grades import graded_levels
from compat_eval.comparison.panel import NEW, OLD, mitigation_role
from compat_eval.comparison.result import Comparison
from compat_eval.core.predictions import MISSING
from compat_eval.runner.progress import Progress
from compat_eval.runs.claim import Claim, claim
from compat_eval.runs.directory import Run, write_run
from compat_eval.runs.numbered import next_run_directory
from compat_eval.suite.load import load_suite
from compat_eval.workflows.compare import Compared, compare_sides
from compat_eval.workflows.manifest import facts_of, manifest
from compat_eval.workflows.mitigations import provenance
from compat_eval.workflows.options import Options
from compat_eval.workflows.sides import Side
from compat_eval.workflows.stored import graded, with_again

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
    old: Side,
    new: Side,
    options: Options,
    *,
    render: Render,
    out: Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Written:
    """Compare two sides and write the run directory.

    The place is taken before the work begins, so that a run which could not be
    written does not start.

    Raises:
        OutputError: The directory is taken or cannot be written.
        CompatEvalError: As `compare_sides`.

    """
    started = datetime.now(UTC)
    with place(out, options, overwrite=overwrite) as claimed:
        clock = time.perf_counter()
        compared = compare_sides(old, new, options, progress=progress)
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
def place(out: Path | None, options: Options, *, overwrite: bool) -> Iterator[Claim]:
    """Take the run directory: the named one, or the next below `runs/`."""
    reserved = out is None
    if out is None:
        out = next_run_directory(Path("runs"), _name(options))
    with claim(out, overwrite=overwrite, reserved=reserved) as claimed:
        yield claimed


def _name(options: Options) -> str:
    if options.suite is None:
        return options.task or "classification"
    return load_suite(options.suite).name


def write_compared(
    compared: Compared,
    options: Options,
    *,
    claimed: Claim,
    render: Render,
    started: datetime,
    seconds: Mapping[str, float],
) -> Written:
    """Write what was compared, with its reports."""
    run = as_run(compared, options, path=claimed.path, started=started, seconds=seconds)
    write_run(
        claimed.path,
        comparison=run.comparison,
        manifest=run.manifest,
        examples=run.examples,
        old=run.old,
        new=run.new,
        treated=run.treated,
        files=render(run),
        claimed=claimed,
    )
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
    update = compared.comparison.tasks[0].update
    panel = update.panel
    asked = compared.asked
    sides = {}
    for role in (OLD, NEW):
        side = graded(panel, role)
        if update.bounded.any():
            side = side.with_column(MISSING, pa.array(panel.missing[role]))
        sides[role] = side
    if compared.again is not None:
        sides["old"] = with_again(sides["old"], compared.again)
    content = compared.comparison.to_dict()
    return Run(
        path=path,
        comparison=content,
        manifest=manifest(
            facts=facts_of(content),
            asked=asked,
            old=compared.old,
            new=compared.new,
            options=options,
            graded_by_file={
                role: graded_levels(panel.answers[role]) for role in (OLD, NEW)
            },
            started=started,
            seconds=seconds,
            mitigations=provenance(compared.mitigated, compared.effort),
        ),
        examples=panel.examples,
        old=sides["old"],
        new=sides["new"],
        treated={
            one.slug: graded(panel, mitigation_role(one.slug))
            for one in compared.mitigated
        },
    )
